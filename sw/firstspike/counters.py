"""From the counters of a core's records to those that reports have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from firstspike.learning.rule import Rule, Supervised
from firstspike.network import MultiSpikeNetwork
from firstspike.spec import INTENSITY_BITS, LEARNING_COUNTERS, CoreSpec, Neuron

__all__ = ["learn_counters", "multispike_counters", "run_counters", "winners"]

#: Counters that have the same name in a record.
_SAME = (
    "events",
    "forced",
    "over_threshold",
    "ties",
    "cycles",
    "weight_reads",
    "state_reads",
    "state_writes",
)


def run_counters(
    record: Mapping[str, np.ndarray], neuron: Neuron, core: CoreSpec
) -> dict[str, np.ndarray]:
    """Return the counters of an `firstspike.outcome.Outcome`.

    Parameters
    ----------
    record : mapping of str to ndarray of int64, shape (n,)
        By name, from `firstspike.spec.record_fields`; a link may leave some counters out, and then
        they are left out here.
    neuron : Neuron
        Kind of the network, which says what an operation is.
    core : CoreSpec
        Where it ran.
    """
    none = np.zeros_like(record["winner"])
    step = neuron is Neuron.STEP
    counters = {
        "synops": record["operations"] if step else none,
        "macs": none if step else record["operations"],
    }
    counters |= {name: record[name] for name in _SAME if name in record}
    if core.learning:
        return counters | {name: record[name] for name in LEARNING_COUNTERS if name in record}
    return counters | dict.fromkeys(LEARNING_COUNTERS, none)


def multispike_counters(
    network: MultiSpikeNetwork,
    images: np.ndarray,
    record: Mapping[str, np.ndarray],
    potentials: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Return the counters of an `firstspike.outcome.Outcome` of a multi-spike network.

    A core counts spikes of the outputs in a layer of its own, whose work is taken off here.

    Parameters
    ----------
    network : MultiSpikeNetwork
        What ran.
    images : ndarray of uint8, shape (n, ...)
        Stimuli.
    record : mapping of str to ndarray of int64, shape (n,)
        See `run_counters`.
    potentials : ndarray of int64, shape (n, outputs), or None
        What was compared in the end. Where they are not known but needed, what depends on them is
        left out.
    """
    none = np.zeros_like(record["winner"])
    same = ("ties", "weight_reads", "state_reads", "state_writes", "cycles")
    counters = {name: record[name] for name in same if name in record}
    counters |= dict.fromkeys(("forced", "over_threshold", *LEARNING_COUNTERS), none)
    if network.counts_spikes and potentials is None:
        return counters
    counted = none if potentials is None or not network.counts_spikes else potentials.sum(axis=1)
    macs = none
    if network.coding.numeric:
        magnitudes = images.reshape(len(images), -1) >> (INTENSITY_BITS - network.input_bits)
        macs = (magnitudes > 0).sum(axis=1) * network.layers[0].neurons
    return counters | {
        "events": record["events"] - counted,
        "synops": record["operations"] - macs - counted * network.outputs,
        "macs": macs,
    }


def learn_counters(record: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the counters of a `firstspike.learning.LearnOutcome`; see `run_counters`."""
    names = [name for name in (*_SAME, *LEARNING_COUNTERS) if name in record]
    return {"synops": record["operations"]} | {name: record[name] for name in names}


def winners(record: Mapping[str, np.ndarray], rule: Rule) -> np.ndarray:
    """Return who won each stimulus that was learned from, int64 of shape (n,).

    Without supervision a stimulus that nobody fired at has no winner, -1.
    """
    if isinstance(rule, Supervised):
        return record["winner"]
    return np.where(record["forced"] == 1, -1, record["winner"])
