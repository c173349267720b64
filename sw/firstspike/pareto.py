"""Pareto fronts: what nothing else beats in cost and in gain."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["front"]


def front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Return the indices of those that no other one beats, by rising cost.

    One is beaten by another that costs no more and gains no less; of equal ones the first counts.

    Parameters
    ----------
    costs, gains : sequence of float
        Of each one: less, and more, is better.
    """
    found: list[int] = []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i], i)):
        if not found or gains[i] > gains[found[-1]]:
            found.append(i)
    return found
