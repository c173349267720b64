"""NIR files become networks that do what NIR's equations say, or are refused by name.

Mutants tried, each of which a test here refused. In the execution of graphs: inputs of a LIF
without its leak's share; `>=` for `>`; a current that never leaks, or is passed by. In the
conversion: thresholds of neurons not folded; biases without the gain; weights without it; a
current's gain left out; a current that forgets its bias; of two paths only the last; r of 1 taken
for seconds; leaks of neurons that differ; a gain that does not follow a moved leak; a v_reset
below 0; a threshold of 0; infinite numbers; a missing v_reset taken for 0; `fires` and `reset` of
a node not read; images that are not flattened; nodes that lead nowhere; leaks moved without being
asked. In the check: wrong conversions let pass; the last difference for the first; silence
counted as alike; pixels with all bits.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstspike import data
from firstspike.cli import main
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods.floats import FloatNetwork
from firstspike.methods.quantize import quantize_network
from firstspike.network import MultiSpikeNetwork, load_any_network
from firstspike.nir import conformance
from firstspike.nir.convert import Converted, convert
from firstspike.nir.execute import execute
from firstspike.nir.graph import read_graph
from firstspike.nir.importing import Options, import_file
from firstspike.nir.rules import Rules, rules_of
from firstspike.spec import InputCoding, Reset
from nir_graphs import (
    HIDDEN,
    OUTPUTS,
    chain,
    cuba,
    full,
    integrate,
    lif,
    norse,
    plain,
    spikingjelly,
    weights,
    write,
)

IMAGES = data.load("digits").test_images.reshape(-1, 64)


def take(folder: Path, graph: nir.NIRGraph, **options: Any) -> tuple[dict, MultiSpikeNetwork]:
    """Import a graph by way of a file; return what is told, and the network."""
    path = write(folder, graph)
    values = {"data": "digits", "limit": 30, "steps": 8} | options
    facts = import_file(path, folder / "net", Options(**values))
    network = load_any_network(folder / "net")
    assert isinstance(network, MultiSpikeNetwork)
    return facts, network


def filtered(current: nir.NIRNode, hidden: nir.NIRNode | None = None) -> nir.NIRGraph:
    """Return two layers with a node between the first weights, 0, and their neurons, 2."""
    first, second = weights()
    return chain(first, current, hidden or lif(HIDDEN), second, lif(OUTPUTS))


def floats(folder: Path, graph: nir.NIRGraph, **rules: Any) -> FloatNetwork:
    read = read_graph(write(folder, graph))
    told = rules_of(read, rules.get("dt"), rules.get("reset"), rules.get("fires"))
    coding = rules.get("coding", InputCoding.DIRECT)
    return convert(read, told, name="n", shape=(8, 8), steps=6, coding=coding).network


def test_one_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, plain())
    words = ["export", "net.nir", "-o", "mine", "--data", "digits", "--limit", "40", "--steps", "8"]
    assert main([*words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["core"] == "fits multispike"
    assert facts["rules"]["dt_assumed"] is True
    check = facts["check"]
    assert (check["images"], check["steps"], check["ties"]) == (40, 8, 0)
    assert 0.98 < check["equal"] <= 1
    assert 0.9 < check["alike"] <= check["equal"]
    assert main(["run", "mine", "--data", "digits", "--limit", "40", "--json"]) == 0
    ran = json.loads(capsys.readouterr().out)
    assert ran["digest"] == facts["digest"]
    assert ran["accuracy"] == check["accuracy"]


@pytest.mark.parametrize("coding", list(InputCoding), ids=str)
@pytest.mark.parametrize(
    ("graph", "options"),
    [
        (plain(), {}),
        (plain(), {"reset": "soft"}),
        (plain(), {"fires": "at"}),
        (plain(integrate(HIDDEN), integrate(OUTPUTS)), {}),
        (plain(integrate(HIDDEN), integrate(OUTPUTS)), {"reset": "soft"}),
        (plain(cuba(HIDDEN), cuba(OUTPUTS)), {}),
        (plain(cuba(HIDDEN), cuba(OUTPUTS)), {"reset": "soft"}),
        (filtered(nir.LI(full(HIDDEN, 2e-4), full(HIDDEN, 3), full(HIDDEN, 0))), {}),
        (filtered(nir.I(full(HIDDEN, 2e3))), {"dt": 1e-4}),
        (plain(nir.Threshold(full(HIDDEN, 0.5))), {}),
        (plain(lif(HIDDEN, v_threshold=np.linspace(0.5, 2, HIDDEN))), {"reset": "soft"}),
        (plain(lif(HIDDEN, r=np.linspace(4, 16, HIDDEN))), {}),
        (plain(None, nir.LI(full(OUTPUTS, 2e-4), full(OUTPUTS, 2), full(OUTPUTS, 0))), {}),
        (plain(None, nir.I(full(OUTPUTS, 1e4))), {}),
        (plain(), {"readout": "potential"}),
        (chain(weights()[0], lif(HIDDEN), weights()[1]), {"readout": "potential"}),
        (norse(), {"dt": 1e-3}),
        (spikingjelly(), {"fires": "at"}),
    ],
)
def test_the_graph_and_the_network_fire_together(tmp_path, graph, options, coding):
    """The check itself refuses the import otherwise; and quantisation changes little."""
    facts, network = take(tmp_path, graph, coding=coding, **options)
    assert facts["check"]["ties"] == 0
    assert facts["check"]["equal"] > 0.97
    counts = run_multispike(network, IMAGES[:30]).spike_count[network.layers[0].name]
    assert 0 < counts.mean() < network.steps


def test_dt_may_stand_in_the_file(tmp_path):
    graph = norse()
    graph.metadata = {"firstspike": {"dt": 1e-3}}
    facts, _ = take(tmp_path, graph)
    assert (facts["rules"]["dt"], facts["rules"]["dt_assumed"]) == (1e-3, False)


def test_what_norse_computes(tmp_path):
    """The update of its LIFBoxCell, written out: v += dt / tau ((0 - v) + x), fires above."""
    graph = read_graph(write(tmp_path, norse()))
    rng = np.random.default_rng(5)
    x = rng.random((6, 20, 64))
    course = execute(graph, Rules(dt=1e-3), lambda step: x[step], 6)
    first = graph.nodes["0"]
    v = np.zeros((20, HIDDEN))
    fired = 0
    for step in range(6):
        v = v + 0.001 * 125.0 * ((0.0 - v) + (x[step] @ first.weight.T + first.bias))
        z = v > 1
        assert (course.spikes["1"][step] == z).all()
        v = (1 - z) * v
        fired += int(z.sum())
    assert 0 < fired < v.size * 6


def test_what_spikingjelly_computes(tmp_path):
    """The update of its LIFNode: v += (x - (v - 0) / tau) with tau in steps, fires at."""
    graph = read_graph(write(tmp_path, spikingjelly()))
    x = np.random.default_rng(5).random((6, 20, 64))
    course = execute(graph, Rules(fires="at"), lambda step: x[step], 6)
    v = np.zeros((20, OUTPUTS))
    for step in range(6):
        v = v * (1 - 1 / 2.0) + course.spikes["1"][step] @ graph.nodes["2"].weight.T
        z = v >= 1
        assert (course.spikes["3"][step] == z).all()
        v = (1 - z) * v


def test_equations_by_hand(tmp_path):
    """A neuron with a current, 8 pixels of 1 and weights of 0.3125: 2.5 a step."""
    affine = nir.Affine(np.full((1, 8), 0.25), np.array([0.5]))
    graph = chain(affine, cuba(1, v_threshold=6.0), nir.Linear(np.ones((1, 1))), integrate(1))
    graph.nodes["input"] = nir.Input({"input": np.array([8])})
    graph.nodes["flatten"] = nir.Flatten({"input": np.array([8])}, 0, -1)
    read = read_graph(write(tmp_path, graph))
    course = execute(read, Rules(), lambda _: np.ones((1, 8)), 5)
    # i: 2.5, 3.75, 4.375, 4.6875, 4.84; v: 2.5, 1.875 + 3.75 = 5.625, 4.22 + 4.375 fires, ...
    potentials = [float(v[0, 0]) for v in course.potential["1"]]
    assert potentials == pytest.approx([2.5, 5.625, 8.59375, 4.6875, 8.359375])
    assert [int(z[0, 0]) for z in course.spikes["1"]] == [0, 0, 1, 0, 1]
    network = floats(tmp_path, graph)
    assert network.layers[0].leak == 2
    assert network.layers[0].current_leak == 1
    assert network.layers[0].weights[0, 0] == pytest.approx(0.25)
    bias = network.layers[0].bias
    assert bias is not None
    assert bias[:, 0] == pytest.approx([0.5, 0.75, 0.875, 0.9375, 0.96875, 0.984375])


def test_above_and_at(tmp_path):
    """An input that just reaches the threshold."""
    first = nir.Linear(np.full((1, 64), 1 / 64))
    for fires, counts in (("above", 2), ("at", 4)):
        graph = chain(first, integrate(1, r=1.0))
        _, network = take(tmp_path, graph, fires=fires, dt=1.0, steps=4)
        outcome = run_multispike(network, np.full((1, 64), 255, np.uint8))
        assert outcome.potential.tolist() == [[counts]]
        graph = read_graph(tmp_path / "net.nir")
        course = execute(graph, Rules(dt=1.0, fires=fires), lambda _: np.ones((1, 64)), 4)
        assert np.sum(course.spikes["1"]) == counts


def test_bits_of_pixels(tmp_path):
    """With fewer the sums are smaller, and more differs."""
    facts, network = take(tmp_path, plain())
    fewer, small = take(tmp_path, plain(), input_bits=3)
    assert small.input_bits == 3
    assert fewer["check"]["equal"] < facts["check"]["equal"]
    thresholds = [net.layers[0].threshold or 0 for net in (network, small)]
    assert thresholds[1] / thresholds[0] == pytest.approx(7 / 255, rel=0.01)


def test_what_a_node_says_of_itself(tmp_path):
    graph = plain()
    graph.nodes["1"].metadata = {"firstspike": {"reset": "soft", "fires": "at", "once": 1}}
    layers = floats(tmp_path, graph).layers
    assert [layer.reset for layer in layers] == [Reset.SOFT, Reset.HARD]
    assert [layer.strict for layer in layers] == [False, True]
    assert [layer.once for layer in layers] == [True, False]
    take(tmp_path, graph)


def test_a_graph_with_several_paths(tmp_path):
    """Two paths into one neuron add up, also where both come from the same neuron."""
    first, second = weights()
    graph = chain(first, lif(HIDDEN), second, lif(OUTPUTS))
    graph.nodes["direct"] = nir.Linear(np.full((OUTPUTS, 64), 0.01))
    graph.nodes["again"] = nir.Linear(np.full((OUTPUTS, HIDDEN), -0.05))
    graph.edges += [("flatten", "direct"), ("direct", "3"), ("1", "again"), ("again", "3")]
    facts, network = take(tmp_path, graph)
    assert set(network.layers[1].sources) == {"layer-1", "input"}
    assert network.layers[1].inputs == HIDDEN + 64
    # A core takes the input in its first layer only.
    assert facts["core"].startswith("layer 'layer-3': inputs is ['layer-1', 'input'], must be")


def test_single_parameters_are_of_all(tmp_path):
    """Some exporters lose the size of a layer."""
    assert take(tmp_path, plain(lif(1)))[0]["digest"] == take(tmp_path, plain())[0]["digest"]


def test_nearest_leak(tmp_path, capsys, monkeypatch):
    graph = plain(lif(HIDDEN, tau=1e-3, r=10.0))
    facts, network = take(tmp_path, graph, nearest_leak=True)
    assert facts["rules"]["moved"] == {
        "1": "tau: keeps 0.875 of itself a step instead of 0.9, 0.025 off"
    }
    assert network.layers[0].leak == 3
    assert 0.5 < facts["check"]["nearest_leak"]["alike"] < 1
    # An input still adds 1.
    assert facts["digest"] == take(tmp_path, plain())[0]["digest"]
    # What needs no change gets none.
    facts, _ = take(tmp_path, plain(), nearest_leak=True)
    assert "moved" not in facts["rules"]
    assert "nearest_leak" not in facts["check"]


def without(graph: nir.NIRGraph, node: str, key: str, folder: Path) -> Path:
    path = write(folder, graph)
    with h5py.File(path, "r+") as file:
        del file[f"node/nodes/{node}/{key}"]
    return path


def test_missing_reset(tmp_path):
    """The nir package itself would take 0 for it."""
    path = without(plain(), "1", "v_reset", tmp_path)
    with pytest.raises(InputError, match=r"node '1' .LIF.: v_reset is missing; say .*--reset hard"):
        import_file(path, tmp_path / "net", Options(data="digits", limit=5, steps=4))
    assert not (tmp_path / "net").exists()
    for reset in ("hard", "soft"):
        options = Options(data="digits", limit=5, steps=4, reset=reset)
        import_file(path, tmp_path / "net", options)
        network = load_any_network(tmp_path / "net")
        assert isinstance(network, MultiSpikeNetwork)
        assert [layer.reset.value for layer in network.layers] == [reset, reset]


def recurrent() -> nir.NIRGraph:
    graph = plain()
    graph.nodes["back"] = nir.Linear(np.eye(HIDDEN))
    graph.edges += [("1", "back"), ("back", "1")]
    return graph


def nested() -> nir.NIRGraph:
    inner = nir.NIRGraph.from_list(lif(HIDDEN))
    return chain(weights()[0], inner, weights()[1], lif(OUTPUTS))


def dead_end() -> nir.NIRGraph:
    graph = plain()
    graph.nodes["extra"] = nir.Linear(np.ones((3, HIDDEN)))
    graph.edges.append(("1", "extra"))
    return graph


def no_flatten() -> nir.NIRGraph:
    graph = plain()
    del graph.nodes["flatten"]
    graph.edges = [e for e in graph.edges if "flatten" not in e] + [("input", "0")]
    return graph


def said(**what: Any) -> nir.NIRGraph:
    graph = plain()
    graph.nodes["1"].metadata = {"firstspike": what}
    return graph


def broken(value: float) -> np.ndarray:
    values = np.array(full(HIDDEN, 1e-3))
    values[3] = value
    return values


CONV = nir.Conv2d((8, 8), np.ones((1, 1, 3, 3)), 1, 0, 1, 1, np.zeros(1))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (recurrent(), r"node '(1|back)' .*is part of a loop .*recurrent graphs are not supported"),
        (nested(), r"node '1' .NIRGraph.: is a graph in the graph"),
        (chain(CONV, lif(1), *weights()), r"node '0' .Conv2d.: is not supported, must be of Input"),
        (plain(nir.Delay(full(HIDDEN, 1))), r"node '1' .Delay.: is not supported"),
        (dead_end(), r"node 'extra' .Linear.: it leads nowhere"),
        (no_flatten(), r"node '0' .Affine.: takes 64 inputs, .*\[8, 8\]; a Flatten is missing"),
        (plain(lif(HIDDEN, tau=broken(np.nan))), r"node '1' .LIF.: tau\[3\] is nan"),
        (plain(lif(HIDDEN, tau=np.inf)), r"node '1' .LIF.: tau\[0\] is inf, must be a finite"),
        (plain(lif(HIDDEN, tau=0)), r"node '1' .LIF.: tau is 0, must be above 0"),
        (plain(lif(HIDDEN, tau=broken(8e-4))), r"node '1' .LIF.: tau differs between neurons"),
        (plain(lif(HIDDEN, tau=1e-3)), r"'1' .*keeps 0.9 of itself; .*1 - 2\^-k.*--nearest-leak"),
        (plain(lif(HIDDEN, tau=5e-5)), r"'1' .*keeps -1 of itself"),
        (plain(lif(HIDDEN, tau=256e-4)), r"'1' .*keeps 0.996094 of itself"),
        (plain(cuba(HIDDEN, tau_syn=1e-3)), r"'1' .CubaLIF.: tau_syn is 0.001 s.*keeps 0.9"),
        (plain(lif(HIDDEN, v_leak=0.5)), r"node '1' .LIF.: v_leak is 0.5, must be 0"),
        (plain(lif(HIDDEN, v_reset=-0.5)), r"node '1' .LIF.: v_reset is -0.5, must be 0"),
        (plain(lif(HIDDEN, v_threshold=0)), r"node '1' .LIF.: v_threshold is 0, must be above 0"),
        (plain(integrate(HIDDEN, r=1)), r"node '1' .IF.: r is 1; .*--dt 1 if r counts steps"),
        (plain(lif(HIDDEN + 1)), r"node '1' .LIF.: \w+ has 13 values, .*each of 12 neurons"),
        (plain(None, lif(9)), r"node '3' .LIF.: \w+ has 9 values"),
        (chain(weights()[0], lif(HIDDEN), nir.Linear(np.ones((OUTPUTS, 9))), lif(OUTPUTS)),
         r"node '2' .Linear.: takes 9 inputs, '1' has 12 neurons"),
        (chain(nir.Linear(np.ones((12, 60))), lif(HIDDEN), weights()[1], lif(OUTPUTS)),
         r"node '0' .Linear.: takes 60 inputs, 'flatten' brings the shape \[64\]"),
        (chain(*weights(), lif(OUTPUTS)), r"node '0' .Affine.: leads to '1', where a neuron"),
        (chain(lif(64), *weights()), r"node '0' .LIF.: takes what comes from 'flatten'"),
        (chain(weights()[0], lif(HIDDEN), weights()[1]), r"node '2' .*--readout potential"),
        (plain(nir.LI(full(12, 2e-4), full(12, 2), full(12, 0))), r"'1' .LI.: does not fire"),
        (filtered(nir.I(full(HIDDEN, 1e4)), cuba(HIDDEN)), r"'1' .I.: is a second current befor"),
        (said(reset="zero"), r"node '1' .LIF.: its metadata say reset 'zero', must be soft"),
        (said(fires="over"), r"node '1' .LIF.: its metadata say fires 'over', must be above or at"),
    ],
)  # fmt: skip
def test_refusals(tmp_path, capsys, monkeypatch, graph, message):
    """One line, the node's name, exit status 2, and nothing written."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, graph)
    assert main(["export", "net.nir", "-o", "made", "--data", "digits", "--limit", "5"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(told)
    assert [path.name for path in tmp_path.iterdir()] == ["net.nir"]


def test_contradictory_shapes(tmp_path):
    for node, key, message in (
        ("1", "r", r"node '1' .LIF.: shapes contradict each other: .*r \[5\]"),
        ("0", "bias", r"node '0' .Affine.: bias is of shape \[5\], weight of \[12, 64\]"),
    ):
        path = without(plain(), node, key, tmp_path)
        with h5py.File(path, "r+") as file:
            file[f"node/nodes/{node}/{key}"] = np.ones(5)
        with pytest.raises(InputError, match=message):
            read_graph(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.nir", "-o", "n", "--data", "digits"], "absent.nir: no such file"),
        (["text.nir", "-o", "n", "--data", "digits"], "text.nir: cannot be read as a NIR file"),
        (["net.nir", "-o", "n"], "a network from NIR is checked on images: give --data"),
        (["net.nir", "--data", "digits"], "export needs -o NET"),
        (["net.nir", "-o", "n", "--data", "digits", "--dt", "-1"], "dt is -1.0, must be a number"),
        (["net.nir", "-o", "n", "--data", "digits", "--dt", "nan"], "dt is nan, must be a number"),
        (["net.nir", "-o", "n", "--data", "digits", "--steps", "5000"], "must be in 1..4096"),
        (["net.nir", "-o", "n", "--data", "mnist.npz"], "mnist.npz"),
        (["net.nir", "-o", "n", "--variant", "v"], "--variant and --nir do not go with a NIR"),
        (["digits", "--nir", "d.nir", "--bits", "4"], "--bits goes with a NIR file, and digits is"),
        (["absent", "--nir", "d.nir"], "--nir takes a network, and absent is none"),
    ],
)
def test_wrong_use(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, plain())
    (tmp_path / "text.nir").write_text("no")
    assert main(["export", *words]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"net.nir", "text.nir"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"reset": Reset.SOFT},
        {"leak": 4},
        {"leak": None},
        {"threshold": 1.01},
        {"bias": None},
    ],
)
def test_a_wrong_conversion_is_refused(tmp_path, wrong):
    """What the check is for: a network that fires otherwise than its graph."""
    graph = read_graph(write(tmp_path, plain()))
    good = convert(graph, Rules(), name="n", shape=(8, 8), steps=8, coding=InputCoding.DIRECT)
    first, last = good.network.layers
    bad = replace(good.network, layers=(replace(first, **wrong), last))
    integers = quantize_network(good.network, 8).network
    conformance.check(graph, Rules(), good, integers, IMAGES[:30], None)
    with pytest.raises(InputError, match=r"node '1': neuron \d+, image \d+, step \d+"):
        converted = Converted(bad, good.nodes)
        conformance.check(graph, Rules(), converted, integers, IMAGES[:30], None)


def test_the_first_difference_and_the_shares(tmp_path):
    """With 2 bits it is early; the golden model's counts, step by step, say the same."""
    facts, network = take(tmp_path, plain(), bits=2)
    graph = read_graph(tmp_path / "net.nir")
    images = IMAGES[:30]
    course = execute(graph, Rules(), lambda _: images / 255, 8)
    nodes = {"layer-1": "1", "layer-3": "3"}
    counts = [np.zeros((30, HIDDEN + OUTPUTS), np.int64)]
    for step in range(8):
        outcome = run_multispike(replace(network, steps=step + 1), images)
        counts.append(np.concatenate([outcome.spike_count[name] for name in nodes], axis=1))
    ours = np.diff(counts, axis=0).astype(bool)
    theirs = np.concatenate([np.array(course.spikes[node]) for node in nodes.values()], axis=2)
    check = facts["check"]
    assert check["equal"] == pytest.approx((ours == theirs).mean())
    assert check["alike"] == pytest.approx((ours & theirs).sum() / (ours | theirs).sum())
    decisions = np.array(course.spikes["3"]).sum(axis=0).argmax(axis=1)
    alike = decisions == run_multispike(network, images).predicted
    assert check["predicted_alike"] == pytest.approx(alike.mean()) and not alike.all()
    image, step, neuron = np.argwhere((ours != theirs).transpose(1, 0, 2))[0].tolist()
    assert check["first_difference"] == {
        "image": image,
        "step": step,
        "layer": "layer-1" if neuron < HIDDEN else "layer-3",
        "neuron": neuron if neuron < HIDDEN else neuron - HIDDEN,
        "fires": "in the graph" if theirs[step, image, neuron] else "in the integers",
    }


BASE = plain()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    node=st.sampled_from(["0", "1", "2", "3", "input", "output", "flatten", "edges"]),
    key=st.sampled_from(["weight", "bias", "tau", "r", "v_threshold", "type", "shape", "metadata"]),
    value=st.one_of(
        st.none(),
        st.floats(),
        st.integers(-(1 << 40), 1 << 40),
        st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=5),
        st.lists(st.floats(width=32), max_size=3),
        st.sampled_from([np.zeros((0, 3)), np.ones((2, 2, 2)), np.eye(12)]),
    ),
)
def test_damaged_files(tmp_path_factory, node, key, value):
    """A file in which something is missing, or something else, is read or refused."""
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, BASE)
    with h5py.File(path, "r+") as file:
        place = "node/edges" if node == "edges" else f"node/nodes/{node}/{key}"
        if place in file:
            del file[place]
        if value is not None:
            file[place] = value
    try:
        import_file(path, folder / "net", Options(data="digits", limit=2, steps=2))
    except InputError as error:
        assert str(path) in str(error) or "layer" in str(error)
