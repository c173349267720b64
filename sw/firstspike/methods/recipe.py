"""Recipes of methods, read strictly from YAML; docs/methods.md.

Without torch, so that a recipe can be checked on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.train.plans import Training
from firstspike.train.recipe import VERSION, load_training

__all__ = ["METHODS", "MethodRecipe", "Option", "is_method", "load_method_recipe"]

_DATA = ("digits", "mnist", "fashion-mnist")
_BITS_MAX = 8
_KIND = "method"


@dataclass(frozen=True, slots=True)
class Option:
    """A number that a method takes: its default and its range."""

    default: float
    low: float
    high: float


#: Methods: the module of each in this package, and its options.
METHODS: dict[str, dict[str, Option]] = {
    "ftbc": {
        "levels": Option(8, 1, 256),
        "rate": Option(0.4, 0.01, 1.0),
        "calibration": Option(1000, 100, 10000),
        "rounds": Option(10, 1, 100),
    },
    "hybrid": {
        "scaling": Option(0.7, 0.01, 10.0),
        "calibration": Option(512, 10, 10000),
        "few": Option(8, 1, 4096),
        "epochs": Option(2, 1, 100),
        "tuning_rate": Option(0.001, 1e-6, 1.0),
        "width": Option(1.0, 0.01, 100.0),
        "height": Option(0.3, 0.001, 100.0),
        "decay": Option(0.0, 0.0, 10.0),
        "random": Option(0, 0, 1),
        "loose": Option(0.0, 0.0, 10.0),
    },
    "proxy": {
        "threshold": Option(2.0, 0.01, 1000.0),
        "target": Option(1.0, 1.0, 4096.0),
        "width": Option(1.0, 0.01, 100.0),
        "height": Option(0.3, 0.001, 100.0),
    },
    "tandem": {
        "stage_epochs": Option(3, 1, 1000),
        "stage_rate": Option(0.001, 1e-6, 1.0),
        "fan_in": Option(0, 0, 8192),
        "budgets": Option(0, 0, 1),
    },
    "localzo": {
        "delta": Option(0.5, 0.001, 100.0),
        "samples": Option(5, 1, 100),
        "sparse_delta": Option(0, 0, 100.0),
    },
    "rewiring": {
        "least": Option(0.0073, 0.0001, 1.0),
        "rewire_epochs": Option(4, 1, 1000),
        "held_epochs": Option(4, 1, 1000),
        "last_epochs": Option(8, 1, 1000),
        "rewire_rate": Option(0.002, 1e-6, 1.0),
        "steepness": Option(1.5, 0.001, 10.0),
    },
    "s4nn": {
        "gamma": Option(0.1, 0.001, 1.0),
        "level": Option(0.35, 0.01, 1.0),
        "pace": Option(3.0, 0.01, 100.0),
    },
    "tsslbp": {
        "leak": Option(2, 1, 7),
        "current_leak": Option(1, 1, 7),
        "gain": Option(1.0, 0.01, 100.0),
    },
    "sew": {
        "add": Option(3, 0, 64),
        "and": Option(2, 0, 64),
        "iand": Option(2, 0, 64),
        "plain": Option(3, 0, 64),
        "slope": Option(4.0, 0.01, 100.0),
    },
    "stidi": {
        "readout": Option(0, 0, 1),
        "sharpness": Option(25.0, 0.01, 1000.0),
        "least_slope": Option(10.0, 0.001, 10000.0),
        "gain": Option(2.0, 0.01, 100.0),
        "rounded": Option(2, 1, 100),
    },
    "tuned": {
        "width": Option(1.0, 0.01, 100.0),
        "height": Option(0.3, 0.001, 100.0),
        "deepest": Option(0, 0, 64),
    },
}


@dataclass(frozen=True, slots=True)
class MethodRecipe:
    """A recipe.

    Attributes
    ----------
    path : Path
        Its file.
    name, method, data : str
        What it is called, a key of `METHODS`, and the data set.
    hidden : tuple of int
        Neurons of the hidden layers.
    weight_bits : int
        Bits of a weight, 1..8.
    steps : tuple of int
        Steps of a stimulus; a network is made for each.
    validation : int
        Images at the end of the training images that are not trained with.
    training : Training
        Epochs, batch, rates.
    options : dict of str to float
        Of the method.
    """

    path: Path
    name: str
    method: str
    data: str
    hidden: tuple[int, ...]
    weight_bits: int
    steps: tuple[int, ...]
    validation: int
    training: Training
    options: dict[str, float] = field(default_factory=dict)


def is_method(path: Path) -> bool:
    """Tell whether the recipe in ``path`` is one of a method.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    top = load_yaml(path)
    return top.has("kind") and top.text("kind") == _KIND


def load_method_recipe(path: Path) -> MethodRecipe:
    """Read the recipe in ``path``.

    Raises
    ------
    InputError
        If the file cannot be read, a key is unknown or missing, or a value is out of its range.
    """
    top = load_yaml(path)
    version = top.integer("version", 0, 1 << 30)
    if version != VERSION:
        raise top.error("version", f"is {version}, this release reads version {VERSION}")
    top.text("kind", choices=[_KIND])
    name = top.text("name", path.stem)
    method = top.text("method", choices=METHODS)
    recipe = MethodRecipe(
        path=path,
        name=name,
        method=method,
        data=top.text("data", choices=_DATA),
        hidden=tuple(top.integers("hidden", 1, 4096)),
        weight_bits=top.integer("weight_bits", 1, _BITS_MAX, _BITS_MAX),
        steps=tuple(top.integers("steps", 1, 4096)),
        validation=top.integer("validation", 1, 30000, 5000),
        training=load_training(top.mapping("training"), phases=False),
        options=_options(top.mapping("options") if top.has("options") else None, method),
    )
    top.done()
    if not recipe.steps:
        raise InputError(f"{path}: steps: is [], must name at least one number of steps")
    return recipe


def _options(entry: Fields | None, method: str) -> dict[str, float]:
    values = {}
    for name, option in METHODS[method].items():
        if entry is None:
            values[name] = option.default
        else:
            values[name] = entry.number(name, option.low, option.high, option.default)
    if entry is not None:
        entry.done()
    return values
