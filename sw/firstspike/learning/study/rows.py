"""What the study compares: rows of recipes, and four variants of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.learning.recipe import LearningRecipe
from firstspike.learning.rule import Pruning, Rule
from firstspike.learning.state import LearningState
from firstspike.spec import CoreSpec

__all__ = ["ROWS", "VARIANTS", "Row", "core_of", "cut", "rules_of", "stays"]

#: The dense core; the dense core whose walker skips weights of 0; the network of the first cut
#: once, after learning; and the one that prunes while it learns.
VARIANTS = ("dense", "skip", "cut", "online")


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison: a recipe for the dense side, and one for the side that prunes."""

    name: str
    dense: str

    @property
    def online(self) -> str:
        """Recipe of the side that prunes; the row has its name."""
        return self.name

    def recipe(self, variant: str) -> str:
        """Return the recipe that a variant is learned by."""
        return self.online if variant == "online" else self.dense


def _rows() -> dict[str, Row]:
    rows = {}
    for rule in ("unsupervised", "supervised"):
        for neurons in (104, 400):
            for data in ("mnist", "fashion-mnist"):
                name = f"{rule}-{neurons}-{data}"
                rows[name] = Row(name, f"{name}-dense")
    # Others, against the dense network of the same size.
    for name, more in (
        ("unsupervised-104-mnist", "checkerboard"),
        ("unsupervised-104-fashion-mnist", "checkerboard"),
        ("supervised-104-mnist", "sparse"),
        ("supervised-400-mnist", "stripes"),
    ):
        rows[f"{name}-{more}"] = Row(f"{name}-{more}", f"{name}-dense")
    return rows


#: Rows of the study by name.
ROWS = _rows()


def stays(rule: Rule) -> Rule:
    """Return ``rule`` with a weight of 0 staying 0: nothing is added to it."""
    return replace(rule, up=(0, *rule.up[1:]))


def rules_of(recipe: LearningRecipe, variant: str) -> tuple[Rule, ...]:
    """Return the rule of each pass of a variant.

    A walker can skip weights of 0 if none ever rises again, so that variant lets them `stays`;
    then a removal of weights below 1 changes no bit of what is learned.

    Parameters
    ----------
    recipe : LearningRecipe
        From `Row.recipe`.
    variant : str
        ``dense``, ``skip`` or ``online``; a cut network is not learned.
    """
    if variant == "online":
        return recipe.passes(None, prune=True)
    rules = recipe.passes(None, prune=False)
    if variant == "dense":
        return rules
    # The last connection of a neuron stays, whatever its weight.
    zeros = Pruning(below=1, after=0, min_fan_in=1)
    return tuple(replace(stays(rule), pruning=zeros) for rule in rules)


def core_of(recipe: LearningRecipe, variant: str) -> CoreSpec:
    """Return the learning core of a variant: 8 banks, dual-port; the dense one has no masks.

    Raises
    ------
    InputError
        If the neurons fit neither core.
    """
    for name in ("learner", "learner-400"):
        core = PRESETS[name]
        if recipe.neurons <= core.state_rows * core.banks:
            return core if variant != "dense" else replace(core, pruning=False)
    raise InputError(f"{recipe.path}: {recipe.neurons} neurons, must be at most 400 for the study")


def cut(state: LearningState, live: int) -> LearningState:
    """Return the dense ``state`` with its ``live`` largest weights left.

    Of equal weights those of lower inputs, then of lower neurons, stay.
    """
    order = np.argsort(-state.weights.astype(np.int64).ravel(), kind="stable")
    alive = np.zeros(state.weights.size, bool)
    alive[order[:live]] = True
    alive = alive.reshape(state.weights.shape)
    return replace(state, alive=alive, weights=np.where(alive, state.weights, 0).astype(np.uint8))
