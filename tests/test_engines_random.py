"""Random networks on random cores: the definition, the golden model, and the hardware.

Mutants tried, each seen to fail: in the golden model, `>` at the threshold, RAMP rounded to the
nearest, a limit at T, the first decision for the last one; of the fit, both limits of a potential
one too wide. In the hardware, those of the components' own tests. No mutant, since nothing here
can see it: single precision for sums of more than 24 bits, which need wider layers than these.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstspike import golden
from firstspike.errors import InputError
from firstspike.golden import scalar
from firstspike.network import Layer, Network
from firstspike.outcome import Outcome, first_difference
from firstspike.spec import COUNTERS, CoreSpec, Neuron, WeightKind
from firstspike_sim.bench_cases import Case, draw_case, features, least_potential_bits
from firstspike_sim.pysim import PysimEngine

#: What a suite of random cases must have met.
WANTED = {
    "step network", "ramp network", "1 layers", "2 layers", "3 layers", "4 layers",
    "unsigned weights", "signed weights", "pm1 weights", "negative weights",
    "a part of a word", "one neuron", "several words", "a part of a word of pixels",
    "OFF channel", "on to the last step", "fewer steps than the core",
    "ties", "forced", "silent", "decided", "decided late", "several over", "another one last",
    "steps without events", "hidden spikes", "hidden clipped", "spikes in the queue",
    "forwarding", "encoder-bound", "core-bound",
}  # fmt: skip
#: And where each case has a core of its own.
OF_CORES = {
    "row-parallel", "1-bit core", "8-bit core", "no magnitude", "narrowest potentials",
}  # fmt: skip


def expect(case: Case) -> Outcome:
    return golden.run(case.network, case.images, core=case.core, early_exit=case.early_exit)


def check_equal(outcome: Outcome, expected: Outcome) -> None:
    assert first_difference(outcome, expected) is None
    assert set(outcome.counters) == set(COUNTERS)
    assert outcome.total_cycles == expected.total_cycles
    np.testing.assert_array_equal(outcome.floor_cycles, expected.floor_cycles)


def check_definition(case: Case, outcome: Outcome) -> None:
    """Compare with the definition, stimulus by stimulus."""
    step = case.network.neuron is Neuron.STEP
    for i, image in enumerate(case.images):
        result = scalar.classify(case.network, image.tolist(), early_exit=case.early_exit)
        for name in ("predicted", "decision_step", "forced", "last_predicted"):
            assert getattr(outcome, name)[i] == getattr(result, name), name
        assert outcome.potential[i].tolist() == result.potential
        for layer, found in result.spike_time.items():
            assert outcome.spike_time[layer][i].tolist() == found
        counters = {name: int(values[i]) for name, values in outcome.counters.items()}
        for name in ("events", "ties", "over_threshold", "forced"):
            assert counters[name] == getattr(result, name), name
        assert counters["synops"] == (result.operations if step else 0)
        assert counters["macs"] == (0 if step else result.operations)


def missing(seen: Counter, wanted: set[str]) -> set[str]:
    return {name for name in wanted if not seen[name]}


def test_golden_against_the_definition():
    seen = Counter()
    for seed in range(300):
        case = draw_case(seed, count=4)
        outcome = expect(case)
        check_definition(case, outcome)
        seen += features(case, outcome)
    assert not missing(seen, WANTED | OF_CORES)


def check_pysim(case: Case, expected: Outcome, seed: int) -> None:
    found = PysimEngine().run(case.network, case.core, case.images, early_exit=case.early_exit)
    difference = first_difference(found, expected)
    assert difference is None, f"case {seed}: {difference}"
    check_equal(found, expected)


def test_pysim():
    """Of many cases, those that bring something which was met less than twice so far."""
    seen = Counter()
    ran = 0
    for seed in range(300):
        case = draw_case(seed)
        expected = expect(case)
        news = {name for name, times in features(case, expected).items() if times}
        if any(seen[name] < 2 for name in news & (WANTED | OF_CORES)):
            check_pysim(case, expected, seed)
            seen.update(news)
            ran += 1
    assert not missing(seen, WANTED | OF_CORES)
    assert ran > 10


@pytest.mark.slow
def test_pysim_at_length():
    seen = Counter()
    for seed in range(1000, 1100):
        case = draw_case(seed)
        expected = expect(case)
        check_pysim(case, expected, seed)
        seen += features(case, expected)
    assert not missing(seen, WANTED | OF_CORES)


def at_the_limits(neuron: Neuron) -> tuple[Network, np.ndarray]:
    """Return a network whose potentials meet both ends of 8 bits, and stimuli that do it.

    Neuron 0 meets -128 when the bright pixels have come, neuron 1 meets 127 when all have.
    """
    bright, dim = 4, 19
    weights = np.zeros((bright + dim, 2), np.int64)
    if neuron is Neuron.STEP:
        weights[:bright, 0] = -7
        weights[bright:, 0] = 7
        weights[bright : bright + 18, 1] = 7
        weights[-1, 1] = 2
        # -100 - 28 and -1 + 128.
        offset = np.array([100, 1])
    else:
        # Magnitudes are 7: -2 - 7 * 18 and 1 + 7 * 18.
        weights[:bright, 0] = [-7, -7, -4, 0]
        weights[bright : bright + 3, 1] = [7, 7, 4]
        offset = np.array([-2, 1])
    first = Layer("limits", neuron, WeightKind.SIGNED, 4, weights, offset)
    second = Layer(
        "more", neuron, WeightKind.SIGNED, 4, np.array([[0, 1], [1, 0]]), np.array([1, 1])
    )
    layers = (first,) if neuron is Neuron.STEP else (first, second)
    images = np.zeros((4, bright + dim), np.uint8)
    images[0], images[0, :bright] = 250 if neuron is Neuron.RAMP else 100, 255
    images[1, :bright] = 255
    images[2, bright:] = 255
    return Network("limits", layers, 3, (1, bright + dim), (0, 1)), images


@pytest.mark.parametrize("neuron", Neuron)
def test_potentials_at_the_limits(neuron):
    network, images = at_the_limits(neuron)
    core = CoreSpec(banks=2, word=1, weight_bits=4, time_bits=3, potential_bits=8, max_inputs=32)
    case = Case(network, core, images, early_exit=False)
    assert least_potential_bits(network) == 8
    expected = expect(case)
    check_definition(case, expected)
    if neuron is Neuron.STEP:
        overshoot = expected.potential - network.layers[-1].offset
        assert overshoot.min() == -128
        assert overshoot.max() == 127
    found = PysimEngine().run(network, core, images, early_exit=False)
    check_equal(found, expected)
    # One more would leave the range at either end.
    low = replace(network.layers[0], offset=network.layers[0].offset.copy())
    low.offset[0] += 1 if neuron is Neuron.STEP else -1
    high = replace(network.layers[0], weights=network.layers[0].weights.copy())
    high.weights[-1, 1] += 1
    for number, layer in enumerate((low, high)):
        beyond = replace(network, layers=(layer, *network.layers[1:]))
        with pytest.raises(InputError, match=f"the potential of neuron {number} can meet"):
            golden.run(beyond, images, core=core)
        golden.run(beyond, images, core=replace(core, potential_bits=9))


def numbers(low: int, high: int, count: int):
    return st.lists(st.integers(low, high), min_size=count, max_size=count)


@st.composite
def small_cases(draw) -> Case:
    """Networks of a few synapses, for which the worst is found soon."""
    neuron = draw(st.sampled_from(Neuron))
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    off = neuron is Neuron.STEP and draw(st.booleans())
    pixels, widths[0] = widths[0], widths[0] * (2 if off else 1)
    layers = []
    for i, (inputs, neurons) in enumerate(pairwise(widths)):
        weights = np.array(draw(numbers(-7, 7, inputs * neurons))).reshape(inputs, neurons)
        low = 1 if neuron is Neuron.STEP else -20
        offset = np.array(draw(numbers(low, 20, neurons)))
        scale = draw(st.integers(1, 20)) if neuron is Neuron.RAMP else 1
        layers.append(Layer(f"l{i}", neuron, WeightKind.SIGNED, 4, weights, offset, scale))
    network = Network(
        "small",
        tuple(layers),
        draw(st.integers(3, 8)),
        (1, pixels),
        tuple(range(widths[-1])),
        off=off,
        intensity_min=draw(st.integers(1, 255)),
    )
    intensities = draw(numbers(0, 255, 3 * pixels))
    images = np.array(intensities, np.uint8).reshape(3, pixels)
    return Case(network, CoreSpec(), images, draw(st.booleans()))


@settings(max_examples=150, deadline=None)
@given(small_cases())
def test_small_cases_against_the_definition(case):
    check_definition(case, golden.run(case.network, case.images, early_exit=case.early_exit))
