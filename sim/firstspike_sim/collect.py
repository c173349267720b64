"""From what a core said to an `Outcome`."""

from __future__ import annotations

import numpy as np

from firstspike.cost import floor_cycles
from firstspike.counters import learn_counters, multispike_counters, run_counters, winners
from firstspike.golden.encoding import encode
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.rule import Rule
from firstspike.learning.state import LearningState
from firstspike.network import Network
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Neuron, record_fields

__all__ = ["build_learn_outcome", "build_multispike_outcome", "build_outcome"]


def build_outcome(
    network: Network,
    core: CoreSpec,
    images: np.ndarray,
    records: np.ndarray,
    spikes: np.ndarray,
    potentials: np.ndarray,
    total_cycles: int,
) -> Outcome:
    """Return the outcome that a core's output describes.

    Parameters
    ----------
    network, core : Network, CoreSpec
        What ran.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli.
    records : ndarray of int64, shape (n, fields)
        Result records, fields in the order of `firstspike.spec.record_fields`.
    spikes : ndarray of int64, shape (m, 4)
        Stimulus, layer, neuron and time of each spike.
    potentials : ndarray of int64, shape (n, outputs)
        Potentials as last read, less the threshold (STEP).
    total_cycles : int
        Of the whole run.

    Raises
    ------
    AssertionError
        If a neuron spiked twice.
    """
    n = len(images)
    record = dict(zip(record_fields(core), records.T, strict=True))
    spike_time = {}
    for number, layer in enumerate(network.layers):
        times = np.full((n, layer.neurons), network.steps)
        mine = spikes[spikes[:, 1] == number]
        places = mine[:, 0] * layer.neurons + mine[:, 2]
        assert len(np.unique(places)) == len(places), f"a neuron of {layer.name} spiked twice"
        times[mine[:, 0], mine[:, 2]] = mine[:, 3]
        spike_time[layer.name] = times
    outcome = Outcome(
        predicted=record["winner"],
        decision_step=record["step"],
        forced=record["forced"],
        last_predicted=record["last"],
        potential=_potential(network, core, potentials),
        spike_time=spike_time,
        counters=run_counters(record, network.neuron, core),
        total_cycles=total_cycles,
        floor_cycles=floor_cycles(
            network, core, encode(network, images), spike_time, record["step"]
        ),
    )
    return outcome


def build_multispike_outcome(
    network: MultiSpikeNetwork,
    core: CoreSpec,
    images: np.ndarray,
    records: np.ndarray,
    spikes: np.ndarray,
    potentials: np.ndarray,
    total_cycles: int,
) -> Outcome:
    """Return the outcome that a core's output describes, of a multi-spike network.

    Parameters
    ----------
    network, core, images, records, spikes, potentials, total_cycles
        See `build_outcome`; the potentials are those that were compared.
    """
    n = len(images)
    record = dict(zip(record_fields(core), records.T, strict=True))
    spike_count = {}
    for number, layer in enumerate(network.layers):
        mine = spikes[spikes[:, 1] == number]
        places = mine[:, 0] * layer.neurons + mine[:, 2]
        counts = np.bincount(places, minlength=n * layer.neurons)
        spike_count[layer.name] = counts.reshape(n, layer.neurons)
    return Outcome(
        predicted=record["winner"],
        decision_step=np.full(n, network.steps),
        forced=record["forced"],
        last_predicted=record["last"],
        potential=potentials,
        spike_time={},
        spike_count=spike_count,
        counters=multispike_counters(network, images, record, potentials),
        total_cycles=total_cycles,
    )


def _potential(network: Network, core: CoreSpec, potentials: np.ndarray) -> np.ndarray:
    """Return potentials as an `Outcome` has them, from those that a core keeps."""
    layer = network.layers[-1]
    if network.neuron is not Neuron.STEP:
        return potentials
    finer = core.fraction_bits - layer.fraction_bits if core.learning else 0
    return (potentials >> finer) + layer.offset


def build_learn_outcome(
    rule: Rule, core: CoreSpec, records: np.ndarray, state: LearningState, total_cycles: int
) -> LearnOutcome:
    """Return the outcome of learning that a core's output describes.

    Parameters
    ----------
    rule : Rule
        How it learned; without supervision a stimulus that nobody fired at has no winner.
    core : CoreSpec
        What learned.
    records : ndarray of int64, shape (n, fields)
        Result records, fields in the order of `firstspike.spec.record_fields`.
    state : LearningState
        What the learner has become.
    total_cycles : int
        Of the whole run.
    """
    record = dict(zip(record_fields(core), records.T, strict=True))
    return LearnOutcome(
        winner=winners(record, rule),
        decision_step=record["step"],
        state=state,
        counters=learn_counters(record),
        total_cycles=total_cycles,
    )
