"""What one trained network does on the whole test set, on the golden model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from firstspike import golden
from firstspike.data import load
from firstspike.network import Network
from firstspike.spec import Neuron
from firstspike.train.integer import trace
from firstspike.train.model import build, to_network
from firstspike.train.run import Run, read_run

__all__ = ["deadline_accuracy", "measure", "network_of"]


def network_of(run: Run, shape: tuple[int, int]) -> Network:
    """Return the integer network of a finished run, as `firstspike export` writes it."""
    model = build(run.recipe, shape[0] * shape[1])
    run.restore(model)
    assert run.result is not None
    return to_network(run.recipe, model, shape, run.result.get("threshold_shift", 0))


def measure(run_folder: Path, data_folder: Path | None = None) -> dict[str, Any]:
    """Return the figures of one run on the test images of its data set.

    Returns
    -------
    dict
        ``recipe``, ``data``, ``neuron``, ``layers``, ``weight_bits``, ``steps``, ``seed``,
        ``digest``, ``images``; strict accuracies ``last`` and, for STEP networks, ``early``,
        ``mean_step``, ``forced`` and ``deadline`` (accuracy if every image must be decided by
        step t, for each t); per image ``events``, ``synops`` and ``macs`` of a run with early
        exit.

    Raises
    ------
    InputError
        If the folder holds no finished run, or the data set is missing.
    """
    run = read_run(run_folder)
    data = load(run.recipe.data, data_folder)
    rows, columns = data.test_images.shape[1:]
    network = network_of(run, (rows, columns))
    labels = data.test_labels
    outcome = golden.run(network, data.test_images)
    found: dict[str, Any] = {
        "recipe": run.recipe.name,
        "data": run.recipe.data,
        "neuron": network.neuron.value,
        "layers": "-".join(str(n) for n in (network.inputs, *_neurons(network))),
        "weight_bits": max(layer.weight_bits for layer in network.layers),
        "steps": network.steps,
        "seed": run.seed,
        "digest": network.digest,
        "images": len(labels),
    }
    if network.neuron is Neuron.STEP:
        flat = torch.from_numpy(data.test_images.reshape(len(labels), -1).copy())
        # The potentials after every step, which the golden model does not keep.
        overshoot = trace(network, flat).potential.numpy() - network.layers[-1].offset
        found |= {
            "last": _share(overshoot[-1].argmax(-1) == labels),
            "early": _share(outcome.predicted == labels),
            "mean_step": float(outcome.decision_step.mean()),
            "forced": _share(outcome.forced == 1),
            "deadline": deadline_accuracy(overshoot, labels),
        }
    else:
        found["last"] = _share(outcome.predicted == labels)
    for counter in ("events", "synops", "macs"):
        found[counter] = float(outcome.counters[counter].mean())
    return found


def _neurons(network: Network) -> list[int]:
    return [layer.neurons for layer in network.layers]


def _share(mask: np.ndarray) -> float:
    return float(mask.mean())


def deadline_accuracy(overshoot: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return the accuracy if every image must be decided by step t, for t = 0..T-1 (STEP).

    An image whose first output spike came by then keeps that decision; for the others the
    largest potential minus threshold after step t decides.

    Parameters
    ----------
    overshoot : ndarray of int64, shape (T, n, outputs)
        Output potentials minus thresholds after each step.
    labels : ndarray of int64, shape (n,)
        Right classes.
    """
    winner = overshoot.argmax(-1)
    decided = np.zeros(len(labels), bool)
    answer = winner[0]
    curve = []
    for t in range(len(overshoot)):
        answer = np.where(decided, answer, winner[t])
        decided |= (overshoot[t] >= 0).any(-1)
        curve.append(_share(answer == labels))
    return curve
