"""What a network is run on: a data set by name, or a person's own images.

Own images are an .npz file or a folder of PNG files:

* ``file.npz`` holds ``images``, uint8 of shape (n, rows, columns), and optionally ``labels``,
  integers of shape (n,).
* A folder holds PNG files, and is then without labels; or it holds one folder for each class, named
  by the class number, with that class' PNG files. Files are taken in the order of their names,
  classes in the order of their numbers.

A pixel becomes an intensity 0..255 like this: black and white are 0 and 255; 16 bits of grey lose
the lower 8; colour becomes ``(19595 R + 38470 G + 7471 B + 32768) >> 16``; a transparent pixel is
blended with black. Images are never scaled: their size must be that of the network's input.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from firstspike import data
from firstspike.arrays import load_arrays
from firstspike.errors import InputError

__all__ = ["Stimuli", "load_stimuli", "read_image"]

#: What Pillow raises on files that are damaged, of another kind, or unreasonably large.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    Image.DecompressionBombError,
    Warning,
)


@dataclass(frozen=True, slots=True, eq=False)
class Stimuli:
    """Images, flat, with their labels where they have some.

    Parameters
    ----------
    name : str
        Data set, file or folder.
    split : str
        ``train`` or ``test`` of a data set; ``all`` for own images.
    images : ndarray of uint8, shape (n, pixels)
        Intensities, row by row.
    labels : ndarray of int64, shape (n,), or None
        Classes.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None


def load_stimuli(
    source: str,
    shape: tuple[int, int],
    *,
    split: str | None = None,
    limit: int | None = None,
    folder: Path | None = None,
) -> Stimuli:
    """Return the images of ``source``.

    Parameters
    ----------
    source : str
        Name of a data set (`firstspike.data.NAMES`), an .npz file, or a folder of PNG files.
    shape : tuple of int
        Rows and columns that the images must have.
    split : str, optional
        ``test`` (as without it) or ``train``; for data sets only.
    limit : int, optional
        Take only so many, from the start.
    folder : Path, optional
        Where data sets lie, for `firstspike.data.load`.

    Raises
    ------
    InputError
        If there is no such source, something in it cannot be used, or the size is another.
    """
    path = Path(source)
    labels: np.ndarray | None
    if source in data.NAMES:
        split = split or "test"
        images, labels = data.load(source, folder).split(split)
    elif split is not None:
        raise InputError(f"--split {split}: only a data set has splits, not {source!r}")
    elif path.suffix == ".npz":
        images, labels = _from_archive(path)
    elif path.is_dir():
        images, labels = _from_folder(path, shape)
    else:
        known = ", ".join(data.NAMES)
        raise InputError(f"data is {source!r}, must be one of {known}, a file.npz or a folder")
    if images.shape[1:] != shape:
        raise InputError(
            f"{source}: images are {images.shape[1]} x {images.shape[2]} (rows x columns), the "
            f"network takes {shape[0]} x {shape[1]}"
        )
    n = len(images) if limit is None else limit
    return Stimuli(
        source,
        split or "all",
        images[:n].reshape(-1, shape[0] * shape[1]),
        None if labels is None else labels[:n],
    )


def _from_archive(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    arrays = load_arrays(path)
    unknown = arrays.keys() - {"images", "labels"}
    if unknown:
        raise InputError(f"{path}: {min(unknown)}: unknown array; known here: images, labels")
    if "images" not in arrays:
        raise InputError(f"{path}: array 'images' is missing")
    images, labels = arrays["images"], arrays.get("labels")
    if images.dtype != np.uint8 or images.ndim != 3 or 0 in images.shape:
        raise InputError(
            f"{path}: images: are {images.dtype} of shape {images.shape}, must be uint8 of shape "
            "(n, rows, columns)"
        )
    if labels is None:
        return images, None
    if labels.shape != (len(images),):
        raise InputError(f"{path}: labels: shape is {labels.shape}, must be ({len(images)},)")
    wrong = (labels < 0) | (labels >= 1 << 20)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise InputError(f"{path}: labels[{i}] is {labels[i]}, must be a class number from 0")
    return images, labels.astype(np.int64)


def _pngs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")


def _from_folder(folder: Path, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    names = [path.name for path in folder.iterdir() if path.is_dir()]
    classes = sorted((int(name), name) for name in names if name.isdecimal())
    flat = _pngs(folder)
    if flat and classes:
        raise InputError(f"{folder}: holds PNG files beside folders of classes; must be either")
    labelled = [(path, label) for label, name in classes for path in _pngs(folder / name)]
    if not flat and not labelled:
        raise InputError(f"{folder}: no PNG files there, nor in folders named by class numbers")
    paths = flat or [path for path, _ in labelled]
    images = np.stack([read_image(path, shape) for path in paths])
    return images, None if flat else np.array([label for _, label in labelled], dtype=np.int64)


def read_image(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """Return the intensities of a PNG file, uint8 of shape ``shape``.

    Raises
    ------
    InputError
        If the file cannot be read as PNG, or its size is not rows x columns of ``shape``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=["PNG"]) as image:
                if image.size != (shape[1], shape[0]):
                    raise InputError(
                        f"{path}: {image.size[1]} x {image.size[0]} pixels (rows x columns), the "
                        f"network takes {shape[0]} x {shape[1]}"
                    )
                return _grey(image)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except _DAMAGE as error:
        raise InputError(f"{path}: cannot be read as PNG: {error}") from error


def _grey(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        return (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    if image.mode != "L":
        image = image.convert("RGB") if image.mode not in ("1", "RGB") else image
        image = image.convert("L")
    return np.asarray(image, dtype=np.uint8)
