"""Layers that start to spike one after the other.

Mutants tried, each of which a test here refused: a threshold that is not moved to an integer; a
percentile not divided by the steps; rounding that stops gradients; a frozen layer that goes on
learning; biases that are not rounded; spikes without their value; pixels in every step; gradients
of outputs alone; weights cut off at other ends; biases in every step; a spike whose value does not
go into the next layer; counts above one a step; largest synapses by sign; the others not set to 0,
or learning on, or without a mask; all networks of one number of bits; limits with other bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods import tandem
from firstspike.methods.quantize import quantize_network
from firstspike.methods.tandem import count_gaps
from firstspike.methods.tandem_net import TandemNet, largest
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.spec import InputCoding, WeightKind
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def net(stages: int, images: torch.Tensor, bits: int = 4, fan_in: int = 0) -> TandemNet:
    """Return a network after so many stages, nothing of which trained."""
    torch.manual_seed(1)
    model = TandemNet([12, 30, 20, 5], steps=6, bits=bits, dropout=0.0, fan_in=fan_in)
    for _ in range(stages):
        model.advance(images)
    return model


def pictures() -> tuple[np.ndarray, torch.Tensor]:
    images = np.random.default_rng(2).integers(0, 256, (80, 3, 4)).astype(np.uint8)
    return images, torch.from_numpy(images).flatten(1).float() / 255


@pytest.mark.parametrize(("bits", "fan_in"), [(2, 0), (4, 0), (8, 0), (4, 5), (8, 2)])
def test_what_is_trained_is_what_is_exported(bits, fan_in):
    """The same numbers, so the same counts; and in the first layer the quantised activation."""
    images, inputs = pictures()
    model = net(3, inputs, bits, fan_in)
    model.freeze()
    quantized = quantize_network(model.to_floats("n", (3, 4)), bits)
    for layer in quantized.network.layers:
        if not fan_in:
            assert layer.alive is None
        else:
            assert layer.alive is not None and set(layer.alive.sum(axis=0)) == {fan_in}
    assert max(quantized.errors.values()) < 1e-6
    outcome = run_multispike(quantized.network, images)
    with torch.no_grad():
        logits = model.eval()(inputs).double().numpy()
        train = inputs[None]
        for number, name in enumerate(("hidden1", "hidden2")):
            train = model._spikes(number, train, *model._rounded(number))
            counts = (train.sum(dim=0) / model.thresholds[number]).round().numpy()
            assert (counts == outcome.spike_count[name]).all()
            assert len(np.unique(counts)) > 3 or fan_in == 2
    assert np.allclose(outcome.potential * quantized.scales["output"], logits, atol=1e-4)
    first, second = count_gaps(quantized.network, images)
    assert first == 0 and second > 0


def test_gaps_of_one_neuron():
    """3 + 2 x in thresholds of 5, in 4 steps: as often as that goes in, but once a step at most."""
    layer = MultiSpikeLayer(
        name="a",
        sources=("input",),
        kind=WeightKind.SIGNED,
        weight_bits=4,
        weights=np.array([[2]]),
        threshold=5,
        initial=np.array([3]),
    )
    one = MultiSpikeNetwork(
        name="n",
        layers=(layer,),
        steps=4,
        coding=InputCoding.ONCE,
        shape=(1, 1),
        labels=(0,),
        input_bits=8,
    )
    images = np.array([0, 1, 3, 8, 9, 200], np.uint8).reshape(-1, 1, 1)
    counts = run_multispike(one, images).spike_count["a"][:, 0]
    assert counts.tolist() == [0, 1, 1, 3, 4, 4]
    assert count_gaps(one, images) == [0.0]
    # With pixels in every step it is another activation.
    assert count_gaps(replace(one, coding=InputCoding.DIRECT), images) == [0.5]


def test_thresholds():
    """A share of 0.999 of the activations gets a spike in each step at most."""
    _, inputs = pictures()
    model = net(1, inputs)
    active = functional.linear(inputs, model.dense[0].weight, model.dense[0].bias).relu()
    expected = float(np.sort(active.detach().numpy().ravel())[round(0.999 * active.numel()) - 1])
    assert model.thresholds[0] * model.steps == pytest.approx(expected, rel=0.02)
    levels = model.thresholds[0] / model.units[0]
    assert abs(levels - round(levels)) < 1e-6


def test_counts_forward_and_the_gradient_of_relus_back():
    """By hand, while the first layer spikes."""
    _, inputs = pictures()
    model = net(1, inputs)
    model(inputs).square().sum().backward()
    first, second, last = model.dense
    with torch.no_grad():
        weight, bias = model._rounded(0)
        current = functional.linear(inputs, weight, bias)
        theta = model.thresholds[0]
        counts = (current / theta).floor().clamp(0, 6)
        inner = second(counts * theta)
        error = 2 * last(inner.relu())
        back = (error @ last.weight) * (inner > 0)
        deep = (back @ second.weight) * (current > 0)
    for dense, expected in (
        (last, error.T @ inner.relu()),
        (second, back.T @ (counts * theta)),
        (first, deep.T @ inputs),
    ):
        assert dense.weight.grad is not None
        assert torch.allclose(dense.weight.grad, expected, rtol=1e-3, atol=1e-3)


def test_what_is_frozen_stays():
    _, inputs = pictures()
    model = net(2, inputs)
    before = [dense.weight.clone() for dense in model.dense]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(inputs).square().sum().backward()
    optimizer.step()
    same = [torch.equal(a, b.weight) for a, b in zip(before, model.dense, strict=True)]
    assert same == [True, False, False]


def test_the_largest_synapses_stay():
    """Of each neuron, whatever their signs; the dead do not come back when it is trained."""
    weight = torch.tensor([[0.1, -0.5, 0.3, 0.0], [-2.0, 1.0, -0.9, 0.95]])
    assert largest(weight, 2).tolist() == [
        [False, True, True, False],
        [True, True, False, False],
    ]
    assert largest(weight, 9).all()
    _, inputs = pictures()
    before = net(0, inputs).dense[0].weight.detach().clone()
    model = net(1, inputs, 8, 3)
    kept = model.dense[0].weight.detach() != 0
    assert torch.equal(kept, largest(before, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(inputs).square().sum().backward()
    optimizer.step()
    model.freeze()
    assert not (model.dense[0].weight[~kept] != 0).any()
    assert (model.dense[0].weight[kept] != before[kept]).any()
    # Those of layers that have not had their turn are all there.
    assert (model.dense[1].weight != 0).all()


def test_a_silent_layer():
    _, inputs = pictures()
    model = net(0, inputs)
    with torch.no_grad():
        model.dense[0].bias.fill_(-100.0)
    with pytest.raises(InputError, match="layer hidden1 is silent"):
        model.advance(inputs)


REST = """\
hidden: [48, 24]
weight_bits: 4
steps: [8]
training: {epochs: 15, batch: 64, learning_rate: 0.01}
options: {stage_epochs: 3, stage_rate: 0.003}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "tandem", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    (variant,) = tandem.train(plan, splits, 0, shares.append)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    right = (run_multispike(variant.network, images).predicted == labels).mean()
    assert right > variant.facts["float_accuracy"] - 0.08
    assert variant.facts["count_gaps"][0] == 0
    assert len(variant.facts["validation_by_stage"]) == 3
    check_on_core(variant, images[:4])


def test_budgets(tmp_path):
    rest = REST.replace("stage_rate: 0.003", "stage_rate: 0.003, budgets: 1")
    plan = recipe(tmp_path, "tandem", rest.replace("stage_epochs: 3", "stage_epochs: 1"))
    splits = load_splits(plan, None)
    shares: list[float] = []
    found = {v.name: v for v in tandem.train(plan, splits, 0, shares.append)}
    bits, limits = (
        [f"tandem-{n}bit-8" for n in (8, 4, 2)],
        [f"tandem-fan{n}-8" for n in (128, 32, 8)],
    )
    assert list(found) == bits + limits
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    for name, wide in zip(bits, (8, 4, 2), strict=True):
        assert {layer.weight_bits for layer in found[name].network.layers} == {wide}
    for name, most in zip(limits, (128, 32, 8), strict=True):
        for layer in found[name].network.layers:
            assert layer.weight_bits == 4 and layer.alive is not None
            assert (layer.alive.sum(axis=0) == min(most, len(layer.weights))).all()
    found = {name: variant.facts["validation_accuracy"] for name, variant in found.items()}
    assert found["tandem-8bit-8"] > 0.85 and found["tandem-fan8-8"] > 0.5
    assert found["tandem-fan8-8"] < found["tandem-8bit-8"]


def test_one_bit(tmp_path):
    plan = recipe(tmp_path, "tandem", REST.replace("weight_bits: 4", "weight_bits: 1"))
    with pytest.raises(InputError, match=r"weight_bits: is 1, must be in 2\.\.8"):
        tandem.train(plan, load_splits(plan, None), 0, lambda _: None)
