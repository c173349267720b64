"""Spike trains of multi-spike networks, of integers or in floating point, step by step.

The engines tell how often a neuron fired; to compare networks one must know when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firstspike.golden.multispike import input_spikes
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import INTENSITY_BITS, INTENSITY_MAX, InputCoding, Reset

__all__ = ["Trains", "arrivals", "spike_trains"]


@dataclass(frozen=True, slots=True, eq=False)
class Trains:
    """What a network did.

    Attributes
    ----------
    spikes : dict of str to ndarray of bool, shape (steps, n, neurons)
        By layer.
    predicted : ndarray of int64, shape (n,)
        Output neurons.
    """

    spikes: dict[str, np.ndarray]
    predicted: np.ndarray


def arrivals(network: MultiSpikeNetwork, images: np.ndarray) -> Callable[[int], np.ndarray]:
    """Return what comes in at a step: numbers 0..1, or the spikes that the engines have.

    Parameters
    ----------
    network : MultiSpikeNetwork
        Whose coding it is.
    images : ndarray of uint8, shape (n, pixels)
        Intensities.
    """
    if not network.coding.numeric:
        spiking = input_spikes(network)
        return lambda step: spiking(images, step).astype(np.float64)
    numbers = images / INTENSITY_MAX
    if network.coding is InputCoding.DIRECT:
        return lambda step: numbers
    return lambda step: numbers if step == 0 else np.zeros_like(numbers)


def spike_trains(
    network: FloatNetwork | MultiSpikeNetwork, arriving: Callable[[int], np.ndarray]
) -> Trains:
    """Return what ``network`` does, by docs/semantics.md, section 11.2.

    Parameters
    ----------
    network : FloatNetwork or MultiSpikeNetwork
        With integers, potentials lose ``V >> leak``; in floating point ``V / 2 ** leak``.
    arriving : callable
        Returns what comes in at a step, of shape (n, pixels): see `arrivals`. An integer network
        takes numbers 0..1 for its own, 0..2^b - 1.
    """
    integer = isinstance(network, MultiSpikeNetwork)
    states: dict[str, _State] = {}
    trains: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers}
    for step in range(network.steps):
        sent = {INPUT: arriving(step)}
        if integer and network.coding.numeric:
            shift = INTENSITY_BITS - network.input_bits
            pixels = np.rint(sent[INPUT] * INTENSITY_MAX).astype(np.int64)
            sent[INPUT] = (pixels >> shift).astype(np.float64)
        for layer in network.layers:
            values = np.concatenate([sent[source] for source in layer.sources], axis=1)
            state = states.setdefault(layer.name, _State(layer, len(values), integer))
            fires = state.tick(step, values)
            trains[layer.name].append(fires)
            sent[layer.name] = fires.astype(np.float64)
    last = network.layers[-1]
    counts = np.sum(trains[last.name], axis=0)
    values = states[last.name].potential if last.threshold is None else counts
    return Trains({name: np.array(train) for name, train in trains.items()}, values.argmax(axis=1))


class _State:
    """Of one layer."""

    def __init__(self, layer: FloatLayer | MultiSpikeLayer, n: int, integer: bool) -> None:
        kind = np.int64 if integer else np.float64
        # Sums of integers below 2 ** 53 are exact in floating point, and much faster there.
        self._weights = layer.weights.astype(np.float64)
        self._layer, self._kind = layer, kind
        self.potential = np.zeros((n, layer.weights.shape[1]), kind)
        if layer.initial is not None:
            self.potential += layer.initial
        self._current = np.zeros_like(self.potential)
        self._fired = np.zeros(self.potential.shape, bool)

    def _lost(self, values: np.ndarray, leak: int) -> np.ndarray:
        return values >> leak if self._kind is np.int64 else values / (1 << leak)

    def tick(self, step: int, values: np.ndarray) -> np.ndarray:
        """Take what arrives in a step; return who fires."""
        layer = self._layer
        self._current = self._current + (values @ self._weights).astype(self._kind)
        v = self.potential + self._current
        if layer.bias is not None:
            v = v + layer.bias[step if len(layer.bias) > 1 else 0]
        fires = np.zeros_like(self._fired)
        if layer.threshold is not None:
            above = isinstance(layer, FloatLayer) and layer.strict
            fires = v > layer.threshold if above else v >= layer.threshold
            if layer.once:
                fires &= ~self._fired
            self._fired |= fires
            v = np.where(fires, v - layer.threshold if layer.reset is Reset.SOFT else 0, v)
        if layer.leak is not None:
            v = v - self._lost(v, layer.leak)
        if layer.current_leak is not None:
            self._current = self._current - self._lost(self._current, layer.current_leak)
        self.potential = v
        return fires
