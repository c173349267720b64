"""One figure of a bench: a rate, from several runs of the same work."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Figure", "timed"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate.

    Parameters
    ----------
    what : str
        What is counted.
    unit : str
        Of the rate.
    median, low, high : float
        Of all runs, and the slowest and the fastest one.
    runs : int
        How many; 1 for what has no spread.
    modelled : bool
        Whether it is the cost model's, and no time was measured.
    """

    what: str
    unit: str
    median: float
    low: float
    high: float
    runs: int
    modelled: bool = False

    @classmethod
    def of(cls, what: str, unit: str, rates: Sequence[float], *, modelled: bool = False) -> Figure:
        """Return the figure of these rates."""
        middle = statistics.median(rates)
        return cls(what, unit, middle, min(rates), max(rates), len(rates), modelled)


def timed(
    what: str,
    unit: str,
    work: Callable[[], int],
    runs: int,
    told: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Figure:
    """Return how fast ``work`` is.

    Parameters
    ----------
    what, unit : str
        Of the figure.
    work : callable
        Does the work and returns how much it was. It is called once before the clock runs, so that
        nothing is compiled or read for the first time in a run that counts.
    runs : int
        How many runs count.
    told : callable
        Called after each run.
    clock : callable
        Returns seconds.
    """
    work()
    rates = []
    for _ in range(runs):
        begun = clock()
        amount = work()
        rates.append(amount / (clock() - begun))
        told()
    return Figure.of(what, unit, rates)
