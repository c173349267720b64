"""Integer networks of neurons that spike as often as their potential says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import yaml

from firstspike.errors import InputError
from firstspike.network.model import OFFSET_MAX, VERSION, Dense
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

__all__ = ["INPUT", "MultiSpikeLayer", "MultiSpikeNetwork", "describe_multispike"]

#: Name of the stimulus among a layer's sources.
INPUT = "input"

_SEED_MAX = (1 << 32) - 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MultiSpikeLayer(Dense):
    """A dense layer of integrate-and-fire neurons; docs/semantics.md, section 11.

    Parameters
    ----------
    name : str
        Unique in the network.
    sources : tuple of str
        Layers whose spikes it takes, or ``input``; rows of the weights are theirs, one source
        after the other.
    kind : WeightKind
        How weights are stored.
    weight_bits : int
        Bits of a weight, 1..8.
    weights : ndarray of int64, shape (inputs, neurons)
        Within `firstspike.spec.weight_range`.
    threshold : int or None
        Potential at which a neuron fires, at least 1; None: it never does, and its potential is
        what is read.
    reset : Reset
        What becomes of the potential then.
    leak : int or None
        The potential loses ``V >> leak`` a step, 0..7; None: nothing.
    current_leak : int or None
        Spikes add to a current, which is added to the potential in every step and loses
        ``I >> current_leak`` a step, 1..7; 0: they add to the potential itself.
        None: to a current that loses nothing.
    once : bool
        A neuron fires at most once.
    bias : ndarray of int64, shape (1, neurons) or (steps, neurons), or None
        Added to the potentials in every step: the same, or that of the step.
    initial : ndarray of int64, shape (neurons,), or None
        Potentials that a stimulus starts with; None: 0.
    alive : ndarray of bool, shape (inputs, neurons), or None
        Which synapses there are; None: all. A dead one has weight 0.

    Raises
    ------
    InputError
        If shapes disagree or a value is out of range.
    """

    name: str
    sources: tuple[str, ...]
    kind: WeightKind
    weight_bits: int
    weights: np.ndarray
    threshold: int | None
    reset: Reset = Reset.SOFT
    leak: int | None = None
    current_leak: int | None = 0
    once: bool = False
    bias: np.ndarray | None = None
    initial: np.ndarray | None = None
    alive: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.check_synapses()
        if not self.sources or len(set(self.sources)) != len(self.sources):
            raise self.refuse(f"inputs is {list(self.sources)}, must name each source once")
        if self.threshold is not None and not THRESHOLD_MIN <= self.threshold <= OFFSET_MAX:
            raise self.refuse(
                f"threshold is {self.threshold}, must be in {THRESHOLD_MIN}..{OFFSET_MAX}"
            )
        for name in ("leak", "current_leak"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= LEAK_MAX:
                raise self.refuse(f"{name} is {value}, must be in 0..{LEAK_MAX}")
        for name, shapes in (
            ("bias", "(1, neurons) or (steps, neurons)"),
            ("initial", "(neurons,)"),
        ):
            array = getattr(self, name)
            if array is None:
                continue
            wide = 2 if name == "bias" else 1
            if array.ndim != wide or array.shape[-1] != self.neurons or array.dtype != np.int64:
                raise self.refuse(f"{name} must be int64 of shape {shapes}")
            if array.size and np.abs(array).max() > OFFSET_MAX:
                worst = int(array.flat[np.abs(array).argmax()])
                raise self.refuse(f"{name} has {worst}, must be in {-OFFSET_MAX}..{OFFSET_MAX}")

    @property
    def has_current(self) -> bool:
        """Whether spikes reach the potential by way of a current."""
        return self.current_leak != 0

    def biases(self, step: int) -> np.ndarray | int:
        """Return what is added to the potentials in ``step``."""
        if self.bias is None:
            return 0
        return self.bias[step if len(self.bias) > 1 else 0]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MultiSpikeNetwork:
    """Layers that pass spikes on in every step, and how pixels reach them.

    Parameters
    ----------
    name : str
        For reports.
    layers : tuple of MultiSpikeLayer
        In an order in which each comes behind its sources; the last one is the output.
    steps : int
        Steps of a stimulus, T, 1..4096.
    coding : InputCoding
        How pixels come in.
    input_bits : int
        Bits of a pixel that are used, the highest ones, 1..8 (DIRECT and ONCE).
    seed : int
        Of the random spikes, never 0 (RATE).
    intensity_min : int
        Pixels below it never spike, 1..255 (LATENCY).
    shape : tuple of int
        Rows and columns of an image.
    labels : tuple of int
        Class of each output neuron; -1 for none.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """

    name: str
    layers: tuple[MultiSpikeLayer, ...]
    steps: int
    coding: InputCoding
    shape: tuple[int, int]
    labels: tuple[int, ...]
    input_bits: int = INTENSITY_BITS
    seed: int = 1
    intensity_min: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("steps", 1, STEPS_MAX),
            ("input_bits", 1, INTENSITY_BITS),
            ("seed", 1, _SEED_MAX),
            ("intensity_min", 1, INTENSITY_MAX),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} is {value}, must be in {low}..{high}")
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"shape is {self.shape}, must be rows and columns, each at least 1")
        if not self.layers:
            raise InputError("layers: a network has at least one")
        sizes = {INPUT: self.pixels}
        for layer in self.layers:
            if layer.name in sizes:
                raise InputError(f"layer {layer.name!r}: the name stands twice")
            for source in layer.sources:
                if source not in sizes:
                    raise layer.refuse(
                        f"inputs has {source!r}, must be of {', '.join(sizes)} (layers before it)"
                    )
            wide = sum(sizes[source] for source in layer.sources)
            if layer.inputs != wide:
                raise layer.refuse(f"weights have {layer.inputs} rows, must have {wide}")
            if layer.bias is not None and len(layer.bias) not in (1, self.steps):
                raise layer.refuse(f"bias has {len(layer.bias)} rows, must have 1 or {self.steps}")
            if layer.threshold is None and layer is not self.layers[-1]:
                raise layer.refuse("threshold is missing; only the last layer may never fire")
            sizes[layer.name] = layer.neurons
        if len(self.labels) != self.outputs:
            raise InputError(
                f"labels: {len(self.labels)} given, must be one for each of {self.outputs} outputs"
            )

    @property
    def pixels(self) -> int:
        """Number of pixels of a stimulus."""
        return self.shape[0] * self.shape[1]

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.layers[-1].neurons

    @property
    def counts_spikes(self) -> bool:
        """Whether spikes of the outputs are counted; if not, their potentials are compared."""
        return self.layers[-1].threshold is not None

    def rows(self, layer: MultiSpikeLayer) -> Iterator[tuple[str, slice]]:
        """Yield each source of ``layer`` with its rows of the weights."""
        sizes = {INPUT: self.pixels} | {other.name: other.neurons for other in self.layers}
        first = 0
        for source in layer.sources:
            yield source, slice(first, first + sizes[source])
            first += sizes[source]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell this network's numbers from another's."""
        digest = hashlib.blake2s(digest_size=6)
        digest.update(yaml.safe_dump(describe_multispike(self), sort_keys=True).encode())
        for layer in self.layers:
            for array in (layer.weights, layer.bias, layer.initial, layer.alive):
                digest.update(b"-" if array is None else array.astype("<i8").tobytes())
        return digest.hexdigest()


def describe_multispike(network: MultiSpikeNetwork) -> dict:
    """Return the content of network.yaml."""
    coding: dict = {"input": network.coding.value, "steps": network.steps}
    if network.coding is InputCoding.RATE:
        coding["seed"] = network.seed
    elif network.coding is InputCoding.LATENCY:
        coding["intensity_min"] = network.intensity_min
    else:
        coding["input_bits"] = network.input_bits
    layers = []
    for layer in network.layers:
        entry: dict = {
            "name": layer.name,
            "kind": "dense",
            "neuron": "if" if layer.leak is None else "lif",
            "inputs": list(layer.sources),
            "neurons": layer.neurons,
            "weights": layer.kind.value,
            "weight_bits": layer.weight_bits,
        }
        if layer.threshold is not None:
            entry |= {"threshold": layer.threshold, "reset": layer.reset.value}
        if layer.leak is not None:
            entry["leak"] = layer.leak
        if layer.has_current:
            entry["current"] = "kept" if layer.current_leak is None else layer.current_leak
        if layer.once:
            entry["once"] = True
        layers.append(entry)
    return {
        "version": VERSION,
        "name": network.name,
        "input": {"shape": list(network.shape)},
        "coding": coding,
        "layers": layers,
        "labels": list(network.labels),
    }
