"""The engine on Verilator: the core's Verilog, compiled, under cocotb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.readback import read_state
from firstspike.learning.rule import Rule
from firstspike.learning.state import LearningState
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec
from firstspike_sim.batch import Design, run_batch
from firstspike_sim.collect import (
    build_learn_outcome,
    build_multispike_outcome,
    build_outcome,
)
from firstspike_sim.jobs import inference_job, learning_job, multispike_job
from firstspike_sim.translation import core_verilog

__all__ = ["RtlEngine"]


class RtlEngine:
    """Runs the core's Verilog.

    Parameters
    ----------
    pause : int
        Of 256 cycles, in how many the results are not taken, and pixels do not come; for tests.
    seed : int
        Of the random contents that registers and memories start with.
    """

    def __init__(self, *, pause: int = 0, seed: int = 1) -> None:
        self._pause = pause
        self._seed = seed

    def design(self, core: CoreSpec) -> Design:
        """Return what is simulated as ``core``."""
        return Design({"core.v": core_verilog(core)})

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
        if isinstance(network, MultiSpikeNetwork):
            job = multispike_job(network, core, images)
        else:
            job = inference_job(network, core, images, early_exit=early_exit)
        batch = run_batch(
            job,
            self.design(core),
            pause=self._pause,
            seed=self._seed,
            progress=progress,
            trace=trace,
        )
        said = (batch.records, batch.spikes, batch.potentials, batch.cycles)
        if isinstance(network, MultiSpikeNetwork):
            return build_multispike_outcome(network, core, job.images, *said)
        return build_outcome(network, core, job.images, *said)

    def learn(
        self,
        rule: Rule,
        core: CoreSpec,
        state: LearningState,
        images: np.ndarray,
        labels: np.ndarray | None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> LearnOutcome:
        """See `firstspike.engines.LearningEngine.learn`; the core must be a learning core."""
        job = learning_job(rule, core, state, images, labels)
        batch = run_batch(
            job, self.design(core), pause=self._pause, seed=self._seed, progress=progress
        )
        learned = len(job.images) if job.labels is None else int((job.labels >= 0).sum())
        final = read_state(core, state, batch.replies, learned)
        return build_learn_outcome(rule, core, batch.records, final, batch.cycles)
