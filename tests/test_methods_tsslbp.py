"""Errors that go back through the times of spikes.

Mutants tried, each of which a test here refused: a neuron that fires at its threshold; a soft
reset; a leak that is not rounded down, or is that of the current; a trace without a past; what a
step left, spike or not; spikes that come earlier without a bound; potentials that outlive a spike,
or lose the wrong part; a reset whose time does not depend on the potential, or does with the other
sign; errors in thresholds, and potentials in integers; currents that keep what they should lose, or
whose leak is not rounded down; a target in the first step; a loss without its half, its filter or
its mean; pixels of 0..255 for a threshold of 1; a threshold that is 1 too low; pixels that are
filtered, or come once.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from firstspike.golden.multispike import run_multispike
from firstspike.methods import tsslbp
from firstspike.methods.tsslbp import TsslNet, currents_of, fire, kernel_loss
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def integer_net(seed: int, steps: int, leak: int, current_leak: int) -> TsslNet:
    """Return a network whose weights are whole numbers, as its scales say."""
    torch.manual_seed(seed)
    net = TsslNet(
        [12, 10, 9, 4],
        steps=steps,
        bits=5,
        leak=leak,
        current_leak=current_leak,
        gain=1.0,
        dropout=0.0,
    )
    with torch.no_grad():
        for number, scale in enumerate((0.13, 0.0625, 0.125)):
            shape = net.dense[number].weight.shape
            net.dense[number].weight.copy_(torch.randint(-10, 16, shape) * scale)
            net.scales[number] = scale
    return net.eval()


@pytest.mark.parametrize("leak", [1, 3])
@pytest.mark.parametrize("current_leak", [1, 2])
def test_forward_is_the_golden_model(leak, current_leak):
    """Spike for spike: counts are equal for every number of steps."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (60, 12)).astype(np.uint8)
    pixels = torch.from_numpy(images).float() / 255
    net = integer_net(1, 6, leak, current_leak)
    network = net.to_network("n", (3, 4))
    with torch.no_grad():
        trains, _ = net.run(pixels)
    assert (net(pixels).detach().numpy() == run_multispike(network, images).potential).all()
    # Outputs fire in training only.
    output = replace(network.layers[-1], threshold=math.floor(net.theta(2)) + 1)
    network = replace(network, layers=(*network.layers[:-1], output))
    for steps in range(1, 7):
        outcome = run_multispike(replace(network, steps=steps), images)
        for layer, spikes in zip(network.layers, trains, strict=True):
            assert (spikes[:steps].sum(dim=0).numpy() == outcome.spike_count[layer.name]).all()
    assert torch.equal(net.train()(pixels), trains[-1])
    for spikes in trains:
        assert 0.02 < spikes.mean() < 0.9 and spikes.sum(dim=0).max() > 1


def test_thresholds_are_1():
    """In every layer, for pixels of 0..1 and weights as they are before rounding."""
    net = integer_net(1, 1, 2, 1)
    with torch.no_grad():
        net.dense[0].weight.zero_()
        net.dense[0].weight[:2, 0] = torch.tensor([7.0, 8.0]) * 0.13
    # 0.91 and 1.04 a pixel.
    spikes = net.run(torch.eye(12)[:1])[0][0]
    assert spikes.flatten().tolist() == [0, 1, *[0] * 8]
    assert net.theta(1) == 16


def test_neuron_by_hand():
    """Potentials 6, 13 (fires), 3, 12 (fires), of a threshold of 10; 6 leaves 5, 3 leaves 3."""
    currents = torch.tensor([6.0, 8.0, 3.0, 9.0]).reshape(4, 1, 1).requires_grad_()
    spikes = fire(currents, 10.0, 2, 1)
    assert spikes.flatten().tolist() == [0, 1, 0, 1]
    errors = [0.3, -0.7, 0.4, 0.9]
    spikes.backward(torch.tensor(errors).reshape(4, 1, 1))
    e = 1 / (1 + math.exp(0.4 / 0.2))
    last = 0.9 / 0.9
    # No spike, but one of late: nothing comes from neuron to neuron.
    third = 0.75 * last
    second = -0.7 / 0.7 + 1.3 / 0.7 / 4 * third
    first = 0.3 * e * (1 - e) / 0.2 + 0.75 * second
    expected = [first / 10, second / 10, third / 10, last / 10]
    assert currents.grad is not None
    assert currents.grad.flatten().tolist() == pytest.approx(expected)


def test_spikes_in_a_row_by_hand():
    """The second one starts from 0; the first one's time changes from where it starts."""
    currents = torch.tensor([12.0, 14.0]).reshape(2, 1, 1).requires_grad_()
    fire(currents, 10.0, 2, 1).backward(torch.tensor([0.0, 1.0]).reshape(2, 1, 1))
    assert currents.grad is not None
    second = 1 / 1.4
    first = 1.2 / 1.2 / 4 * second
    assert currents.grad.flatten().tolist() == pytest.approx([first / 10, second / 10])


def test_spikes_come_earlier():
    """By how much is the difference quotient of where a line between two potentials crosses."""
    theta = 100.0
    for first, second in ((30.0, 90.0), (60.0, 70.0), (0.0, 101.0), (80.0, 60.0)):
        currents = torch.tensor([first, second]).reshape(2, 1, 1).requires_grad_()
        fire(currents, theta, 2, 1).backward(torch.tensor([0.0, 1.0]).reshape(2, 1, 1))
        after = first - math.floor(first / 4) + second

        def crossing(lifted, low=first, high=after):
            return (theta - low - lifted) / (high - low)

        quotient = (crossing(1e-3) - crossing(-1e-3)) / 2e-3
        assert currents.grad is not None
        assert currents.grad[1].item() == pytest.approx(max(-quotient, 0), rel=1e-4)


def test_steep_potentials_are_bounded():
    """A potential that hardly rises would make a spike come earlier without bound."""
    currents = torch.tensor([99.0, 26.0]).reshape(2, 1, 1).requires_grad_()
    fire(currents, 99.5, 2, 1).backward(torch.tensor([0.0, 1.0]).reshape(2, 1, 1))
    assert currents.grad is not None
    assert currents.grad[1].item() == pytest.approx(8 / 99.5)


def test_from_neuron_to_neuron():
    """What a spike does to the next layer is the sum over all later steps, each less by a half."""
    sent = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]).reshape(5, 1, 1).requires_grad_()
    currents = currents_of(7 * sent, 1)
    # 3.5 is lost as 3, then 4 as 2, and so on.
    assert currents.flatten().tolist() == [0, 7, 4, 9, 5]
    errors = torch.tensor([0.5, -1.0, 0.25, 2.0, 3.0])
    currents.backward(errors.reshape(5, 1, 1))
    expected = [7 * sum(0.5 ** (k - t) * float(errors[k]) for k in range(t, 5)) for t in range(5)]
    assert sent.grad is not None
    assert sent.grad.flatten().tolist() == pytest.approx(expected)


def test_loss_by_hand():
    """The right class spikes in steps 0 and 2 instead of 1 and 2, the other one in step 2."""
    trains = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]], [[1.0, 1.0]]])
    # Differences of traces: 1/4, 3/16 - 1/4 = -1/16, -3/64; and 1/4 of the other in the end.
    expected = 0.5 * (1 / 16 + 1 / 256 + 9 / 4096 + 1 / 16)
    assert float(kernel_loss(trains, torch.tensor([0]), 2)) == pytest.approx(expected)
    twice = kernel_loss(trains.expand(-1, 2, -1), torch.tensor([0, 0]), 2)
    assert float(twice) == pytest.approx(expected)


REST = """\
hidden: [32, 24]
weight_bits: 5
steps: [5]
training: {epochs: 15, batch: 32, learning_rate: 0.005}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "tsslbp", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    (variant,) = tsslbp.train(plan, splits, 0, shares.append)
    assert variant.name == "tsslbp-5"
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.validation_images.numpy(), splits.validation_labels.numpy()
    right = (run_multispike(variant.network, images).predicted == labels).mean()
    # What was trained is what runs.
    assert right == variant.facts["validation_accuracy"] > 0.85
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    assert (run_multispike(variant.network, images).predicted == labels).mean() > 0.85
    check_on_core(variant, images[:4])
