"""From the counters of a core's records to those that reports have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from firstspike.learning.rule import Rule, Supervised
from firstspike.spec import LEARNING_COUNTERS, CoreSpec, Neuron

__all__ = ["learn_counters", "run_counters", "winners"]

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
