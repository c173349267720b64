"""STEP networks in training: all time steps in one pass; docs/training.md has the formulas.

With one spike a neuron and synapses that add their weight once, "has fired by step t" is all that
a neuron tells the next layer. So each time step is a network of binary activations on the inputs
that have fired by then, and the steps differ only in a running maximum over the potentials.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from firstspike.spec import INTENSITY_MAX, THRESHOLD_MIN
from firstspike.train.plans import LayerPlan
from firstspike.train.quantizers import clip_latent, largest, quantize

__all__ = ["Hidden", "Output", "StepNet", "fire", "thermometer"]

#: The surrogate gradient is 1 / (1 + SLOPE * |u|) ** 2, u in standard deviations.
SLOPE = 5.0
#: Share of the new batch in the running statistics.
_MOMENTUM = 0.02
#: Standard deviation of latent weights at the start.
_SPREAD = 0.2


class _Fire(torch.autograd.Function):
    """Forward: `fire`. Backward: surrogate gradient, sent to the step of the largest potential."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, theta: Tensor, deviation: Tensor) -> Tensor:
        best = v.clone()
        for t in range(1, len(best)):
            torch.maximum(best[t], best[t - 1], out=best[t])
        ctx.save_for_backward(best, theta, deviation)
        return (best >= theta).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        best, theta, deviation = ctx.saved_tensors
        slope = ((best - theta) * (SLOPE / deviation)).abs_().add_(1).square_()
        flow = gradient / slope.mul_(deviation)
        to_theta = -flow.sum((0, 1))
        # What reached a maximum that an earlier step had set goes back to that step.
        for t in range(len(best) - 1, 0, -1):
            old = (best[t] == best[t - 1]).to(flow.dtype).mul_(flow[t])
            flow[t - 1] += old
            flow[t] -= old
        return flow, to_theta, None


def fire(v: Tensor, theta: Tensor, deviation: Tensor) -> Tensor:
    """Return which neurons have fired by each step.

    Parameters
    ----------
    v : Tensor, shape (T, n, neurons)
        Potentials after each step.
    theta : Tensor, shape (neurons,)
        A neuron fires at the first step with ``v >= theta``.
    deviation : Tensor, shape (neurons,)
        Unit of the potentials for the surrogate gradient.

    Returns
    -------
    Tensor of v's dtype, shape (T, n, neurons)
        1.0 from the step of the spike on, else 0.0.
    """
    result = _Fire.apply(v, theta, deviation)
    assert isinstance(result, Tensor)
    return result


def thermometer(images: Tensor, time_bits: int, intensity_min: int, off: bool) -> Tensor:
    """Return which inputs have fired by each step.

    Parameters
    ----------
    images : Tensor of uint8, shape (n, pixels)
        Intensities.

    Returns
    -------
    Tensor of float32, shape (T, n, inputs)
        1.0 from the step of the spike on, else 0.0.
    """
    steps = 1 << time_bits
    channels = [images, INTENSITY_MAX - images] if off else [images]
    channel = torch.cat(channels, dim=1)
    never = torch.tensor(steps, dtype=torch.uint8 if steps < 256 else torch.int16)
    times = (INTENSITY_MAX - channel) >> (8 - time_bits)
    times = torch.where(channel >= intensity_min, times.to(never.dtype), never)
    fired = torch.empty(steps, *times.shape)
    for t in range(steps):
        torch.le(times, t, out=fired[t])
    return fired


class Hidden(nn.Module):
    """A hidden layer: potentials, running maximum, threshold.

    The threshold follows the statistics of the potentials while training, theta = mean -
    shift * deviation, and is a constant once `frozen`.

    Parameters
    ----------
    inputs : int
        Presynaptic inputs or neurons.
    plan : LayerPlan
        Neurons and weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, plan: LayerPlan) -> None:
        super().__init__()
        self.plan = plan
        self.weight = nn.Parameter(torch.randn(inputs, plan.neurons) * _SPREAD)
        self.shift = nn.Parameter(torch.zeros(plan.neurons))
        self.register_buffer("mean", torch.zeros(plan.neurons))
        self.register_buffer("deviation", torch.ones(plan.neurons))
        self.frozen = False
        self.quantized = True

    def integers(self) -> Tensor:
        """Return the weights in integer units, rounded unless training is still in floats."""
        if not self.quantized:
            return self.weight * largest(self.plan.kind, self.plan.weight_bits)
        return quantize(self.weight, self.plan.kind, self.plan.weight_bits)

    def threshold(self, mean: Tensor, deviation: Tensor) -> Tensor:
        """Return the threshold, at least `firstspike.spec.THRESHOLD_MIN`."""
        theta = mean - self.shift * deviation
        # The bound stops no gradient: a threshold that is held can leave it again.
        return theta + (theta.clamp(min=THRESHOLD_MIN) - theta).detach()

    def forward(self, fired: Tensor) -> Tensor:
        """Return which neurons have fired by each step, shape (T, n, neurons)."""
        steps, n, inputs = fired.shape
        v = fired.reshape(-1, inputs) @ self.integers()
        if self.training and not self.frozen:
            mean = v.mean(0)
            with torch.no_grad():
                deviation = (v.square().mean(0) - mean.square()).clamp(min=0).sqrt() + 1e-3
                self.mean.lerp_(mean, _MOMENTUM)
                self.deviation.lerp_(deviation, _MOMENTUM)
        else:
            mean, deviation = self.mean, self.deviation
        return fire(v.view(steps, n, -1), self.threshold(mean, deviation), deviation)

    def integer_threshold(self) -> Tensor:
        """Return the thresholds that the integer network has, int64."""
        # v is an integer, so v >= theta and v >= ceil(theta) say the same.
        return self.threshold(self.mean, self.deviation).detach().double().ceil().long()


class Output(nn.Module):
    """The output layer: potentials minus thresholds at every step.

    ``gain`` turns them into the logits of the loss; the integer network has no use for it.
    """

    def __init__(self, inputs: int, plan: LayerPlan) -> None:
        super().__init__()
        self.plan = plan
        self.weight = nn.Parameter(torch.randn(inputs, plan.neurons) * _SPREAD)
        top = largest(plan.kind, plan.weight_bits)
        spread = top * _SPREAD * (inputs / 2) ** 0.5 if plan.weight_bits > 1 else inputs**0.5
        self.unit = spread
        self.theta = nn.Parameter(torch.full((plan.neurons,), 1.0))
        self.log_gain = nn.Parameter(torch.tensor(1.0))
        self.quantized = True

    integers = Hidden.integers

    def threshold(self) -> Tensor:
        """Return the thresholds, whole numbers, at least `firstspike.spec.THRESHOLD_MIN`."""
        theta = self.theta * self.unit
        return theta + (theta.round().clamp(min=THRESHOLD_MIN) - theta).detach()

    def forward(self, fired: Tensor) -> Tensor:
        """Return the logits at every step, shape (T, n, neurons); 0 is at the threshold."""
        d = fired @ self.integers() - self.threshold()
        return d * (self.log_gain.exp() / self.unit)

    def integer_threshold(self) -> Tensor:
        """Return the thresholds that the integer network has, int64."""
        return self.threshold().detach().double().round().long()


class StepNet(nn.Module):
    """Hidden layers and an output layer in a chain.

    Parameters
    ----------
    inputs : int
        Inputs of a stimulus, OFF channel included.
    plans : tuple of LayerPlan
        The last one is the output.
    hidden_dropout : float
        Share of hidden spikes left out in training.
    """

    def __init__(self, inputs: int, plans: tuple[LayerPlan, ...], hidden_dropout: float) -> None:
        super().__init__()
        self.hidden = nn.ModuleList()
        for plan in plans[:-1]:
            self.hidden.append(Hidden(inputs, plan))
            inputs = plan.neurons
        self.output = Output(inputs, plans[-1])
        self.hidden_dropout = hidden_dropout

    @property
    def layers(self) -> list[Any]:
        """All layers, in order."""
        return [*self.hidden, self.output]

    def forward(self, fired: Tensor) -> Tensor:
        """Return the output's logits, shape (T, n, outputs), for input (T, n, inputs)."""
        for layer in self.hidden:
            fired = layer(fired)
            if self.training and self.hidden_dropout:
                # The same neurons are left out at every step: they did not fire at all.
                keep = torch.rand(fired.shape[1:]) >= self.hidden_dropout
                fired = fired * (keep / (1 - self.hidden_dropout))
        return self.output(fired)

    def set_phase(self, *, quantized: bool, frozen: bool) -> None:
        """Choose whether weights are rounded and whether thresholds are constants."""
        for layer in self.layers:
            layer.quantized = quantized
            layer.frozen = frozen

    def after_update(self) -> None:
        """Bring the latent weights back into their range."""
        for layer in self.layers:
            clip_latent(layer.weight)
