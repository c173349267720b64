"""LocalZO: spikes whose slope is a difference quotient over a random distance, mostly exactly 0.

Mukhoty et al., NeurIPS 2023; formulas from the paper. Neurons lose half their potential in every
step, fire above their threshold of 1 and start from 0 then. `firstspike.methods.surrogate` has the
slope, `ZerothOrder`. On average it is that of a normal distribution, `Gaussian`, with which the
same network is trained for comparison. Currents of hidden layers are normalised in training, and
that is folded into weights and biases.

What differs: dense layers, and the cross-entropy of the mean potential of outputs that only add up.
"""

from __future__ import annotations

import torch

from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Surrogate, Watched, ZerothOrder
from firstspike.methods.variant import Progress, Variant
from firstspike.spec import Reset
from firstspike.train.batches import Splits

__all__ = ["active_share", "train"]

#: Half of the potential is lost in a step.
_RULE = Rule(1.0, strict=True, reset=Reset.HARD, leak=1)
_WATCHED = 256


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, with LocalZO and with its mean."""
    options = recipe.options
    drawn = ZerothOrder(options["delta"], int(options["samples"]))
    surrogates: dict[str, Surrogate] = {"localzo": drawn, "gaussian": drawn.mean}
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    parts = len(recipe.steps) * len(surrogates)
    variants: list[Variant] = []
    for steps in recipe.steps:
        for name, surrogate in surrogates.items():
            torch.manual_seed(seed)
            net = SpikingNet(
                sizes,
                [*([_RULE] * len(recipe.hidden)), Rule(None)],
                steps=steps,
                surrogate=surrogate,
                bias=True,
                norm=True,
                dropout=recipe.training.hidden_dropout,
                gain=1 / steps,
            )
            begin = len(variants)
            fit(net, recipe, splits, seed, lambda done, n=begin: progress((n + done) / parts))
            floats = net.to_floats(recipe.name, splits.shape)
            quantized = quantize_network(floats, recipe.weight_bits)
            facts = {
                "float_accuracy": accuracy(net, splits.test_images, splits.test_labels),
                "validation_accuracy": accuracy(
                    net, splits.validation_images, splits.validation_labels
                ),
                "active_share": active_share(net, numbers(splits.train_images[:_WATCHED])),
                "weight_error": quantized.errors,
            }
            variants.append(Variant(f"{name}-{steps}", quantized.network, floats, facts))
    return variants


def active_share(net: SpikingNet, inputs: torch.Tensor) -> float:
    """Return the share of slopes, of all neurons, steps and images, that are not 0.

    Parameters
    ----------
    net : SpikingNet
        Trained.
    inputs : Tensor of float32, shape (n, pixels)
        Pixels 0..1.
    """
    surrogate = net.surrogate
    net.surrogate = watched = Watched(surrogate)
    with torch.no_grad():
        net(inputs)
    net.surrogate = surrogate
    return watched.share
