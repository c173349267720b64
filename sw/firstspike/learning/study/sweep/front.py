"""Pareto fronts: what no other design beats in accuracy and in cost."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["COSTS", "front"]

#: What a design costs, by the name of its fact, and how that is called.
COSTS = {
    "live": "live connections",
    "inference_cycles": "cycles an inferred image",
    "learning_cycles": "cycles a learned stimulus",
}


def front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Return the indices of those that no other one beats, by rising cost.

    One is beaten by another that costs no more and gains no less; of equal ones the first counts.

    Parameters
    ----------
    costs, gains : sequence of float
        Of each design: less, and more, is better.
    """
    found: list[int] = []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i], i)):
        if not found or gains[i] > gains[found[-1]]:
            found.append(i)
    return found
