"""The cost model of multi-spike networks: accesses and cycles, from who spikes in which step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from firstspike.cost import (
    BANK_STAGES,
    Pipe,
    follow,
    name_spikes,
    read_outputs,
)
from firstspike.multispike_fit import Placed, place
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.spec import INTENSITY_BITS, CoreSpec
from firstspike.walk import Walk, listed_order

__all__ = ["multispike_costs", "multispike_total"]

#: Stages behind the banks' adders from which a mask comes: see `firstspike_hw.dynamics`.
_DYNAMICS = 1
#: Cycles from the end of a stimulus of pre-sorted events until the next one begins.
_FLUSH = 3


def multispike_costs(
    network: MultiSpikeNetwork,
    core: CoreSpec,
    pixels: np.ndarray,
    events: Sequence[np.ndarray],
    spikes: Sequence[Sequence[np.ndarray]],
) -> dict[str, np.ndarray]:
    """Return what depends on the core.

    Parameters
    ----------
    network, core : MultiSpikeNetwork, CoreSpec
        What ran on what; it fits.
    pixels : ndarray of int64, shape (n, pixels)
        Stimuli.
    events : sequence of ndarray of bool, shape (n, pixels)
        Which inputs spike, by step; empty if pixels come as numbers.
    spikes : sequence of sequence of ndarray of bool, shape (n, neurons)
        Which neurons spike, by step and layer.

    Returns
    -------
    dict of str to ndarray of int64, shape (n,)
        ``weight_reads``, ``state_reads``, ``state_writes``, ``cycles``, ``floor``; and ``starts``
        of shape (n, lists), for `multispike_total`.
    """
    return _Course(network, core, place(network, core), len(pixels)).run(pixels, events, spikes)


def multispike_total(cycles: np.ndarray) -> int:
    """Return the cycles of a run of pre-sorted events, from the first event to the last result."""
    return int((cycles + _FLUSH).sum()) - 1


class _Course:
    """Where many stimuli are at, each with a clock of its own."""

    def __init__(
        self, network: MultiSpikeNetwork, core: CoreSpec, placed: list[Placed], n: int
    ) -> None:
        self._network = network
        self._core = core
        self._placed = placed
        self._walks = [Walk.of(part.weights, core) for part in placed]
        self._everywhere = np.ones(n, bool)
        rows = sum(part.rows for part in placed)
        self._pipe = Pipe.idle(n)
        self._pipe.accept(np.ones(n, np.int64), rows, self._everywhere)
        self._now = np.full(n, 2)
        self._added = np.zeros(n, np.int64)
        self._need = np.zeros((n, core.banks), np.int64)
        # Each row is read and written when a stimulus starts.
        self._reads = self._writes = rows
        self._starts: list[np.ndarray] = []

    def run(
        self,
        pixels: np.ndarray,
        events: Sequence[np.ndarray],
        spikes: Sequence[Sequence[np.ndarray]],
    ) -> dict[str, np.ndarray]:
        network, core = self._network, self._core
        if network.coding.numeric:
            self._numbers(pixels >> (INTENSITY_BITS - network.input_bits))
        for t in range(network.steps):
            if not network.coding.numeric:
                self._events(events[t])
            self._step(t, spikes[t])
        part = self._placed[-1]
        now = read_outputs(
            self._pipe, self._now, core, part.words, network.outputs, self._everywhere
        )
        reads = self._reads + self._added + part.words
        words = -(-network.pixels // core.pixels)
        starts = np.stack(self._starts, axis=1) if self._starts else np.zeros((len(now), 0))
        return {
            "weight_reads": core.banks * self._added,
            "state_reads": core.banks * reads,
            "state_writes": core.banks * (self._writes + self._added),
            "cycles": now - 1,
            "floor": np.maximum(self._need.max(axis=1), words),
            "starts": starts.astype(np.int64),
        }

    def _take(self, number: int, first: int, spiking: np.ndarray) -> Walk:
        """Count events of sources from row ``first`` of layer ``number`` on; return their walk."""
        walk = self._walks[number][first : first + spiking.shape[1]]
        self._added = self._added + walk.read(spiking)
        self._need = self._need + walk.need(spiking)
        return walk

    def _numbers(self, numbers: np.ndarray) -> None:
        """Take all numbers of a stimulus, list by list."""
        order = listed_order(np.arange(numbers.shape[1]), self._core)
        for magnitude in reversed(range(1, 1 << self._network.input_bits)):
            self._starts.append(self._now)
            spiking = numbers == magnitude
            events = self._take(0, 0, spiking).run(spiking, order)
            last = self._pipe.accept_run(self._now + 2, events)
            self._now = np.where(events.count > 0, last + 1, self._now + 2) + 1

    def _events(self, spiking: np.ndarray) -> None:
        """Take the pre-sorted events of a step."""
        events = self._take(0, 0, spiking).run(spiking)
        last = self._pipe.accept_run(self._now + 1, events)
        self._now = np.where(events.count > 0, last + 2, self._now + 2) + 1

    def _step(self, t: int, spikes: Sequence[np.ndarray]) -> None:
        """Let all layers tick, each after the spikes of the one before."""
        pipe, core = self._pipe, self._core
        nobody = np.zeros((len(self._now), self._placed[-1].layer.neurons), bool)
        for number, part in enumerate(self._placed):
            now = self._now
            walk, row = self._walks[number], len(part.synapses) + t * part.biases
            for bias in range(row, row + part.biases):
                now = pipe.accept(now, walk.busy[bias], self._everywhere) + 1
                self._added = self._added + walk.reads[bias]
            pipe.accept(now, part.rows, self._everywhere)
            self._reads += part.rows
            self._writes += part.words
            if part.pairs and part.current_leak is not None:
                self._writes += part.words
            fires = spikes[number] if number < len(spikes) else nobody
            first = pipe.taken + 1 + BANK_STAGES + _DYNAMICS + int(part.pairs)
            apart = 2 if part.pairs else 1
            ended, offered = name_spikes(first, apart, core, fires, part.words)
            if number == len(self._placed) - 1:
                self._now = ended + 1
                continue
            self._now = self._follow(number + 1, spikes, offered, ended)

    def _follow(
        self,
        number: int,
        spikes: Sequence[np.ndarray],
        offered: np.ndarray,
        ended: np.ndarray,
    ) -> np.ndarray:
        """Let layer ``number`` take the spikes of its sources; return when it ticks.

        Those of the layer right before it are found at ``offered``, and come when all are; the
        others are read from the store afterwards.
        """
        part, fires = self._placed[number], spikes[number - 1]
        any_ = fires.any(axis=1)
        if number - 1 in part.sources:
            # None is taken before the tick is over, for the banks are still writing.
            complete = np.maximum(offered, ended[:, None] + 1)
            walk = self._take(number, self._placed[number - 1].base - part.first, fires)
            last = follow(self._pipe, complete, fires, walk)
        else:
            last = np.where(fires, offered, 0).max(axis=1)
        now = np.where(any_, np.maximum(ended, last) + 1, ended + 1) + 1
        others = sorted(source for source in part.sources if source != number - 1)
        for source in others:
            walk = self._take(number, self._placed[source].base - part.first, spikes[source])
            events = walk.run(spikes[source])
            last = self._pipe.accept_run(now + 2, events)
            now = np.where(events.count > 0, last + 1, now + 1) + 1
        return now + 1 if others else now
