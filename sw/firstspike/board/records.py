"""Results of many stimuli, as they came from a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firstspike.board.protocol import Result, result_counters
from firstspike.spec import CoreSpec

__all__ = ["Records", "records_of"]

_HEAD = ("winner", "last", "step", "forced")


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What a core said of stimuli.

    Attributes
    ----------
    fields : dict of str to ndarray of int64, shape (n,)
        By name, from `firstspike.spec.record_fields`: winner, last, step, forced, and the counters
        that the board's link gives (`firstspike.board.protocol.result_counters`). All 0 where the
        record was lost.
    lost : ndarray of int64, shape (m,)
        Stimuli that were learned from, but whose records were lost on the way.
    """

    fields: dict[str, np.ndarray]
    lost: np.ndarray

    @property
    def winner(self) -> np.ndarray:
        """Output neuron that decided, int64 of shape (n,)."""
        return self.fields["winner"]

    @property
    def step(self) -> np.ndarray:
        """Decision step, int64 of shape (n,); T if nothing spiked."""
        return self.fields["step"]


def records_of(results: Sequence[Result | None], core: CoreSpec) -> Records:
    """Return ``results`` as arrays; None is a record that was lost."""
    names = (*_HEAD, *result_counters(core))
    rows = np.zeros((len(results), len(names)), np.int64)
    for row, found in zip(rows, results, strict=True):
        if found is not None:
            row[:] = (found.winner, found.last, found.step, int(found.forced), *found.counters)
    lost = np.array([n for n, found in enumerate(results) if found is None], np.int64)
    return Records(dict(zip(names, rows.T, strict=True)), lost)
