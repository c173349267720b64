"""What learning returns, and how two engines that learned are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from firstspike.learning.state import LearningState
from firstspike.outcome import Difference

__all__ = ["LearnOutcome", "first_learning_difference", "joined"]


@dataclass(frozen=True, slots=True, eq=False)
class LearnOutcome:
    """What a learner did with stimuli, and what it became.

    Attributes
    ----------
    winner : ndarray of int64, shape (n,)
        The neuron that won; -1 if none fired.
    decision_step : ndarray of int64, shape (n,)
        Step in which it fired; T if none did.
    state : LearningState
        After the last stimulus; its offset is not taken off the thresholds.
    counters : dict of str to ndarray of int64, shape (n,)
        By name, from `firstspike.spec.COUNTERS`. The golden model has those that depend on the
        arrangement of a core only where it was given one.
    total_cycles : int or None
        Clock cycles of the whole run.
    floor_cycles : ndarray of int64, shape (n,), or None
        Cycles that the memories' bandwidth alone would need.
    """

    winner: np.ndarray
    decision_step: np.ndarray
    state: LearningState
    counters: dict[str, np.ndarray] = field(default_factory=dict)
    total_cycles: int | None = None
    floor_cycles: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array with an entry a stimulus, by a name that says what it is."""
        counters = {f"counters.{name}": array for name, array in self.counters.items()}
        return {"winner": self.winner, "decision_step": self.decision_step} | counters

    def sums(self) -> dict[str, int]:
        """Return each counter summed over the stimuli, and total cycles where they are known."""
        sums = {name: int(array.sum()) for name, array in self.counters.items()}
        return sums if self.total_cycles is None else sums | {"total_cycles": self.total_cycles}


def joined(parts: Sequence[LearnOutcome]) -> LearnOutcome:
    """Return one outcome for stimuli that were learned one part after the other."""
    first, last = parts[0], parts[-1]
    cycles = [part.total_cycles for part in parts if part.total_cycles is not None]
    floors = [part.floor_cycles for part in parts if part.floor_cycles is not None]
    return LearnOutcome(
        winner=np.concatenate([part.winner for part in parts]),
        decision_step=np.concatenate([part.decision_step for part in parts]),
        state=last.state,
        counters={
            name: np.concatenate([part.counters[name] for part in parts]) for name in first.counters
        },
        total_cycles=sum(cycles) if len(cycles) == len(parts) else None,
        floor_cycles=np.concatenate(floors) if len(floors) == len(parts) else None,
    )


def first_learning_difference(
    left: LearnOutcome, right: LearnOutcome, *, shared: bool = False
) -> Difference | None:
    """Return where two outcomes of the same stimuli part first, by stimulus; None if equal.

    What the learners became is a consequence of the stimuli, so it is named last. With ``shared``,
    only what both have is compared.

    Raises
    ------
    ValueError
        If they do not hold the same quantities in the same shapes.
    """
    found: list[Difference] = []
    for ours, theirs, place in (
        (left.arrays(), right.arrays(), 0),
        (left.state.arrays(), right.state.arrays(), 1),
    ):
        if shared:
            ours = {name: array for name, array in ours.items() if name in theirs}
        elif ours.keys() != theirs.keys():
            raise ValueError(f"quantities differ: {sorted(ours.keys() ^ theirs.keys())}")
        for quantity, array in ours.items():
            other = theirs[quantity]
            if array.shape != other.shape:
                raise ValueError(f"{quantity}: shapes differ: {array.shape} and {other.shape}")
            unequal = np.argwhere(array != other)
            if len(unequal):
                index = tuple(unequal[0].tolist())
                name = f"final {quantity}" if place else quantity
                found.append(Difference(name, index, int(array[index]), int(other[index])))
        if found:
            return min(found, key=lambda difference: difference.index[:1])
    return None
