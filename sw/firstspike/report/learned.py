"""What learning dumps say: accuracy and connections over stimuli, cycles, receptive fields."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from firstspike.report.distribution import distribution
from firstspike.report.files import Source

__all__ = ["learned"]

#: Points of a curve over stimuli.
_POINTS = 60
#: Neurons whose receptive fields are drawn: those that won most.
_FIELDS = 24
#: Stimuli at the end over which pruned and unpruned learning are compared.
_LAST = 5000


def learned(learns: Sequence[Source]) -> dict[str, Any] | None:
    """Return the numbers of learning by ``pruned`` and ``unpruned``; None without dumps.

    Returns
    -------
    dict
        For each dump ``recipe``, ``seed``, ``data``, ``stimuli``, ``accuracy``, ``alive``,
        ``phases`` (seen, accuracy, alive), ``curve`` (stimuli, alive, mean cycles since the last
        point), ``cycles`` (distribution), ``last_cycles`` (mean of the last stimuli) and
        ``fields``. With both, ``gain``: cycles of the last stimuli, unpruned over pruned.
    """
    if not learns:
        return None
    facts: dict[str, Any] = {
        "pruned" if source.origin["pruning"] else "unpruned": _one(source) for source in learns
    }
    if len(learns) == 2:
        facts["gain"] = facts["unpruned"]["last_cycles"] / facts["pruned"]["last_cycles"]
    return facts


def _one(source: Source) -> dict[str, Any]:
    counters = source.counters()
    phases = json.loads(str(source.arrays["phases"]))
    alive = source.arrays["alive.output"]
    cycles = counters["cycles"]
    n = len(cycles)
    # What was not pruned before learning is what lives in the end and what was pruned meanwhile.
    gone = np.cumsum(counters["pruned"]) if "pruned" in counters else np.zeros(n, np.int64)
    left = (int(alive.sum()) + int(gone[-1]) - gone) / alive.size
    ends = np.unique(np.linspace(0, n, _POINTS + 1).astype(int))[1:]
    starts = np.concatenate([[0], ends[:-1]])
    return {
        **{key: source.origin[key] for key in ("recipe", "seed", "data", "evaluated_on")},
        "stimuli": n,
        "accuracy": phases[-1]["accuracy"],
        "alive": float(alive.mean()),
        "phases": [{key: phase[key] for key in ("seen", "accuracy", "alive")} for phase in phases],
        "curve": [
            [int(end), float(left[end - 1]), float(cycles[start:end].mean())]
            for start, end in zip(starts, ends, strict=True)
        ],
        "cycles": distribution(cycles),
        "last_stimuli": min(_LAST, n),
        "last_cycles": float(cycles[-_LAST:].mean()),
        "fields": _fields(source),
    }


def _fields(source: Source) -> list[dict[str, Any]] | None:
    """Return weights of the neurons that won most, as pictures; -1 where a connection is gone."""
    weights, alive = source.arrays["weights.output"], source.arrays["alive.output"] != 0
    side = math.isqrt(len(weights))
    if side * side != len(weights):
        return None
    winner = source.arrays["winner"]
    wins = np.bincount(winner[winner >= 0], minlength=weights.shape[1])
    most = np.argsort(-wins, kind="stable")[:_FIELDS]
    shown = np.where(alive, weights.astype(np.int64), -1)
    return [
        {
            "neuron": int(j),
            "wins": int(wins[j]),
            "weights": shown[:, j].reshape(side, side).tolist(),
        }
        for j in most
    ]
