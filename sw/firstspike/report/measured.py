"""The numbers of a report, from its evidence; every one of them stands in report.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from firstspike.report.anytime import anytime
from firstspike.report.distribution import distribution, shares
from firstspike.report.evidence import Evidence, Subject
from firstspike.report.files import Source
from firstspike.report.roofline import roofline
from firstspike.spec import Neuron
from firstspike.stimuli import Stimuli

__all__ = ["agreement", "measured", "one_image", "resources"]

#: Counters whose distribution over images is told.
_WORK = ("events", "synops", "macs", "weight_reads", "state_reads")


def measured(subject: Subject, evidence: Evidence, stimuli: Stimuli, image: int) -> dict[str, Any]:
    """Return what the run and the build say; docs/report.md lists the keys.

    Parameters
    ----------
    subject, evidence : Subject, Evidence
        What the report is about, and its files.
    stimuli : Stimuli
        What the run ran on.
    image : int
        The one whose spikes are drawn.
    """
    network, run = subject.network, evidence.run
    clock = evidence.build.content["clock_hz"]
    counters = run.counters()
    step = network.neuron is Neuron.STEP
    label = run.arrays["label"]
    known = bool((label >= 0).all())
    facts: dict[str, Any] = {
        "images": len(label),
        "accuracy": float((run.arrays["predicted"] == label).mean()) if known else None,
        "forced": float(run.arrays["forced"].mean()),
        "clock_hz": clock,
        "cycles": distribution(counters["cycles"]),
        "latency_us": distribution(1e6 * counters["cycles"] / clock),
        "work": {name: distribution(counters[name]) for name in _WORK if counters[name].any()},
        "roofline": roofline(subject, evidence.build, run),
        "resources": resources(evidence.build),
        "agreement": [agreement(run, check) for check in evidence.checks],
        "image": one_image(subject, run, stimuli, image),
    }
    facts["images_per_second"] = clock / facts["cycles"]["mean"]
    if "total_cycles" in run.arrays:
        facts["images_per_second"] = clock * len(label) / int(run.arrays["total_cycles"])
    if step:
        facts["decision_step"] = shares(run.arrays["decision_step"], network.steps + 1)
    if step and known and f"spike_time.{network.layers[-1].name}" in run.arrays:
        facts["anytime"] = anytime(network, stimuli.images, run.arrays)
    return facts


def resources(build: Source) -> dict[str, Any]:
    """Return cells, clocks of every seed and blocks of a build."""
    content = build.content
    speeds = list(content["fmax_mhz"].values())
    kinds = sorted({kind for block in content["blocks"] for kind in block} - {"name"})
    return {
        "cells": content["cells"],
        "fmax_mhz": content["fmax_mhz"],
        "fmax_min": min(speeds),
        "fmax_max": max(speeds),
        "clock_mhz": content["clock_hz"] / 1e6,
        "seed": content["seed"],
        "tools": content["tools"],
        "blocks": content["blocks"],
        "flat": content["flat"],
        "sums": {kind: sum(block.get(kind, 0) for block in content["blocks"]) for kind in kinds},
    }


def agreement(run: Source, check: Source) -> dict[str, Any]:
    """Return whether two runs agree on the images that both have, in all that both tell.

    Returns
    -------
    dict
        ``engines``, ``images``, ``quantities`` compared, ``equal``, and ``first``, the quantity
        and image where they part, or None.
    """
    ours, theirs = _by_image(run), _by_image(check)
    names = [name for name in ours if name in theirs]
    n = min(len(run.arrays["label"]), len(check.arrays["label"]))
    first = None
    for name in names:
        unequal = np.argwhere(ours[name][:n] != theirs[name][:n])
        if len(unequal) and (first is None or unequal[0, 0] < first["image"]):
            first = {"quantity": name, "image": int(unequal[0, 0])}
    return {
        "engines": [run.origin["engine"], check.origin["engine"]],
        "images": n,
        "quantities": names,
        "equal": first is None,
        "first": first,
    }


def _by_image(source: Source) -> dict[str, np.ndarray]:
    """Return all arrays of a run that have a row an image, by name."""
    apart = ("counters", "counter_names", "total_cycles")
    found = {name: array for name, array in source.arrays.items() if name not in apart}
    return found | {f"counter {name}": array for name, array in source.counters().items()}


def one_image(subject: Subject, run: Source, stimuli: Stimuli, image: int) -> dict[str, Any]:
    """Return who spiked when for one image, and how it was decided."""
    network, arrays = subject.network, run.arrays
    # The outputs of a RAMP network do not spike.
    layers = network.layers if network.neuron is Neuron.STEP else network.layers[:-1]
    spikes = {}
    for layer in layers:
        times = arrays.get(f"spike_time.{layer.name}")
        if times is not None:
            neurons = np.flatnonzero(times[image] < network.steps)
            spikes[layer.name] = [[int(times[image, j]), int(j)] for j in neurons]
    return {
        "index": image,
        "label": int(arrays["label"][image]),
        "predicted": int(arrays["predicted"][image]),
        "decision_step": int(arrays["decision_step"][image]),
        "forced": bool(arrays["forced"][image]),
        "cycles": int(run.counters()["cycles"][image]),
        "steps": network.steps,
        "neurons": {layer.name: layer.neurons for layer in layers},
        "spikes": spikes,
        "pixels": stimuli.images[image].reshape(network.shape).tolist(),
    }
