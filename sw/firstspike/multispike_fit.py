"""Whether a multi-spike network fits a core, and how it is laid out there.

A core compares potentials. So a network whose output spikes are counted gets one more layer: each
output spike adds 1 to a potential that never fires. Constant inputs, which are numbers in every
step and biases, go into a row of currents before each row of potentials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.errors import InputError
from firstspike.lists import live_words
from firstspike.network.multispike import INPUT, MultiSpikeLayer, MultiSpikeNetwork
from firstspike.spec import (
    NUMBER_BITS,
    THRESHOLD_MIN,
    TIME_BITS_MIN,
    CoreSpec,
    InputCoding,
    Reset,
    WeightKind,
    weight_range,
)

__all__ = ["Placed", "check_multispike_fit", "place"]

_COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class Placed:
    """A layer in a core.

    Parameters
    ----------
    layer : MultiSpikeLayer
        What it computes.
    base : int
        Number of its first neuron among those of all layers.
    sources : tuple of int
        Numbers of its source layers; none: the input.
    first : int
        Number of the neuron that its first row of weights belongs to.
    synapses : ndarray of int64, shape (rows, neurons)
        Rows of weights, by the numbers of neurons; those of others are 0.
    words : int
        State rows of potentials in a bank.
    pairs : bool
        Whether a row of currents stands before each.
    to_current : bool
        Whether events add to the currents.
    current_leak : int or None
        What the currents lose a step; None: nothing.
    current : ndarray of int64, shape (neurons,)
        Currents that a stimulus starts with.
    bias : ndarray of int64, shape (steps, neurons), or None
        What is added in each step.
    biases : int
        Rows of weights that hold it, for each step: its last digit, and where that is not enough,
        the digits before it.
    coarse : int
        Base of these digits.
    """

    layer: MultiSpikeLayer
    base: int
    sources: tuple[int, ...]
    first: int
    synapses: np.ndarray
    words: int
    pairs: bool
    to_current: bool
    current_leak: int | None
    current: np.ndarray
    bias: np.ndarray | None
    biases: int
    coarse: int

    @property
    def rows(self) -> int:
        """State rows in a bank."""
        return self.words * (2 if self.pairs else 1)

    @property
    def weights(self) -> np.ndarray:
        """Rows of weights, those of the biases of the steps behind those of the inputs."""
        if self.bias is None:
            return self.synapses
        if self.biases == 1:
            return np.concatenate([self.synapses, self.bias])
        # The digit nearest to 0.
        high = (self.bias + self.coarse // 2) // self.coarse
        low = self.bias - self.coarse * high
        rows = np.stack([low, high], axis=1).reshape(-1, self.layer.neurons)
        return np.concatenate([self.synapses, rows])

    @property
    def stride(self) -> int:
        """Rows of weights for each word of neurons."""
        return len(self.weights)


def place(network: MultiSpikeNetwork, core: CoreSpec) -> list[Placed]:
    """Return the layers as ``core`` has them, the one that counts spikes included.

    Raises
    ------
    InputError
        If a layer needs what the core has not.
    """
    layers = list(network.layers)
    if network.counts_spikes:
        outputs = network.outputs
        counts = MultiSpikeLayer(
            name=_COUNTS,
            sources=(network.layers[-1].name,),
            kind=WeightKind.SIGNED,
            weight_bits=2,
            weights=np.eye(outputs, dtype=np.int64),
            threshold=None,
        )
        layers.append(counts)
    bases: dict[str, int] = {}
    placed = []
    for layer in layers:
        placed.append(_place(network, layer, core, bases))
        bases[layer.name] = placed[-1].base
    return placed


def _synapses(
    network: MultiSpikeNetwork, layer: MultiSpikeLayer, bases: dict[str, int]
) -> tuple[int, np.ndarray]:
    """Return the number that the first row of weights belongs to, and the rows."""
    if INPUT in layer.sources:
        return 0, layer.weights
    sizes = {other.name: other.neurons for other in network.layers}
    first = min(bases[source] for source in layer.sources)
    end = max(bases[source] + sizes[source] for source in layer.sources)
    rows = np.zeros((end - first, layer.neurons), np.int64)
    taken = 0
    for source in layer.sources:
        place = bases[source] - first
        rows[place : place + sizes[source]] = layer.weights[taken : taken + sizes[source]]
        taken += sizes[source]
    return first, rows


def _place(
    network: MultiSpikeNetwork, layer: MultiSpikeLayer, core: CoreSpec, bases: dict[str, int]
) -> Placed:
    none = np.zeros(layer.neurons, np.int64)
    # Numbers in every step are a current that is loaded once and kept.
    numbers = INPUT in layer.sources and network.coding.numeric
    repeated = numbers and network.coding is InputCoding.DIRECT
    if layer.has_current and repeated:
        raise layer.refuse("a current beside numbers in every step, of which a core has one")
    constant, varying = none, layer.bias
    if varying is not None and layer.has_current:
        varying = np.broadcast_to(varying, (network.steps, layer.neurons))
    elif varying is not None:
        # What all steps have in common need not fit a weight.
        constant = (varying.min(axis=0) + varying.max(axis=0)) // 2
        varying = varying - constant if len(varying) > 1 else None
    kept = repeated or bool(constant.any())
    first, synapses = _synapses(network, layer, bases)
    numbered = list(bases)
    return Placed(
        layer=layer,
        base=sum(other.neurons for other in network.layers[: len(numbered)]),
        sources=tuple(numbered.index(name) for name in layer.sources if name != INPUT),
        first=first,
        synapses=synapses,
        words=-(-layer.neurons // core.lanes),
        pairs=layer.has_current or kept,
        to_current=layer.has_current or repeated,
        current_leak=layer.current_leak if layer.has_current else None,
        current=constant,
        bias=varying,
        biases=0 if varying is None else _digits(varying, layer, core),
        coarse=core.coarse,
    )


def _digits(bias: np.ndarray, layer: MultiSpikeLayer, core: CoreSpec) -> int:
    """Return how many rows of weights hold what is added in a step."""
    low, high = weight_range(_kind(layer), core.weight_bits)
    return 1 if low <= bias.min() <= bias.max() <= high else 2


def _kind(layer: MultiSpikeLayer) -> WeightKind:
    """Return what a core takes the layer's weights for: -1 and +1 are signed weights."""
    return WeightKind.SIGNED if layer.kind is WeightKind.PM1 else layer.kind


def check_multispike_fit(network: MultiSpikeNetwork, core: CoreSpec) -> list[Placed]:
    """Refuse a network that ``core`` cannot run; return its layers as the core has them.

    Raises
    ------
    InputError
        Naming what does not fit, what the network needs and what the core has.
    """

    def require(what: str, needs: int, has: int) -> None:
        if needs > has:
            raise InputError(f"network does not fit the core: {what} {needs}, the core has {has}")

    if not core.multispike:
        raise InputError(
            "network does not fit the core: multi-spike neurons, the core has multispike: false"
        )
    if not network.coding.numeric:
        require("steps", network.steps, core.steps)
    elif not TIME_BITS_MIN <= network.input_bits <= core.time_bits:
        raise InputError(
            f"network does not fit the core: input_bits is {network.input_bits}, must be in "
            f"{TIME_BITS_MIN}..{core.time_bits}"
        )
    for number, layer in enumerate(network.layers):
        if (INPUT in layer.sources) != (number == 0):
            known = ", ".join(other.name for other in network.layers[:number]) or INPUT
            raise layer.refuse(f"inputs is {list(layer.sources)}, must be of {known} on a core")
    placed = place(network, core)
    require("layers", len(placed), core.max_layers)
    require("inputs", network.pixels, core.max_inputs)
    require("state_rows", sum(part.rows for part in placed), core.state_rows)
    if core.sparse:
        require("lists", sum(part.stride for part in placed), core.list_rows)
        rows = sum(int(live_words(part.weights, core).max(axis=1).sum()) for part in placed)
    else:
        rows = sum(part.stride * part.words for part in placed)
    require("weight_rows", rows, core.weight_rows)
    limit = 1 << (core.potential_bits - 1)
    numbers = 1 << min(core.index_bits, NUMBER_BITS)
    for part in placed:
        most = max(part.base + part.layer.neurons, part.first + part.stride)
        if most > numbers:
            raise part.layer.refuse(
                f"its neurons and rows of weights, biases of the steps too, have numbers up to "
                f"{most - 1}, the core's go up to {numbers - 1}"
            )
        _check_weights(part, core)
        low, high = _range(network, part)
        if low < -limit or high >= limit - 1:
            raise part.layer.refuse(
                f"potentials and currents can meet {low}..{high}, the core has "
                f"{core.potential_bits} bits: {-limit}..{limit - 2}"
            )
        threshold = part.layer.threshold or THRESHOLD_MIN
        if threshold >= limit:
            raise part.layer.refuse(f"threshold is {threshold}, must be below {limit}")
    return placed


def _check_weights(part: Placed, core: CoreSpec) -> None:
    """Refuse weights, or biases of a step, that the core's synapses cannot hold."""
    layer = part.layer
    if core.weight_bits == 1:
        raise layer.refuse("multi-spike networks need synapses of 2 bits or more")
    low, high = weight_range(_kind(layer), core.weight_bits)
    weights, rows = layer.weights, part.weights[len(part.synapses) :]
    if not low <= weights.min() <= weights.max() <= high:
        raise layer.refuse(
            f"weights {weights.min()}..{weights.max()}, the core's {core.weight_bits}-bit synapses "
            f"hold {low}..{high}"
        )
    if part.bias is not None and not low <= rows.min() <= rows.max() <= high:
        most = high * (1 + part.coarse)
        raise layer.refuse(
            f"biases differ from step to step by {part.bias.min()}..{part.bias.max()} from their "
            f"middle, the core's {core.weight_bits}-bit synapses hold {min(0, -most)}..{most}"
        )


def _once(network: MultiSpikeNetwork, part: Placed) -> np.ndarray:
    """Return which rows of a layer's weights bring one spike at most, bool of shape (inputs,)."""
    single = {other.name: other.once for other in network.layers}
    single[INPUT] = network.coding is InputCoding.LATENCY
    return np.concatenate(
        [np.full(rows.stop - rows.start, single[name]) for name, rows in network.rows(part.layer)]
    )


def _range(network: MultiSpikeNetwork, part: Placed) -> tuple[int, int]:
    """Return the least and the largest number that stands in a row of the layer at any time.

    Events of a step come in any order, so all that is positive, or all that is negative, may have
    come so far. Sources that spike once add to a current once, whenever that is.
    """
    layer = part.layer
    numbers = INPUT in layer.sources and network.coding.numeric
    most = (1 << network.input_bits) - 1 if numbers else 1
    # A lane without a neuron has weights of 0.
    down = most * np.minimum(layer.weights, 0).sum(axis=0)
    up = most * np.maximum(layer.weights, 0).sum(axis=0)
    start = np.zeros(layer.neurons, np.int64) if layer.initial is None else layer.initial
    low, high = start.copy(), start.copy()
    least, largest = int(min(0, start.min())), int(max(0, start.max()))
    current_low, current_high = part.current.copy(), part.current.copy()
    many = ~_once(network, part)
    floor, ceiling = part.current + down, part.current + up
    down_many = most * np.minimum(layer.weights[many], 0).sum(axis=0)
    up_many = most * np.maximum(layer.weights[many], 0).sum(axis=0)
    for step in range(network.steps):
        arrives = step == 0 or not numbers
        added_low, added_high = (down, up) if arrives else (0 * down, 0 * up)
        if part.to_current:
            current_low = np.maximum(current_low + added_low, floor + step * down_many)
            current_high = np.minimum(current_high + added_high, ceiling + step * up_many)
            added_low = added_high = 0 * down
        if part.bias is not None:
            added_low = added_low + np.minimum(part.bias[step], 0)
            added_high = added_high + np.maximum(part.bias[step], 0)
        if part.pairs:
            added_low = added_low + np.minimum(current_low, 0)
            added_high = added_high + np.maximum(current_high, 0)
        low, high = low + added_low, high + added_high
        least = int(min(least, low.min(), current_low.min()))
        largest = int(max(largest, high.max(), current_high.max()))
        if layer.threshold is not None and not layer.once:
            rest = high - layer.threshold if layer.reset is Reset.SOFT else 0
            high = np.minimum(high, np.maximum(layer.threshold - 1, rest))
        if layer.threshold is not None:
            low, high = np.minimum(low, 0), np.maximum(high, 0)
        if layer.leak is not None:
            low, high = low - (low >> layer.leak), high - (high >> layer.leak)
        if part.pairs and part.current_leak is not None:
            current_low = current_low - (current_low >> part.current_leak)
            current_high = current_high - (current_high >> part.current_leak)
    return least, largest
