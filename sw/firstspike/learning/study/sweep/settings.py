"""What the sweep draws: recipes that differ in size, time, thresholds and pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FAMILIES", "Family", "Setting", "draw"]

#: Images that are not learned, so that settings can be chosen by them.
_VALIDATION = 10_000
#: Neurons, and steps as their exponent.
_NEURONS = (80, 104, 208, 400)
_TIME_BITS = (3, 4, 5)
#: Stimuli before anything is removed.
_AFTER = 5000
#: One setting in so many removes nothing.
_DENSE_EACH = 5

# Amounts fall from pass to pass. Those without labels are of the recipes unsupervised-104-*,
# those with labels of supervised-400-mnist-stripes.
_AMOUNTS = (40, 22.49, 12.65, 7.113, 4)
_ERROR_AMOUNTS = (2200, 1956, 1711, 1467, 1222, 978, 733, 489, 244)


@dataclass(frozen=True, slots=True)
class Family:
    """A rule and a data set, and from where to where its settings go.

    Parameters
    ----------
    supervised : bool
        Whether it learns with labels.
    data : str
        Name of the data set.
    threshold : tuple of float
        Least and largest first threshold, as a share of 0.8 of the largest weight times the number
        of inputs (f); drawn evenly in its logarithm.
    depress : tuple of float
        Least and largest ratio of depression to potentiation (a), of passes that learn without
        errors; drawn in its logarithm, too.
    below : tuple of int
        Least and largest bound of the last pass, below which a weight is removed; drawn evenly.
    """

    supervised: bool
    data: str
    threshold: tuple[float, float]
    depress: tuple[float, float]
    below: tuple[int, int]

    @property
    def name(self) -> str:
        """Rule and data set."""
        return f"{'supervised' if self.supervised else 'unsupervised'}-{self.data}"


FAMILIES = {
    family.name: family
    for family in (
        Family(False, "mnist", (0.04, 0.25), (0.25, 1.0), (10, 90)),
        Family(False, "fashion-mnist", (0.08, 0.40), (0.25, 1.0), (5, 60)),
        Family(True, "mnist", (0.03, 0.15), (0.5, 2.0), (20, 180)),
        Family(True, "fashion-mnist", (0.10, 0.40), (0.5, 2.0), (5, 60)),
    )
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One design: what `draw` has drawn for a family.

    Attributes
    ----------
    name : str
        The family's, and a number.
    family : Family
        What it was drawn for.
    neurons : int
        N.
    time_bits : int
        A stimulus has ``2 ** time_bits`` steps, T.
    threshold : float
        f, as in `Family`.
    depress : float
        a, as in `Family`.
    below : int
        Bound of the last pass; those before rise towards it evenly. 0 removes nothing.
    """

    name: str
    family: Family
    neurons: int
    time_bits: int
    threshold: float
    depress: float
    below: int

    def recipe(self, *, validation: bool) -> dict[str, Any]:
        """Return the recipe file of this design; docs/recipes.md.

        Parameters
        ----------
        validation : bool
            Hold back images to choose by; else learn all, and measure on the test images.
        """
        stages: list[dict[str, Any]]
        first: dict[str, Any] = {"bound": "room"}
        if self.family.supervised:
            first |= {"passes": 1, "potentiate": 4.7, "depress": round(4.7 * self.depress, 3)}
            first |= {"homeostasis": 3, "other": 262_144, "reward": True}
            second: dict[str, Any] = {
                "passes": len(_ERROR_AMOUNTS),
                "potentiate": list(_ERROR_AMOUNTS),
            }
            stages = [first, second | {"depress": 0, "bound": "hard", "own": 1000}]
        else:
            first |= {"passes": len(_AMOUNTS), "potentiate": list(_AMOUNTS)}
            first |= {"depress": [round(self.depress * amount, 3) for amount in _AMOUNTS]}
            stages = [first | {"homeostasis": [1, *[0] * (len(_AMOUNTS) - 1)]}]
        passes = sum(stage["passes"] for stage in stages)
        begun = 0
        for stage in stages if self.below else []:
            bounds = [
                max(1, self.below * number // passes)
                for number in range(begun + 1, begun + stage["passes"] + 1)
            ]
            stage["prune"] = {"below": bounds, "after": _AFTER}
            begun += stage["passes"]
        recipe = {"version": 1, "kind": "learning", "name": self.name, "data": self.family.data}
        recipe |= {"time_bits": self.time_bits, "neurons": self.neurons}
        recipe |= {"classes": 10} if self.family.supervised else {}
        recipe |= {"initial": {"threshold": self.threshold}}
        recipe |= {"validation": _VALIDATION} if validation else {}
        return recipe | {"stages": stages}


def draw(family: Family, number: int) -> Setting:
    """Return setting ``number`` of a family; the same for the same number.

    Parameters
    ----------
    family : Family
        From where to where.
    number : int
        0 or more; every fifth removes nothing.
    """
    rng = np.random.default_rng([list(FAMILIES).index(family.name), number])
    threshold, depress = (
        float(np.exp(rng.uniform(np.log(low), np.log(high))))
        for low, high in (family.threshold, family.depress)
    )
    neurons, time_bits = int(rng.choice(_NEURONS)), int(rng.choice(_TIME_BITS))
    below = int(rng.integers(family.below[0], family.below[1], endpoint=True))
    return Setting(
        name=f"{family.name}-{number}",
        family=family,
        neurons=neurons,
        time_bits=time_bits,
        threshold=round(threshold, 4),
        depress=round(depress, 3),
        below=0 if number % _DENSE_EACH == 0 else below,
    )
