"""From a network in floating point to integers, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import WeightKind, weight_range

__all__ = ["Quantized", "quantize_network", "scale_for"]

#: Scales that are tried, as shares of the one at which the largest weight just fits.
_SHARES = np.linspace(0.3, 1.0, 36)


@dataclass(frozen=True, slots=True)
class Quantized:
    """An integer network, and how well it stands for the one in floating point.

    Parameters
    ----------
    network : MultiSpikeNetwork
        Integers.
    scales : dict of str to float
        By layer: what a weight of 1 stands for.
    errors : dict of str to float
        By layer: root mean square of what rounding changed, as a share of that of the weights.
    """

    network: MultiSpikeNetwork
    scales: dict[str, float]
    errors: dict[str, float]


def scale_for(weights: np.ndarray, bits: int) -> float:
    """Return what a weight of 1 stands for, so that rounding changes least, in squares."""
    top = weight_range(WeightKind.SIGNED, bits)[1]
    largest = float(np.abs(weights).max())
    if largest == 0:
        return 1.0
    best, least = largest / top, np.inf
    for share in _SHARES:
        scale = share * largest / top
        error = float(((np.clip(np.rint(weights / scale), -top, top) * scale - weights) ** 2).sum())
        if error < least:
            best, least = scale, error
    return best


def quantize_network(network: FloatNetwork, bits: int | tuple[int, ...]) -> Quantized:
    """Return the integer network that ``network`` becomes with weights of ``bits`` bits.

    Weights are rounded to the nearest. A layer that fires at its threshold gets the nearest
    integer, one that fires above it the next one above; biases and initial potentials are rounded.

    Parameters
    ----------
    network : FloatNetwork
        What a method left.
    bits : int or tuple of int
        Of all layers, or of each; 1 gives weights of -1 and +1, at one scale.

    Raises
    ------
    InputError
        If the integers are out of the range of network files.
    """
    each = (bits,) * len(network.layers) if isinstance(bits, int) else bits
    layers, scales, errors = [], {}, {}
    for layer, wide in zip(network.layers, each, strict=True):
        integer, scale, error = _layer(network, layer, wide)
        layers.append(integer)
        scales[layer.name], errors[layer.name] = scale, error
    return Quantized(
        MultiSpikeNetwork(
            name=network.name,
            layers=tuple(layers),
            steps=network.steps,
            coding=network.coding,
            shape=network.shape,
            labels=network.labels,
            input_bits=network.input_bits,
            intensity_min=network.intensity_min,
        ),
        scales,
        errors,
    )


def _layer(
    network: FloatNetwork, layer: FloatLayer, bits: int
) -> tuple[MultiSpikeLayer, float, float]:
    weights = layer.weights if layer.mask is None else np.where(layer.mask, layer.weights, 0.0)
    if bits == 1:
        scale = float(np.abs(weights).mean()) or 1.0
        integers = np.where(weights >= 0, 1, -1).astype(np.int64)
    else:
        scale = scale_for(weights, bits)
        top = weight_range(WeightKind.SIGNED, bits)[1]
        integers = np.clip(np.rint(weights / scale), -top, top).astype(np.int64)
    # Pixels that come as numbers are 0..2^b - 1 where the float network has 0..1.
    numbers = INPUT in layer.sources and network.coding.numeric
    unit = scale / ((1 << network.input_bits) - 1) if numbers else scale

    def whole(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.rint(values / unit).astype(np.int64)

    threshold = None
    if layer.threshold is not None:
        exact = layer.threshold / unit
        threshold = max(1, int(np.floor(exact)) + 1 if layer.strict else round(exact))
    spread = float(np.sqrt((weights**2).mean())) or 1.0
    error = float(np.sqrt(((integers * scale - weights) ** 2).mean())) / spread
    return (
        MultiSpikeLayer(
            name=layer.name,
            sources=layer.sources,
            kind=WeightKind.PM1 if bits == 1 else WeightKind.SIGNED,
            weight_bits=bits,
            weights=integers,
            threshold=threshold,
            reset=layer.reset,
            leak=layer.leak,
            current_leak=layer.current_leak,
            once=layer.once,
            bias=whole(layer.bias),
            initial=whole(layer.initial),
            alive=None if layer.mask is None else layer.mask,
        ),
        unit,
        error,
    )
