"""A method from its recipe to a run folder, for both kinds of networks.

Mutants tried, each of which a test here refused: another core for multi-spike networks, or their
core for all; the last core before the first one; the last decision after an
early exit; forced decisions that count all outputs, or none, as hits; outputs that fire whenever;
neurons in place of spikes; outputs in place of their classes; runs without an early exit; a seed
that is not heard.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.cores import PRESETS
from firstspike.data import load
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods.measure import CORES, core_for, first_spikes
from firstspike.methods.run import export_variant, train_method
from firstspike.network import (
    Layer,
    MultiSpikeLayer,
    MultiSpikeNetwork,
    Network,
    load_any_network,
)
from firstspike.spec import InputCoding, Neuron, WeightKind

pytestmark = pytest.mark.train


def chain(sizes: list[int], time_bits: int, bits: int) -> Network:
    layers = tuple(
        Layer(
            f"layer{number}",
            Neuron.STEP,
            WeightKind.PM1 if bits == 1 else WeightKind.SIGNED,
            bits,
            np.ones((a, b), np.int64),
            np.ones(b, np.int64),
        )
        for number, (a, b) in enumerate(itertools.pairwise(sizes))
    )
    return Network("n", layers, time_bits, (sizes[0] // 4, 4), tuple(range(sizes[-1])))


@pytest.mark.parametrize(
    ("sizes", "time_bits", "bits", "expected"),
    [
        ([64, 20, 10], 4, 8, "default"),
        ([784, 100, 10], 5, 8, "multispike"),
        ([784, 400, 10], 4, 8, "multispike"),
        ([784, 1000, 10], 4, 8, "sparse"),
        ([784, 4000, 10], 3, 8, None),
    ],
)
def test_cores(sizes, time_bits, bits, expected):
    assert core_for(chain(sizes, time_bits, bits)) == expected


def test_cycles_are_of_as_many_lanes():
    assert {PRESETS[name].lanes for name in CORES} == {16}


def test_core_of_multi_spike_networks():
    layer = MultiSpikeLayer(
        name="output",
        sources=("input",),
        kind=WeightKind.SIGNED,
        weight_bits=8,
        weights=np.full((64, 10), 127),
        threshold=None,
    )
    network = MultiSpikeNetwork(
        name="n",
        layers=(layer,),
        steps=4,
        coding=InputCoding.DIRECT,
        shape=(8, 8),
        labels=tuple(range(10)),
    )
    assert core_for(network) == "multispike"
    assert core_for(replace(network, steps=4096)) is None


def test_first_spikes_by_hand():
    """Classes 7, 8, 9 hear a pixel each, and at the end the last one hears them all."""
    weights = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 7]])
    layer = Layer("o", Neuron.STEP, WeightKind.SIGNED, 4, weights, np.ones(3, np.int64))
    network = Network("n", (layer,), 3, (1, 4), (7, 8, 9))
    images = np.array(
        [
            [255, 255, 0, 0],  # a tie in step 0
            [255, 255, 0, 40],  # the same, and later the last one is far ahead
            [0, 0, 255, 0],  # class 9
            [0, 0, 0, 0],  # nobody: the lowest index
        ],
        np.uint8,
    )
    outcome = golden.run(network, images)
    assert outcome.predicted.tolist() == [0, 0, 2, 0]

    def found(labels: list[int]) -> dict[str, float]:
        return first_spikes(network, outcome, images, np.array(labels))

    assert found([8, 8, 9, 8]) == {
        "mean_step": 2.0,
        "forced": 0.25,
        "last_accuracy": 0.25,
        "lenient_accuracy": 0.75,
    }
    assert found([9, 9, 7, 7]) == {
        "mean_step": 2.0,
        "forced": 0.25,
        "last_accuracy": 0.5,
        "lenient_accuracy": 0.25,
    }


RECIPE = """\
version: 1
kind: method
method: {method}
data: digits
validation: 100
hidden: [24]
weight_bits: 8
steps: [8]
training: {{epochs: 4, batch: 32, learning_rate: 0.003}}
"""


@pytest.mark.parametrize(("method", "core"), [("s4nn", "default"), ("tsslbp", "multispike")])
def test_runs(tmp_path, method, core):
    path = tmp_path / f"{method}.yaml"
    path.write_text(RECIPE.format(method=method))
    facts = train_method(path, tmp_path / "run", seed=3)
    assert facts == json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (facts["recipe"], facts["method"], facts["seed"]) == (method, method, 3)
    (row,) = facts["variants"]
    name = f"{method}-8"
    assert (row["variant"], row["core"], row["steps"]) == (name, core, 8)
    network = load_any_network(tmp_path / "run" / "networks" / name)
    assert network.digest == row["digest"]
    data = load("digits")
    if isinstance(network, MultiSpikeNetwork):
        outcome = run_multispike(network, data.test_images, core=PRESETS[core])
        sent = sum(count.sum() for count in outcome.spike_count.values())
        assert "lenient_accuracy" not in row
    else:
        outcome = golden.run(network, data.test_images, core=PRESETS[core])
        sent = sum((times < 8).sum() for times in outcome.spike_time.values())
        assert row["lenient_accuracy"] >= row["accuracy"]
        assert row["mean_step"] == outcome.decision_step.mean()
    assert row["accuracy"] == (outcome.predicted == data.test_labels).mean()
    assert row["spikes"] == sent / len(data.test_labels) > 0
    assert row["cycles"] == outcome.counters["cycles"].mean()
    assert row["images"] == 500 and row["layers"] == [64, 24, 10]
    export_variant(tmp_path / "run", name, tmp_path / "net")
    assert load_any_network(tmp_path / "net").digest == network.digest
    with pytest.raises(InputError, match=r"--variant is 'x', must be one of"):
        export_variant(tmp_path / "run", "x", tmp_path / "other")
    with pytest.raises(InputError, match="holds a finished run already"):
        train_method(path, tmp_path / "run")
