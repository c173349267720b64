"""A learning core in Amaranth's simulator, and its state as a `LearningState`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from firstspike.learning import spram
from firstspike.learning.image import synapse_rows
from firstspike.learning.state import LearningState
from firstspike.memimage import Write
from firstspike.spec import MASK_BITS, CoreSpec, record_fields
from firstspike_hw.learner.core import LearningCore
from firstspike_sim.stimuli import pixel_words

__all__ = ["LearnerRun", "run_learner"]

_PERIOD = 1e-8


class LearnerRun:
    """What a learning core said, stimulus by stimulus.

    Attributes
    ----------
    records : list of list of int
        Fields of each result, in the order of `firstspike.spec.record_fields`.
    spikes : list of (stimulus, layer, neuron, time)
        Neurons as their potential came to their threshold.
    potentials : ndarray of int64, shape (n, neurons)
        At the end of each stimulus, less the threshold.
    cycles : int
        From the first word of pixels to the last result.
    """

    def __init__(self, n: int, neurons: int) -> None:
        self.records: list[list[int]] = []
        self.spikes: list[tuple[int, int, int, int]] = []
        self.potentials = np.zeros((n, neurons), np.int64)
        self.cycles = 0


def run_learner(
    core: CoreSpec,
    writes: list[Write],
    images: np.ndarray,
    labels: np.ndarray | None,
    neurons: int,
    *,
    progress: Callable[[int], None] | None = None,
    watch: Callable[[Callable[[], LearningState]], None] | None = None,
    inputs: int = 0,
    groups: int = 1,
) -> LearnerRun:
    """Load a learning core and give it stimuli.

    Parameters
    ----------
    core : CoreSpec
        The core.
    writes : list of Write
        What to load.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli.
    labels : ndarray of int64, shape (n,), or None
        For supervised learning.
    neurons, inputs, groups : int
        Size of the layer; the last two only for ``watch``.
    progress : callable, optional
        Called with the number of stimuli done so far.
    watch : callable, optional
        Called after each stimulus with a function that reads the state out of the core.
    """
    dut = LearningCore(core)
    run = LearnerRun(len(images), neurons)
    words = pixel_words(images, core).tolist()

    async def feed(ctx: Any) -> None:
        for write in writes:
            ctx.set(
                dut.requests.payload,
                {"write": 1, "space": write.space, "address": write.address, "data": write.data},
            )
            ctx.set(dut.requests.valid, 1)
            await ctx.tick().until(dut.requests.ready)
        ctx.set(dut.requests.valid, 0)
        for word in words:
            ctx.set(dut.pixels.payload, word)
            ctx.set(dut.pixels.valid, 1)
            await ctx.tick().until(dut.pixels.ready)
        ctx.set(dut.pixels.valid, 0)

    async def label(ctx: Any) -> None:
        for group in [] if labels is None else labels.tolist():
            ctx.set(dut.labels.payload, {"there": group >= 0, "group": max(group, 0)})
            ctx.set(dut.labels.valid, 1)
            await ctx.tick().until(dut.labels.ready)
        ctx.set(dut.labels.valid, 0)

    async def listen(ctx: Any) -> None:
        started = 0
        # With an onlooker the core waits until all is at rest, the random numbers too.
        ctx.set(dut.results.ready, watch is None)
        potentials = np.zeros(core.max_neurons, np.int64)
        taps: list[Any] = []
        for tap in dut.taps:
            taps += [tap.valid, tap.row, tap.potential, tap.fires]
        while len(run.records) < len(images):
            *_, fed, step, done, record = values = await ctx.tick().sample(
                *taps, dut.pixels.valid, dut.tap_step, dut.results.valid, dut.results.payload
            )
            started |= fed
            run.cycles += started
            tapped = values[2:]
            for bank in range(core.banks):
                valid, row, potential, fires = tapped[4 * bank : 4 * bank + 4]
                if valid:
                    neuron = row * core.banks + bank
                    potentials[neuron] = potential
                    if fires:
                        run.spikes.append((len(run.records), 0, neuron, step))
            if done and watch is not None:
                await ctx.tick().repeat(40)
                watch(lambda: _state(ctx, dut, core, inputs, neurons, groups))
                ctx.set(dut.results.ready, 1)
                await ctx.tick()
                ctx.set(dut.results.ready, 0)
            if done:
                run.potentials[len(run.records)] = potentials[:neurons]
                run.records.append([getattr(record, name) for name in record_fields(core)])
                if progress is not None:
                    progress(len(run.records))

    async def watchdog(ctx: Any) -> None:
        budget = 8 * len(writes) + len(images) * (4000 + 4 * core.max_inputs * core.state_rows)
        await ctx.delay(budget * _PERIOD)
        raise TimeoutError(f"{len(run.records)} of {len(images)} results after {budget} cycles")

    sim = Simulator(dut)
    sim.add_clock(_PERIOD)
    sim.add_testbench(feed)
    sim.add_testbench(label)
    sim.add_testbench(listen)
    sim.add_testbench(watchdog, background=True)
    sim.run()
    return run


def _state(
    ctx: Any, dut: LearningCore, core: CoreSpec, inputs: int, neurons: int, groups: int
) -> LearningState:
    """Read the state out of the core's memories; both copies of the masks must agree."""
    half = dut.banks[0].lane.rows.depth // 2
    threshold = np.array(
        [
            -ctx.get(dut.banks[j % core.banks].lane.rows[half + j // core.banks])
            for j in range(neurons)
        ]
    )
    if core.memory == "spram":
        words = np.zeros((core.banks, core.weight_rows), np.int64)
        for place in spram.places(core, inputs, neurons).tolist():
            for number, bank in enumerate(dut.banks):
                words[number, place] = ctx.get(bank.ram.data[place])
        weights, alive, columns = spram.unpack(core, words, inputs, neurons)
    else:
        weights, alive, columns = _blocks(ctx, dut, core, inputs, neurons)
    assert (alive == columns).all(), "row masks and column masks differ"
    if core.pruning:
        fan_in = [ctx.get(dut.updater.fan_ins[j]) for j in range(neurons)]
        assert fan_in == alive.sum(axis=0).tolist(), "the counts of live inputs are wrong"
    return LearningState(
        weights=weights,
        alive=alive,
        threshold=threshold,
        offset=np.array([ctx.get(dut.groups.values[c]) for c in range(groups)]),
        lfsr=ctx.get(dut.random.state),
        seen=0,
    )


def _blocks(
    ctx: Any, dut: LearningCore, core: CoreSpec, inputs: int, neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return synapses, and which are alive by the row masks and by the column masks."""
    _, rows = synapse_rows(core, inputs, neurons)
    weights = np.zeros((inputs, neurons), np.uint8)
    alive = np.ones((inputs, neurons), bool)
    columns = np.ones((inputs, neurons), bool)
    stride = core.max_inputs // MASK_BITS
    for j in range(neurons):
        bank = dut.banks[j % core.banks]
        for i in range(inputs):
            weights[i, j] = ctx.get(bank.weights[int(rows[i, j])])
            if core.pruning:
                alive[i, j] = ctx.get(bank.masks[i]) >> (j // core.banks) & 1
                word = ctx.get(dut.walk.masks[j * stride + i // MASK_BITS])
                columns[i, j] = word >> (i % MASK_BITS) & 1
    return weights, alive, columns
