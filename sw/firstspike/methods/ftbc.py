"""FTBC: biases by time step make a converted network right after every step.

Wu, Bojkovic, Gu, Suo, Zou, ECCV 2024 (arXiv 2403.18388); formulas from the paper, nothing of its
code. Layer by layer, in forward order: a layer sends spikes ``s_t`` with the value theta in step
``t``, and the trained network has the activation ``a`` there. The mean error over calibration
images, ``e_t = mean(theta s_t - a)``, is taken off the bias of that step,
``b_t -= alpha e_t``, in a few rounds. The expected error of every step then is 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.floats import FloatNetwork
from firstspike.methods.qcfs import LevelsNet, to_floats
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.simulate import simulate
from firstspike.methods.variant import Progress, Variant
from firstspike.train.batches import Splits

__all__ = ["calibrate", "train"]

_INPUT_BITS = 8


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, converted, and with calibrated biases."""
    levels = int(recipe.options["levels"])
    torch.manual_seed(seed)
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    model = LevelsNet(sizes, levels, recipe.training.hidden_dropout)
    fit(model, recipe, splits, seed, progress)
    trained = {
        "float_accuracy": accuracy(model, splits.test_images, splits.test_labels),
        "levels": levels,
    }
    images = splits.train_images[: int(recipe.options["calibration"])]
    variants = []
    for steps in recipe.steps:
        floats = to_floats(model, recipe.name, steps, splits.shape, _INPUT_BITS)
        calibrated, errors = calibrate(
            model,
            floats,
            numbers(images),
            rate=recipe.options["rate"],
            rounds=int(recipe.options["rounds"]),
        )
        for name, network in (("converted", floats), ("ftbc", calibrated)):
            quantized = quantize_network(network, recipe.weight_bits)
            variants.append(
                Variant(
                    f"{name}-{steps}",
                    quantized.network,
                    network,
                    trained | {"mean_error": errors[name], "weight_error": quantized.errors},
                )
            )
    return variants


def calibrate(
    model: LevelsNet, floats: FloatNetwork, inputs: torch.Tensor, *, rate: float, rounds: int
) -> tuple[FloatNetwork, dict[str, list[list[float]]]]:
    """Return the network with biases by step, and mean errors by layer and step.

    Parameters
    ----------
    model : LevelsNet
        Whose activations are right.
    floats : FloatNetwork
        Converted from it.
    inputs : Tensor of float32, shape (n, pixels)
        Calibration images, pixels 0..1.
    rate : float
        Share of an error that is taken off a bias in a round.
    rounds : int
        How often.

    Returns
    -------
    tuple of FloatNetwork and dict
        Errors of ``converted`` and ``ftbc``: mean absolute value over the neurons of the mean
        error over the images, in thresholds, by hidden layer and step.
    """
    right = _activations(model, inputs)
    before: list[list[float]] = []
    after: list[list[float]] = []
    for number, wanted in enumerate(right):
        layer = floats.layers[number]
        assert layer.threshold is not None and layer.bias is not None
        bias = np.repeat(layer.bias, floats.steps, axis=0)
        mean: list[float] = []
        for turn in range(rounds + 1):
            layers = list(floats.layers)
            layers[number] = replace(layer, bias=bias)
            floats = replace(floats, layers=tuple(layers))
            spikes = simulate(floats, inputs).spikes[layer.name]
            error = spikes.mean(dim=1) * layer.threshold - wanted.mean(dim=0)
            mean = (error.abs().mean(dim=1) / layer.threshold).tolist()
            if turn == 0:
                before.append(mean)
            if turn < rounds:
                bias = bias - rate * error.double().numpy()
        after.append(mean)
    return floats, {"converted": before, "ftbc": after}


def _activations(model: LevelsNet, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return the activations of the hidden layers, each of shape (n, neurons)."""
    found = []
    with torch.no_grad():
        for dense, active in zip(model.dense, model.active, strict=False):
            inputs = active(dense(inputs))
            found.append(inputs)
    return found
