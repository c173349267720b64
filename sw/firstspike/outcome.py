"""What an engine returns, and how two of them are compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Difference", "Outcome", "first_difference"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Everything that a network did with a batch of stimuli.

    Attributes
    ----------
    predicted : ndarray of int64, shape (n,)
        Output neuron that won the decision; -1 is not used in inference.
    decision_step : ndarray of int64, shape (n,)
        Step of the decision; T if it was forced, and for RAMP networks.
    forced : ndarray of int64, shape (n,)
        1 if no output neuron spiked, so that the largest potential decided.
    last_predicted : ndarray of int64, shape (n,)
        Output neuron with the largest d at the end of the stimulus: after step T-1 without early
        exit, else the same as ``predicted``.
    potential : ndarray of int64, shape (n, outputs)
        Membrane potentials of the output neurons at the end of the stimulus; of shape (n, 0) from
        an engine that does not see them, which then has no spike times either.
    spike_time : dict of str to ndarray of int64, shape (n, neurons)
        Spike times by layer, in steps; T is never. Empty for multi-spike networks.
    spike_count : dict of str to ndarray of int64, shape (n, neurons)
        How often each neuron spiked, by layer; empty but for multi-spike networks.
    counters : dict of str to ndarray of int64, shape (n,)
        By name, from `firstspike.spec.COUNTERS`. The golden model has those that depend on the
        arrangement of a core only where it was given one.
    total_cycles : int or None
        Clock cycles of the whole run, from the first pixel to the last result.
    floor_cycles : ndarray of int64, shape (n,), or None
        Cycles that the memories' bandwidth alone would need.
    """

    predicted: np.ndarray
    decision_step: np.ndarray
    forced: np.ndarray
    last_predicted: np.ndarray
    potential: np.ndarray
    spike_time: dict[str, np.ndarray]
    counters: dict[str, np.ndarray] = field(default_factory=dict)
    total_cycles: int | None = None
    floor_cycles: np.ndarray | None = None
    spike_count: dict[str, np.ndarray] = field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array by a name that says what it is."""
        named = {
            name: getattr(self, name)
            for name in ("predicted", "decision_step", "forced", "last_predicted")
        }
        if self.potential.shape[1]:
            named["potential"] = self.potential
        named |= {f"spike_time.{layer}": array for layer, array in self.spike_time.items()}
        named |= {f"spike_count.{layer}": array for layer, array in self.spike_count.items()}
        named |= {f"counters.{name}": array for name, array in self.counters.items()}
        if self.total_cycles is not None:
            named["total_cycles"] = np.array([self.total_cycles])
        return named


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two outcomes part: ``left`` and ``right`` are what stands there."""

    quantity: str
    index: tuple[int, ...]
    left: int
    right: int

    def __str__(self) -> str:
        place = ", ".join(str(i) for i in self.index)
        return f"{self.quantity}[{place}]: {self.left} and {self.right}"


def first_difference(left: Outcome, right: Outcome, *, shared: bool = False) -> Difference | None:
    """Return where two outcomes of the same stimuli part first, by stimulus; None if equal.

    With ``shared``, only what both have is compared.

    Raises
    ------
    ValueError
        If they do not hold the same quantities in the same shapes.
    """
    ours, theirs = left.arrays(), right.arrays()
    if shared:
        ours = {name: array for name, array in ours.items() if name in theirs}
    elif ours.keys() != theirs.keys():
        raise ValueError(f"quantities differ: {sorted(ours.keys() ^ theirs.keys())}")
    found: list[tuple[tuple[int, ...], Difference]] = []
    for quantity, array in ours.items():
        other = theirs[quantity]
        if array.shape != other.shape:
            raise ValueError(f"{quantity}: shapes differ: {array.shape} and {other.shape}")
        unequal = np.argwhere(array != other)
        if len(unequal):
            index = tuple(unequal[0].tolist())
            found.append((index, Difference(quantity, index, int(array[index]), int(other[index]))))
    # The total of the run is a consequence of the rest, so it is named last.
    found.sort(key=lambda item: (item[1].quantity == "total_cycles", item[0][0]))
    return found[0][1] if found else None
