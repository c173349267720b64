"""The cost of a network that runs, without learning, on a learning core."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firstspike.learning_cost import COSTS, STARTS, Course, account, parameters, total_cycles
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import LEARNING_COUNTERS, MASK_BITS, CoreSpec

__all__ = ["predict"]


def predict(
    network: Network, core: CoreSpec, times: np.ndarray, outcome: Outcome, *, early_exit: bool
) -> Outcome:
    """Return ``outcome`` with all counters and cycles; see `firstspike.cost.predict`."""
    layer = network.layers[0]
    alive = np.ones(layer.weights.shape, bool)
    if core.pruning and layer.alive is not None:
        alive = layer.alive
    row_live = np.stack(
        [alive[:, bank :: core.banks].sum(axis=1) for bank in range(core.banks)], axis=1
    ).astype(np.int32)
    column_live = np.zeros((layer.neurons, -(-layer.inputs // MASK_BITS)), np.int32)
    numbers = parameters(core, network.pixels, layer.neurons)
    group = np.zeros(layer.neurons, np.int64)
    updates = np.zeros((0, 4), np.int64)
    steps = network.steps
    n = len(times)
    cost = np.zeros((n, STARTS + steps), np.int64)
    order = np.argsort(times, axis=1, kind="stable")
    begin = np.stack([(times < t).sum(axis=1) for t in range(steps + 1)], axis=1)
    decided = outcome.decision_step
    last = np.minimum(decided, steps - 1) if early_exit else np.full(n, steps - 1)
    paused = np.where(decided < last, decided, -1)
    for k in range(n):
        account(
            numbers, order[k], begin[k], int(last[k]), int(paused[k]), int(Course.INFERENCE),
            row_live, column_live, updates, group, 0, False, cost[k],
        )  # fmt: skip
    costs = dict(zip(COSTS, cost.T, strict=False))
    none = np.zeros(n, np.int64)
    counters = outcome.counters | {
        "events": begin[np.arange(n), last + 1],
        "synops": costs["weight_reads"],
        "macs": none,
        **dict.fromkeys(LEARNING_COUNTERS, none),
    }
    floor = costs.pop("floor_cycles")
    words = -(-network.pixels // core.pixels) * (2 if network.off else 1)
    return replace(
        outcome,
        counters=counters | costs,
        floor_cycles=floor,
        total_cycles=int(total_cycles(costs["cycles"], cost[:, STARTS:], steps, words, none)),
    )
