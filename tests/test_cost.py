"""The cost model, where a person can count along.

That it equals the hardware, cycle by cycle, is the subject of the tests of the engines.

Mutants tried, each seen to fail: each of the model's latencies one more or one less; a floor of
whole neurons a bank, or without the pixels; a RAMP tick that writes; one cycle less in all; an
encoder that does not wait in its first cycle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.cost import _insert
from firstspike.network import Layer, Network
from firstspike.spec import COUNTERS, LEARNING_COUNTERS, CoreSpec, Neuron, WeightKind
from firstspike_sim.pysim import PysimEngine

CORE = CoreSpec(
    banks=2, word=2, weight_bits=4, time_bits=3, max_inputs=32, weight_rows=64, state_rows=8
)


def dense(name, neuron, inputs, neurons, weight, offset):
    weights = np.full((inputs, neurons), weight)
    return Layer(name, neuron, WeightKind.SIGNED, 4, weights, np.full(neurons, offset))


def network(neuron, *widths, weight=1, offset=1, **coding):
    inputs = widths[0] * (2 if coding.get("off") else 1)
    layers = []
    for i, neurons in enumerate(widths[1:]):
        layers.append(dense(f"l{i}", neuron, inputs, neurons, weight, offset))
        inputs = neurons
    return Network("cost", tuple(layers), 3, (1, widths[0]), tuple(range(widths[-1])), **coding)


def image(*pixels):
    return np.array([pixels], np.uint8)


def counted(outcome, i=0):
    return {name: int(values[i]) for name, values in outcome.counters.items() if values[i]}


def test_step_counters():
    """5 pixels, 6 hidden neurons (2 rows of 4 lanes), 3 outputs (1 row)."""
    what = network(Neuron.STEP, 5, 6, 3, weight=1, offset=2)
    found = golden.run(what, image(255, 0, 200, 200, 10), core=CORE)
    # 255 spikes at 0; twice 200 at 1, where all hidden neurons reach 2, and then all outputs.
    assert found.decision_step.tolist() == [1]
    assert counted(found) == {
        "events": 3 + 6,
        "synops": 3 * 6 + 6 * 3,
        # Two banks; 2 rows an event of the first layer, 1 of the second.
        "weight_reads": 2 * (3 * 2 + 6),
        # Also START (3 rows), two ticks of 2 rows and one of 1, and one reading.
        "state_reads": 2 * (3 * 2 + 6 + 3 + 2 * 2 + 1 + 1),
        "state_writes": 2 * (3 * 2 + 6 + 3 + 2 * 2 + 1),
        "over_threshold": 3,
        "ties": 2,
        "cycles": int(found.counters["cycles"][0]),
    }
    # Words of the busiest bank: 3 neurons of 6 in two words, 2 outputs of 3 in one.
    assert found.floor_cycles is not None
    assert found.floor_cycles.tolist() == [3 * 2 + 6]


def test_ramp_counters():
    what = network(Neuron.RAMP, 5, 6, 3, weight=1, offset=0)
    found = golden.run(what, image(255, 31, 32, 0, 10), core=CORE)
    # Magnitudes 7 and 1; 31 is too dark for one. All hidden potentials are 8, clipped to 7.
    assert found.potential.tolist() == [[42, 42, 42]]
    assert counted(found) == {
        "events": 2 + 6,
        "macs": 2 * 6 + 6 * 3,
        "weight_reads": 2 * (2 * 2 + 6),
        # Also START, the tick of the hidden layer, which writes nothing, and one reading.
        "state_reads": 2 * (2 * 2 + 6 + 3 + 2 + 1),
        "state_writes": 2 * (2 * 2 + 6 + 3),
        "over_threshold": 3,
        "ties": 2,
        "cycles": int(found.counters["cycles"][0]),
    }


def test_without_a_core():
    what = network(Neuron.STEP, 5, 6, 3)
    found = golden.run(what, image(255, 0, 200, 200, 10))
    arranged = {"weight_reads", "state_reads", "state_writes", "cycles"}
    assert set(found.counters) == set(COUNTERS) - arranged
    assert found.total_cycles is None
    assert found.floor_cycles is None


def test_learning_counters_stay_zero():
    found = golden.run(network(Neuron.STEP, 3, 2), image(1, 2, 3), core=CORE)
    assert all(not found.counters[name].any() for name in LEARNING_COUNTERS)


def test_floor_of_a_silent_stimulus_is_its_pixels():
    what = network(Neuron.STEP, 23, 2)
    found = golden.run(what, np.zeros((1, 23), np.uint8), core=CORE)
    assert found.floor_cycles is not None
    assert found.floor_cycles.tolist() == [6]


def test_floor_of_the_busiest_bank():
    """Five neurons are three in one bank, which are two words of two."""
    found = golden.run(network(Neuron.STEP, 4, 5, offset=2), image(255, 0, 0, 255), core=CORE)
    assert found.floor_cycles is not None
    assert found.floor_cycles.tolist() == [2 * 2]


def test_cycles_of_a_silent_stimulus():
    """By docs/architecture.md: START, eight steps without events, and READ with its way there."""
    what = network(Neuron.STEP, 3, 3)
    found = golden.run(what, np.zeros((1, 3), np.uint8), core=CORE)
    start, empty_step, read = 1, 3, 2 + 4 + 2 * 1 + 5
    assert found.counters["cycles"].tolist() == [start + 8 * empty_step + read]
    # Eight lists to empty, a pause, a word of pixels, and the last cycle; then the stimulus, which
    # is ready in one cycle and offers its result in another.
    cycles = int(found.counters["cycles"][0])
    assert found.total_cycles == (8 + 1 + 1 + 1) + 1 + cycles + 1


@pytest.mark.parametrize("events", [1, 2, 5, 12])
def test_one_event_more_costs_its_words(events):
    """All in one step: the banks are busy, so each further event costs what its rows cost."""
    what = network(Neuron.STEP, 16, 12, offset=30, weight=2)
    pixels = np.zeros((2, 16), np.uint8)
    pixels[0, :events] = pixels[1, : events + 1] = 255
    found = golden.run(what, pixels, core=CORE)
    fewer, more = found.counters["cycles"].tolist()
    assert found.forced.tolist() == [1, 1]
    assert more - fewer == 3


def test_insertions_wait_for_lists_that_are_opened():
    # Three insertions from cycle 5: one later for each opening before the last of them.
    assert _insert(5, 3, []) == 8
    assert _insert(5, 3, [5]) == 9
    assert _insert(5, 3, [4, 8]) == 8
    assert _insert(5, 3, [7, 8, 10]) == 10


def test_encoder_bound_runs_on_the_hardware():
    """The encoder waits in each cycle in which the running stimulus opens its lists."""
    core = replace(CORE, max_inputs=256, weight_rows=256)
    what = network(Neuron.STEP, 250, 1, offset=4)
    rng = np.random.default_rng(0)
    # Dim ones are decided late.
    images = rng.integers(0, 256, (40, 250)) >> rng.integers(0, 8, (40, 1))
    expected = golden.run(what, images.astype(np.uint8), core=core)
    found = PysimEngine().run(what, core, images.astype(np.uint8))
    assert found.total_cycles == expected.total_cycles
    assert expected.total_cycles is not None
    assert expected.total_cycles > (expected.counters["cycles"] + 2).sum() + 20


def test_extremes_on_the_hardware():
    """The longest and the shortest runs that this core can have, cycle by cycle."""
    for neuron in Neuron:
        for offset in (1, 4):
            what = network(neuron, 8, 4, 5, 4, offset=offset)
            images = np.zeros((5, 8), np.uint8)
            images[1], images[3] = 255, np.arange(8) * 36
            images[4, 7] = 255
            for early_exit in (True, False):
                expected = golden.run(what, images, core=CORE, early_exit=early_exit)
                found = PysimEngine().run(what, CORE, images, early_exit=early_exit)
                assert found.counters["cycles"].tolist() == expected.counters["cycles"].tolist()
                assert found.total_cycles == expected.total_cycles
