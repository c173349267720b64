"""Training images: the validation split, and batches in an order that a seed fixes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from firstspike.data import load
from firstspike.errors import InputError
from firstspike.methods.recipe import MethodRecipe
from firstspike.train.recipe import Recipe

__all__ = ["SHAPES", "Splits", "augment", "batches", "load_splits"]

#: Rows and columns of the images of each data set.
SHAPES = {"digits": (8, 8), "mnist": (28, 28), "fashion-mnist": (28, 28)}


@dataclass(frozen=True, slots=True)
class Splits:
    """Images as uint8 of shape (n, rows, columns), labels as int64 of shape (n,)."""

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        return self.train_images.shape[1], self.train_images.shape[2]


def load_splits(recipe: Recipe | MethodRecipe, folder: Path | None) -> Splits:
    """Return the images of the recipe's data set.

    The validation images are the last ones of the training images, and are not trained with.

    Raises
    ------
    InputError
        If the data set is missing, or too small for the recipe's validation split.
    """
    data = load(recipe.data, folder)
    images = torch.from_numpy(data.train_images.copy())
    labels = torch.from_numpy(data.train_labels.copy())
    cut = len(labels) - recipe.validation
    if cut < recipe.training.batch:
        raise InputError(
            f"{recipe.path}: validation: is {recipe.validation}, which leaves {max(cut, 0)} of "
            f"{len(labels)} images, less than a batch of {recipe.training.batch}"
        )
    return Splits(
        images[:cut],
        labels[:cut],
        images[cut:],
        labels[cut:],
        torch.from_numpy(data.test_images.copy()),
        torch.from_numpy(data.test_labels.copy()),
    )


def augment(images: Tensor, shift: int, flip: bool) -> Tensor:
    """Return each image moved by up to ``shift`` pixels each way, and half of them mirrored.

    Draws from torch's global generator.
    """
    n, rows, columns = images.shape
    if flip:
        mirrored = torch.rand(n) < 0.5
        images = torch.where(mirrored[:, None, None], images.flip(2), images)
    if shift:
        padded = torch.nn.functional.pad(images, (shift,) * 4)
        row = torch.randint(2 * shift + 1, (n, 1, 1)) + torch.arange(rows)[:, None]
        column = torch.randint(2 * shift + 1, (n, 1, 1)) + torch.arange(columns)
        images = padded[torch.arange(n)[:, None, None], row, column]
    return images


def batches(
    images: Tensor, labels: Tensor, size: int, shift: int, flip: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one pass over the images in a random order, whole batches of ``size`` only.

    Draws from torch's global generator.

    Yields
    ------
    tuple of Tensor
        Images, uint8 of shape (size, rows, columns), and labels.
    """
    order = torch.randperm(len(labels))
    for start in range(0, len(labels) - size + 1, size):
        index = order[start : start + size]
        yield augment(images[index], shift, flip), labels[index]
