"""Accuracy if every stimulus is stopped at a step, from the spikes that a run has kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from firstspike.golden.encoding import encode
from firstspike.network import Network

__all__ = ["anytime", "overshoot"]


def overshoot(
    network: Network, images: np.ndarray, arrays: Mapping[str, np.ndarray], step: int
) -> np.ndarray:
    """Return potential minus threshold of each output neuron after ``step`` (STEP networks).

    It follows from the spikes before the output layer, which a run with early exit has up to the
    decision: later than it, the result has no meaning.

    Parameters
    ----------
    network : Network
        What ran.
    images : ndarray of uint8, shape (n, pixels)
        What it ran on.
    arrays : mapping of str to ndarray
        Of the dump: ``spike_time.<layer>``.
    step : int
        Time step, 0..T-1.

    Returns
    -------
    ndarray of int64, shape (n, outputs)
        In units of the threshold.
    """
    last = network.layers[-1]
    if len(network.layers) > 1:
        times = arrays[f"spike_time.{network.layers[-2].name}"]
    else:
        times = encode(network, images)
    return (times <= step).astype(np.int64) @ last.scaled_weights - last.offset


def anytime(
    network: Network, images: np.ndarray, arrays: Mapping[str, np.ndarray]
) -> dict[str, list[float]]:
    """Return accuracy and share of decisions for each deadline 0..T-1 (STEP networks).

    An image whose first output spike came by the deadline keeps that decision; for the others the
    largest potential minus threshold decides, the lowest neuron of equals.

    Returns
    -------
    dict
        ``accuracy``: strict, of all images; ``decided``: share that has an output spike by then;
        ``right``: share that is decided, and right.
    """
    label, predicted, decision = (arrays[k] for k in ("label", "predicted", "decision_step"))
    classes = np.array(network.labels)
    curves: dict[str, list[float]] = {"accuracy": [], "decided": [], "right": []}
    for step in range(network.steps):
        decided = (decision <= step) & (arrays["forced"] == 0)
        guess = classes[overshoot(network, images, arrays, step).argmax(axis=1)]
        answer = np.where(decided, predicted, guess)
        curves["accuracy"].append(float((answer == label).mean()))
        curves["decided"].append(float(decided.mean()))
        curves["right"].append(float((decided & (predicted == label)).mean()))
    return curves
