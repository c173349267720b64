"""Multi-spike networks: the worked examples, and both forms of the golden model against each other.

Mutants tried, each refused by a test here: in both forms `>` for `>=` at the threshold; hard for
soft; numbers in every step of `once`; `once` that fires again; counts of the last step alone; a
register that moves by 31; `<=` for `<` of a rate. In one of them: the bias of step 0 in all steps;
a current that leaks before it is added, or never; a leak rounded upwards; the highest index of
equals; potentials compared where spikes are counted; numbers counted once a layer; initial
potentials left out; `latency` without a least intensity, with `>` for `>=`, and one step late.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from firstspike.errors import InputError
from firstspike.golden.encoding import latency_times, step_times
from firstspike.golden.multispike import run_multispike
from firstspike.golden.multispike_scalar import classify_multispike
from firstspike.network import load_network
from firstspike.network.multispike import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike_files import load_any_network, save_multispike
from firstspike.spec import InputCoding, Reset, WeightKind
from multispike_cases import layer, network

TEXT = (Path(__file__).parents[1] / "docs" / "semantics.md").read_text()
EXAMPLES = [
    yaml.safe_load(block) for block in re.findall(r"```yaml multispike\n(.*?)```", TEXT, re.S)
]


def network_of(given: dict) -> MultiSpikeNetwork:
    layers = []
    source = "input"
    for i, entry in enumerate(given["layers"]):
        current = entry.get("current", 0)
        bias = entry.get("bias")
        layers.append(
            MultiSpikeLayer(
                name=entry.get("name", f"l{i}"),
                sources=tuple(entry.get("inputs", [source])),
                kind=WeightKind.SIGNED,
                weight_bits=4,
                weights=np.array(entry["weights"], dtype=np.int64),
                threshold=entry.get("threshold"),
                reset=Reset(entry.get("reset", "soft")),
                leak=entry.get("leak"),
                current_leak=None if current == "kept" else current,
                once=entry.get("once", False),
                bias=None if bias is None else np.array(bias, dtype=np.int64),
            )
        )
        source = layers[-1].name
    return MultiSpikeNetwork(
        name="example",
        layers=tuple(layers),
        steps=given["steps"],
        coding=InputCoding(given.get("coding", "direct")),
        shape=tuple(given["shape"]),
        labels=tuple(range(layers[-1].neurons)),
        intensity_min=given.get("intensity_min", 1),
    )


def facts_of(network: MultiSpikeNetwork, images: np.ndarray) -> list[dict]:
    outcome = run_multispike(network, images)
    names = ("events", "synops", "macs", "ties")
    return [
        {
            "predicted": int(outcome.predicted[i]),
            "potential": outcome.potential[i].tolist(),
            "spike_count": {name: a[i].tolist() for name, a in outcome.spike_count.items()},
            "counters": {name: int(outcome.counters[name][i]) for name in names},
        }
        for i in range(len(images))
    ]


def facts_of_one(network: MultiSpikeNetwork, pixels: list[int]) -> dict:
    result = classify_multispike(network, pixels)
    names = ("events", "synops", "macs", "ties")
    return {
        "predicted": result.predicted,
        "potential": result.potential,
        "spike_count": result.spike_count,
        "counters": {name: getattr(result, name) for name in names},
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{i}" for i in range(len(EXAMPLES))])
def test_examples(example):
    network = network_of(example["network"])
    for stimulus in example["stimuli"]:
        counts = zip(network.layers, stimulus["spike_count"], strict=True)
        expected = {
            "predicted": stimulus["predicted"],
            "potential": stimulus["potential"],
            "spike_count": {layer.name: row for layer, row in counts},
            "counters": {"synops": 0} | stimulus["counters"],
        }
        assert facts_of_one(network, stimulus["pixels"]) == expected
        images = np.array([stimulus["pixels"]], dtype=np.uint8)
        assert facts_of(network, images) == [expected]


def random_network(rng: np.random.Generator) -> MultiSpikeNetwork:
    """Return a small network with any of the rules in any of its layers."""
    steps, pixels = int(rng.integers(1, 7)), int(rng.integers(2, 7))
    sizes = {"input": pixels}
    layers = []
    for i in range(count := int(rng.integers(1, 4))):
        known = list(sizes)
        chosen = rng.permutation(known)[: rng.integers(1, len(known) + 1)]
        sources = tuple(str(name) for name in chosen)
        neurons = int(rng.integers(1, 5))
        inputs = sum(sizes[source] for source in sources)
        weights = rng.integers(-7, 8, (inputs, neurons))
        alive = rng.random(weights.shape) < 0.7
        rows = 1 if rng.random() < 0.5 else steps
        layers.append(
            MultiSpikeLayer(
                name=f"l{i}",
                sources=sources,
                kind=WeightKind.SIGNED,
                weight_bits=4,
                weights=weights * alive,
                threshold=None
                if i == count - 1 and rng.random() < 0.4
                else int(rng.integers(1, 40)),
                reset=list(Reset)[rng.integers(2)],
                leak=[None, 0, 1, 3][rng.integers(4)],
                current_leak=[0, 0, None, 1, 2][rng.integers(5)],
                once=bool(rng.random() < 0.3),
                bias=None if rng.random() < 0.4 else rng.integers(-9, 10, (rows, neurons)),
                initial=None if rng.random() < 0.5 else rng.integers(-9, 10, neurons),
                alive=alive if rng.random() < 0.5 else None,
            )
        )
        sizes[f"l{i}"] = neurons
    return MultiSpikeNetwork(
        name="random",
        layers=tuple(layers),
        steps=steps,
        coding=list(InputCoding)[rng.integers(4)],
        shape=(1, pixels),
        labels=tuple(range(layers[-1].neurons)),
        input_bits=int(rng.integers(1, 9)),
        seed=int(rng.integers(1, 1 << 32)),
        intensity_min=int(rng.integers(1, 256)),
    )


def test_batch_equals_the_definition(tmp_path):
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(150):
        network = random_network(rng)
        images = rng.integers(0, 256, (4, network.pixels)).astype(np.uint8)
        results = facts_of(network, images)
        assert results == [facts_of_one(network, image.tolist()) for image in images]
        for part in network.layers:
            most = max(max(result["spike_count"][part.name]) for result in results)
            seen.add(("many spikes", most > 1))
            seen.add(("once", part.once and most == 1))
            seen.add(("current", part.has_current))
            seen.add(("leak", part.leak))
            seen.add(("sources", len(part.sources) > 1))
            seen.add(("bias by step", part.bias is not None and len(part.bias) > 1))
        seen.add(("coding", network.coding))
        seen.add(("counts", network.counts_spikes))
        seen.add(("ties", any(result["counters"]["ties"] for result in results)))
    # Each rule was met, with and without.
    for name in ("many spikes", "once", "current", "sources", "bias by step", "counts", "ties"):
        assert {(name, True), (name, False)} <= seen
    assert {("leak", leak) for leak in (None, 0, 1, 3)} <= seen
    assert {("coding", coding) for coding in InputCoding} <= seen


def test_order_of_stimuli_does_not_matter():
    rng = np.random.default_rng(2)
    for _ in range(20):
        network = random_network(rng)
        images = rng.integers(0, 256, (6, network.pixels)).astype(np.uint8)
        order = rng.permutation(6)
        results = facts_of(network, images)
        assert facts_of(network, images[order]) == [results[i] for i in order]


def test_rates():
    network = MultiSpikeNetwork(
        name="rates",
        layers=(
            MultiSpikeLayer(
                name="copy",
                sources=("input",),
                kind=WeightKind.SIGNED,
                weight_bits=2,
                weights=np.eye(64, dtype=np.int64),
                threshold=1,
                leak=0,
            ),
        ),
        steps=1024,
        coding=InputCoding.RATE,
        shape=(8, 8),
        labels=tuple(range(64)),
    )
    images = np.repeat(np.array([0, 1, 64, 128, 255], np.uint8), 64).reshape(5, 64)
    share = run_multispike(network, images).spike_count["copy"] / 1024
    assert not share[0].any()
    assert np.abs(share.mean(axis=1) - images[:, 0] / 256).max() < 0.005
    # Every input by itself, too.
    assert np.abs(share - images / 256).max() < 0.08


@pytest.mark.parametrize("bits", range(3, 9))
def test_latency_has_the_times_of_step_networks(bits):
    """All intensities, with any number of steps of single-spike networks, and the least ones."""
    images = np.arange(256, dtype=np.uint8).reshape(1, -1)
    for low in (1, 100, 255):
        times = latency_times(images, 1 << bits, low)
        assert (times == step_times(images, bits, low)).all()
        copies = network(
            layer(weights=np.eye(256, dtype=np.int64), threshold=None, current_leak=None),
            coding=InputCoding.LATENCY,
            shape=(16, 16),
            steps=1 << bits,
            labels=tuple(range(256)),
            intensity_min=low,
        )
        assert (run_multispike(copies, images).potential == (1 << bits) - times).all()


def test_latency_of_any_number_of_steps():
    """Brighter is never later, and every step up to 256 has its share."""
    pixels = np.arange(256)
    for steps in (1, 2, 3, 5, 100, 255, 256, 300, 4096):
        times = latency_times(pixels, steps, 1)
        assert times[0] == steps and times[255] == 0
        assert (np.diff(times) <= 0).all() and times[1] < steps
        assert len(np.unique(times[1:])) >= min(steps, 254)


@given(st.integers(0, 1 << 30))
@settings(max_examples=30, deadline=None)
def test_files(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("network")
    network = random_network(np.random.default_rng(seed))
    save_multispike(network, folder)
    again = load_any_network(folder)
    assert isinstance(again, MultiSpikeNetwork)
    assert again.digest == network.digest
    with pytest.raises(InputError, match="is of a multi-spike network"):
        load_network(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": 0}, "layer 'a': threshold is 0, must be in 1..8388607"),
        ({"leak": 8}, "layer 'a': leak is 8, must be in 0..7"),
        ({"current_leak": -1}, "layer 'a': current_leak is -1, must be in 0..7"),
        ({"sources": ()}, r"layer 'a': inputs is \[\], must name each source once"),
        ({"sources": ("b", "b")}, "must name each source once"),
        ({"bias": np.zeros(3, np.int64)}, r"bias must be int64 of shape \(1, neurons\) or"),
        ({"initial": np.zeros((1, 3), np.int64)}, "initial must be int64 of shape"),
        ({"initial": np.array([0, 1 << 23, 0])}, "initial has 8388608, must be in"),
        ({"weights": np.full((2, 3), 8)}, r"weights\[0, 0\] is 8, must be in -7..7"),
    ],
)
def test_refused_layers(changes, message):
    with pytest.raises(InputError, match=message):
        layer(**changes)


@pytest.mark.parametrize(
    ("layers", "changes", "message"),
    [
        ((), {}, "layers: a network has at least one"),
        ((layer(),), {"steps": 0}, "steps is 0, must be in 1..4096"),
        ((layer(),), {"seed": 0}, "seed is 0, must be in"),
        ((layer(),), {"intensity_min": 0}, r"intensity_min is 0, must be in 1\.\.255"),
        ((layer(),), {"labels": (0,)}, "labels: 1 given, must be one for each of 3 outputs"),
        ((layer(), layer()), {}, "layer 'a': the name stands twice"),
        ((layer(sources=("b",)),), {}, "layer 'a': inputs has 'b', must be of input"),
        ((layer(), layer(name="b")), {"shape": (1, 5)}, "weights have 4 rows, must have 5"),
        ((layer(bias=np.zeros((3, 3), np.int64)),), {}, "bias has 3 rows, must have 1 or 4"),
        (
            (layer(threshold=None), layer(name="b")),
            {},
            "layer 'a': threshold is missing; only the last layer may never fire",
        ),
    ],
)
def test_refused_networks(layers, changes, message):
    with pytest.raises(InputError, match=message):
        network(*layers, **changes)
