"""From the facts of runs to the figures of the page: per stimulus, and paired by seed."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firstspike.learning.study.runs import ACCESSES

__all__ = ["MEASURES", "Result", "accesses", "spread"]

#: Facts of one variant and one seed, of `firstspike.learning.study.runs`.
Facts = dict[str, Any]


def accesses(part: dict[str, int]) -> int:
    """Return the accesses to all memories that are counted, summed over the kinds."""
    return sum(part[name] for name in ACCESSES)


def _each(phase: str, count: Callable[[dict[str, int]], int]) -> Callable[[Facts], float]:
    return lambda facts: count(facts[phase]) / facts[phase]["stimuli"]


def _over(phase: str) -> Callable[[Facts], float]:
    return lambda facts: facts[phase]["cycles"] / facts[phase]["floor_cycles"]


#: What a figure is of a run. Figures of learning and inference are means over stimuli, but for
#: ``run_cycles``, which are those of all passes, and ``..._over``, cycles over the floor.
MEASURES: dict[str, Callable[[Facts], float]] = {
    "accuracy": lambda facts: 100 * facts["accuracy"],
    "alive": lambda facts: 100 * facts["alive"],
    "zero": lambda facts: 100 * facts["zero"],
    "run_cycles": lambda facts: facts["learning"]["cycles"],
    "forced": lambda facts: 100 * facts["inference"]["forced"] / facts["inference"]["stimuli"],
    "learning_over": _over("learning"),
    "inference_over": _over("inference"),
    "learning_accesses": _each("learning", accesses),
    "inference_accesses": _each("inference", accesses),
}
for _phase in ("learning", "inference"):
    for _name in ("cycles", "events", "synops", "stdp_visits", *ACCESSES):
        MEASURES[f"{_phase}_{_name}"] = _each(_phase, lambda part, name=_name: part[name])


@dataclass(frozen=True)
class Result:
    """A row of the study: the facts of its variants, by seed."""

    name: str
    seeds: dict[int, dict[str, Facts]]

    def values(self, variant: str, measure: str) -> list[float]:
        """Return a figure of a variant for each seed."""
        return [MEASURES[measure](facts[variant]) for facts in self.seeds.values()]

    def ratios(self, variant: str, measure: str) -> list[float]:
        """Return how many times the pruned learner's figure the variant's is, for each seed."""
        ours = self.values("online", measure)
        return [a / b for a, b in zip(self.values(variant, measure), ours, strict=True)]

    @property
    def best(self) -> str:
        """The better one of the two networks that learned without pruning, on the mean."""
        return max(
            ("dense", "skip"), key=lambda name: statistics.fmean(self.values(name, "accuracy"))
        )

    def points(self) -> list[float]:
        """Return by how many points the pruned network is better than the `best` dense one."""
        ours, theirs = (self.values(variant, "accuracy") for variant in ("online", self.best))
        return [a - b for a, b in zip(ours, theirs, strict=True)]

    def saved(self, phase: str) -> list[float]:
        """Return the share of the dense core's memory accesses that pruning saves, in %."""
        return [100 * (1 - 1 / ratio) for ratio in self.ratios("dense", f"{phase}_accesses")]


def spread(values: list[float], digits: int) -> str:
    """Return the mean, with the standard deviation if there are three values or more."""
    text = f"{statistics.fmean(values):.{digits}f}"
    if len(values) >= 3:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text
