"""Networks in memory and in files.

Mutants tried, each of which a test here refused: each check of Layer and of Network left out;
weights stored in a type that cannot hold them; the version not checked; `inputs` not checked;
arrays of no layer not refused; unsigned 64-bit numbers that wrap; a digest without the weights, or
without the offsets, or the alive bits; alive bits or fraction bits not stored; a dead synapse with
a weight; time stamps in the archive; write_file that leaves its temporary file.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from firstspike.arrays import load_arrays
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.network import Layer, Network, load_network, save_network
from firstspike.spec import Neuron, WeightKind, weight_range


def layer(weights=((1, -2), (3, 0), (0, 1)), **changes) -> Layer:
    values = {
        "name": "out",
        "neuron": Neuron.STEP,
        "kind": WeightKind.SIGNED,
        "weight_bits": 4,
        "weights": weights if isinstance(weights, np.ndarray) else np.array(weights),
        "offset": np.array([2, 1], dtype=np.int64),
    }
    return Layer(**(values | changes))


def network(*layers: Layer, **changes) -> Network:
    values = {
        "name": "tiny",
        "layers": layers or (layer(),),
        "time_bits": 3,
        "shape": (1, 3),
        "labels": (0, 1),
    }
    return Network(**(values | changes))


def refused(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


RAMP = {"neuron": Neuron.RAMP}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "input"}, "layer 'input': a name is a letter"),
        ({"name": "../x"}, "a name is a letter"),
        ({"name": "x" * 33}, "a name is a letter"),
        ({"weight_bits": 9}, "weight_bits is 9, must be in 1..8"),
        ({"weight_bits": 0}, "weight_bits is 0, must be in 1..8"),
        ({"kind": WeightKind.PM1}, "weight_bits is 4, must be 1 for pm1"),
        ({"weight_bits": 1}, "weight_bits is 1, must be in 2..8 for signed"),
        ({"weights": np.zeros((3, 2), np.int32)}, "weights must be int64"),
        ({"weights": np.zeros((0, 2), np.int64)}, "weights must be int64"),
        ({"weights": np.zeros(2, np.int64)}, "weights must be int64"),
        ({"offset": np.ones(3, np.int64)}, "threshold must be int64 of shape (2,)"),
        ({"offset": np.ones(2)}, "threshold must be int64 of shape (2,)"),
        ({"weight_bits": 2}, "weights[0, 1] is -2, must be in -1..1"),
        ({"kind": WeightKind.UNSIGNED}, "weights[0, 1] is -2, must be in 0..15"),
        ({"weights": np.full((3, 2), 8)}, "weights[0, 0] is 8, must be in -7..7"),
        ({"kind": WeightKind.PM1, "weight_bits": 1, "weights": np.array([[1, 0]])},
         "weights[0, 1] is 0, must be -1 or 1"),
        ({"offset": np.array([1, 0])}, "threshold[1] is 0, must be in 1..8388607"),
        ({"offset": np.array([1 << 23, 1])}, "threshold[0] is 8388608, must be in 1..8388607"),
        (RAMP | {"offset": np.array([0, -(1 << 23)])}, "bias[1] is -8388608, must be in -8388607"),
        ({"scale": 0}, "scale is 0, must be in 1..8388607"),
        ({"fraction_bits": 8}, "fraction_bits is 8, must be in 0..7"),
        (RAMP | {"fraction_bits": 1}, "fraction_bits is 1, must be in 0..0"),
        ({"alive": np.ones((2, 2), bool)}, "alive must be bool of shape (3, 2)"),
        ({"alive": np.ones((3, 2), np.int64)}, "alive must be bool of shape (3, 2)"),
        ({"alive": np.zeros((3, 2), bool)}, "weights[0, 0] is 1, must be 0: it is dead"),
    ],
)  # fmt: skip
def test_layers_out_of_range(changes, message):
    assert message in refused(lambda: layer(**changes))


def test_layers_at_the_edge():
    assert layer(weight_bits=3, weights=((3, -3),)).inputs == 1
    assert layer(**RAMP, offset=np.array([0, -(2**23) + 1])).offset_name == "bias"
    assert layer(name="x" * 32, offset=np.array([1, 2**23 - 1])).neurons == 2


@pytest.mark.parametrize(
    ("layers", "changes", "message"),
    [
        ((), {"time_bits": 2}, "time_bits is 2, must be in 3..8"),
        ((), {"time_bits": 9}, "time_bits is 9, must be in 3..8"),
        ((), {"intensity_min": 0}, "intensity_min is 0, must be in 1..255"),
        ((), {"intensity_min": 256}, "intensity_min is 256, must be in 1..255"),
        ((), {"shape": (0, 3)}, "shape is (0, 3), must be rows and columns"),
        ((), {"shape": (3,)}, "shape is (3,), must be rows and columns"),
        ((), {"shape": (1, 4)}, "layer 'out': weights have 3 rows, must have 4"),
        ((), {"off": True}, "layer 'out': weights have 3 rows, must have 6"),
        ((layer(**RAMP),), {"off": True}, "off_channel is true, must be false for RAMP"),
        ((), {"labels": (0,)}, "labels: 1 given, must be one for each of 2 outputs"),
        ((layer(), layer(((1, 1), (1, 1)))), {}, "layer 'out': the name stands twice"),
        ((layer(), layer(((1, 1),) * 2, name="b", **RAMP)), {}, "cannot be mixed"),
        ((layer(), layer(name="b")), {}, "layer 'b': weights have 3 rows, must have 2"),
    ],
)
def test_parts_that_do_not_fit(layers, changes, message):
    assert message in refused(lambda: network(*layers, **changes))


def test_no_layers():
    assert "a network has at least one" in refused(lambda: Network("x", (), 3, (1, 3), (0, 1)))


def test_properties():
    on_off = network(layer(((1, 1),) * 6), off=True, time_bits=4, intensity_min=255)
    assert (on_off.pixels, on_off.inputs, on_off.outputs, on_off.steps) == (3, 6, 2, 16)


@st.composite
def networks(draw) -> Network:
    neuron = draw(st.sampled_from(Neuron))
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    off = neuron is Neuron.STEP and draw(st.booleans())
    wide = rows * columns * (2 if off else 1)
    layers = []
    for k in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(WeightKind))
        low_bits = {WeightKind.PM1: (1, 1), WeightKind.SIGNED: (2, 8), WeightKind.UNSIGNED: (1, 8)}
        bits = draw(st.integers(*low_bits[kind]))
        low, high = weight_range(kind, bits)
        values = st.sampled_from([-1, 1]) if kind is WeightKind.PM1 else st.integers(low, high)
        neurons = draw(st.integers(1, 4))
        weights = draw(npst.arrays(np.int64, (wide, neurons), elements=values))
        least = 1 if neuron is Neuron.STEP else -(2**23) + 1
        offset = draw(npst.arrays(np.int64, neurons, elements=st.integers(least, 2**23 - 1)))
        scale = 1 if neuron is Neuron.STEP else draw(st.integers(1, 2**23 - 1))
        finer = 0 if neuron is Neuron.RAMP else draw(st.integers(0, 7))
        alive = None
        if kind is not WeightKind.PM1 and draw(st.booleans()):
            alive = draw(npst.arrays(np.bool_, weights.shape))
            weights = weights * alive
        layers.append(Layer(f"l{k}", neuron, kind, bits, weights, offset, scale, finer, alive))
        wide = neurons
    if neuron is Neuron.RAMP:
        last = layers[-1]
        layers[-1] = Layer(
            last.name, neuron, last.kind, last.weight_bits, last.weights, last.offset,
            alive=last.alive,
        )  # fmt: skip
    return Network(
        name=draw(st.text(max_size=8)),
        layers=tuple(layers),
        time_bits=draw(st.integers(3, 8)),
        shape=(rows, columns),
        labels=tuple(draw(st.lists(st.integers(-1, 99), min_size=wide, max_size=wide))),
        intensity_min=1 if neuron is Neuron.RAMP else draw(st.integers(1, 255)),
        off=off,
    )


@settings(max_examples=60)
@given(networks())
def test_what_is_saved_is_loaded(made):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "net"
        save_network(made, folder)
        read = load_network(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["network.yaml", "weights.npz"]
        first = (folder / "weights.npz").read_bytes()
        save_network(read, folder)
        assert (folder / "weights.npz").read_bytes() == first
    assert read.digest == made.digest
    for ours, theirs in zip(made.layers, read.layers, strict=True):
        assert np.array_equal(ours.weights, theirs.weights)
        assert np.array_equal(ours.offset, theirs.offset)
        assert (ours.name, ours.neuron, ours.kind) == (theirs.name, theirs.neuron, theirs.kind)
        assert (ours.weight_bits, ours.scale) == (theirs.weight_bits, theirs.scale)
        assert ours.fraction_bits == theirs.fraction_bits
        if ours.alive is None or theirs.alive is None:
            assert ours.alive is theirs.alive
        else:
            assert np.array_equal(ours.alive, theirs.alive)
    for name in ("name", "time_bits", "shape", "labels", "intensity_min", "off"):
        assert getattr(read, name) == getattr(made, name)


def test_bytes_do_not_depend_on_the_day(tmp_path):
    save_network(network(), tmp_path)
    with zipfile.ZipFile(tmp_path / "weights.npz") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_digest_tells_numbers_apart():
    weights = ((1, -2), (3, 0), (0, 2))
    others = [
        network(),
        network(layer(weights)),
        network(layer(offset=np.array([2, 2]))),
        network(layer(fraction_bits=1)),
        network(layer(alive=np.ones((3, 2), bool))),
        network(layer(alive=np.array([[1, 1], [1, 0], [1, 1]], bool))),
        network(time_bits=4),
        network(labels=(1, 0)),
    ]
    assert len({other.digest for other in others}) == len(others)
    assert network().digest == network().digest


def test_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(lambda: save_network(network(), tmp_path / "file" / "x"))
    (tmp_path / "folder").mkdir()
    assert "cannot be written" in refused(lambda: write_file(tmp_path / "folder", b""))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


# --- files that are wrong


@pytest.fixture
def saved(tmp_path) -> Path:
    hidden = layer(name="hidden", **RAMP, scale=3)
    save_network(network(hidden, layer(((1, 2), (3, 4)), **RAMP)), tmp_path / "net")
    return tmp_path / "net"


def change(folder: Path, *keys, to) -> None:
    content = yaml.safe_load((folder / "network.yaml").read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    if to is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = to
    (folder / "network.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("keys", "to", "message"),
    [
        (("version",), 2, "network.yaml: version: is 2, this release reads version 1"),
        (("version",), None, "network.yaml: version: is missing"),
        (("name",), 7, "name: is 7, must be a text"),
        (("input", "shape"), [3], "input.shape: is [3], must be [rows, columns]"),
        (("input", "shape"), [3, 0], "input.shape[1]: is 0, must be an integer in 1.."),
        (("input", "size"), 3, "input.size: unknown key; known here: shape"),
        (("coding", "time_bits"), 9, "coding.time_bits: is 9, must be an integer in 3..8"),
        (("coding", "off_channel"), True, "off_channel is true, must be false for RAMP"),
        (("coding", "off"), True, "coding.off: unknown key"),
        (("layers",), [], "layers: must be a list of mappings, not empty"),
        (("layers", 0, "kind"), "conv", "layers[0].kind: is 'conv', must be one of dense"),
        (("layers", 0, "neuron"), "lif", "layers[0].neuron: is 'lif', must be one of step, ramp"),
        (("layers", 1, "inputs"), ["input"], "layers[1].inputs: is ['input'], must be [hidden]"),
        (("layers", 1, "inputs"), None, "layers[1].inputs: is missing"),
        (("layers", 1, "neurons"), 3, "weights.out: shape is (2, 2), must be (inputs, 3)"),
        (("layers", 0, "weights"), "float", "layers[0].weights: is 'float', must be one of"),
        (("layers", 0, "weight_bits"), 2, "layer 'hidden': weights[0, 1] is -2, must be in -1..1"),
        (("layers", 0, "scale"), 0, "layers[0].scale: is 0, must be an integer in 1.."),
        (("layers", 0, "fraction_bits"), 8, "layers[0].fraction_bits: is 8, must be an integer"),
        (("layers", 0, "name"), "other", "array 'weights.other' is missing"),
        (("layers", 0, "bias"), 1, "layers[0].bias: unknown key"),
        (("labels",), [0, -2], "labels[1]: is -2, must be an integer in -1.."),
        (("labels",), [0], "labels: 1 given"),
        (("extra",), 1, "extra: unknown key"),
    ],
)
def test_wrong_descriptions(saved, keys, to, message):
    change(saved, *keys, to=to)
    assert message in refused(lambda: load_network(saved))


def archive(**arrays) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


GOOD = {
    "weights.hidden": np.zeros((3, 2), np.int8),
    "bias.hidden": np.zeros(2, np.int8),
    "weights.out": np.zeros((2, 2), np.int8),
    "bias.out": np.zeros(2, np.int8),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias.out": None}, "weights.npz: array 'bias.out' is missing"),
        ({"more": np.zeros(1, np.int8)}, "weights.npz: arrays that belong to no layer: more"),
        ({"bias.out": np.zeros(2)}, "npz: bias.out: elements are float64, must be integers"),
        ({"bias.out": np.array([None, 1])}, "bias.out: elements are object, must be integers"),
        ({"bias.out": np.zeros(2, "U1")}, "bias.out: elements are <U1, must be integers"),
        ({"bias.out": np.zeros(3, np.int8)}, "layer 'out': bias must be int64 of shape (2,)"),
        ({"bias.out": np.full(2, 2**63 + 5, np.uint64)}, "bias.out: holds a number of more"),
        ({"weights.out": np.zeros(4, np.int8)}, "weights.out: shape is (4,), must be (inputs, 2)"),
        ({"weights.out": np.full((2, 2), 9)}, "layer 'out': weights[0, 0] is 9, must be in -7..7"),
        ({"alive.out": np.full((2, 2), 2)}, "npz: alive.out: holds 2, must be 0 or 1"),
        ({"alive.out": np.ones(2, int)}, "layer 'out': alive must be bool of shape (2, 2)"),
        ({"weights.hidden": np.zeros((4, 2), np.int8)}, "weights have 4 rows, must have 3"),
    ],
)  # fmt: skip
def test_wrong_arrays(saved, changes, message):
    arrays = {key: array for key, array in (GOOD | changes).items() if array is not None}
    (saved / "weights.npz").write_bytes(archive(**arrays))
    assert message in refused(lambda: load_network(saved))


def test_layouts_of_arrays(saved):
    """Fortran order and big-endian numbers are read as what they mean."""
    weights = np.array([[1, 2], [3, 4], [5, 6]])
    stored = {"weights.hidden": np.asfortranarray(weights).astype(">i4")}
    (saved / "weights.npz").write_bytes(archive(**(GOOD | stored)))
    assert np.array_equal(load_network(saved).layers[0].weights, weights)


def test_missing_files(saved, tmp_path):
    assert "no network.yaml there, so not a network" in refused(lambda: load_network(tmp_path))
    (saved / "weights.npz").unlink()
    assert "weights.npz: cannot be read: No such file" in refused(lambda: load_network(saved))


def test_foreign_archives(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"text")
    assert "a.npz: damaged, or not an .npz archive" in refused(lambda: load_arrays(path))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "text")
    assert "a.npz: readme.txt: not an array" in refused(lambda: load_arrays(path))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", "text")
    assert "a.npz: damaged" in refused(lambda: load_arrays(path))
    content = io.BytesIO()
    np.lib.format.write_array(content, np.zeros(3, np.int8), version=(3, 0))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", content.getvalue())
    assert "a.npz: x: .npy version (3, 0), must be" in refused(lambda: load_arrays(path))
    path.write_bytes(archive(x=np.zeros(1000, np.int8)))
    monkeypatch.setattr("firstspike.arrays._MOST_BYTES", 1000)
    assert "a.npz: unpacks to more than 1000 bytes" in refused(lambda: load_arrays(path))


def test_an_array_that_stands_twice(tmp_path):
    content = io.BytesIO()
    np.lib.format.write_array(content, np.zeros(3, np.int8))
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("x.npy", content.getvalue())
        file.writestr("x.npy", content.getvalue())
    assert "a.npz: x: stands twice" in refused(lambda: load_arrays(path))


@pytest.mark.parametrize("shape", ["(3,)", "(5,)", "(-4,)", "(1 << 70,)", "(4, 1 << 62)"])
def test_shapes_that_the_data_do_not_fill(tmp_path, shape):
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"1234"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("x.npy", content)
    assert "a.npz: " in refused(lambda: load_arrays(tmp_path / "a.npz"))


@pytest.mark.parametrize("header", ["{", "{[]: 1}", "'", "{'descr': }", "[]", "{" * 300, "\0"])
def test_headers_that_are_none(tmp_path, header):
    text = header.encode() + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("x.npy", content)
    assert "a.npz: damaged" in refused(lambda: load_arrays(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (8, 99),  # a method of packing that there is not
        (6, 1),  # a password
        (None, 255),  # packed data that are none
        (18, 3),  # fewer packed bytes than needed
    ],
)
def test_packed_members_that_are_damaged(tmp_path, place, value):
    content = io.BytesIO()
    np.savez_compressed(content, x=np.arange(1000))
    bad = bytearray(content.getvalue())
    if place is None:
        bad[30 + bad[26] + bad[28]] = value
    else:
        # The central directory repeats the local header, 2 bytes further.
        for start in (0, bad.index(b"PK\x01\x02") + 2):
            bad[start + place : start + place + 2] = bytes([value, 0])
    (tmp_path / "a.npz").write_bytes(bad)
    assert "a.npz: damaged" in refused(lambda: load_arrays(tmp_path / "a.npz"))


def test_a_member_that_ends_too_early(tmp_path):
    bad = bytearray(archive(x=np.arange(10)))
    directory = bad.index(b"PK\x01\x02")
    bad[directory + 20 : directory + 28] = (100_000).to_bytes(4, "little") * 2
    (tmp_path / "a.npz").write_bytes(bad)
    assert "a.npz: damaged" in refused(lambda: load_arrays(tmp_path / "a.npz"))


@settings(max_examples=300)
@given(st.data())
def test_any_damage_to_an_archive(draw):
    """Whatever byte is changed or cut off: an InputError, or arrays of integers."""
    good = archive(x=np.arange(6, dtype=np.int16).reshape(2, 3), y=np.zeros(2, np.int8))
    bad = bytearray(good)
    for _ in range(draw.draw(st.integers(0, 3))):
        bad[draw.draw(st.integers(0, len(bad) - 1))] = draw.draw(st.integers(0, 255))
    bad = bad[: draw.draw(st.integers(0, len(bad)))] if draw.draw(st.booleans()) else bad
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.npz"
        path.write_bytes(bytes(bad))
        try:
            arrays = load_arrays(path)
        except InputError as error:
            assert str(error).startswith(str(path))
        else:
            assert all(array.dtype.kind in "iu" for array in arrays.values())


@settings(max_examples=200)
@given(st.data())
def test_any_damage_to_a_description(draw):
    """Whatever is put in place of a value of network.yaml: an InputError, or a network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_network(network(layer(name="hidden"), layer(((1, 2), (3, 4)))), folder)
        content = yaml.safe_load((folder / "network.yaml").read_text())
        inner = content
        while True:
            key = draw.draw(
                st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
            )
            if not isinstance(inner[key], dict | list) or draw.draw(st.booleans()):
                break
            inner = inner[key]
        simple = (
            st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=4)
        )
        inner[key] = draw.draw(
            simple | st.lists(simple, max_size=3) | st.dictionaries(st.text(max_size=3), simple)
        )
        (folder / "network.yaml").write_text(yaml.safe_dump(content))
        try:
            assert isinstance(load_network(folder), Network)
        except InputError as error:
            assert str(folder) in str(error)
