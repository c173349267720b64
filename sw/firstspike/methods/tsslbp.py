"""TSSL-BP: errors go back through the times at which neurons fire, and from spike to spike.

Zhang and Li, NeurIPS 2020 (arXiv 2002.10085); formulas from the paper. A neuron's current loses
``1 / tau_s`` of itself in a step, its potential ``1 / tau_m``; it fires above its threshold and
starts from 0 then. With potentials ``u`` in thresholds, and ``v`` what a step leaves of them,

    u[t] = (1 - 1 / tau_m) v[t-1] + I[t]        v[t] = u[t] (1 - s[t])

and an error ``e`` of spikes becomes one of potentials, from the last step to the first:

    d[t] = slope[t] e[t] + ((1 - 1 / tau_m) (1 - s[t]) + s[t] early[t] u[t] / tau_m) d[t+1]
    early[t] = min(1 / (u[t] - v[t-1]), 8)      what a spike comes earlier for, by its potential
    slope[t] = early[t] s[t]                    where the neuron has fired of late,
               the derivative of 1 / (1 + exp(-(u[t] - 1) / 0.2))           where it has not

It has fired of late where the trace of its spikes, ``a[t] = (1 - 1 / tau_s) a[t-1] + s[t]``, is 1/4
or more. The first part of ``d`` goes from neuron to neuron; currents are linear in the spikes, so
what a spike does to all later steps is in ``e``. The second one stays in the neuron: it goes on
with what a step left, or with the time of the reset. The loss is half the square of the difference
between the outputs' traces and those of wanted spikes, which the right class sends in all steps
but the first, and the others never. After training, outputs do not fire any more, and the largest
potential wins, which on validation images was right more often than the largest count: ties of
counts are frequent.

What differs: time constants are powers of two, so that leaks are shifts; their factors are part of
the weights; pixels are there at full strength in every step, where the authors filter them too; and
forward, all is done in integers, with weights rounded and leaks rounded down, as the core does it,
so that nothing is left to be rounded after training.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from firstspike.methods.fitting import accuracy, fit
from firstspike.methods.quantize import scale_for
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.variant import Progress, Variant
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import INTENSITY_MAX, InputCoding, Reset, WeightKind, weight_range
from firstspike.train.batches import Splits

__all__ = ["TsslNet", "currents_of", "fire", "kernel_loss", "train"]

#: Most that a spike comes earlier for, by its potential in thresholds.
_EARLY_MAX = 8.0
#: Trace below which a neuron counts as silent.
_SILENT = 0.25
#: Width of the sigmoid, in thresholds.
_WIDTH = 0.2


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks, one for each number of steps."""
    options = recipe.options
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    variants: list[Variant] = []
    for steps in recipe.steps:
        torch.manual_seed(seed)
        net = TsslNet(
            sizes,
            steps=steps,
            bits=recipe.weight_bits,
            leak=int(options["leak"]),
            current_leak=int(options["current_leak"]),
            gain=options["gain"],
            dropout=recipe.training.hidden_dropout,
        )
        begin = len(variants)
        fit(
            net,
            recipe,
            splits,
            seed,
            lambda done, n=begin: progress((n + done) / len(recipe.steps)),
            loss=lambda trains, labels, net=net: kernel_loss(trains, labels, net.current_leak),
            optimizer=torch.optim.AdamW(net.parameters()),
            clip=1.0,
            before_epoch=net.rescale,
        )
        facts = {
            "validation_accuracy": accuracy(
                net, splits.validation_images, splits.validation_labels
            ),
            "silent": net.silent_share(splits.validation_images),
        }
        network = net.to_network(recipe.name, splits.shape)
        variants.append(Variant(f"tsslbp-{steps}", network, None, facts))
    return variants


def kernel_loss(trains: Tensor, labels: Tensor, current_leak: int) -> Tensor:
    """Return half the squared difference of traces, summed over steps and outputs.

    Parameters
    ----------
    trains : Tensor of float32, shape (steps, n, outputs)
        Spikes of the outputs.
    labels : Tensor of int64, shape (n,)
        Classes, whose outputs should spike in all steps but the first.
    current_leak : int
        Shift of what a trace loses in a step.

    Returns
    -------
    Tensor
        The mean over images.
    """
    wanted = functional.one_hot(labels, trains.shape[2]).to(trains.dtype).expand_as(trains).clone()
    if len(wanted) > 1:
        wanted[0] = 0
    kept = 1 - 2.0**-current_leak
    trace, total = torch.zeros_like(trains[0]), torch.zeros(())
    for sent, target in zip(trains, wanted, strict=True):
        trace = kept * trace + (sent - target) * 2.0**-current_leak
        total = total + 0.5 * trace.square().sum()
    return total / len(labels)


class _Fire(torch.autograd.Function):
    """Spikes from currents, in integers; back, the formulas above."""

    @staticmethod
    def forward(ctx: Any, currents: Tensor, theta: float, leak: int, current_leak: int) -> Tensor:
        potentials, spikes = torch.empty_like(currents), torch.empty_like(currents)
        silent = torch.empty_like(currents, dtype=torch.bool)
        rest, trace = torch.zeros_like(currents[0]), torch.zeros_like(currents[0])
        kept = 1 - 2.0**-current_leak
        for t, current in enumerate(currents):
            potentials[t] = rest + current
            spikes[t] = potentials[t] > theta
            rest = potentials[t] * (1 - spikes[t])
            rest -= (rest / (1 << leak)).floor()
            trace = kept * trace + spikes[t]
            silent[t] = trace < _SILENT
        ctx.save_for_backward(potentials.div_(theta), spikes, silent)
        ctx.constants = theta, leak
        return spikes

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        potentials, spikes, silent = ctx.saved_tensors
        theta, leak = ctx.constants
        lost = 2.0**-leak
        errors = torch.empty_like(gradient)
        error = torch.zeros_like(gradient[0])
        for t in reversed(range(len(spikes))):
            u, s = potentials[t], spikes[t]
            rise = u - potentials[t - 1] * (1 - spikes[t - 1]) if t else u.clone()
            early = s / rise.clamp_(min=1 / _EARLY_MAX)
            sigmoid = u.sub(1).div_(_WIDTH).sigmoid_()
            slope = torch.where(silent[t], (sigmoid - sigmoid.square()).div_(_WIDTH), early)
            stays = (1 - lost) * (1 - s) + early.mul_(u).mul_(lost)
            error = stays.mul_(error).addcmul_(slope, gradient[t])
            errors[t] = error
        return errors.div_(theta), None, None, None


def fire(currents: Tensor, theta: float, leak: int, current_leak: int) -> Tensor:
    """Return the spikes of a layer, with the gradient that the module's text has.

    Parameters
    ----------
    currents : Tensor of float32, shape (steps, n, neurons)
        What is added to the potentials, whole numbers below 2 ** 24.
    theta : float
        Neurons fire above it.
    leak, current_leak : int
        Shifts of what potentials and currents lose in a step.

    Returns
    -------
    Tensor of float32, shape (steps, n, neurons)
        1 where a neuron fires, else 0.
    """
    spikes = _Fire.apply(currents, theta, leak, current_leak)
    assert isinstance(spikes, Tensor)
    return spikes


def currents_of(arriving: Tensor, current_leak: int) -> Tensor:
    """Return the currents of all steps: what arrives, and what is left of what came before."""
    currents = [arriving[0]]
    for added in arriving[1:]:
        left = currents[-1] * (1 - 2.0**-current_leak)
        # The gradient does not see that the leak is rounded down.
        whole = (currents[-1] - (currents[-1] / (1 << current_leak)).floor()).detach()
        currents.append(left + (whole - left).detach() + added)
    return torch.stack(currents)


class TsslNet(nn.Module):
    """Dense layers whose neurons have currents and potentials that leak; all layers fire.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    steps, bits, leak, current_leak : int
        Steps of a stimulus; bits of a weight; shifts of what potentials and currents lose.
    gain : float
        Of the weights at the start.
    dropout : float
        Share of hidden neurons that are left out in training, the same in all steps of an image.
    """

    def __init__(
        self,
        sizes: list[int],
        *,
        steps: int,
        bits: int,
        leak: int,
        current_leak: int,
        gain: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.dense = [nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)]
        self.parts = nn.ModuleList(self.dense)
        self.dropout = nn.Dropout(dropout)
        self.steps = steps
        self.bits = bits
        self.leak = leak
        self.current_leak = current_leak
        for dense in self.dense:
            nn.init.normal_(dense.weight, std=gain / dense.in_features**0.5)
        #: Of each layer: what a weight of 1 stands for.
        self.scales = [1.0] * len(self.dense)
        self.rescale()

    def rescale(self) -> None:
        """Choose anew what a weight of 1 stands for, so that rounding changes least."""
        for number, dense in enumerate(self.dense):
            self.scales[number] = scale_for(dense.weight.detach().double().numpy(), self.bits)

    def integers(self, number: int) -> Tensor:
        """Return the rounded weights of a layer, of shape (neurons, inputs)."""
        top = weight_range(WeightKind.SIGNED, self.bits)[1]
        scaled = self.dense[number].weight / self.scales[number]
        return scaled + (scaled.round().clamp(-top, top) - scaled).detach()

    def theta(self, number: int) -> float:
        """Return the threshold of a layer, in the unit of its potentials."""
        return (INTENSITY_MAX if number == 0 else 1) / self.scales[number]

    def run(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the spikes of all layers, and the currents of the outputs.

        Parameters
        ----------
        pixels : Tensor of float32, shape (n, inputs)
            Pixels 0..1.

        Returns
        -------
        tuple
            Of each layer a Tensor of shape (steps, n, neurons), and one of that shape.
        """
        trains: list[Tensor] = []
        sent = (pixels * INTENSITY_MAX).round()
        currents = sent
        for number in range(len(self.dense)):
            currents = functional.linear(sent, self.integers(number))
            if number == 0:
                currents = currents.expand(self.steps, -1, -1)
            else:
                currents = currents_of(currents, self.current_leak)
            spikes = fire(currents, self.theta(number), self.leak, self.current_leak)
            trains.append(spikes)
            sent = spikes * self.dropout(torch.ones_like(spikes[0]))
        return trains, currents

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the spikes of the outputs in training, else their potentials in the end."""
        trains, currents = self.run(pixels)
        if self.training:
            return trains[-1]
        potential = torch.zeros_like(currents[0])
        for current in currents:
            potential += current
            potential -= (potential / (1 << self.leak)).floor()
        return potential

    def silent_share(self, images: Tensor) -> list[float]:
        """Return, by layer, the share of neurons that never fire for any of the images."""
        self.eval()
        with torch.no_grad():
            trains, _ = self.run(images.flatten(1).float() / INTENSITY_MAX)
        return [float((sent.sum(dim=(0, 1)) == 0).float().mean()) for sent in trains]

    def to_network(self, name: str, shape: tuple[int, int]) -> MultiSpikeNetwork:
        """Return the network as it is after training, for images of ``shape``.

        Its outputs do not fire.
        """
        layers, source = [], INPUT
        for number in range(len(self.dense)):
            last = number == len(self.dense) - 1
            weights = self.integers(number).detach().numpy().T
            layers.append(
                MultiSpikeLayer(
                    name="output" if last else f"hidden{number + 1}",
                    sources=(source,),
                    kind=WeightKind.SIGNED,
                    weight_bits=self.bits,
                    weights=np.rint(weights).astype(np.int64),
                    threshold=None if last else int(np.floor(self.theta(number))) + 1,
                    reset=Reset.HARD,
                    leak=self.leak,
                    current_leak=self.current_leak if number else 0,
                )
            )
            source = layers[-1].name
        return MultiSpikeNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=InputCoding.DIRECT,
            shape=shape,
            labels=tuple(range(self.dense[-1].out_features)),
        )
