"""The worked examples of docs/semantics.md, on every engine.

The expected numbers stand in the text, computed by hand, and nowhere else.

Mutants tried in the golden model (both of its forms), each of which an example refused: `>` for
`>=` at a threshold; comparing after each event; a neuron that fires again; a delay of one step
between layers; largest potential for largest overshoot; the highest index of equals; a decision
that moves on without early exit; RAMP rounded to the nearest, without the clip at either end, or
with a spike at step 0; a spike for intensity 0; a bound that excludes intensity_min; OFF inputs
without it; ties of the potential; events after the decision, or none in its step. (RAMP rounded
towards zero is no mutant: the clip at 0 makes it the same.)
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from firstspike.engines import open_engine
from firstspike.golden import scalar
from firstspike.golden.encoding import encode
from firstspike.network import Layer, Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Neuron, WeightKind

TEXT = (Path(__file__).parents[1] / "docs" / "semantics.md").read_text()
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml example\n(.*?)```", TEXT, re.S)]
IDS = [f"{i}-rule-{example['rule']}" for i, example in enumerate(EXAMPLES)]


def network_of(example: dict) -> Network:
    given = example["network"]
    neuron = Neuron(given["neuron"])
    layers = tuple(
        Layer(
            f"l{i}",
            neuron,
            WeightKind(layer.get("kind", "signed")),
            layer.get("bits", 4),
            np.array(layer["weights"], dtype=np.int64),
            np.array(layer["threshold" if neuron is Neuron.STEP else "bias"], dtype=np.int64),
            layer.get("scale", 1),
            layer.get("fraction_bits", 0),
        )
        for i, layer in enumerate(given["layers"])
    )
    return Network(
        name="example",
        layers=layers,
        time_bits=given.get("time_bits", 3),
        shape=tuple(given["shape"]),
        labels=tuple(range(layers[-1].neurons)),
        intensity_min=given.get("intensity_min", 1),
        off=given.get("off_channel", False),
    )


def expected(stimulus: dict, counted: set[str]) -> dict:
    """Return what the text says, with what it leaves unsaid where that has one meaning only."""
    counters = {"synops": 0, "macs": 0, "forced": stimulus.get("forced", 0)} | stimulus["counters"]
    return {
        "predicted": stimulus["predicted"],
        "last_predicted": stimulus.get("last_predicted", stimulus["predicted"]),
        "decision_step": stimulus["decision_step"],
        "forced": stimulus.get("forced", 0),
        "potential": stimulus["potential"],
        "spike_time": stimulus["spike_time"],
        "counters": {name: counters[name] for name in sorted(counted)},
    }


COUNTED = {"events", "synops", "macs", "forced", "over_threshold", "ties"}


def observed(outcome: Outcome, i: int) -> dict:
    return {
        "predicted": int(outcome.predicted[i]),
        "last_predicted": int(outcome.last_predicted[i]),
        "decision_step": int(outcome.decision_step[i]),
        "forced": int(outcome.forced[i]),
        "potential": outcome.potential[i].tolist(),
        "spike_time": [times[i].tolist() for times in outcome.spike_time.values()],
        "counters": {name: int(outcome.counters[name][i]) for name in sorted(COUNTED)},
    }


def test_every_rule_has_an_example():
    assert {example["rule"] for example in EXAMPLES} == {
        "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3", "4",
    }  # fmt: skip
    assert all(example["stimuli"] for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_coding(example):
    network = network_of(example)
    for stimulus in example["stimuli"]:
        assert scalar.encode(network, stimulus["pixels"]) == stimulus["times"]
        images = np.array([stimulus["pixels"]], dtype=np.uint8)
        assert encode(network, images).tolist() == [stimulus["times"]]


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_definition(example):
    network = network_of(example)
    for stimulus in example["stimuli"]:
        result = scalar.classify(
            network, stimulus["pixels"], early_exit=example.get("early_exit", True)
        )
        want = expected(stimulus, {"events", "over_threshold", "ties"})
        want["counters"]["operations"] = stimulus["counters"].get(
            "synops", stimulus["counters"].get("macs")
        )
        assert {
            "predicted": result.predicted,
            "last_predicted": result.last_predicted,
            "decision_step": result.decision_step,
            "forced": result.forced,
            "potential": result.potential,
            "spike_time": list(result.spike_time.values()),
            "counters": {
                name: getattr(result, name)
                for name in ("events", "over_threshold", "ties", "operations")
            },
        } == want


@pytest.mark.parametrize(
    "engine",
    ["golden", pytest.param("pysim"), pytest.param("rtl", marks=pytest.mark.rtl)],
)
@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_engines(example, engine):
    network = network_of(example)
    core = CoreSpec(
        banks=2, word=2, time_bits=max(4, network.time_bits), weight_rows=256, state_rows=16
    )
    images = np.array([stimulus["pixels"] for stimulus in example["stimuli"]], dtype=np.uint8)
    outcome = open_engine(engine).run(
        network, core, images, early_exit=example.get("early_exit", True)
    )
    for i, stimulus in enumerate(example["stimuli"]):
        assert observed(outcome, i) == expected(stimulus, COUNTED)
