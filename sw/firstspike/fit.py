"""Whether a network fits a core: sizes, weights, and potentials that never wrap."""

from __future__ import annotations

import numpy as np

from firstspike.errors import InputError
from firstspike.lists import live_words
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, WeightKind, weight_range

__all__ = ["check_fit", "check_reachable", "input_rows", "potential_range", "state_words"]


def potential_range(layer: Layer, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the largest value that each neuron's stored potential can meet.

    What is stored starts at minus the threshold (STEP) or at the bias (RAMP), and events come in
    any order, each once: so only positive, or only negative, weights may have come so far.

    Returns
    -------
    tuple of ndarray of int64, shape (neurons,)
        Least and largest.
    """
    most = 1 if layer.neuron is Neuron.STEP else steps - 1
    start = -layer.offset if layer.neuron is Neuron.STEP else layer.offset
    low = start + most * np.minimum(layer.scaled_weights, 0).sum(axis=0)
    high = start + most * np.maximum(layer.scaled_weights, 0).sum(axis=0)
    return low, high


def state_words(network: Network, core: CoreSpec) -> list[int]:
    """Return how many state rows each layer takes in a bank."""
    return [-(-layer.neurons // core.lanes) for layer in network.layers]


def input_rows(network: Network, core: CoreSpec) -> int:
    """Return how many inputs the core counts; OFF inputs start at a whole word of pixels."""
    words = -(-network.pixels // core.pixels)
    return words * core.pixels + network.pixels if network.off else network.pixels


def check_reachable(network: Network) -> None:
    """Refuse thresholds that no stimulus can reach.

    A single silent neuron in a hidden layer is harmless; a silent layer or output is a mistake.
    Outputs with alive bits have learned: their thresholds moved, and of many neurons for a class
    some may have grown silent.

    Raises
    ------
    InputError
        If an output neuron, or every neuron of a hidden layer, can never spike.
    """
    if network.neuron is not Neuron.STEP:
        return
    for layer in network.layers:
        _, high = potential_range(layer, network.steps)
        silent = high < 0
        each = layer is network.layers[-1] and layer.alive is None
        if silent.all() or (each and silent.any()):
            j = int(np.argmax(silent))
            raise InputError(
                f"layer {layer.name!r}: threshold[{j}] is {layer.offset[j]}, never reached: all "
                f"positive weights together give {high[j] + layer.offset[j]}"
            )


def check_fit(network: Network, core: CoreSpec) -> None:
    """Refuse a network that ``core`` cannot run.

    Raises
    ------
    InputError
        Naming what does not fit, what the network needs and what the core has.
    """
    check_reachable(network)
    if core.learning:
        _check_learning_core(network, core)
        return

    def require(what: str, needs: int, has: int) -> None:
        if needs > has:
            raise InputError(f"network does not fit the core: {what} {needs}, the core has {has}")

    require("layers", len(network.layers), core.max_layers)
    require("time_bits", network.time_bits, core.time_bits)
    require("inputs", input_rows(network, core), core.max_inputs)
    words = state_words(network, core)
    require("state_rows", sum(words), core.state_rows)
    require("weight_rows", _weight_rows(network, core), core.weight_rows)
    if network.neuron is Neuron.RAMP and not core.ramp:
        raise InputError("network does not fit the core: RAMP layers, the core has ramp: false")
    limit = 1 << (core.potential_bits - 1)
    for layer in network.layers:
        _check_weights(layer, core)
        low, high = potential_range(layer, network.steps)
        # A lane without a neuron starts at -1, and in a 1-bit core its weights read as -1.
        low = np.minimum(low, -1 - layer.inputs * (1 if core.weight_bits == 1 else 0))
        j = int(np.argmax(np.maximum(high, -low - 1)))
        if low[j] < -limit or high[j] >= limit:
            raise InputError(
                f"layer {layer.name!r}: the potential of neuron {j} can meet {low[j]}..{high[j]}, "
                f"the core has {core.potential_bits} bits: {-limit}..{limit - 1}"
            )
        if layer.scale >= limit:
            raise InputError(f"layer {layer.name!r}: scale is {layer.scale}, must be below {limit}")


def _weight_rows(network: Network, core: CoreSpec) -> int:
    """Return how many rows of synapses a network takes in a bank."""
    if core.sparse:
        live = (live_words(layer.scaled_weights, core) for layer in network.layers)
        return sum(int(words.max(axis=1).sum()) for words in live)
    sources = [input_rows(network, core), *(layer.neurons for layer in network.layers[:-1])]
    words = state_words(network, core)
    return sum(source * count for source, count in zip(sources, words, strict=True))


def _check_learning_core(network: Network, core: CoreSpec) -> None:
    """Refuse a network that a learning core cannot run."""

    def refuse(what: str) -> InputError:
        return InputError(f"network does not fit the core: {what}")

    layer = network.layers[0]
    for what, needs, has in (
        ("layers", len(network.layers), 1),
        ("time_bits", network.time_bits, core.time_bits),
        ("inputs", network.inputs, core.max_inputs),
        ("state_rows", -(-network.outputs // core.banks), core.state_rows),
        ("weight_bits", layer.weight_bits, core.weight_bits),
        ("fraction_bits", layer.fraction_bits, core.fraction_bits),
    ):
        if needs > has:
            raise refuse(f"{what} {needs}, the core has {has}")
    if layer.neuron is not Neuron.STEP or layer.kind is not WeightKind.UNSIGNED:
        raise refuse("a learning core runs STEP neurons with unsigned weights")
    if network.off and network.pixels % core.pixels:
        raise refuse(
            f"with an OFF channel the {network.pixels} pixels must be whole words of {core.pixels}"
        )
    low = -layer.offset << (core.fraction_bits - layer.fraction_bits)
    high = low + (layer.weights.sum(axis=0) << core.fraction_bits)
    limit = 1 << (core.potential_bits - 1)
    if low.min() < -limit or high.max() >= limit:
        raise refuse(
            f"potentials can meet {low.min()}..{high.max()}, the core has {core.potential_bits} "
            f"bits: {-limit}..{limit - 1}"
        )


def _check_weights(layer: Layer, core: CoreSpec) -> None:
    """Refuse weights that the core's synapses cannot hold."""
    kind = layer.kind
    if core.weight_bits == 1:
        if layer.weight_bits != 1:
            raise InputError(
                f"layer {layer.name!r}: weights of {layer.weight_bits} bits, the core's synapses "
                "have 1"
            )
        if layer.fraction_bits:
            raise InputError(
                f"layer {layer.name!r}: fraction_bits is {layer.fraction_bits}, must be 0: the "
                "core's synapses have 1 bit"
            )
        return
    # -1 and +1 are signed weights like any other where a synapse has two bits or more.
    kind = WeightKind.SIGNED if kind is WeightKind.PM1 else kind
    low, high = weight_range(kind, core.weight_bits)
    # Synapses hold what is added, in the units of the threshold.
    least, most = layer.scaled_weights.min(), layer.scaled_weights.max()
    if least < low or most > high:
        finer = f" with {layer.fraction_bits} fraction bits" if layer.fraction_bits else ""
        raise InputError(
            f"layer {layer.name!r}: weights {least}..{most}{finer}, the core's "
            f"{core.weight_bits}-bit synapses hold {low}..{high}"
        )
