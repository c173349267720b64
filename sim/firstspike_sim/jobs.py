"""What a simulated core has to do: what it is loaded with, given and asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from firstspike.golden.encoding import encode
from firstspike.golden.multispike import check_images
from firstspike.learning.image import learner_image
from firstspike.learning.labels import check_labels
from firstspike.learning.readback import state_requests
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState, check_state
from firstspike.loading import image_of
from firstspike.memimage import Write
from firstspike.network import Network
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.spec import CoreSpec, Space
from firstspike_sim.stimuli import spike_events

__all__ = ["Job", "inference_job", "learning_job", "multispike_job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a core is loaded with, given and asked.

    Parameters
    ----------
    core : CoreSpec
        The core.
    writes : list of Write
        What to load.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli.
    neurons : int
        Neurons whose potentials are asked for; 0 leaves them out in a learning core.
    budget : int
        Cycles that a stimulus may take.
    labels : ndarray of int64, shape (n,), optional
        Classes for a learning core; -1 for none.
    reads : sequence of (Space, address)
        What to read in the end.
    events : sequence of dict
        Stimuli as pre-sorted events, in the place of their pixels; see
        `firstspike_hw.layouts.input_event_layout`.
    """

    core: CoreSpec
    writes: list[Write]
    images: np.ndarray
    neurons: int
    budget: int
    labels: np.ndarray | None = None
    reads: Sequence[tuple[Space, int]] = ()
    events: Sequence[Mapping[str, int]] = ()


def inference_job(
    network: Network, core: CoreSpec, images: np.ndarray, *, early_exit: bool = True
) -> Job:
    """Return what a core has to do to run ``network``; see `firstspike.engines.Engine.run`."""
    images = images.reshape(len(images), -1)
    encode(network, images[:1])
    return Job(
        core=core,
        writes=image_of(network, core, early_exit=early_exit),
        images=images,
        neurons=network.outputs,
        budget=_budget(
            network.pixels, network.steps, [(la.inputs, la.neurons) for la in network.layers]
        ),
    )


def multispike_job(network: MultiSpikeNetwork, core: CoreSpec, images: np.ndarray) -> Job:
    """Return what a core has to do to run a multi-spike network on ``images``."""
    check_images(network, images)
    images = images.reshape(len(images), -1)
    layers = [(layer.inputs, layer.neurons) for layer in network.layers]
    return Job(
        core=core,
        writes=image_of(network, core),
        images=images,
        neurons=network.outputs,
        budget=network.steps
        * _budget(network.pixels, 1, [*layers, (network.outputs, network.outputs)]),
        events=() if network.coding.numeric else spike_events(network, images),
    )


def learning_job(
    rule: Rule,
    core: CoreSpec,
    state: LearningState,
    images: np.ndarray,
    labels: np.ndarray | None,
) -> Job:
    """Return what a core has to do to learn; see `firstspike.engines.LearningEngine.learn`."""
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
