"""Networks in files: a folder with network.yaml and weights.npz.

``network.yaml`` says what the layers are and ``weights.npz`` holds plain integer arrays;
docs/network-format.md describes both well enough to write them by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from firstspike.arrays import load_arrays
from firstspike.errors import InputError
from firstspike.fields import Fields
from firstspike.network.model import (
    FRACTION_BITS_MAX,
    OFFSET_MAX,
    Layer,
    Network,
    describe,
)
from firstspike.network.parts import (
    ARRAYS,
    DESCRIPTION,
    read_head,
    take_alive,
    take_array,
    write_parts,
)
from firstspike.spec import (
    INTENSITY_MAX,
    SCALE_MIN,
    TIME_BITS_MAX,
    TIME_BITS_MIN,
    Neuron,
    WeightKind,
)

__all__ = ["load_network", "save_network"]


def save_network(network: Network, folder: Path) -> None:
    """Write ``network`` to ``folder``: network.yaml and weights.npz, each whole or not at all.

    The same network gives the same bytes: arrays are stored without time stamps.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    arrays = {}
    for layer in network.layers:
        arrays[f"weights.{layer.name}"] = layer.weights
        arrays[f"{layer.offset_name}.{layer.name}"] = layer.offset
        if layer.alive is not None:
            arrays[f"alive.{layer.name}"] = layer.alive.astype(np.int64)
    write_parts(folder, describe(network), arrays)


def load_network(folder: Path) -> Network:
    """Read the network in ``folder``.

    Raises
    ------
    InputError
        If a file is missing, damaged, of another version, or holds something out of range.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder}: no network.yaml there, so not a network")
    top, name, shape = read_head(path)
    coding = top.mapping("coding")
    if coding.has("input"):
        raise coding.error("input", "is of a multi-spike network, which this is not for")
    time_bits = coding.integer("time_bits", TIME_BITS_MIN, TIME_BITS_MAX)
    intensity_min = coding.integer("intensity_min", 1, INTENSITY_MAX, 1)
    off = coding.boolean("off_channel", False)
    coding.done()
    entries = top.mappings("layers")
    labels = top.integers("labels", -1, 1 << 20)
    top.done()

    arrays = load_arrays(folder / ARRAYS)
    layers: list[Layer] = []
    for entry in entries:
        source = layers[-1].name if layers else "input"
        layers.append(_load_layer(entry, source, arrays, folder / ARRAYS))
    if arrays:
        known = ", ".join(sorted(arrays))
        raise InputError(f"{folder / 'weights.npz'}: arrays that belong to no layer: {known}")
    try:
        return Network(
            name=name,
            layers=tuple(layers),
            time_bits=time_bits,
            shape=shape,
            labels=tuple(labels),
            intensity_min=intensity_min,
            off=off,
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _load_layer(entry: Fields, source: str, arrays: dict[str, np.ndarray], archive: Path) -> Layer:
    name = entry.text("name")
    entry.text("kind", choices=["dense"])
    neuron = Neuron(entry.text("neuron", choices=[n.value for n in Neuron]))
    inputs = entry.texts("inputs")
    if inputs != [source]:
        raise entry.error("inputs", f"is {inputs}, must be [{source}] (layers form a chain)")
    neurons = entry.integer("neurons", 1, 1 << 16)
    kind = WeightKind(entry.text("weights", choices=[k.value for k in WeightKind]))
    weight_bits = entry.integer("weight_bits", 1, 8)
    scale = entry.integer("scale", SCALE_MIN, OFFSET_MAX, 1)
    fraction_bits = entry.integer("fraction_bits", 0, FRACTION_BITS_MAX, 0)
    entry.done()

    def take(key: str) -> np.ndarray:
        return take_array(arrays, f"{key}.{name}", archive)

    weights = take("weights")
    alive = take_alive(arrays, name, archive)
    offset = take("threshold" if neuron is Neuron.STEP else "bias")
    if weights.ndim != 2 or weights.shape[1] != neurons:
        raise InputError(
            f"{archive}: weights.{name}: shape is {weights.shape}, must be (inputs, {neurons})"
        )
    try:
        return Layer(name, neuron, kind, weight_bits, weights, offset, scale, fraction_bits, alive)
    except InputError as error:
        raise InputError(f"{archive}: {error}") from error
