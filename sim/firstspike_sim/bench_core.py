"""Drive a whole core in Amaranth's simulator, port by port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from firstspike.fit import input_rows
from firstspike.golden.encoding import encode
from firstspike.memimage import Write
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Space, record_fields
from firstspike_hw.core import Core
from firstspike_sim.bench import pauses, put, simulate
from firstspike_sim.collect import build_outcome

__all__ = ["CoreBench", "sorted_events"]


def sorted_events(network: Network, core: CoreSpec, image: np.ndarray) -> list[dict[str, int]]:
    """Return a stimulus as events for the core's port ``events``, with its end."""
    times = encode(network, image[None])[0]
    places = np.arange(len(times))
    # OFF inputs start at a whole word of pixels.
    places[network.pixels :] += input_rows(network, core) - network.inputs
    order = np.argsort(times, kind="stable")
    events = [
        {"index": int(places[i]), "time": int(times[i]), "end": 0}
        for i in order
        if times[i] < network.steps
    ]
    return [*events, {"index": 0, "time": 0, "end": 1}]


class CoreBench:
    """A core in the simulator, and what it has said so far.

    Parameters
    ----------
    core : CoreSpec
        The core.
    stall : float
        Chance of a cycle in which a result is not taken.
    seed : int
        Of the pauses.

    Attributes
    ----------
    clock : int
        The cycle that has just ended, for a bench that it woke up.
    records : list of list of int
        Fields of each result, in the order of `firstspike.spec.record_fields`.
    ready_at : list of int
        The cycle in which each result was first offered.
    """

    def __init__(self, core: CoreSpec, *, stall: float = 0.0, seed: int = 0) -> None:
        self.core = core
        self.dut = Core(core)
        self.clock = 0
        self.records: list[list[int]] = []
        self.ready_at: list[int] = []
        self._spikes: list[tuple[int, int, int, int]] = []
        self._potentials: list[tuple[int, int, int]] = []
        self._stall = pauses(stall, seed)

    def run(self, *benches: Callable, cycles: int = 60_000) -> None:
        """Run ``benches``, which take a simulator's context, to their end."""
        simulate(self.dut, *benches, background=[self._watch], cycles=cycles)

    async def _watch(self, ctx: Any) -> None:
        dut = self.dut
        offered = None
        while True:
            ready = not next(self._stall)
            ctx.set(dut.results.ready, ready)
            *_, spiked, spike, read, potential, valid, record = await ctx.tick().sample(
                dut.spikes.valid,
                dut.spikes.payload,
                dut.potentials.valid,
                dut.potentials.payload,
                dut.results.valid,
                dut.results.payload,
            )
            number = len(self.records)
            if spiked:
                self._spikes.append((number, spike.layer, spike.index, spike.time))
            if read:
                self._potentials.append((number, potential.index, potential.potential))
            if valid:
                row = [getattr(record, name) for name in record_fields(self.core)]
                if offered is None:
                    self.ready_at.append(self.clock)
                assert offered in (None, row), "a result changed while it waited"
                offered = None if ready else row
                if ready:
                    self.records.append(row)
            else:
                assert offered is None, "a result was withdrawn"
            self.clock += 1

    async def load(self, ctx: Any, writes: Iterable[Write]) -> None:
        """Write through the host port."""
        await put(
            ctx,
            self.dut.requests,
            ({"write": 1, "space": w.space, "address": w.address, "data": w.data} for w in writes),
            pauses(0, 0),
        )

    async def read(self, ctx: Any, space: Space, address: int, wait: int = 0) -> int:
        """Return what stands at an address; take the reply ``wait`` cycles after it came."""
        dut = self.dut
        # The data of a read must not matter.
        request = {"write": 0, "space": space, "address": address, "data": 0x5A5A5A5A}
        ctx.set(dut.replies.ready, 0)
        await put(ctx, dut.requests, [request], pauses(0, 0))
        valid = False
        while not valid:
            *_, valid = await ctx.tick().sample(dut.replies.valid)
        for _ in range(wait):
            *_, valid = await ctx.tick().sample(dut.replies.valid)
            assert valid, "a reply was withdrawn"
        ctx.set(dut.replies.ready, 1)
        *_, data = await ctx.tick().sample(dut.replies.payload)
        ctx.set(dut.replies.ready, 0)
        assert not ctx.get(dut.replies.valid), "a reply came twice"
        return data

    async def pixels(self, ctx: Any, words: list[list[int]], idle: Iterator[bool]) -> int:
        """Send words of pixels; return the cycle in which the last one was taken."""
        await put(ctx, self.dut.pixels, words, idle)
        return self.clock

    async def events(self, ctx: Any, events: list[dict[str, int]], idle: Iterator[bool]) -> None:
        """Send pre-sorted events."""
        await put(ctx, self.dut.events, events, idle)

    async def results(self, ctx: Any, count: int) -> None:
        """Wait until there are ``count`` results."""
        while len(self.records) < count:
            await ctx.tick()

    def outcome(self, network: Network, images: np.ndarray) -> Outcome:
        """Return the outcome of a run of ``images``; its ``total_cycles`` is the clock."""
        potentials = np.zeros((len(images), network.outputs), np.int64)
        for number, index, potential in self._potentials:
            potentials[number, index] = potential
        return build_outcome(
            network,
            self.core,
            images,
            np.array(self.records, np.int64).reshape(-1, len(record_fields(self.core))),
            np.array(self._spikes, np.int64).reshape(-1, 4),
            potentials,
            self.clock,
        )
