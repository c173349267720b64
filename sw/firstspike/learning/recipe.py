"""Learning recipes: what `firstspike learn` is asked to do, read strictly; docs/recipes.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.learning.rule import Pruning, Rule, Supervised, Unsupervised
from firstspike.learning.tables import Bound, table
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

_AMOUNT_MAX = (1 << AMOUNT_BITS) - 1


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
    period: int
    kept: int
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
    period = initial.integer("period", 1, 64, 1)
    kept = initial.integer("kept", 1, period, period)
    initial.done()
    seed = top.integer("seed", 0, SEED_MAX, 0)
    shuffle = top.boolean("shuffle", True)
    validation = top.integer("validation", 0, 30000, 0)
    label_images = top.integer("label_images", 1, 60000, 20000)
    report = top.integer("report", 100, 1 << 20, 10000)
    prune = _prunings(top, 1, common["weight_bits"], None)[0]
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
        period=period,
        kept=kept,
        seed=seed,
        shuffle=shuffle,
        validation=validation,
        label_images=label_images,
        report=report,
        rules=tuple(rules),
    )


def _stage(
    entry: Fields, common: dict[str, Any], classes: int, prune: Pruning | None
) -> list[Rule]:
    """Return the rules of a stage, one a pass."""
    passes = entry.integer("passes", 1, 1000, 1)
    bits = common["weight_bits"]
    bounds = [bound.value for bound in Bound]
    bound = entry.text("bound", Bound.SOFT.value, choices=bounds)
    kinds = {"potentiate": bound, "depress": entry.text("depress_bound", bound, choices=bounds)}
    amounts = {key: _numbers(entry, key, passes) for key in kinds}
    numbers = {"homeostasis": _integers(entry, "homeostasis", passes, 0, 255, 0)}
    make: type[Rule] = Unsupervised
    if classes:
        make = Supervised
        for key, high in (("own", HANDICAP_MAX), ("other", HANDICAP_MAX), ("error_step", 65535)):
            numbers[key] = _integers(entry, key, passes, 0, high, 0)
        numbers["reward"] = [entry.boolean("reward", False)] * passes
    prunings = _prunings(entry, passes, bits, prune)
    entry.done()
    rules: list[Rule] = []
    for number in range(passes):
        tables = {}
        for key, name in (("potentiate", "up"), ("depress", "down")):
            try:
                tables[name] = table(Bound(kinds[key]), amounts[key][number], bits, up=name == "up")
            except InputError as error:
                raise entry.error(key, str(error)) from error
        values = {key: given[number] for key, given in numbers.items()}
        rules.append(make(**common, **values, **tables, pruning=prunings[number]))
    return rules


def _prunings(
    entry: Fields, passes: int, weight_bits: int, default: Pruning | None
) -> list[Pruning | None]:
    """Take what each pass prunes; a bound of 0 is nothing."""
    if not entry.has("prune"):
        return [default] * passes
    prune = entry.mapping("prune")
    below = _integers(prune, "below", passes, 0, (1 << weight_bits) - 1)
    after = prune.integer("after", 0, (1 << 24) - 1, 0)
    least = prune.integer("min_fan_in", 1, 8192, 16)
    prune.done()
    return [Pruning(below=each, after=after, min_fan_in=least) if each else None for each in below]


def _integers(
    entry: Fields, key: str, passes: int, low: int, high: int, default: Any = ...
) -> list[int]:
    """Take one integer for all passes, or a list with one for each."""
    if not entry.is_list(key):
        return [entry.integer(key, low, high, default)] * passes
    return _one_each(entry, key, passes, entry.integers(key, low, high))


def _numbers(entry: Fields, key: str, passes: int) -> list[float]:
    """Take one number for all passes, or a list with one for each."""
    if not entry.is_list(key):
        return [entry.number(key, 0, _AMOUNT_MAX)] * passes
    return _one_each(entry, key, passes, entry.numbers(key, 0, _AMOUNT_MAX))


def _one_each(entry: Fields, key: str, passes: int, values: list[Any]) -> list[Any]:
    if len(values) != passes:
        raise entry.error(key, f"has {len(values)} numbers, must have one for each of {passes}")
    return values
