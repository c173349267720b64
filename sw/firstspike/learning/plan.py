"""What a run of learning does: which images, in which order, under which rules."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from firstspike import data
from firstspike.errors import InputError
from firstspike.learning.recipe import LearningRecipe
from firstspike.learning.rule import Rule
from firstspike.learning.state import LearningState, first_state
from firstspike.stimuli import load_stimuli

__all__ = ["Plan", "make_plan"]

#: Rows and columns of the images of a data set.
_SHAPES = {"digits": (8, 8), "mnist": (28, 28), "fashion-mnist": (28, 28)}


@dataclass(frozen=True, eq=False)
class Plan:
    """A run of learning, but for the engine.

    Attributes
    ----------
    recipe : LearningRecipe
        What was asked for.
    seed : int
        Of weights, random register and order.
    rules : tuple of Rule
        The rule of each pass.
    data : str
        Where the images are from.
    shape : tuple of int
        Rows and columns of an image.
    images : ndarray of uint8, shape (n, pixels)
        Learned from, in every pass.
    labels : ndarray of int64, shape (n,)
        Their classes, -1 for none.
    evaluated_on : str
        ``test`` or ``validation``, or ``train`` for own images, which have no other.
    test_images, test_labels : ndarray
        What accuracy is measured on.
    """

    recipe: LearningRecipe
    seed: int
    rules: tuple[Rule, ...]
    data: str
    shape: tuple[int, int]
    images: np.ndarray
    labels: np.ndarray
    evaluated_on: str
    test_images: np.ndarray
    test_labels: np.ndarray

    @property
    def total(self) -> int:
        """Stimuli of the whole run."""
        return len(self.rules) * len(self.images)

    def order(self, number: int) -> np.ndarray:
        """Return the order of the images in pass ``number``, as indices into them."""
        n = len(self.images)
        if not self.recipe.shuffle:
            return np.arange(n)
        return np.random.default_rng([self.seed, 1 + number]).permutation(n)

    def first_state(self) -> LearningState:
        """Return what learning starts from."""
        recipe, rule = self.recipe, self.rules[0]
        rows, columns = np.indices(self.shape)
        alive = ((rows + columns) % recipe.period < recipe.kept).ravel()
        return first_state(
            rule,
            self.images.shape[1] * (2 if rule.off else 1),
            recipe.neurons,
            seed=self.seed,
            threshold=recipe.threshold,
            mean=recipe.mean,
            spread=recipe.spread,
            classes=recipe.classes,
            alive=np.tile(alive, 2 if rule.off else 1),
        )

    @cached_property
    def digest(self) -> str:
        """Digits that tell this run from another one."""
        digest = hashlib.blake2s(digest_size=8)
        digest.update(repr((self.seed, self.rules, self.recipe.shuffle)).encode())
        for array in (self.images, self.labels, *self.first_state().arrays().values()):
            digest.update(array.tobytes())
        return digest.hexdigest()


def make_plan(
    recipe: LearningRecipe,
    *,
    source: str | None = None,
    limit: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    prune: bool = True,
    folder: Path | None = None,
) -> Plan:
    """Return the run that ``recipe`` asks for.

    Parameters
    ----------
    recipe : LearningRecipe
        The recipe.
    source : str, optional
        Other images than the recipe's: a data set, an .npz file or a folder of PNG files.
    limit : int, optional
        Learn from the first images only.
    epochs : int, optional
        See `LearningRecipe.passes`.
    seed : int, optional
        In place of the recipe's.
    prune : bool
        False: remove no synapse.
    folder : Path, optional
        Where data sets lie.

    Raises
    ------
    InputError
        If the images cannot be used, or recipe and images do not fit each other.
    """
    source = source or recipe.data
    shape = _SHAPES[recipe.data]
    if source in data.NAMES:
        if _SHAPES[source] != shape:
            raise InputError(f"{source}: its images are not of the size that {recipe.path} takes")
        dataset = data.load(source, folder)
        images, labels = dataset.split("train")
        test_images, test_labels = dataset.split("test")
        evaluated_on = "test"
        cut = len(images) - recipe.validation
        if cut < 1:
            raise InputError(
                f"{recipe.path}: validation: is {recipe.validation}, must be less than the "
                f"{len(images)} training images of {source}"
            )
        if recipe.validation:
            evaluated_on = "validation"
            test_images, test_labels = images[cut:], labels[cut:]
        images, labels = images[:cut][:limit], labels[:cut][:limit]
    else:
        own = load_stimuli(source, shape, limit=limit)
        images = test_images = own.images
        labels = test_labels = np.full(len(images), -1) if own.labels is None else own.labels
        evaluated_on = "train"
    if recipe.classes and labels.max() < 0:
        raise InputError(f"{source}: has no labels, which {recipe.path} needs (classes)")
    return Plan(
        recipe=recipe,
        seed=recipe.seed if seed is None else seed,
        rules=recipe.passes(epochs, prune=prune),
        data=source,
        shape=shape,
        images=np.ascontiguousarray(images.reshape(len(images), -1)),
        labels=labels.astype(np.int64),
        evaluated_on=evaluated_on,
        test_images=test_images.reshape(len(test_images), -1),
        test_labels=test_labels,
    )
