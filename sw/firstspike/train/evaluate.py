"""How good a network is: while it trains, and as the integers that it becomes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from firstspike.network import Network
from firstspike.spec import Neuron
from firstspike.train.batches import Splits
from firstspike.train.integer import decide, trace
from firstspike.train.model import encode, to_network
from firstspike.train.objective import calibrate
from firstspike.train.ramp import RampNet
from firstspike.train.recipe import Recipe
from firstspike.train.step import StepNet

__all__ = ["integer_scores", "result", "scores", "validate"]

_CHUNK = 1000


def scores(overshoot: Tensor, labels: Tensor, neuron: Neuron) -> dict[str, float]:
    """Return strict accuracies, the mean decision step and the share of forced decisions.

    Parameters
    ----------
    overshoot : Tensor, shape (T, n, outputs)
        Potentials minus thresholds after each step; RAMP: potentials, shape (1, n, outputs).
    labels : Tensor of int64, shape (n,)
        Right classes.
    neuron : Neuron
        RAMP networks have no early decision.
    """
    early, step, last = decide(overshoot)
    found = {"last": _share(last == labels)}
    if neuron is Neuron.STEP:
        found |= {
            "early": _share(early == labels),
            "mean_step": step.double().mean().item(),
            "forced": _share(step == len(overshoot)),
        }
    return found


def _share(mask: Tensor) -> float:
    return mask.double().mean().item()


def _logits(recipe: Recipe, model: StepNet | RampNet, images: Tensor) -> Tensor:
    """Return the model's logits, shape (T, n, outputs) (RAMP: T is 1)."""
    model.eval()
    with torch.no_grad():
        parts = [model(encode(recipe, chunk)) for chunk in images.split(_CHUNK)]
    if recipe.neuron is Neuron.STEP:
        return torch.cat(parts, dim=1)
    return torch.cat(parts)[None]


def validate(recipe: Recipe, splits: Splits, model: StepNet | RampNet) -> dict[str, float]:
    """Return the scores on the validation images of ``model`` as it is, phase and all."""
    logits = _logits(recipe, model, splits.validation_images)
    return scores(logits, splits.validation_labels, recipe.neuron)


def integer_scores(network: Network, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the scores of the integer network."""
    potential = trace(network, images.flatten(1)).potential
    if network.neuron is Neuron.STEP:
        potential = potential - torch.from_numpy(network.layers[-1].offset)
    return scores(potential, labels, network.neuron)


def result(recipe: Recipe, splits: Splits, model: StepNet | RampNet) -> dict[str, Any]:
    """Calibrate the output thresholds on the validation images, and score the trained network.

    Returns
    -------
    dict
        ``threshold_shift`` (STEP), and scores on ``validation`` and ``test`` images of the
        integer network and, as ``..._latent``, of its weights before they were rounded.
    """
    shift = 0
    if recipe.objective is not None:
        network = to_network(recipe, model, splits.shape)
        potential = trace(network, splits.validation_images.flatten(1)).potential
        theta = torch.from_numpy(network.layers[-1].offset)
        shift = calibrate(potential, theta, splits.validation_labels, recipe.objective)
    network = to_network(recipe, model, splits.shape, shift)
    found: dict[str, Any] = {"threshold_shift": shift} if recipe.objective is not None else {}
    for name, images, labels in (
        ("validation", splits.validation_images, splits.validation_labels),
        ("test", splits.test_images, splits.test_labels),
    ):
        found[name] = integer_scores(network, images, labels)
        model.set_phase(quantized=False, frozen=True)
        logits = _logits(recipe, model, images)
        found[f"{name}_latent"] = {"last": scores(logits, labels, recipe.neuron)["last"]}
    return found
