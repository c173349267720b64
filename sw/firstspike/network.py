"""The integer network: what training ends in and every engine runs.

A network is a folder with two files. ``network.yaml`` says what the layers are and
``weights.npz`` holds plain integer arrays; docs/network-format.md describes both well enough to
write them by hand.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
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

__all__ = ["VERSION", "Layer", "Network", "load_network", "save_network"]

#: Version of the files; a file of another version is refused by name.
VERSION = 1

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
#: Bounds of a threshold or a bias in the files: what 24-bit potentials can meet.
_MOST = (1 << 23) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
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

    def __post_init__(self) -> None:
        def refuse(what: str) -> InputError:
            return InputError(f"layer {self.name!r}: {what}")

        if not _NAME.fullmatch(self.name) or self.name == "input":
            raise refuse("a name is a letter and up to 31 letters, digits, _ or -, and not 'input'")
        if not 1 <= self.weight_bits <= 8:
            raise refuse(f"weight_bits is {self.weight_bits}, must be in 1..8")
        if self.kind is WeightKind.PM1 and self.weight_bits != 1:
            raise refuse(f"weight_bits is {self.weight_bits}, must be 1 for pm1 weights")
        if self.kind is WeightKind.SIGNED and self.weight_bits < 2:
            raise refuse("weight_bits is 1, must be in 2..8 for signed weights (or use pm1)")
        if self.weights.ndim != 2 or self.weights.dtype != np.int64 or 0 in self.weights.shape:
            raise refuse("weights must be int64 of shape (inputs, neurons)")
        if self.offset.shape != (self.neurons,) or self.offset.dtype != np.int64:
            raise refuse(f"{self.offset_name} must be int64 of shape ({self.neurons},)")
        low, high = weight_range(self.kind, self.weight_bits)
        bad = (self.weights < low) | (self.weights > high)
        if self.kind is WeightKind.PM1:
            bad |= self.weights == 0
        if bad.any():
            i, j = np.argwhere(bad)[0].tolist()
            allowed = "-1 or 1" if self.kind is WeightKind.PM1 else f"in {low}..{high}"
            raise refuse(f"weights[{i}, {j}] is {self.weights[i, j]}, must be {allowed}")
        low = THRESHOLD_MIN if self.neuron is Neuron.STEP else -_MOST
        bad = (self.offset < low) | (self.offset > _MOST)
        if bad.any():
            j = int(np.argmax(bad))
            value = self.offset[j]
            raise refuse(f"{self.offset_name}[{j}] is {value}, must be in {low}..{_MOST}")
        if not SCALE_MIN <= self.scale <= _MOST:
            raise refuse(f"scale is {self.scale}, must be in {SCALE_MIN}..{_MOST}")

    @property
    def inputs(self) -> int:
        """Number of presynaptic inputs or neurons."""
        return self.weights.shape[0]

    @property
    def neurons(self) -> int:
        """Number of postsynaptic neurons."""
        return self.weights.shape[1]

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
            raise InputError("off is true, must be false for RAMP networks")
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
        digest.update(yaml.safe_dump(_describe(self), sort_keys=True).encode())
        for layer in self.layers:
            digest.update(layer.weights.astype("<i8").tobytes())
            digest.update(layer.offset.astype("<i8").tobytes())
        return digest.hexdigest()


def _describe(network: Network) -> dict:
    """Return the content of network.yaml."""
    coding: dict = {"time_bits": network.time_bits}
    if network.neuron is Neuron.STEP:
        coding |= {"intensity_min": network.intensity_min, "off": network.off}
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


def save_network(network: Network, folder: Path) -> None:
    """Write ``network`` to ``folder``: network.yaml and weights.npz, each whole or not at all.

    The same network gives the same bytes: arrays are stored without time stamps.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for layer in network.layers:
            for key, array in (("weights", layer.weights), (layer.offset_name, layer.offset)):
                data = io.BytesIO()
                np.lib.format.write_array(data, _narrow(array), allow_pickle=False)
                info = zipfile.ZipInfo(f"{key}.{layer.name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(info, data.getvalue())
    text = yaml.safe_dump(_describe(network), sort_keys=False, default_flow_style=None, width=96)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "weights.npz", archive.getvalue())
        _write(folder / "network.yaml", text.encode())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from error


def _narrow(array: np.ndarray) -> np.ndarray:
    """Return ``array`` in the smallest signed type that holds it."""
    for dtype in (np.int8, np.int16, np.int32):
        info = np.iinfo(dtype)
        if array.min() >= info.min and array.max() <= info.max:
            return array.astype(dtype)
    return array


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def load_network(folder: Path) -> Network:
    """Read the network in ``folder``.

    Raises
    ------
    InputError
        If a file is missing, damaged, of another version, or holds something out of range.
    """
    path = folder / "network.yaml"
    if not path.is_file():
        raise InputError(f"{folder}: no network.yaml there, so not a network")
    top = load_yaml(path)
    version = top.integer("version", 0, 1 << 30)
    if version != VERSION:
        raise top.error("version", f"is {version}, this release reads version {VERSION}")
    name = top.text("name", folder.name)
    image = top.mapping("input")
    shape = image.integers("shape", 1, 1 << 13)
    if len(shape) != 2:
        raise image.error("shape", f"is {shape}, must be [rows, columns]")
    image.done()
    coding = top.mapping("coding")
    time_bits = coding.integer("time_bits", TIME_BITS_MIN, TIME_BITS_MAX)
    intensity_min = coding.integer("intensity_min", 1, INTENSITY_MAX, 1)
    off = coding.boolean("off", False)
    coding.done()
    entries = top.mappings("layers")
    labels = top.integers("labels", -1, 1 << 20)
    top.done()

    arrays = _load_arrays(folder / "weights.npz")
    layers: list[Layer] = []
    for entry in entries:
        source = layers[-1].name if layers else "input"
        layers.append(_load_layer(entry, source, arrays, folder / "weights.npz"))
    if arrays:
        known = ", ".join(sorted(arrays))
        raise InputError(f"{folder / 'weights.npz'}: arrays that belong to no layer: {known}")
    try:
        return Network(
            name=name,
            layers=tuple(layers),
            time_bits=time_bits,
            shape=(shape[0], shape[1]),
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
    scale = entry.integer("scale", SCALE_MIN, _MOST, 1)
    entry.done()

    def take(key: str) -> np.ndarray:
        array = arrays.pop(f"{key}.{name}", None)
        if array is None:
            raise InputError(f"{archive}: array '{key}.{name}' is missing")
        if array.dtype.kind not in "iu":
            raise InputError(f"{archive}: {key}.{name}: is {array.dtype}, must be integers")
        return array.astype(np.int64)

    weights = take("weights")
    offset = take("threshold" if neuron is Neuron.STEP else "bias")
    if weights.ndim != 2 or weights.shape[1] != neurons:
        raise InputError(
            f"{archive}: weights.{name}: shape is {weights.shape}, must be (inputs, {neurons})"
        )
    try:
        return Layer(name, neuron, kind, weight_bits, weights, offset, scale)
    except InputError as error:
        raise InputError(f"{archive}: {error}") from error


def _load_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: not an .npz archive")
            return {key: archive[key] for key in archive.files}
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile, zlib and numpy raise many kinds on damage
        raise InputError(f"{path}: cannot be read as .npz: {error}") from error
