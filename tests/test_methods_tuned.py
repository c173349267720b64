"""Slopes of a height at which gradients stay as large as they are.

Mutants tried, each of which a test here refused: a root that is one layer off; the quotient upside
down; logits that are potentials; both trained with the same height; sums in place of means; a width
that is tuned too; a layer too many, or a depth, in a sweep.
"""

from __future__ import annotations

import pytest
import torch

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods import tuned
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Triangle
from firstspike.methods.tuned import gradients, tuned_height
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def net(height: float, depth: int) -> SpikingNet:
    torch.manual_seed(1)
    rules = [*(Rule(1.0) for _ in range(depth)), Rule(None)]
    sizes = [20, *(24 + 8 * (i % 2) for i in range(depth)), 4]
    surrogate = Triangle(1.0, height)
    return SpikingNet(sizes, rules, steps=5, surrogate=surrogate, bias=True, norm=True, gain=0.2)


@pytest.mark.parametrize("depth", [2, 3, 8])
@pytest.mark.parametrize("height", [0.1, 1.0])
def test_gradients_of_the_first_and_the_last_layer_are_equal(depth, height):
    """Exactly, whatever the height was before; between them they are not far."""
    torch.manual_seed(2)
    inputs, labels = torch.rand(100, 20), torch.randint(4, (100,))
    before = gradients(net(height, depth), inputs, labels)
    assert len(before) == depth
    found = height * tuned_height(before)
    after = gradients(net(found, depth), inputs, labels)
    assert after[0] == pytest.approx(after[-1], rel=1e-4)
    # The last layer's gradient passes no slope.
    assert after[-1] == pytest.approx(before[-1], rel=1e-5)
    assert max(after) < 4 * min(after)
    if (depth, height) == (8, 0.1):
        assert before[0] < before[-1] / 1000


def test_gradients_are_root_mean_squares():
    """Of one layer: the outputs' weights, times the errors and what makes potentials logits."""
    torch.manual_seed(3)
    model = net(0.3, 1)
    inputs, labels = torch.rand(50, 20), torch.randint(4, (50,))
    with torch.no_grad():
        logits = model.train()(inputs)
        error = (logits.softmax(dim=1) - torch.nn.functional.one_hot(labels, 4)) / 50
        expected = (model.gain * error @ model.dense[-1].weight).square().mean().sqrt()
    assert gradients(model, inputs, labels) == pytest.approx([float(expected)], rel=1e-4)


def test_no_gradient():
    with pytest.raises(InputError, match=r"options\.width: no gradient reaches"):
        tuned_height([0.0, 1.0])


REST = """\
hidden: [24, 24, 24]
weight_bits: 6
steps: [4]
training: {epochs: 8, batch: 64, learning_rate: 0.01}
options: {height: 0.1}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "tuned", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in tuned.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["untuned-4", "tuned-4"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    right = run_multispike(variants["tuned-4"].network, images).predicted == labels
    assert right.mean() > variants["tuned-4"].facts["float_accuracy"] - 0.08
    assert variants["tuned-4"].facts["float_accuracy"] > 0.75
    first, _, last = variants["untuned-4"].facts["gradients"]
    assert variants["untuned-4"].facts["height"] == 0.1 and first < last / 4
    first, _, last = variants["tuned-4"].facts["gradients"]
    assert first == pytest.approx(last, rel=1e-3)
    check_on_core(variants["tuned-4"], images[:4])


def test_one_hidden_layer(tmp_path):
    plan = recipe(tmp_path, "tuned", REST.replace("[24, 24, 24]", "[24]"))
    with pytest.raises(InputError, match=r"hidden: is \[24\], must name two layers or more"):
        tuned.train(plan, load_splits(plan, None), 0, lambda _: None)


def test_depths(tmp_path):
    """Of 2 and 4 layers; the deeper, the less of the gradient is left, but for what is tuned."""
    rest = REST.replace("[24, 24, 24]", "[20]").replace("epochs: 8", "epochs: 1")
    plan = recipe(tmp_path, "tuned", rest.replace("height: 0.1", "height: 0.1, deepest: 7"))
    shares: list[float] = []
    variants = tuned.train(plan, load_splits(plan, None), 0, shares.append)
    assert [v.name for v in variants] == [
        f"{name}-deep{depth}-4" for depth in (2, 4) for name in ("untuned", "tuned")
    ]
    assert shares == sorted(shares) and shares[-1] == 1.0
    left = []
    for variant in variants:
        found = variant.facts["gradients"]
        depth = variant.facts["depth"]
        assert f"-deep{depth}-" in variant.name
        assert depth == len(found) == len(variant.network.layers) - 1
        assert all(layer.neurons == 20 for layer in variant.network.layers[:-1])
        left.append(found[0] / found[-1])
    assert left[2] < left[0] < 0.5 and left[1] == pytest.approx(left[3], rel=1e-3)
