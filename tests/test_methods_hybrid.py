"""Thresholds by balancing, and what is trained from there.

Mutants tried, each of which a test here refused: thresholds of mean currents; of the last step
alone; a factor left out; neurons that fire at their threshold; logits that are not scaled by one
layer's threshold; weights that are shared, or not copied at all; training on at the first rate.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods import hybrid
from firstspike.methods.balancing import ReluNet, balance, spiking
from firstspike.methods.simulate import simulate
from firstspike.methods.surrogate import Triangle
from firstspike.spec import InputCoding
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def model(seed: int = 1) -> ReluNet:
    torch.manual_seed(seed)
    return ReluNet([20, 40, 30, 4], 0.0).eval()


def pictures() -> torch.Tensor:
    torch.manual_seed(2)
    return torch.rand(50, 20)


def test_thresholds_are_the_largest_currents():
    inputs = pictures()
    net = model()
    thresholds = balance(net, inputs, steps=20, scaling=0.7)
    floats = spiking(net, thresholds, steps=20, surrogate=Triangle()).to_floats("n", (4, 5))
    spikes = simulate(floats, inputs).spikes
    with torch.no_grad():
        by_step = net.dense[1](spikes["hidden1"]).amax(dim=(1, 2))
        largest = [net.dense[0](inputs).max(), by_step.max()]
    assert thresholds == pytest.approx([0.7 * float(current) for current in largest])
    # It is the largest of all steps: others have less.
    assert by_step.max() > by_step[-1]


def test_a_silent_network():
    net = model()
    with torch.no_grad():
        net.dense[1].weight.copy_(-net.dense[1].weight.abs())
    with pytest.raises(InputError, match=r"layer hidden2 .* no current above 0"):
        balance(net, torch.rand(5, 20), steps=4, scaling=0.7)


def test_many_steps_come_to_the_network_of_relus():
    inputs = pictures()
    net = model()
    thresholds = balance(net, inputs, steps=50, scaling=1.1)
    converted = spiking(net, thresholds, steps=2000, surrogate=Triangle()).eval()
    with torch.no_grad():
        expected, found = net(inputs), converted(inputs)
    assert (found - expected).abs().max() < 0.02 * expected.abs().max()


def test_at_the_threshold_nothing_fires():
    net = ReluNet([1, 1, 1], 0.0)
    with torch.no_grad():
        net.dense[0].weight.fill_(1.0)
    inputs = torch.ones(1, 1)
    converted = spiking(
        net, balance(net, inputs, steps=4, scaling=1.0), steps=4, surrogate=Triangle()
    )
    # 1, not above 1; 2, fires and leaves 1; from then on in every step.
    assert converted.run(inputs).spikes["hidden1"].flatten().tolist() == [0, 1, 1, 1]


REST = """\
hidden: [24]
weight_bits: 6
steps: [2, 32]
training: {epochs: 12, batch: 64, learning_rate: 0.01}
options: {few: 2, epochs: 2%s}
"""


@pytest.mark.parametrize("more", ["", ", decay: 0.01"], ids=["triangle", "exponential"])
def test_digits(tmp_path, more):
    """Two epochs gain where conversion alone has too few steps; the integers lose little."""
    plan = recipe(tmp_path, "hybrid", REST % more)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in hybrid.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["converted-2", "converted-32", "hybrid-2"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    right = {
        name: float((run_multispike(v.network, images).predicted == labels).mean())
        for name, v in variants.items()
    }
    trained = variants["converted-32"].facts["float_accuracy"]
    assert right["converted-32"] > trained - 0.03
    assert right["hybrid-2"] > right["converted-2"] + 0.02
    assert right["hybrid-2"] > 0.75
    if not more:
        check_on_core(variants["hybrid-2"], images[:4])
        # The weights that it started from are what was converted.
        floats = variants["hybrid-2"].floats
        before = variants["converted-2"].floats
        assert floats is not None and before is not None
        for layer, first in zip(floats.layers, before.layers, strict=True):
            assert layer.threshold == first.threshold
            assert 0 < abs(layer.weights - first.weights).mean() < abs(first.weights).mean()


def test_random_pixels(tmp_path):
    """Pixels as spikes: the network of the trained one runs on the core."""
    plan = recipe(tmp_path, "hybrid", REST % ", random: 1")
    splits = load_splits(plan, None)
    variants = {v.name: v for v in hybrid.train(plan, splits, 0, lambda _: None)}
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    right = {
        name: float((run_multispike(v.network, images).predicted == labels).mean())
        for name, v in variants.items()
    }
    assert all(v.network.coding is InputCoding.RATE for v in variants.values())
    assert right["hybrid-2"] > right["converted-2"] + 0.02
    assert right["converted-32"] > 0.85
    check_on_core(variants["hybrid-2"], images[:4])


def test_a_rate_of_nearly_nothing_changes_nearly_nothing(tmp_path):
    plan = recipe(tmp_path, "hybrid", REST % "")
    plan = replace(plan, options=plan.options | {"tuning_rate": 1e-6, "epochs": 1})
    variants = {v.name: v for v in hybrid.train(plan, load_splits(plan, None), 0, lambda _: None)}
    floats, before = variants["hybrid-2"].floats, variants["converted-2"].floats
    assert floats is not None and before is not None
    for layer, first in zip(floats.layers, before.layers, strict=True):
        assert abs(layer.weights - first.weights).max() < 1e-4
