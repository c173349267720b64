"""Multi-spike networks in files; docs/network-format.md describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from firstspike.arrays import load_arrays
from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.network.files import load_network
from firstspike.network.model import OFFSET_MAX, Network
from firstspike.network.multispike import (
    MultiSpikeLayer,
    MultiSpikeNetwork,
    describe_multispike,
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
    INTENSITY_BITS,
    INTENSITY_MAX,
    LEAK_MAX,
    STEPS_MAX,
    THRESHOLD_MIN,
    InputCoding,
    Reset,
    WeightKind,
)

__all__ = ["load_any_network", "save_multispike"]

#: A current that loses nothing.
_KEPT = "kept"


def save_multispike(network: MultiSpikeNetwork, folder: Path) -> None:
    """Write ``network`` to ``folder``: network.yaml and weights.npz, each whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    for layer in network.layers:
        for key in ("weights", "bias", "initial", "alive"):
            array = getattr(layer, key)
            if array is not None:
                arrays[f"{key}.{layer.name}"] = array.astype(np.int64)
    write_parts(folder, describe_multispike(network), arrays)


def load_any_network(folder: Path) -> Network | MultiSpikeNetwork:
    """Read the network in ``folder``, of whatever kind.

    Raises
    ------
    InputError
        If a file is missing, damaged, of another version, or holds something out of range.
    """
    path = folder / DESCRIPTION
    if not path.is_file() or not _is_multispike(path):
        return load_network(folder)
    top, name, shape = read_head(path)
    coding = top.mapping("coding")
    kind = InputCoding(coding.text("input", choices=[c.value for c in InputCoding]))
    steps = coding.integer("steps", 1, STEPS_MAX)
    numbers: dict[str, int] = {}
    if kind is InputCoding.RATE:
        numbers["seed"] = coding.integer("seed", 1, (1 << 32) - 1, 1)
    elif kind is InputCoding.LATENCY:
        numbers["intensity_min"] = coding.integer("intensity_min", 1, INTENSITY_MAX, 1)
    else:
        numbers["input_bits"] = coding.integer("input_bits", 1, INTENSITY_BITS, INTENSITY_BITS)
    coding.done()
    entries = top.mappings("layers")
    labels = top.integers("labels", -1, 1 << 20)
    top.done()

    archive = folder / ARRAYS
    arrays = load_arrays(archive)
    layers = tuple(_layer(entry, arrays, archive) for entry in entries)
    if arrays:
        raise InputError(f"{archive}: arrays that belong to no layer: {', '.join(sorted(arrays))}")
    try:
        return MultiSpikeNetwork(
            name=name,
            layers=layers,
            steps=steps,
            coding=kind,
            shape=shape,
            labels=tuple(labels),
            **numbers,
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _is_multispike(path: Path) -> bool:
    top = load_yaml(path)
    return top.has("coding") and top.mapping("coding").has("input")


def _layer(entry: Fields, arrays: dict[str, np.ndarray], archive: Path) -> MultiSpikeLayer:
    name = entry.text("name")
    entry.text("kind", choices=["dense"])
    leaks = entry.text("neuron", choices=["if", "lif"]) == "lif"
    sources = tuple(entry.texts("inputs"))
    neurons = entry.integer("neurons", 1, 1 << 16)
    kind = WeightKind(entry.text("weights", choices=[k.value for k in WeightKind]))
    weight_bits = entry.integer("weight_bits", 1, 8)
    rule: dict[str, Any] = {"threshold": None}
    if entry.has("threshold"):
        rule["threshold"] = entry.integer("threshold", THRESHOLD_MIN, OFFSET_MAX)
        rule["reset"] = Reset(entry.text("reset", choices=[r.value for r in Reset]))
    if leaks:
        rule["leak"] = entry.integer("leak", 0, LEAK_MAX)
    if entry.has("current"):
        rule["current_leak"] = _current(entry)
    rule["once"] = entry.boolean("once", False)
    entry.done()

    weights = take_array(arrays, f"weights.{name}", archive)
    if weights.ndim != 2 or weights.shape[1] != neurons:
        raise InputError(
            f"{archive}: weights.{name}: shape is {weights.shape}, must be (inputs, {neurons})"
        )
    for key in ("bias", "initial"):
        if f"{key}.{name}" in arrays:
            rule[key] = take_array(arrays, f"{key}.{name}", archive)
    try:
        return MultiSpikeLayer(
            name=name,
            sources=sources,
            kind=kind,
            weight_bits=weight_bits,
            weights=weights,
            alive=take_alive(arrays, name, archive),
            **rule,
        )
    except InputError as error:
        raise InputError(f"{archive}: {error}") from error


def _current(entry: Fields) -> int | None:
    if entry.is_text("current"):
        entry.text("current", choices=[_KEPT])
        return None
    return entry.integer("current", 1, LEAK_MAX)
