"""Networks go to NIR files and come back to the last bit; what NIR has of them is right.

Mutants tried, each of which a test here refused: thresholds half lower; thresholds of STEP neurons
without their fraction; no initial potentials; no alive bits; a node that takes the name of a layer;
a bias in each of several sources' weights; hard for soft; OFF inputs left out of the shape; an
integrator that adds 0.0001; changed graphs, edges and digests let pass; soft resets done as hard
ones; neurons that fire twice; leaks that round towards 0.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstspike.cli import main
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.network import (
    AnyNetwork,
    Layer,
    MultiSpikeLayer,
    MultiSpikeNetwork,
    Network,
    load_any_network,
)
from firstspike.nir.execute import execute
from firstspike.nir.exporting import build_graph, export_file
from firstspike.nir.graph import read_graph
from firstspike.nir.importing import Options, import_file
from firstspike.nir.rules import Rules
from firstspike.nir.trains import arrivals, spike_trains
from firstspike.shipped import find_network, networks
from firstspike.spec import InputCoding, Neuron, Reset, WeightKind
from test_multispike import random_network


def there_and_back(network: AnyNetwork, folder: Path) -> AnyNetwork:
    """Return what comes back; a reader that checks all types must take the file too."""
    path = folder / "net.nir"
    export_file(network, path)
    nir.read(path)
    facts = import_file(path, folder / "back", Options())
    assert facts["exact"] is True
    back = load_any_network(folder / "back")
    assert facts["digest"] == back.digest
    return back


@pytest.mark.parametrize("name", sorted(networks()))
def test_shipped_networks(name, tmp_path):
    network = load_any_network(find_network(name))
    assert there_and_back(network, tmp_path).digest == network.digest


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_multispike_networks(tmp_path_factory, seed):
    network = random_network(np.random.default_rng(seed))
    folder = tmp_path_factory.mktemp("multispike")
    assert there_and_back(network, folder).digest == network.digest


def single(rng: np.random.Generator, neuron: Neuron) -> Network:
    """Return two layers of STEP or RAMP neurons with all that a file can say of them."""
    step = neuron is Neuron.STEP
    off = step and bool(rng.integers(2))
    sizes = [12 if off else 6, 5, 3]
    layers = []
    for i, (inputs, neurons) in enumerate(pairwise(sizes)):
        alive = rng.random((inputs, neurons)) < 0.7
        weights = rng.integers(-7, 8, (inputs, neurons))
        kind = [WeightKind.SIGNED, WeightKind.UNSIGNED, WeightKind.PM1][rng.integers(3)]
        if kind is WeightKind.UNSIGNED:
            weights = abs(weights)
        pm1 = kind is WeightKind.PM1
        layers.append(
            Layer(
                ["output", "input_"][i] if i else "flatten",
                neuron,
                kind,
                1 if pm1 else 4,
                np.where(weights >= 0, 1, -1) if pm1 else weights * alive,
                rng.integers(1, 99, neurons),
                1 if step else int(rng.integers(1, 20)),
                int(rng.integers(0, 8)) if step else 0,
                None if pm1 else alive,
            )
        )
    return Network("n", tuple(layers), 4, (2, 3), (0, -1, 2), 3 if step else 1, off)


@pytest.mark.parametrize("neuron", list(Neuron))
def test_single_spike_networks(neuron, tmp_path):
    """Layers also have names that the graph would like to have."""
    for seed in range(12):
        network = single(np.random.default_rng(seed), neuron)
        assert there_and_back(network, tmp_path).digest == network.digest


def of_whole_numbers(layer: MultiSpikeLayer) -> MultiSpikeLayer:
    """Return a layer whose leaks lose no bits, and which needs nothing that NIR lacks."""
    current = layer.current_leak if layer.current_leak in (None, 0) else None
    return replace(
        layer,
        leak=layer.leak if layer.leak in (None, 0) else None,
        current_leak=current,
        bias=None if layer.bias is None or current is None else layer.bias[:1],
        initial=None,
    )


def test_the_graph_fires_when_the_network_does(tmp_path):
    """NIR's equations, with what the metadata of the nodes say of resets and ties."""
    compared = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        network = random_network(rng)
        network = replace(network, layers=tuple(map(of_whole_numbers, network.layers)))
        export_file(network, tmp_path / "net.nir")
        images = rng.integers(0, 256, (9, network.pixels)).astype(np.uint8)
        numbers = arrivals(network, images)
        trains = spike_trains(network, numbers)

        def arriving(step: int, network=network, images=images, numbers=numbers) -> np.ndarray:
            if not network.coding.numeric:
                return numbers(step)
            here = step == 0 or network.coding is InputCoding.DIRECT
            return (images >> (8 - network.input_bits)) * float(here)

        course = execute(read_graph(tmp_path / "net.nir"), Rules(), arriving, network.steps)
        for layer in network.layers:
            if layer.threshold is not None:
                compared += int(trains.spikes[layer.name].sum())
                assert (np.array(course.spikes[layer.name]) == trains.spikes[layer.name]).all()
    assert compared > 1000


def test_what_nir_has_of_a_network():
    """Numbers by hand: steps of 0.1 ms, in which an input of 1 adds 1."""
    first = MultiSpikeLayer(
        name="a",
        sources=("input",),
        kind=WeightKind.SIGNED,
        weight_bits=4,
        weights=np.array([[3, -1], [2, 5]]),
        threshold=10,
        reset=Reset.HARD,
        leak=3,
        current_leak=1,
    )
    last = MultiSpikeLayer(
        name="b",
        sources=("a", "input"),
        kind=WeightKind.SIGNED,
        weight_bits=4,
        weights=np.array([[1], [2], [3], [4]]),
        threshold=None,
        bias=np.array([[7]]),
    )
    network = MultiSpikeNetwork(
        name="n",
        layers=(first, last),
        steps=4,
        coding=InputCoding.DIRECT,
        shape=(1, 2),
        labels=(0,),
    )
    graph = build_graph(network)
    nodes: dict[str, Any] = graph.nodes
    assert {name: type(node).__name__ for name, node in nodes.items()} == {
        "input": "Input",
        "flatten": "Flatten",
        "a_weights": "Linear",
        "a_current": "LI",
        "a": "LIF",
        "b_weights": "Affine",
        "b_weights_": "Linear",
        "b": "I",
        "output": "Output",
    }
    assert nodes["a_weights"].weight.tolist() == [[3, 2], [-1, 5]]
    assert (nodes["b_weights"].weight.tolist(), nodes["b_weights"].bias.tolist()) == ([[1, 2]], [7])
    assert nodes["b_weights_"].weight.tolist() == [[3, 4]]
    assert nodes["a"].v_threshold.tolist() == [10, 10]
    for name, leak in (("a", 3), ("a_current", 1)):
        assert nodes[name].tau == pytest.approx([1e-4 * 2**leak] * 2)
        assert nodes[name].r.tolist() == [2**leak] * 2
    assert nodes["b"].r == pytest.approx([1e4])
    assert nodes["a"].metadata == {"firstspike": {"reset": "hard", "fires": "at"}}
    assert ("flatten", "b_weights_") in graph.edges


def test_trains_are_the_golden_models(tmp_path):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        network = random_network(rng)
        images = rng.integers(0, 256, (9, network.pixels)).astype(np.uint8)
        trains = spike_trains(network, arrivals(network, images))
        outcome = run_multispike(network, images)
        assert (trains.predicted == outcome.predicted).all()
        for name, count in outcome.spike_count.items():
            assert (trains.spikes[name].sum(axis=0) == count).all()


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "digits", "--nir", "d.nir", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["export", "d.nir", "-o", "back", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == told["digest"]
    assert told["digest"] == load_any_network(find_network("digits")).digest


def changed(folder: Path, place: str, value: object) -> Path:
    """Return a file of `digits` in which something is changed."""
    path = folder / "digits.nir"
    export_file(load_any_network(find_network("digits")), path)
    with h5py.File(path, "r+") as file:
        if callable(value):
            value = value(file[place][()])  # pyright: ignore[reportIndexIssue]
        del file[place]
        if value is not None:
            file[place] = value
    return path


META = "node/metadata/firstspike"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("node/nodes/hidden_weights/weight", lambda w: w + np.eye(*w.shape), "must be in|digest"),
        ("node/nodes/hidden_weights/weight", lambda w: w + 0.5, "not whole"),
        ("node/nodes/hidden/v_reset", lambda v: v + 1, r"'hidden' .IF.: v_reset is not as the m"),
        ("node/nodes/hidden/r", lambda r: r * 2, "r is not as the metadata say"),
        ("node/edges", lambda e: e[:-1], "edges are not as the metadata say|describe the graph"),
        (f"{META}/network", "{", "metadata firstspike.network do not describe the graph"),
        (f"{META}/network", "[]", "do not describe the graph"),
        (f"{META}/network", lambda t: t.replace(b'"dense"', b'"conv"'), "kind: is 'conv'"),
        (f"{META}/network", lambda t: t.replace(b'"version": 1', b'"version": 9'), "version: is 9"),
        (f"{META}/digest", "0", "the digest is"),
    ],
)
def test_changed_files(tmp_path, place, value, message):
    """What the metadata say and the graph are one network, or none."""
    path = changed(tmp_path, place, value)
    with pytest.raises(InputError, match=message) as caught:
        import_file(path, tmp_path / "net", Options())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "net").exists()


def test_without_its_metadata_it_is_any_file(tmp_path):
    path = changed(tmp_path, META, None)
    facts = import_file(path, tmp_path / "net", Options(data="digits", limit=3, steps=4))
    assert facts["exact"] is False
