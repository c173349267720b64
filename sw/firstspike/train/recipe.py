"""Recipes: what `firstspike train` is asked to do, read strictly from YAML; docs/recipes.md.

Without torch, so that a recipe can be checked on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.spec import INTENSITY_MAX, TIME_BITS_MAX, TIME_BITS_MIN, Neuron, WeightKind
from firstspike.train.plans import LayerPlan, Objective, Prune, Training

__all__ = ["SEED_MAX", "VERSION", "Recipe", "load_recipe", "load_training"]

#: Version of recipe files.
VERSION = 1

#: Largest seed of a run.
SEED_MAX = (1 << 31) - 1

_DATA = ("digits", "mnist", "fashion-mnist")
_KINDS = (WeightKind.SIGNED.value, WeightKind.PM1.value)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe; see docs/recipes.md for the file and its keys."""

    path: Path
    name: str
    data: str
    neuron: Neuron
    time_bits: int
    intensity_min: int
    off: bool
    layers: tuple[LayerPlan, ...]
    validation: int
    potential_bits: int
    training: Training
    objective: Objective | None
    prune: Prune | None

    @property
    def steps(self) -> int:
        """Time steps of a stimulus, T."""
        return 1 << self.time_bits


def load_recipe(path: Path) -> Recipe:
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
    if top.has("kind"):
        raise top.error("kind", "must not stand here; recipes of kind learning: firstspike learn")
    name = top.text("name", path.stem)
    data = top.text("data", choices=_DATA)
    neuron = Neuron(top.text("neuron", choices=[n.value for n in Neuron]))
    step = neuron is Neuron.STEP
    time_bits = top.integer("time_bits", TIME_BITS_MIN, TIME_BITS_MAX, 3 if step else 4)
    intensity_min = top.integer("intensity_min", 1, INTENSITY_MAX, 1) if step else 1
    off = top.boolean("off", False) if step else False
    layers = tuple(_layer(entry) for entry in top.mappings("layers"))
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        raise top.error("layers", f"names are {', '.join(names)}, each must stand once")
    if layers[-1].neurons != 10:
        raise top.error("layers", f"the last one has {layers[-1].neurons} neurons, must have 10")
    validation = top.integer("validation", 1, 30000, 5000)
    potential_bits = top.integer("potential_bits", 8, 24, 24)
    training = load_training(top.mapping("training"), phases=True)
    objective = None
    if step:
        objective = _objective(top.mapping("objective") if top.has("objective") else None, path)
    prune = _prune(top.mapping("prune")) if not step and top.has("prune") else None
    top.done()
    return Recipe(
        path=path,
        name=name,
        data=data,
        neuron=neuron,
        time_bits=time_bits,
        intensity_min=intensity_min,
        off=off,
        layers=layers,
        validation=validation,
        potential_bits=potential_bits,
        training=training,
        objective=objective,
        prune=prune,
    )


def _layer(entry: Fields) -> LayerPlan:
    name = entry.text("name")
    neurons = entry.integer("neurons", 2, 4096)
    kind = WeightKind(entry.text("weights", "signed", choices=_KINDS))
    if kind is WeightKind.PM1:
        weight_bits = entry.integer("weight_bits", 1, 1, 1)
    else:
        weight_bits = entry.integer("weight_bits", 2, 8, 8)
    entry.done()
    return LayerPlan(name, neurons, kind, weight_bits)


def load_training(entry: Fields, *, phases: bool) -> Training:
    """Read how weights are found.

    Parameters
    ----------
    entry : Fields
        What the recipe says.
    phases : bool
        Whether epochs may begin in floats and end with frozen thresholds; else these keys are
        unknown.

    Raises
    ------
    InputError
        If a key is unknown or missing, or a value is out of its range.
    """
    training = Training(
        seed=entry.integer("seed", 0, SEED_MAX, 0),
        epochs=entry.integer("epochs", 1, 10000),
        batch=entry.integer("batch", 1, 60000, 256),
        learning_rate=entry.number("learning_rate", 1e-6, 1.0, 0.002),
        float_epochs=entry.integer("float_epochs", 0, 10000, 0) if phases else 0,
        frozen=entry.number("frozen", 0.0, 1.0, 0.2) if phases else 0.0,
        input_dropout=entry.number("input_dropout", 0.0, 0.9, 0.0),
        hidden_dropout=entry.number("hidden_dropout", 0.0, 0.9, 0.0),
        shift=entry.integer("shift", 0, 4, 0),
        flip=entry.boolean("flip", False),
    )
    if training.float_epochs >= training.epochs:
        raise entry.error("float_epochs", f"is {training.float_epochs}, must be less than epochs")
    entry.done()
    return training


def _objective(entry: Fields | None, path: Path) -> Objective:
    entry = Fields(path, "objective", {}) if entry is None else entry
    objective = Objective(
        gate=entry.number("gate", 0.0, 100.0, 1.0),
        caution=entry.number("caution", 0.01, 1e6, 100.0),
        caution_end=entry.number("caution_end", 0.01, 1e6, 0.5),
        first=entry.number("first", 0.0, 100.0, 0.3),
        last=entry.number("last", 0.01, 100.0, 1.0),
        mean_step=entry.number("mean_step", 0.0, 1.0, 0.48),
        forced=entry.number("forced", 0.0, 1.0, 0.04),
    )
    entry.done()
    return objective


def _prune(entry: Fields) -> Prune:
    prune = Prune(
        share=entry.number("share", 0.0, 0.99),
        begin=entry.number("begin", 0.0, 1.0, 0.2),
        end=entry.number("end", 0.0, 1.0, 0.7),
    )
    if prune.begin >= prune.end:
        raise InputError(f"{entry.path}: prune.begin: is {prune.begin}, must be less than end")
    entry.done()
    return prune
