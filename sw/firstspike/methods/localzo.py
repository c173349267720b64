"""LocalZO: spikes whose slope is a difference quotient over a random distance, mostly exactly 0.

Mukhoty et al., NeurIPS 2023; formulas from the paper. Neurons lose half their potential in every
step, fire above their threshold of 1 and start from 0 then. `firstspike.methods.surrogate` has the
slope, `ZerothOrder`. On average it is that of a normal distribution, `Gaussian`, with which the
same network is trained for comparison. Currents of hidden layers are normalised in training, and
that is folded into weights and biases.

Where a slope is 0 the backward pass has nothing to do. `sparse` is trained with products that leave
that out (`firstspike.methods.sparse_backward`), a smaller distance, so that fewer slopes are not 0,
and without normalisation, which would spread gradients over all neurons.

What differs: dense layers, and the cross-entropy of the mean potential of outputs that only add up.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.sparse_backward import (
    SparseLinear,
    backward_times,
    observed_products,
    random_products,
)
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Surrogate, Watched, ZerothOrder
from firstspike.methods.variant import Progress, Variant
from firstspike.spec import Reset
from firstspike.train.batches import Splits

__all__ = ["active_share", "make_sparse", "train"]

#: Half of the potential is lost in a step.
_RULE = Rule(1.0, strict=True, reset=Reset.HARD, leak=1)
_WATCHED = 256
#: How much larger weights start in layers that are not normalised.
_GAIN = 4.0
#: Images, inputs and neurons, and shares of active neurons, of which times are measured.
_SIZES = ((256, 784, 400), (256, 1024, 1024))
_SHARES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, with LocalZO and with its mean.

    With the option ``sparse_delta``, and one whose backward pass goes through active neurons alone.
    """
    options = recipe.options
    drawn = ZerothOrder(options["delta"], int(options["samples"]))
    surrogates: dict[str, Surrogate] = {"localzo": drawn, "gaussian": drawn.mean}
    if options["sparse_delta"]:
        surrogates["sparse"] = ZerothOrder(options["sparse_delta"], int(options["samples"]))
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    parts = len(recipe.steps) * len(surrogates)
    variants: list[Variant] = []
    for steps, (name, surrogate) in itertools.product(recipe.steps, surrogates.items()):
        torch.manual_seed(seed)
        net = SpikingNet(
            sizes,
            [*([_RULE] * len(recipe.hidden)), Rule(None)],
            steps=steps,
            surrogate=surrogate,
            bias=True,
            norm=name != "sparse",
            dropout=recipe.training.hidden_dropout,
            gain=1 / steps,
        )
        if name == "sparse":
            make_sparse(net)
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
        if name == "sparse":
            facts |= _speed(net, splits)
        variants.append(Variant(f"{name}-{steps}", quantized.network, floats, facts))
    return variants


def make_sparse(net: SpikingNet) -> None:
    """Let the backward pass of all hidden layers go through active neurons alone.

    Parameters
    ----------
    net : SpikingNet
        Without normalisation. Weights are made larger, so that neurons without it fire at first.
    """
    for number, dense in enumerate(net.dense[:-1]):
        layer = SparseLinear(dense.in_features, dense.out_features)
        layer.load_state_dict(dense.state_dict())
        with torch.no_grad():
            layer.weight *= _GAIN
        net.dense[number] = layer
    net.parts = nn.ModuleList(net.dense)


def _speed(net: SpikingNet, splits: Splits) -> dict[str, Any]:
    """Return times of products in the trained network's backward pass, and by share and size."""
    images, labels = numbers(splits.train_images[:_WATCHED]), splits.train_labels[:_WATCHED]
    net.train()
    seen = observed_products(net.dense[:-1], lambda: functional.cross_entropy(net(images), labels))
    table = [backward_times(*random_products(*size, share)) for size in _SIZES for share in _SHARES]
    return {"backward": [backward_times(*each) for each in seen], "backward_by_share": table}


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
