"""From the counters of a core's records to those that reports have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from firstspike.learning.rule import Rule, Supervised
from firstspike.spec import LEARNING_COUNTERS, Neuron

__all__ = ["learn_counters", "run_counters", "winners"]

_SAME = ("forced", "over_threshold", "ties", "cycles", "events", "weight_reads")
_STATE = ("state_reads", "state_writes")


def run_counters(record: Mapping[str, np.ndarray], neuron: Neuron) -> dict[str, np.ndarray]:
    """Return the counters of an `firstspike.outcome.Outcome`.

    Parameters
    ----------
    record : mapping of str to ndarray of int64, shape (n,)
        By name, from `firstspike.spec.record_fields`.
    neuron : Neuron
        Kind of the network, which says what an operation is.
    """
    none = np.zeros_like(record["winner"])
    step = neuron is Neuron.STEP
    counters = {
        "synops": record["operations"] if step else none,
        "macs": none if step else record["operations"],
    }
    counters |= {name: record[name] for name in (*_SAME, *_STATE)}
    # A core without learning and without pruning has none of these.
    return counters | {name: record.get(name, none) for name in LEARNING_COUNTERS}


def learn_counters(record: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the counters of a `firstspike.learning.LearnOutcome`; see `run_counters`."""
    names = (*_SAME, *_STATE, *LEARNING_COUNTERS)
    return {"synops": record["operations"]} | {name: record[name] for name in names}


def winners(record: Mapping[str, np.ndarray], rule: Rule) -> np.ndarray:
    """Return who won each stimulus that was learned from, int64 of shape (n,).

    Without supervision a stimulus that nobody fired at has no winner, -1.
    """
    if isinstance(rule, Supervised):
        return record["winner"]
    return np.where(record["forced"] == 1, -1, record["winner"])
