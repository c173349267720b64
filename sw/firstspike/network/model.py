"""The integer network: what training ends in and every engine runs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np
import yaml

from firstspike.errors import InputError
from firstspike.spec import (
    INTENSITY_MAX,
    SCALE_MIN,
    THRESHOLD_MIN,
    TIME_BITS_MAX,
    TIME_BITS_MIN,
    Neuron,
    WeightKind,
    weight_range,
)

__all__ = [
    "FRACTION_BITS_MAX",
    "OFFSET_MAX",
    "VERSION",
    "Dense",
    "Layer",
    "Network",
    "describe",
]

#: Version of the files; a file of another version is refused by name.
VERSION = 1

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
#: An eighth bit would leave no weight to be finer than.
FRACTION_BITS_MAX = 7
#: Bounds of a threshold or a bias in the files: what 24-bit potentials can meet.
OFFSET_MAX = (1 << 23) - 1


class Dense:
    """What dense layers of all kinds of neurons have in common: a name, and synapses."""

    __slots__ = ()

    name: str
    kind: WeightKind
    weight_bits: int
    weights: np.ndarray
    alive: np.ndarray | None

    @property
    def inputs(self) -> int:
        """Number of presynaptic inputs and neurons."""
        return self.weights.shape[0]

    @property
    def neurons(self) -> int:
        """Number of postsynaptic neurons."""
        return self.weights.shape[1]

    def refuse(self, what: str) -> InputError:
        """Return (not raise) an error about this layer."""
        return InputError(f"layer {self.name!r}: {what}")

    def check_synapses(self) -> None:
        """Refuse a name or synapses that are out of their range.

        Raises
        ------
        InputError
            If so.
        """
        if not _NAME.fullmatch(self.name) or self.name == "input":
            raise self.refuse(
                "a name is a letter and up to 31 letters, digits, _ or -, and not 'input'"
            )
        if not 1 <= self.weight_bits <= 8:
            raise self.refuse(f"weight_bits is {self.weight_bits}, must be in 1..8")
        if self.kind is WeightKind.PM1 and self.weight_bits != 1:
            raise self.refuse(f"weight_bits is {self.weight_bits}, must be 1 for pm1 weights")
        if self.kind is WeightKind.SIGNED and self.weight_bits < 2:
            raise self.refuse("weight_bits is 1, must be in 2..8 for signed weights (or use pm1)")
        weights, alive = self.weights, self.alive
        if weights.ndim != 2 or weights.dtype != np.int64 or 0 in weights.shape:
            raise self.refuse("weights must be int64 of shape (inputs, neurons)")
        low, high = weight_range(self.kind, self.weight_bits)
        bad = (weights < low) | (weights > high)
        if self.kind is WeightKind.PM1:
            bad |= weights == 0
        if bad.any():
            i, j = np.argwhere(bad)[0].tolist()
            allowed = "-1 or 1" if self.kind is WeightKind.PM1 else f"in {low}..{high}"
            raise self.refuse(f"weights[{i}, {j}] is {weights[i, j]}, must be {allowed}")
        if alive is None:
            return
        if alive.shape != weights.shape or alive.dtype != np.bool_:
            raise self.refuse(f"alive must be bool of shape {weights.shape}")
        bad = ~alive & (weights != 0)
        if bad.any():
            i, j = np.argwhere(bad)[0].tolist()
            raise self.refuse(f"weights[{i}, {j}] is {weights[i, j]}, must be 0: it is dead")


@dataclass(frozen=True, slots=True, eq=False)
class Layer(Dense):
    """A dense layer of integer synapses.

    Parameters
    ----------
    name : str
        Unique in the network.
    neuron : Neuron
        STEP or RAMP.
    kind : WeightKind
        How weights are stored.
    weight_bits : int
        Bits of a weight, 1..8.
    weights : ndarray of int64, shape (inputs, neurons)
        Within `firstspike.spec.weight_range`.
    offset : ndarray of int64, shape (neurons,)
        STEP: the threshold theta, at least 1. RAMP: the bias b.
    scale : int
        RAMP: the divisor s of the threshold ramp, at least 1; unused in a last layer. STEP: 1.
    fraction_bits : int
        STEP: bits F of the threshold that are finer than a weight, 0..7; a neuron's overshoot is
        (V << F) - theta. RAMP: 0.
    alive : ndarray of bool, shape (inputs, neurons), or None
        Which synapses there are; None: all. A dead one has weight 0.

    Raises
    ------
    InputError
        If shapes disagree or a value is out of range.
    """

    name: str
    neuron: Neuron
    kind: WeightKind
    weight_bits: int
    weights: np.ndarray
    offset: np.ndarray
    scale: int = 1
    fraction_bits: int = 0
    alive: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.check_synapses()
        if self.offset.shape != (self.neurons,) or self.offset.dtype != np.int64:
            raise self.refuse(f"{self.offset_name} must be int64 of shape ({self.neurons},)")
        low = THRESHOLD_MIN if self.neuron is Neuron.STEP else -OFFSET_MAX
        bad = (self.offset < low) | (self.offset > OFFSET_MAX)
        if bad.any():
            j = int(np.argmax(bad))
            value = self.offset[j]
            raise self.refuse(f"{self.offset_name}[{j}] is {value}, must be in {low}..{OFFSET_MAX}")
        if not SCALE_MIN <= self.scale <= OFFSET_MAX:
            raise self.refuse(f"scale is {self.scale}, must be in {SCALE_MIN}..{OFFSET_MAX}")
        most = FRACTION_BITS_MAX if self.neuron is Neuron.STEP else 0
        if not 0 <= self.fraction_bits <= most:
            raise self.refuse(f"fraction_bits is {self.fraction_bits}, must be in 0..{most}")

    @property
    def scaled_weights(self) -> np.ndarray:
        """What a synapse adds in the units of the threshold: ``weights << fraction_bits``."""
        return self.weights << self.fraction_bits

    @property
    def offset_name(self) -> str:
        """What ``offset`` is called in the files: ``threshold`` or ``bias``."""
        return "threshold" if self.neuron is Neuron.STEP else "bias"


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers in a chain, and how stimuli become their first spikes.

    Parameters
    ----------
    name : str
        For reports.
    layers : tuple of Layer
        In order; the last one is the output. All STEP, or all RAMP.
    time_bits : int
        A stimulus lasts ``2 ** time_bits`` steps, 3..8.
    intensity_min : int
        A pixel below it never spikes, 1..255 (STEP).
    off : bool
        Whether each pixel also drives an OFF input, half of the inputs further (STEP).
    shape : tuple of int
        Rows and columns of an image; their product is the number of pixels.
    labels : tuple of int
        Class of each output neuron; -1 for none.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """

    name: str
    layers: tuple[Layer, ...]
    time_bits: int
    shape: tuple[int, int]
    labels: tuple[int, ...]
    intensity_min: int = 1
    off: bool = False

    def __post_init__(self) -> None:
        if not TIME_BITS_MIN <= self.time_bits <= TIME_BITS_MAX:
            raise InputError(
                f"time_bits is {self.time_bits}, must be in {TIME_BITS_MIN}..{TIME_BITS_MAX}"
            )
        if not 1 <= self.intensity_min <= INTENSITY_MAX:
            raise InputError(
                f"intensity_min is {self.intensity_min}, must be in 1..{INTENSITY_MAX}"
            )
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"shape is {self.shape}, must be rows and columns, each at least 1")
        if not self.layers:
            raise InputError("layers: a network has at least one")
        if self.neuron is Neuron.RAMP and self.off:
            raise InputError("off_channel is true, must be false for RAMP networks")
        wide = self.inputs
        names = set()
        for layer in self.layers:
            if layer.name in names:
                raise InputError(f"layer {layer.name!r}: the name stands twice")
            names.add(layer.name)
            if layer.neuron is not self.neuron:
                raise InputError(f"layer {layer.name!r}: STEP and RAMP layers cannot be mixed")
            if layer.inputs != wide:
                raise InputError(
                    f"layer {layer.name!r}: weights have {layer.inputs} rows, must have {wide}"
                )
            wide = layer.neurons
        if len(self.labels) != wide:
            raise InputError(
                f"labels: {len(self.labels)} given, must be one for each of {wide} outputs"
            )

    @property
    def neuron(self) -> Neuron:
        """Kind of all layers."""
        return self.layers[0].neuron

    @property
    def pixels(self) -> int:
        """Number of pixels of a stimulus."""
        return self.shape[0] * self.shape[1]

    @property
    def inputs(self) -> int:
        """Number of inputs: the pixels, twice with an OFF channel."""
        return self.pixels * (2 if self.off else 1)

    @property
    def steps(self) -> int:
        """Time steps of a stimulus, T; as a spike time it means "never"."""
        return 1 << self.time_bits

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.layers[-1].neurons

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell this network's numbers from another's."""
        digest = hashlib.blake2s(digest_size=6)
        digest.update(yaml.safe_dump(describe(self), sort_keys=True).encode())
        for layer in self.layers:
            digest.update(layer.weights.astype("<i8").tobytes())
            digest.update(layer.offset.astype("<i8").tobytes())
            if layer.alive is not None:
                digest.update(layer.alive.astype("u1").tobytes())
        return digest.hexdigest()


def describe(network: Network) -> dict:
    """Return the content of network.yaml, as `firstspike.network.files` writes it."""
    coding: dict = {"time_bits": network.time_bits}
    if network.neuron is Neuron.STEP:
        coding |= {"intensity_min": network.intensity_min, "off_channel": network.off}
    layers = []
    source = "input"
    for layer in network.layers:
        entry: dict = {
            "name": layer.name,
            "kind": "dense",
            "neuron": layer.neuron.value,
            "inputs": [source],
            "neurons": layer.neurons,
            "weights": layer.kind.value,
            "weight_bits": layer.weight_bits,
        }
        if layer.neuron is Neuron.RAMP and layer is not network.layers[-1]:
            entry["scale"] = layer.scale
        if layer.fraction_bits:
            entry["fraction_bits"] = layer.fraction_bits
        layers.append(entry)
        source = layer.name
    return {
        "version": VERSION,
        "name": network.name,
        "input": {"shape": list(network.shape)},
        "coding": coding,
        "layers": layers,
        "labels": list(network.labels),
    }
