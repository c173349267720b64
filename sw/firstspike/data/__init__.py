"""Data sets of images, all real and whole: digits, MNIST, Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstspike.data import digits
from firstspike.data.catalog import ENVIRONMENT, FILES, IDX_SETS, home, locate, read_file
from firstspike.data.idx import parse_idx
from firstspike.errors import InputError

__all__ = ["NAMES", "Dataset", "check_name", "load"]

#: Data sets by name.
NAMES = ("digits", *IDX_SETS)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images with labels, split for training and for the test.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    train_images, test_images : ndarray of uint8, shape (n, rows, columns)
        Intensities.
    train_labels, test_labels : ndarray of int64, shape (n,)
        Classes 0..9.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def split(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of ``split``, ``train`` or ``test``."""
        if split == "train":
            return self.train_images, self.train_labels
        return self.test_images, self.test_labels


def check_name(name: str) -> None:
    """Raise InputError unless ``name`` is one of `NAMES`."""
    if name not in NAMES:
        raise InputError(f"data set is {name!r}, must be one of {', '.join(NAMES)}")


def load(name: str, folder: Path | None = None) -> Dataset:
    """Return the data set ``name``, read from this machine and verified; nothing is fetched.

    Parameters
    ----------
    name : str
        ``digits`` (in this package, 8 x 8, 1 297 + 500), ``mnist`` or ``fashion-mnist``
        (28 x 28, 60 000 + 10 000).
    folder : Path, optional
        Where the files lie; see `firstspike.data.catalog.locate`.

    Raises
    ------
    InputError
        If the name is unknown, or the files are missing, damaged or others.
    """
    check_name(name)
    if name == "digits":
        images, labels = digits.images_and_labels()
        n = len(labels) - digits.TEST
        return Dataset(name, images[:n], labels[:n], images[n:], labels[n:])
    place = locate(name, folder)
    if place is None:
        where = str(folder) if folder is not None else f"{home()} (or ${ENVIRONMENT})"
        raise InputError(
            f"{name}: no such data set in {where}; to fetch it: firstspike data {name}"
        )
    arrays = []
    for file, dimensions in zip(FILES, (3, 1, 3, 1), strict=True):
        content, path = read_file(name, place, file)
        arrays.append(parse_idx(content, path, dimensions))
    train_images, train_labels, test_images, test_labels = arrays
    return Dataset(
        name,
        train_images,
        train_labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
    )
