"""Learning recipes: what `firstspike learn` is asked to do, read strictly; docs/recipes.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.learning.rule import (
    Bound,
    Pruning,
    Rule,
    Supervised,
    Unsupervised,
)
from firstspike.spec import (
    AMOUNT_BITS,
    CLASSES_MAX,
    HANDICAP_MAX,
    INTENSITY_MAX,
    TIME_BITS_MAX,
    TIME_BITS_MIN,
)

__all__ = ["KIND", "SEED_MAX", "VERSION", "LearningRecipe", "load_learning_recipe"]

#: Version of recipe files, and what tells this kind from recipes of training.
VERSION = 1
KIND = "learning"
#: Largest seed of a run.
SEED_MAX = (1 << 31) - 1

_ENTRY_MAX = (1 << AMOUNT_BITS) - 1


@dataclass(frozen=True, slots=True)
class LearningRecipe:
    """A whole recipe; see docs/recipes.md for the file and its keys.

    ``rules`` has the rule of each pass over the images.
    """

    path: Path
    name: str
    data: str
    neurons: int
    classes: int
    threshold: float
    mean: float
    spread: float
    seed: int
    shuffle: bool
    validation: int
    label_images: int
    report: int
    rules: tuple[Rule, ...]

    def passes(self, epochs: int | None, *, prune: bool) -> tuple[Rule, ...]:
        """Return the rule of each pass.

        Parameters
        ----------
        epochs : int, optional
            So many passes: the first ones, or more of the last one. None: as the recipe says.
        prune : bool
            False: remove nothing.
        """
        count = len(self.rules) if epochs is None else epochs
        rules = self.rules[:count] + self.rules[-1:] * max(0, count - len(self.rules))
        return rules if prune else tuple(rule.without_pruning() for rule in rules)


def load_learning_recipe(path: Path) -> LearningRecipe:
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
    if not top.has("kind"):
        raise top.error("kind", f"is missing, must be {KIND} (others are for firstspike train)")
    top.text("kind", choices=[KIND])
    name = top.text("name", path.stem)
    data = top.text("data", choices=("digits", "mnist", "fashion-mnist"))
    common: dict[str, Any] = {
        "time_bits": top.integer("time_bits", TIME_BITS_MIN, TIME_BITS_MAX, 4),
        "intensity_min": top.integer("intensity_min", 1, INTENSITY_MAX, 1),
        "off": top.boolean("off_channel", False),
        "weight_bits": top.integer("weight_bits", 2, 8, 8),
    }
    neurons = top.integer("neurons", 1, 4096)
    classes = top.integer("classes", 2, CLASSES_MAX) if top.has("classes") else 0
    initial = top.mapping("initial")
    threshold = initial.number("threshold", 0.0, 1.0)
    mean = initial.number("mean", 0.01, 1.0, 0.5 if classes else 0.8)
    spread = initial.number("spread", 0.0, 1.0, 0.05)
    initial.done()
    seed = top.integer("seed", 0, SEED_MAX, 0)
    shuffle = top.boolean("shuffle", True)
    validation = top.integer("validation", 0, 30000, 0)
    label_images = top.integer("label_images", 1, 60000, 20000)
    report = top.integer("report", 100, 1 << 20, 10000)
    prune = _prune(top, common["weight_bits"])
    rules: list[Rule] = []
    for stage in top.mappings("stages"):
        rules += _stage(stage, common, classes, prune)
    top.done()
    return LearningRecipe(
        path=path,
        name=name,
        data=data,
        neurons=neurons,
        classes=classes,
        threshold=threshold,
        mean=mean,
        spread=spread,
        seed=seed,
        shuffle=shuffle,
        validation=validation,
        label_images=label_images,
        report=report,
        rules=tuple(rules),
    )


def _prune(entry: Fields, weight_bits: int) -> Pruning | None:
    if not entry.has("prune"):
        return None
    prune = entry.mapping("prune")
    pruning = Pruning(
        below=prune.integer("below", 1, (1 << weight_bits) - 1),
        after=prune.integer("after", 0, (1 << 24) - 1, 0),
        min_fan_in=prune.integer("min_fan_in", 1, 8192, 16),
    )
    prune.done()
    return pruning


def _stage(
    entry: Fields, common: dict[str, Any], classes: int, prune: Pruning | None
) -> list[Rule]:
    """Return the rules of a stage, one a pass."""
    passes = entry.integer("passes", 1, 1000, 1)
    pairs = zip(_each(entry, "potentiate", passes), _each(entry, "depress", passes), strict=True)
    values = common | {
        "bound": Bound(entry.text("bound", "soft", choices=[bound.value for bound in Bound])),
        "homeostasis": entry.integer("homeostasis", 0, 255, 0),
        "pruning": _prune(entry, common["weight_bits"]) or prune,
    }
    make: type[Rule] = Unsupervised
    if classes:
        make = Supervised
        values |= {
            "own": entry.integer("own", 0, HANDICAP_MAX, 0),
            "other": entry.integer("other", 0, HANDICAP_MAX, 0),
            "reward": entry.boolean("reward", False),
            "error_step": entry.integer("error_step", 0, 65535, 0),
        }
    entry.done()
    try:
        return [make(**values, potentiate=up, depress=down) for up, down in pairs]
    except InputError as error:
        raise InputError(f"{entry.path}: {entry.where}: {error}") from error


def _each(entry: Fields, key: str, passes: int) -> list[int]:
    """Take one number for all passes, or a list with one for each."""
    if not entry.is_list(key):
        return [entry.integer(key, 0, _ENTRY_MAX)] * passes
    values = entry.integers(key, 0, _ENTRY_MAX)
    if len(values) != passes:
        raise entry.error(key, f"has {len(values)} numbers, must have one for each of {passes}")
    return values
