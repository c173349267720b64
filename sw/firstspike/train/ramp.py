"""RAMP networks in training: a quantised clipped ReLU, whose integer form the core computes.

A hidden neuron's activation is ``clip(floor(V / s), 0, T - 1)`` of an integer potential V and one
integer s a layer. The forward pass computes with exactly these integers; gradients go straight
through the rounding where the activation is not clipped.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from firstspike.spec import SCALE_MIN
from firstspike.train.plans import LayerPlan
from firstspike.train.quantizers import clip_latent, largest, quantize

__all__ = ["Ramp", "RampNet", "magnitudes", "staircase"]

#: Standard deviation of latent weights at the start.
_SPREAD = 0.15


def magnitudes(images: Tensor, time_bits: int) -> Tensor:
    """Return T - t of every input, 0 for never: float32 of shape (n, pixels), from uint8."""
    return (images >> (8 - time_bits)).float()


def staircase(u: Tensor, top: int) -> Tensor:
    """Return ``clip(floor(u), 0, top)``; the gradient is 1 where nothing is clipped, else 0."""
    inside = u.clamp(0, top + 1)
    return inside + (u.floor().clamp(0, top) - inside).detach()


class Ramp(nn.Module):
    """A dense layer with integer weights, biases and, if hidden, an integer divisor.

    Parameters
    ----------
    inputs : int
        Presynaptic inputs or neurons.
    plan : LayerPlan
        Neurons and weights.
    steps : int
        Time steps, T.
    """

    mask: Tensor

    def __init__(self, inputs: int, plan: LayerPlan, steps: int) -> None:
        super().__init__()
        self.plan = plan
        self.steps = steps
        self.weight = nn.Parameter(torch.randn(inputs, plan.neurons) * _SPREAD)
        self.register_buffer("mask", torch.ones(inputs, plan.neurons))
        #: A typical potential, from which biases, divisor and logits take their unit.
        self.unit = largest(plan.kind, plan.weight_bits) * _SPREAD * inputs**0.5 * steps / 3
        self.offset = nn.Parameter(torch.zeros(plan.neurons))
        self.log_scale = nn.Parameter(torch.tensor(0.0))
        self.quantized = True

    def integers(self) -> Tensor:
        """Return the weights in integer units, rounded unless training is still in floats."""
        weight = self.weight * self.mask
        if not self.quantized:
            return weight * largest(self.plan.kind, self.plan.weight_bits)
        return quantize(weight, self.plan.kind, self.plan.weight_bits)

    def bias(self) -> Tensor:
        """Return the biases, whole numbers."""
        bias = self.offset * self.unit
        return bias + (bias.round() - bias).detach()

    def scale(self) -> Tensor:
        """Return the divisor, a whole number, at least `firstspike.spec.SCALE_MIN`."""
        scale = self.log_scale.exp() * self.unit * 4 / self.steps
        return scale + (scale.round().clamp(min=SCALE_MIN) - scale).detach()

    def forward(self, events: Tensor) -> Tensor:
        """Return the potentials, whole numbers once quantised, shape (n, neurons)."""
        return events @ self.integers() + self.bias()

    def prune(self, share: float) -> None:
        """Set the ``share`` of the weights with the least magnitudes to 0, from now on."""
        magnitude = (self.weight.detach() * self.mask).abs().flatten()
        count = round(share * magnitude.numel())
        if count:
            limit = magnitude.kthvalue(count).values
            self.mask.copy_((magnitude > limit).view_as(self.mask).float())


class RampNet(nn.Module):
    """Layers in a chain; the last one's potentials decide.

    Parameters
    ----------
    inputs : int
        Pixels of a stimulus.
    plans : tuple of LayerPlan
        The last one is the output.
    steps : int
        Time steps, T.
    hidden_dropout : float
        Share of hidden spikes left out in training.
    """

    def __init__(
        self, inputs: int, plans: tuple[LayerPlan, ...], steps: int, hidden_dropout: float
    ) -> None:
        super().__init__()
        self.all = nn.ModuleList()
        for plan in plans:
            self.all.append(Ramp(inputs, plan, steps))
            inputs = plan.neurons
        self.steps = steps
        self.hidden_dropout = hidden_dropout

    @property
    def layers(self) -> list[Any]:
        """All layers, in order."""
        return list(self.all)

    def forward(self, events: Tensor) -> Tensor:
        """Return logits of shape (n, outputs) for magnitudes of shape (n, pixels)."""
        for layer in self.layers[:-1]:
            events = staircase(layer(events) / layer.scale(), self.steps - 1)
            if self.training and self.hidden_dropout:
                keep = torch.rand_like(events) >= self.hidden_dropout
                events = events * (keep / (1 - self.hidden_dropout))
        last = self.layers[-1]
        # The same factor for all outputs: the largest potential has the largest logit.
        return last(events) * (last.log_scale.exp() / last.unit * 4)

    def set_phase(self, *, quantized: bool, frozen: bool) -> None:
        """Choose whether weights are rounded; there are no batch statistics to freeze."""
        del frozen
        for layer in self.layers:
            layer.quantized = quantized

    def prune(self, share: float) -> None:
        """Prune every layer but the output."""
        for layer in self.layers[:-1]:
            layer.prune(share)

    def after_update(self) -> None:
        """Bring the latent weights back into their range."""
        for layer in self.layers:
            clip_latent(layer.weight)
