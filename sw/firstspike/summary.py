"""Figures of a run: what ``run --json`` prints and ``run --dump`` holds."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from firstspike.network import AnyNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec
from firstspike.stimuli import Stimuli

__all__ = ["dump", "figures"]

#: Counters that are work of the network, whatever core it runs on.
_WORK = ("events", "synops", "macs")


def figures(
    network: AnyNetwork, core: CoreSpec, stimuli: Stimuli, outcome: Outcome
) -> dict[str, Any]:
    """Return the figures of a run, ready for JSON.

    Returns
    -------
    dict
        Accuracies, ``forced`` and utilisation are fractions 0..1; ``accuracy`` is strict: one
        label an image. Counters are sums over all images, and those with ``_per_image`` means.
        What needs labels is None without them.
    """
    facts: dict[str, Any] = {"images": len(outcome.predicted)}
    classes = np.array(network.labels)
    for key, predicted in (
        ("accuracy", outcome.predicted),
        ("last_accuracy", outcome.last_predicted),
    ):
        known = stimuli.labels is not None
        facts[key] = float((classes[predicted] == stimuli.labels).mean()) if known else None
    facts["forced"] = float(outcome.forced.mean())
    facts["mean_steps"] = float(outcome.decision_step.mean())
    counters = outcome.counters
    for name in _WORK:
        facts[name] = int(counters[name].sum())
        facts[f"{name}_per_image"] = float(counters[name].mean())
    facts["lanes"] = core.lanes
    if "cycles" in counters:
        facts["cycles_p50"] = float(np.percentile(counters["cycles"], 50))
        facts["cycles_p99"] = float(np.percentile(counters["cycles"], 99))
    if outcome.total_cycles is not None:
        cycles = outcome.total_cycles
        facts["cycles"] = cycles
        facts["cycles_per_image"] = cycles / len(outcome.predicted)
        facts["lane_utilisation"] = (facts["synops"] + facts["macs"]) / (core.lanes * cycles)
        if outcome.floor_cycles is not None:
            floor = int(outcome.floor_cycles.sum())
            facts["floor_cycles"] = floor
            facts["cycles_over_floor"] = cycles / floor if floor else None
    facts["counters"] = {name: int(array.sum()) for name, array in counters.items()}
    return facts


def dump(
    network: AnyNetwork, stimuli: Stimuli, outcome: Outcome, origin: Mapping[str, Any]
) -> bytes:
    """Return an .npz archive with the result of every image, and with its origin.

    Parameters
    ----------
    network, stimuli, outcome : AnyNetwork, Stimuli, Outcome
        What ran on what, and what happened.
    origin : mapping
        From `firstspike.provenance.provenance`.

    Returns
    -------
    bytes
        Arrays ``label`` (-1 where unknown), ``predicted`` (a class), ``last_predicted`` (a class),
        ``decision_step``, ``forced`` of shape (images,); ``potential`` (images, outputs);
        ``spike_time.<layer>`` (images, neurons), where T is never, or for multi-spike networks
        ``spike_count.<layer>``; ``counters`` (images, counters)
        with their names in ``counter_names``; ``total_cycles`` of shape () and ``floor_cycles``
        (images,), where they are known; ``provenance``, a string of JSON. An engine that does not
        see potentials and spike times leaves them out.
    """
    classes = np.array(network.labels)
    n = len(outcome.predicted)
    arrays = {
        "label": np.full(n, -1) if stimuli.labels is None else stimuli.labels,
        "predicted": classes[outcome.predicted],
        "last_predicted": classes[outcome.last_predicted],
        "decision_step": outcome.decision_step,
        "forced": outcome.forced,
        "counters": np.stack(list(outcome.counters.values()), axis=1),
        "counter_names": np.array(list(outcome.counters)),
        "provenance": np.array(json.dumps(origin)),
    }
    if outcome.total_cycles is not None:
        arrays["total_cycles"] = np.array(outcome.total_cycles)
    if outcome.floor_cycles is not None:
        arrays["floor_cycles"] = outcome.floor_cycles
    if outcome.potential.size:
        arrays["potential"] = outcome.potential
    arrays |= {f"spike_time.{layer}": times for layer, times in outcome.spike_time.items()}
    arrays |= {f"spike_count.{layer}": counts for layer, counts in outcome.spike_count.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()
