"""How many words a core goes through for the events of a layer: part of the cost model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.lists import live_words
from firstspike.spec import CoreSpec

__all__ = ["Run", "Walk", "listed_order"]


@dataclass(frozen=True, slots=True)
class Run:
    """Events that stand ready one behind the other, of many stimuli.

    Attributes
    ----------
    count : ndarray of int64, shape (n,)
        How many there are.
    busy, last, before : ndarray of int64, shape (n,), or int
        Cycles that the banks are busy with all of them, with the last one, and with the one before
        it; the last two have no meaning where there are none.
    """

    count: np.ndarray
    busy: np.ndarray
    last: np.ndarray | int
    before: np.ndarray | int


class Walk:
    """The words that each source of a layer brings to each bank.

    All banks go through the words of an event together, so an event keeps them busy for as many
    cycles as it has words in the bank where it has most, and for one if it has none.

    Parameters
    ----------
    live : ndarray of int64, shape (sources, banks)
        Words that are read for their own sake, and not only because another bank has more.
    """

    def __init__(self, live: np.ndarray) -> None:
        self._live = live
        #: Words that every bank reads for each source, int64 of shape (sources,).
        self.reads: np.ndarray = live.max(axis=1)
        #: Cycles of each source, int64 of shape (sources,).
        self.busy: np.ndarray = np.maximum(self.reads, 1)
        first = int(self.reads[0])
        self._even = first if first > 0 and (live == first).all() else None

    @classmethod
    def of(cls, weights: np.ndarray, core: CoreSpec) -> Walk:
        """Return the walk of a layer of ``core`` with weights of shape (sources, neurons)."""
        if core.sparse:
            return cls(live_words(weights, core))
        words = -(-weights.shape[1] // core.lanes)
        return cls(np.full((len(weights), core.banks), words))

    def __getitem__(self, sources: slice) -> Walk:
        """Return the walk of some of the sources."""
        return Walk(self._live[sources])

    def run(self, spiking: np.ndarray, order: np.ndarray | None = None) -> Run:
        """Return what the sources in ``spiking`` make, bool of shape (n, sources).

        ``order`` says in which order they come; None: lowest first.
        """
        count = spiking.sum(axis=1)
        if self._even is not None:
            return Run(count, count * self._even, self._even, self._even)
        places = np.arange(len(self.busy)) if order is None else order
        ordered = spiking[:, places]
        rows = np.arange(len(ordered))
        last = ordered.shape[1] - 1 - np.argmax(ordered[:, ::-1], axis=1)
        earlier = ordered.copy()
        earlier[rows, last] = False
        before = earlier.shape[1] - 1 - np.argmax(earlier[:, ::-1], axis=1)
        busy = self.busy[places]
        return Run(count, spiking @ self.busy, busy[last], busy[before])

    def read(self, spiking: np.ndarray) -> np.ndarray:
        """Return the words that a bank reads for ``spiking``, int64 of shape (n,)."""
        if self._even is not None:
            return spiking.sum(axis=1) * self._even
        return spiking @ self.reads

    def need(self, spiking: np.ndarray) -> np.ndarray:
        """Return the words that each bank cannot do without, int64 of shape (n, banks)."""
        if self._even is not None:
            read = spiking.sum(axis=1) * self._even
            return np.repeat(read[:, None], self._live.shape[1], axis=1)
        return spiking.astype(np.int64) @ self._live


def listed_order(indices: np.ndarray, core: CoreSpec) -> np.ndarray:
    """Return the order in which `firstspike_hw.buckets` offers inputs of one list.

    Position by position of a word of pixels, and in each the word that came last first.

    Parameters
    ----------
    indices : ndarray of int64, shape (inputs,)
        Numbers of the inputs in the core, gaps included.
    """
    return np.lexsort((-(indices // core.pixels), indices % core.pixels))
