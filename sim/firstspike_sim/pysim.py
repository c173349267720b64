"""The engine on Amaranth's own simulator: no compiler, some thousand cycles a second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from amaranth.sim import Simulator

from firstspike.errors import InputError
from firstspike.golden.encoding import encode
from firstspike.learning.image import network_image
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, record_fields
from firstspike_hw.core import Core
from firstspike_sim.collect import build_multispike_outcome, build_outcome
from firstspike_sim.jobs import Job, inference_job, multispike_job
from firstspike_sim.learner import run_learner
from firstspike_sim.stimuli import pixel_words

__all__ = ["PysimEngine"]

#: Of the simulated clock, in seconds.
_PERIOD = 1e-8


class PysimEngine:
    """Runs the core in Amaranth's simulator."""

    def run(
        self,
        network: AnyNetwork,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """See `firstspike.engines.Engine.run`."""
        images = images.reshape(len(images), -1)
        if isinstance(network, MultiSpikeNetwork):
            said = _run(multispike_job(network, core, images), progress, trace)
            return build_multispike_outcome(network, core, images, *said)
        encode(network, images[:1])
        if core.learning:
            if trace is not None:
                raise InputError("engine pysim traces no learning core: use rtl")
            writes = network_image(network, core, early_exit=early_exit)
            said = run_learner(core, writes, images, None, network.outputs, progress=progress)
            return build_outcome(
                network,
                core,
                images,
                np.array(said.records, np.int64),
                np.array(said.spikes, np.int64).reshape(-1, 4),
                said.potentials,
                said.cycles,
            )
        said = _run(inference_job(network, core, images, early_exit=early_exit), progress, trace)
        return build_outcome(network, core, images, *said)


def _run(
    job: Job, progress: Callable[[int], None] | None, trace: Path | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Load a core and give it stimuli; return records, spikes, potentials and cycles."""
    core, count = job.core, len(job.images)
    words = [] if job.events else pixel_words(job.images, core).tolist()
    dut = Core(core)
    records: list[list[int]] = []
    spikes: list[tuple[int, int, int, int]] = []
    potentials = np.zeros((count, job.neurons), np.int64)
    cycles = 0

    async def feed(ctx):
        for write in job.writes:
            ctx.set(
                dut.requests.payload,
                {
                    "write": 1,
                    "space": write.space,
                    "address": write.address,
                    "data": write.data,
                },
            )
            ctx.set(dut.requests.valid, 1)
            await ctx.tick().until(dut.requests.ready)
        ctx.set(dut.requests.valid, 0)
        for word in words:
            ctx.set(dut.pixels.payload, word)
            ctx.set(dut.pixels.valid, 1)
            await ctx.tick().until(dut.pixels.ready)
        ctx.set(dut.pixels.valid, 0)
        for event in job.events:
            ctx.set(dut.events.payload, event)
            ctx.set(dut.events.valid, 1)
            await ctx.tick().until(dut.events.ready)
        ctx.set(dut.events.valid, 0)

    async def watch(ctx):
        nonlocal cycles
        started = 0
        ctx.set(dut.results.ready, 1)
        while len(records) < count:
            *_, fed, spiked, spike, read, potential, done, record = await ctx.tick().sample(
                dut.pixels.valid | dut.events.valid,
                dut.spikes.valid,
                dut.spikes.payload,
                dut.potentials.valid,
                dut.potentials.payload,
                dut.results.valid,
                dut.results.payload,
            )
            started |= fed
            cycles += started
            if spiked:
                spikes.append((len(records), spike.layer, spike.index, spike.time))
            if read:
                potentials[len(records), potential.index] = potential.potential
            if done:
                records.append([getattr(record, name) for name in record_fields(core)])
                if progress is not None:
                    progress(len(records))

    async def watchdog(ctx):
        total = 8 * len(job.writes) + job.budget * count
        await ctx.delay(total * _PERIOD)
        raise TimeoutError(f"{len(records)} of {count} results after {total} cycles")

    sim = Simulator(dut)
    sim.add_clock(_PERIOD)
    sim.add_testbench(feed)
    sim.add_testbench(watch)
    sim.add_testbench(watchdog, background=True)
    if trace is not None and not trace.parent.is_dir():
        raise InputError(f"{trace}: its folder does not exist")
    with nullcontext() if trace is None else sim.write_vcd(str(trace)):
        sim.run()
    return (
        np.array(records, np.int64).reshape(-1, len(record_fields(core))),
        np.array(spikes, np.int64).reshape(-1, 4),
        potentials,
        cycles,
    )
