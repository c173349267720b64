"""Multi-spike networks in floating point, step by step, by the rule of docs/semantics.md 11.2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from firstspike.golden.encoding import latency_times
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import INTENSITY_MAX, InputCoding, Reset

__all__ = ["Course", "simulate"]


@dataclass(frozen=True, slots=True)
class Course:
    """What a network did.

    Attributes
    ----------
    spikes : dict of str to Tensor of float32, shape (steps, n, neurons)
        By layer: 1 where a neuron fires.
    potential : Tensor of float32, shape (n, outputs)
        Of the outputs after the last step.
    """

    spikes: dict[str, Tensor]
    potential: Tensor


def simulate(network: FloatNetwork, inputs: Tensor) -> Course:
    """Return what ``network`` does.

    Parameters
    ----------
    network : FloatNetwork
        With any coding but ``rate``.
    inputs : Tensor of float32, shape (n, pixels)
        Pixels 0..1.
    """
    states = {layer.name: _State(layer, len(inputs)) for layer in network.layers}
    trains: dict[str, list[Tensor]] = {layer.name: [] for layer in network.layers}
    with torch.no_grad():
        for t in range(network.steps):
            sent = {INPUT: _arriving(network, inputs, t)}
            for layer in network.layers:
                arriving = torch.cat([sent[source] for source in layer.sources], dim=1)
                sent[layer.name] = states[layer.name].tick(t, arriving)
                trains[layer.name].append(sent[layer.name])
    return Course(
        {name: torch.stack(train) for name, train in trains.items()},
        states[network.layers[-1].name].potential,
    )


def _arriving(network: FloatNetwork, inputs: Tensor, step: int) -> Tensor:
    """Return what comes in at a step."""
    if network.coding is InputCoding.LATENCY:
        pixels = (inputs * INTENSITY_MAX).round().numpy()
        times = latency_times(pixels, network.steps, network.intensity_min)
        return torch.from_numpy(times == step).float()
    here = step == 0 or network.coding is InputCoding.DIRECT
    return inputs if here else torch.zeros_like(inputs)


class _State:
    """Of one layer."""

    def __init__(self, layer: FloatLayer, n: int) -> None:
        weights = layer.weights if layer.mask is None else layer.weights * layer.mask
        self._layer = layer
        self._weights = torch.from_numpy(weights).float()
        self._bias = None if layer.bias is None else torch.from_numpy(layer.bias).float()
        self.potential = torch.zeros(n, weights.shape[1])
        if layer.initial is not None:
            self.potential += torch.from_numpy(layer.initial).float()
        self._current = torch.zeros_like(self.potential)
        self._fired = torch.zeros_like(self.potential, dtype=torch.bool)

    def tick(self, step: int, arriving: Tensor) -> Tensor:
        """Take what arrives in a step; return who fires, 0 or 1."""
        layer = self._layer
        self._current = self._current + arriving @ self._weights
        v = self.potential + self._current
        if self._bias is not None:
            v = v + self._bias[step if len(self._bias) > 1 else 0]
        fires = torch.zeros_like(self._fired)
        if layer.threshold is not None:
            fires = v > layer.threshold if layer.strict else v >= layer.threshold
            if layer.once:
                fires &= ~self._fired
            self._fired |= fires
            rest = v - layer.threshold if layer.reset is Reset.SOFT else torch.zeros_like(v)
            v = torch.where(fires, rest, v)
        if layer.leak is not None:
            v = v - v / (1 << layer.leak)
        if layer.current_leak is not None:
            self._current = self._current - self._current / (1 << layer.current_leak)
        self.potential = v
        return fires.float()
