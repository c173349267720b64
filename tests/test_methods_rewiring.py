"""Gradient rewiring, and networks without the neurons that change nothing.

Mutants tried, each of which a test here refused: a middle without the 2; a prior that pulls to 0; a
gradient without its sign; a rate that is not corrected, or not for the prior; gradients of the dead
that do not count; the dead that change while connections are held; weights below 0; integers
without a largest one; a steepness below 0; weights that stay on the grid when they are let go; one
connection too many; a share that falls by equal amounts; operations of dead synapses counted; all
neurons kept; no mask; a bias that does not drive; biases of neurons that are left out.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods import rewiring
from firstspike.methods.compaction import compact
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.quantize import quantize_network, scale_for
from firstspike.methods.rewire import Rewire, laplace_middle
from firstspike.methods.rewiring import falling, live_operations, rate_for
from firstspike.spec import InputCoding, Reset
from firstspike.train.batches import load_splits
from methods_bench import CORE, check_on_core, recipe

pytestmark = pytest.mark.train


@pytest.mark.parametrize(("sparsity", "steepness"), [(0.5, 2.0), (0.9, 0.1), (0.9927, 3.0)])
def test_share_below_0_under_the_prior(sparsity, steepness):
    """Of what the Laplace distribution gives, a share of p is dead."""
    middle = laplace_middle(sparsity, steepness)
    torch.manual_seed(1)
    drawn = torch.distributions.Laplace(middle, 1 / steepness).sample((100_000,))
    deviation = math.sqrt(sparsity * (1 - sparsity) / len(drawn))
    assert float((drawn < 0).float().mean()) == pytest.approx(sparsity, abs=5 * deviation)


def weights(*values: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def go(rule: Rewire, weight: torch.nn.Parameter, *gradient: float) -> list[float]:
    weight.grad = torch.tensor(gradient, dtype=torch.float64)
    rule.step()
    return weight.tolist()


def test_formula_by_hand():
    """Moments are 0.1 g, then 0.9 m + 0.1 g, and so on; rates are 0.1 / 0.1 and 0.1 / 0.19."""
    weight = weights(0.5, -0.5)
    rule = Rewire([weight], 0.1, steepness=0.2, sparsity=0.9)
    # mu = ln 0.2 / 0.2 is below both.
    assert go(rule, weight, 3.0, 3.0) == pytest.approx([0.5 - 0.1 - 0.2, -0.5 - 0.1 + 0.2])
    first = 0.9 * 0.3 - 0.1 * 1.0
    second = (0.999 * 0.009 + 0.001 * 1.0) / (1 - 0.999**2)
    rate = 0.1 / 0.19
    moved = rate * first / math.sqrt(second)
    expected = [0.2 - moved - 0.2 * rate, -0.4 - moved + 0.2 * rate]
    assert go(rule, weight, -1.0, -1.0) == pytest.approx(expected)


def test_the_prior_pulls_to_its_middle():
    """From both sides; mu is ln 0.5, and rates are 1, 0.1 / 0.19, 0.1 / 0.271."""
    weight = weights(0.05)
    rule = Rewire([weight], 0.1, steepness=1.0, sparsity=0.75)
    assert laplace_middle(0.75, 1.0) == pytest.approx(-0.693, abs=1e-3)
    ((_, _, part),) = rule._all
    found = []
    for _ in range(3):
        assert go(rule, weight, 0.0) == [0.0]
        found.append(float(part.theta))
    first = 0.05 - 1
    second = first + 0.1 / 0.19
    assert found == pytest.approx([first, second, second - 0.1 / 0.271])


def test_the_dead_come_back_and_signs_stay():
    weight = weights(0.1, -0.1)
    rule = Rewire([weight], 0.08)
    for _ in range(4):
        go(rule, weight, 1.0, -1.0)
    assert weight.tolist() == [0.0, 0.0] and rule.share == 0
    back = []
    for _ in range(40):
        values = go(rule, weight, -1.0, 1.0)
        assert values[0] >= 0 >= values[1]
        back.append(rule.share)
    assert back[0] == 0 and back[-1] == 1


def test_what_is_held():
    """The largest stay, on the grid; no other changes until it is let go."""
    weight = weights(0.9, -0.52, 0.3, 0.1)
    rule = Rewire([weight], 0.02)
    rule.hold(0.5, 3)
    # Scales that are tried go up to 0.9 / 3; of two weights on a grid of three.
    scale = scale_for(np.array([0.9, -0.52, 0.0, 0.0]), 3)
    assert weight.tolist() == pytest.approx([3 * scale, -2 * scale, 0.0, 0.0])
    for _ in range(10):
        go(rule, weight, -1.0, 1.0, -1.0, -1.0)
    values = weight.tolist()
    # 0.9 + 0.2 is above the largest weight; 0.52 + 0.2 is nearest to the same.
    assert values == pytest.approx([3 * scale, -round(0.72 / scale) * scale, 0.0, 0.0])
    assert values[1] < -2.5 * scale or scale > 0.28
    rule.release()
    assert weight.tolist() == pytest.approx([1.1, -0.72, 0.0, 0.0])
    assert go(rule, weight, 0.0, 0.0, 0.0, -1.0)[3] > 0


def test_what_is_held_may_grow():
    """Beyond the largest integer of the first scale, by a scale that is chosen anew."""
    weight = weights(0.9, -0.52)
    rule = Rewire([weight], 0.01)
    rule.hold(1.0, 3)
    largest = weight.tolist()[0]
    for _ in range(99):
        go(rule, weight, -1.0, 1.0)
    assert weight.tolist() == pytest.approx([largest, -largest])
    first, second = go(rule, weight, -1.0, 1.0)
    assert first == pytest.approx(1.9, abs=0.1) and second == pytest.approx(-1.52, abs=0.3)


def test_the_prior_is_steered():
    weight = weights(*([0.5] * 10))
    rule = Rewire([weight], 0.0)
    rule.gain = 2.0
    rule.restart(0.75, falling(1.0, 0.25, 2))
    go(rule, weight, *([0.0] * 10))
    assert rule.steepness == pytest.approx(2 * math.log(2))
    for _ in range(3):
        go(rule, weight, *([0.0] * 10))
    assert rule.steepness == pytest.approx(2 * math.log(4))
    rule.restart(0.75, lambda done: 2.0)
    go(rule, weight, *([0.0] * 10))
    assert rule.steepness == 0


def test_rates():
    """By logarithms: 0.1 is half way from all to 0.01, and 0.004 from 0.002 to 0.008."""
    rates = [rate_for(share, [0.1, 0.01], 0.002, 0.008) for share in (1.0, 0.1, 0.01)]
    assert rates == pytest.approx([0.002, 0.004, 0.008])
    assert rate_for(1.0, [], 0.002, 0.008) == 0.002


def floats(*layers: FloatLayer) -> FloatNetwork:
    return FloatNetwork(
        name="net",
        layers=layers,
        steps=3,
        coding=InputCoding.DIRECT,
        shape=(1, 4),
        labels=(0, 1),
    )


def test_compaction_changes_nothing():
    """Two layers of neurons: some unheard, some undriven, some only useless through others."""
    rng = np.random.default_rng(1)
    masks = [rng.random(shape) < 0.25 for shape in ((4, 12), (12, 9), (9, 2))]
    # 0 hears nothing, but has a bias; 1 does not; all that hear it have nothing else.
    masks[0][:, :2] = False
    masks[1][:, 0] = [False, True, *([False] * 10)]
    masks[1][0, 1] = masks[2][1, 0] = True
    bias = np.zeros((1, 12))
    bias[0, 0] = 0.7
    network = floats(
        *(
            FloatLayer(
                name=name,
                weights=rng.normal(0.5, 1.0, mask.shape),
                sources=(source,),
                threshold=None if name == "output" else 1.0,
                reset=Reset.HARD,
                bias=bias if name == "a" else None,
                mask=mask,
            )
            for name, source, mask in zip(
                ("a", "b", "output"), ("input", "a", "b"), masks, strict=True
            )
        )
    )
    small = compact(network)
    sizes = [layer.weights.shape[1] for layer in small.layers]
    assert sizes[0] < 11 and sizes[1] < 9 and sizes[2] == 2
    assert (small.layers[0].bias == 0.7).any()
    live = [la.weights * la.mask != 0 for la in small.layers if la.mask is not None]
    for first, second in itertools.pairwise(live):
        assert second.any(axis=1).all()
        # But for the one with a bias.
        assert np.count_nonzero(~first.any(axis=0)) == (first is live[0])
    for layer in small.layers[:-1]:
        assert layer.mask is not None
    images = rng.integers(0, 256, (50, 1, 4), dtype=np.uint8)
    before, after = (
        run_multispike(quantize_network(net, 8).network, images) for net in (network, small)
    )
    np.testing.assert_array_equal(before.potential, after.potential)
    assert after.counters["synops"].sum() < before.counters["synops"].sum()


def test_other_sources_are_refused():
    first = FloatLayer(name="a", weights=np.ones((4, 2)), sources=("input",), threshold=1.0)
    second = FloatLayer(name="b", weights=np.ones((4, 2)), sources=("input",), threshold=None)
    with pytest.raises(ValueError, match="layer 'b': inputs is"):
        compact(floats(first, second))


def test_live_operations():
    """Numbers 255 and 1 of four inputs; the one neuron that fires has one live synapse."""
    mask = np.array([[True, False], [True, True], [True, True], [False, True]])
    first = FloatLayer(
        name="a",
        weights=mask * np.array([1.0, 0.001]),
        sources=("input",),
        threshold=1.0,
        mask=mask,
    )
    last = FloatLayer(
        name="output",
        weights=np.array([[1.0, 0.0], [1.0, 1.0]]),
        sources=("a",),
        threshold=None,
        mask=np.array([[True, False], [True, True]]),
    )
    network = quantize_network(floats(first, last), 8).network
    images = np.array([[[255, 1, 0, 0]]], np.uint8)
    outcome = run_multispike(network, images)
    assert outcome.spike_count["a"].tolist() == [[3, 0]]
    assert live_operations(network, images) == pytest.approx(3 + 3)


REST = """\
hidden: [40]
weight_bits: 4
steps: [4]
training: {epochs: 20, batch: 32, learning_rate: 0.01}
options: {
  rewire_epochs: 20, held_epochs: 12, last_epochs: 20, least: 0.03, rewire_rate: 0.01, steepness: 1,
}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "rewiring", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in rewiring.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["dense-4", "rewired-30-4", "rewired-10-4", "rewired-3-4"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    cycles = []
    for variant, wanted in zip(variants.values(), (1.0, 0.3, 0.1, 0.03), strict=True):
        outcome = run_multispike(variant.network, images, core=CORE)
        right = float((outcome.predicted == labels).mean())
        # Trained as the core has it.
        assert right == pytest.approx(variant.facts["float_accuracy"], abs=0.01)
        assert variant.facts["connectivity"] <= wanted
        cycles.append(outcome.counters["cycles"].mean())
        for layer in variant.network.layers:
            assert (layer.alive is None) == (wanted == 1)
            if layer.alive is None:
                continue
            np.testing.assert_array_equal(layer.alive, layer.weights != 0)
    tenth, least = variants["rewired-10-4"], variants["rewired-3-4"]
    assert variants["dense-4"].facts["float_accuracy"] > 0.88
    assert tenth.facts["float_accuracy"] > 0.75
    assert tenth.facts["connectivity"] > 0.08 and tenth.facts["came_back"] > 0
    # Those of neurons that change nothing are gone.
    live = sum(la.alive.sum() for la in least.network.layers if la.alive is not None)
    assert 0.5 * least.facts["connections"] < live <= least.facts["connections"]
    assert least.network.layers[0].neurons < 40
    assert cycles[-1] < cycles[0]
    check_on_core(least, images[:4])


def test_one_bit(tmp_path):
    plan = recipe(tmp_path, "rewiring", REST.replace("weight_bits: 4", "weight_bits: 1"))
    with pytest.raises(InputError, match=r"weight_bits: is 1, must be in 2\.\.8"):
        rewiring.train(plan, load_splits(plan, None), 0, lambda _: None)
