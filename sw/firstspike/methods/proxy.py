"""Proxy learning: a network of ReLUs lends its gradient to a spiking network with its weights.

Kheradpisheh, Mirsadeghi, Masquelier, IEEE Access 2022 (arXiv 2109.13208); formulas from the paper,
nothing of its code. Both networks have the same weights and biases. For a batch, the spiking one
is run, and the counts of its output spikes replace the outputs of the other, whose gradient of

    mean((counts - target)^2),  target: so many spikes for the right class, none for the others

then changes the weights. Neurons integrate without a leak and start from 0 when they fire; pixels
are numbers in every step. For comparison, the same network is trained with the gradient of its own
spikes, and one is converted from ReLUs (`firstspike.methods.balancing`).

What differs: dense layers with biases, not convolutions with normalisation; no ReLU at the outputs,
where it takes the gradient from classes that spike too much; ties of counts go to the lowest class,
where the paper's last figure has any of them right.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstspike.methods.balancing import ReluNet, balance, spiking
from firstspike.methods.fitting import Loss, accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Triangle
from firstspike.methods.variant import Progress, Variant
from firstspike.spec import Reset
from firstspike.train.batches import Splits

__all__ = ["ProxyNet", "train"]

_CALIBRATION = 512
_SCALING = 0.7


class ProxyNet(nn.Module):
    """Outputs of a spiking network, with the gradient of one of ReLUs.

    Parameters
    ----------
    net : SpikingNet
        The spiking network; its weights are the other's as well.
    """

    def __init__(self, net: SpikingNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        """Return counts of output spikes (n, outputs) of pixels 0..1 (n, inputs)."""
        with torch.no_grad():
            counts = self.net(pixels)
        values = pixels
        for number, dense in enumerate(self.net.dense, 1):
            values = dense(values)
            if number < len(self.net.dense):
                values = values.relu()
        # The second term is 0, and has the gradient.
        return counts + (values - values.detach())


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: by proxy, with its own gradient, and converted, at each of the steps."""
    options = recipe.options
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    loss = _towards(options["target"])
    # Of each number of steps, two trainings; and the network of ReLUs.
    parts = 2 * len(recipe.steps) + 1
    variants: list[Variant] = []

    def share(number: int) -> Progress:
        return lambda done: progress((number + done) / parts)

    torch.manual_seed(seed)
    relus = ReluNet(sizes, recipe.training.hidden_dropout)
    fit(relus, recipe, splits, seed, share(0))
    thresholds = balance(
        relus,
        numbers(splits.train_images[:_CALIBRATION]),
        steps=max(recipe.steps),
        scaling=_SCALING,
    )
    trained = {"float_accuracy": accuracy(relus, splits.test_images, splits.test_labels)}
    rule = Rule(options["threshold"], reset=Reset.HARD)
    for number, steps in enumerate(recipe.steps):
        nets: dict[str, SpikingNet] = {}
        for turn, name in enumerate(("proxy", "direct"), 1):
            torch.manual_seed(seed)
            surrogate = Triangle(options["width"], options["height"])
            net = SpikingNet(
                sizes, [rule] * (len(sizes) - 1), steps=steps, surrogate=surrogate, bias=True
            )
            taught = ProxyNet(net) if name == "proxy" else net
            fit(taught, recipe, splits, seed, share(2 * number + turn), loss=loss)
            nets[name] = net
        nets["converted"] = spiking(relus, thresholds, steps=steps, surrogate=Triangle())
        for name, net in nets.items():
            facts = trained if name == "converted" else {}
            variants.append(_variant(f"{name}-{steps}", net, recipe, splits, facts))
    return variants


def _towards(target: float) -> Loss:
    """Return the loss that wants ``target`` spikes of the right class, and none of the others."""

    def loss(counts: Tensor, labels: Tensor) -> Tensor:
        wanted = target * functional.one_hot(labels, counts.shape[1])
        return functional.mse_loss(counts, wanted.to(counts.dtype))

    return loss


def _variant(
    name: str, net: SpikingNet, recipe: MethodRecipe, splits: Splits, facts: dict[str, Any]
) -> Variant:
    floats = net.to_floats(recipe.name, splits.shape)
    quantized = quantize_network(floats, recipe.weight_bits)
    found = {
        "validation_accuracy": accuracy(net, splits.validation_images, splits.validation_labels),
        "weight_error": quantized.errors,
    }
    return Variant(name, quantized.network, floats, facts | found)
