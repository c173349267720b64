"""The engine on Verilator: the core's Verilog, compiled, under cocotb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from firstspike.golden.encoding import encode
from firstspike.learning.image import learner_image, network_image
from firstspike.learning.labels import check_labels
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.readback import read_state, state_requests
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState, check_state
from firstspike.memimage import memory_image
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec
from firstspike_sim.batch import Design, Job, run_batch
from firstspike_sim.collect import build_learn_outcome, build_outcome
from firstspike_sim.translation import core_verilog

__all__ = ["RtlEngine", "inference_job", "learning_job"]


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
        network: Network,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """See `firstspike.engines.Engine.run`."""
        job = inference_job(network, core, images, early_exit=early_exit)
        batch = run_batch(
            job,
            self.design(core),
            pause=self._pause,
            seed=self._seed,
            progress=progress,
            trace=trace,
        )
        return build_outcome(
            network, core, job.images, batch.records, batch.spikes, batch.potentials, batch.cycles
        )

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
        """See `firstspike.engines.GoldenEngine.learn`; the core must be a learning core."""
        job = learning_job(rule, core, state, images, labels)
        batch = run_batch(
            job, self.design(core), pause=self._pause, seed=self._seed, progress=progress
        )
        learned = len(job.images) if job.labels is None else int((job.labels >= 0).sum())
        final = read_state(core, state, batch.replies, learned)
        return build_learn_outcome(rule, core, batch.records, final, batch.cycles)


def inference_job(
    network: Network, core: CoreSpec, images: np.ndarray, *, early_exit: bool = True
) -> Job:
    """Return what a core has to do to run ``network``; see `firstspike.engines.Engine.run`."""
    images = images.reshape(len(images), -1)
    encode(network, images[:1])
    image = network_image if core.learning else memory_image
    return Job(
        core=core,
        writes=image(network, core, early_exit=early_exit),
        images=images,
        neurons=network.outputs,
        budget=_budget(
            network.pixels, network.steps, [(la.inputs, la.neurons) for la in network.layers]
        ),
    )


def learning_job(
    rule: Rule,
    core: CoreSpec,
    state: LearningState,
    images: np.ndarray,
    labels: np.ndarray | None,
) -> Job:
    """Return what a core has to do to learn; see `firstspike.engines.GoldenEngine.learn`."""
    images = images.reshape(len(images), -1)
    check_state(rule, state)
    known = check_labels(rule, state, labels, len(images))
    return Job(
        core=core,
        writes=learner_image(core, rule, state),
        images=images,
        neurons=0,
        budget=_budget(images.shape[1], rule.steps, 3 * [state.weights.shape]),
        labels=known if isinstance(rule, Supervised) else None,
        reads=state_requests(core, state),
    )


def _budget(pixels: int, steps: int, layers: list[tuple[int, int]]) -> int:
    """Return more cycles than any stimulus can take, paused half of the time."""
    rows = sum((inputs + 2) * (neurons + 20) for inputs, neurons in layers)
    return 4 * (rows + 100 * steps * len(layers) + 2 * pixels)
