"""Neurons that change nothing, left out: what makes a sparse network faster on a core."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network.multispike import INPUT

__all__ = ["compact"]


def compact(network: FloatNetwork) -> FloatNetwork:
    """Return ``network`` without hidden neurons that nothing listens to, or that never fire.

    Those have dead or zero weights alone, behind or before them, the latter without a bias or an
    initial potential. Each layer has one source, the layer before it or the input. What the
    outputs do is the same, to the spike.

    Raises
    ------
    ValueError
        If a layer has another source.
    """
    layers = list(network.layers)
    before = INPUT
    for layer in layers:
        if layer.sources != (before,):
            raise ValueError(f"layer {layer.name!r}: inputs is {list(layer.sources)}")
        before = layer.name
    # What one neuron is left out for may make others useless, on both sides.
    while True:
        for number in range(len(layers) - 1):
            first, second = layers[number], layers[number + 1]
            keeps = _driven(first) & _live(second).any(axis=1)
            if not keeps.any():
                keeps[0] = True
            if not keeps.all():
                layers[number] = _columns(first, keeps)
                layers[number + 1] = _rows(second, keeps)
                break
        else:
            return replace(network, layers=tuple(layers))


def _live(layer: FloatLayer) -> np.ndarray:
    weights = layer.weights if layer.mask is None else np.where(layer.mask, layer.weights, 0.0)
    return np.not_equal(weights, 0.0)


def _driven(layer: FloatLayer) -> np.ndarray:
    """Return which neurons of ``layer`` anything reaches."""
    driven = np.asarray(_live(layer).any(axis=0))
    if layer.bias is not None:
        driven = driven | (layer.bias != 0).any(axis=0)
    if layer.initial is not None:
        driven = driven | (layer.initial != 0)
    return driven


def _columns(layer: FloatLayer, keeps: np.ndarray) -> FloatLayer:
    def kept(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[..., keeps]

    return replace(
        layer,
        weights=layer.weights[:, keeps],
        bias=kept(layer.bias),
        initial=kept(layer.initial),
        mask=kept(layer.mask),
    )


def _rows(layer: FloatLayer, keeps: np.ndarray) -> FloatLayer:
    mask = None if layer.mask is None else layer.mask[keeps]
    return replace(layer, weights=layer.weights[keeps], mask=mask)
