"""Networks that gradients flow through, and the slopes of their spikes.

Mutants tried, each of which a test here refused: a neuron that fires at its threshold where it is
to fire above it; slopes by the potential, not by thresholds; a reset that has a gradient; hard
resets that are soft; a leak before the reset's rest is halved once more; steps since a spike that
are not counted, or never start anew; neurons left out anew in each step; a mean that is not scaled
when it is folded, and a variance the wrong way up; LocalZO twice as large, or by the distance
unscaled; a triangle as wide as its width's inverse; small slopes that are not counted; pixels that
spike at their random byte, not above it.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from firstspike.golden.multispike import run_multispike
from firstspike.methods.quantize import quantize_network
from firstspike.methods.simulate import simulate
from firstspike.methods.spiking import Rule, SpikingNet, scan
from firstspike.methods.surrogate import (
    Exponential,
    Gaussian,
    Sigmoid,
    Triangle,
    Watched,
    ZerothOrder,
    fire,
)
from firstspike.spec import InputCoding, Reset

pytestmark = pytest.mark.train


@pytest.mark.parametrize("reset", list(Reset))
@pytest.mark.parametrize("leak", [None, 1])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("counted", [False, True])
def test_forward_is_the_rule(reset, leak, strict, counted):
    """Spike for spike what `simulate` does; whole numbers, so that sums are exact."""
    rng = np.random.default_rng(1)
    rules = [Rule(6.0, strict, reset, leak), Rule(4.0, strict, reset, leak)]
    rules.append(Rule(5.0 if counted else None, strict, reset, leak))
    net = SpikingNet([10, 8, 7, 3], rules, steps=6, surrogate=Triangle(), bias=True).eval()
    with torch.no_grad():
        for dense in net.dense:
            dense.weight.copy_(torch.from_numpy(rng.integers(-4, 6, dense.weight.shape)))
            dense.bias.copy_(torch.from_numpy(rng.integers(-2, 3, dense.bias.shape)))
    pixels = torch.from_numpy(rng.integers(0, 2, (40, 10))).float()
    expected = simulate(net.to_floats("n", (2, 5)), pixels)
    found = net.run(pixels)
    assert found.spikes.keys() == expected.spikes.keys()
    for name, spikes in found.spikes.items():
        assert torch.equal(spikes, expected.spikes[name])
    assert torch.equal(found.potential, expected.potential)
    assert found.spikes["hidden2"].sum(dim=0).max() > 1
    logits = found.spikes["output"].sum(dim=0) if counted else found.potential
    assert torch.equal(net(pixels), logits)
    assert logits.unique().numel() > 3


def test_random_pixels_are_those_of_the_core():
    """The golden model, from integers, has the very counts that training had."""
    rng = np.random.default_rng(3)
    rules = [Rule(5.0), Rule(None)]
    coding = InputCoding.RATE
    net = SpikingNet([10, 8, 3], rules, steps=9, surrogate=Triangle(), coding=coding).eval()
    with torch.no_grad():
        for dense in net.dense:
            dense.weight.copy_(torch.from_numpy(rng.integers(-7, 8, dense.weight.shape)))
            dense.weight[0, 0] = 7.0
    images = rng.integers(0, 256, (60, 10)).astype(np.uint8)
    with torch.no_grad():
        found = net.run(torch.from_numpy(images) / 255)
    outcome = run_multispike(quantize_network(net.to_floats("n", (2, 5)), 4).network, images)
    counts = found.spikes["hidden1"].sum(dim=0)
    assert (counts.numpy() == outcome.spike_count["hidden1"]).all() and counts.max() > 3
    assert (found.potential.numpy() == outcome.potential).all()


def test_normalised_currents_fold():
    """In weights and biases, the normalisation gives the same spikes and potentials."""
    torch.manual_seed(2)
    rules = [Rule(1.0), Rule(1.0), Rule(None)]
    net = SpikingNet([10, 30, 20, 3], rules, steps=5, surrogate=Triangle(), bias=True, norm=True)
    pixels = torch.rand(200, 10)
    with torch.no_grad():
        for norm in net.norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
        for _ in range(50):
            net.train()(pixels)
        net.eval()
        course = net.run(pixels)
        folded = simulate(net.to_floats("n", (2, 5)), pixels)
    for name in ("hidden1", "hidden2"):
        # Rounding may move a spike that just is one.
        assert (course.spikes[name] != folded.spikes[name]).float().mean() < 1e-3
        assert course.spikes[name].mean() > 0.1
    near = (course.potential - folded.potential).abs().amax(dim=1) < 1e-3
    assert near.float().mean() > 0.95


def test_dropout_keeps_its_neurons_in_all_steps():
    """So four steps, in each of which all that are kept fire, give four times what one gives."""
    found = {}
    for steps in (1, 4):
        rules = [Rule(0.5, reset=Reset.HARD), Rule(None)]
        net = SpikingNet([1, 200, 1], rules, steps=steps, surrogate=Triangle(), dropout=0.5)
        with torch.no_grad():
            net.dense[0].weight.fill_(1.0)
            net.dense[1].weight.copy_(torch.arange(200.0)[None])
            torch.manual_seed(3)
            found[steps] = float(net.train()(torch.ones(1, 1)))
    assert found[4] == 4 * found[1]
    # Those that are kept count twice.
    assert found[1] != sum(range(200)) and found[1] == pytest.approx(sum(range(200)), rel=0.3)


NEVER = torch.full((5,), 1000.0)
Z = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("surrogate", "expected"),
    [
        (Triangle(1.0, 0.3), [0, 0.15, 0.3, 0.15, 0]),
        (Triangle(0.5, 2.0), [0, 0, 2, 0, 0]),
        (Sigmoid(4.0), [4 * s * (1 - s) for s in (1 / (1 + math.exp(-4 * z)) for z in Z)]),
        (Gaussian(0.5), [math.exp(-2 * z * z) / (0.5 * math.sqrt(2 * math.pi)) for z in Z]),
    ],
)
def test_slopes(surrogate, expected):
    assert torch.allclose(surrogate.slope(Z, NEVER), torch.tensor(expected).float())


def test_slopes_since_the_last_spike():
    since = torch.tensor([1.0, 10.0, 1000.0])
    expected = torch.tensor([0.3 * math.exp(-0.01 * s) for s in (1, 10, 1000)])
    assert torch.allclose(Exponential().slope(torch.zeros(3), since), expected)


def test_steps_since_a_spike():
    """1 in the step after it, counted from the last one."""

    class Asked:
        def __init__(self):
            self.since = []

        def slope(self, z, since):
            self.since.append(float(since))
            return torch.zeros_like(z)

    asked = Asked()
    currents = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0, 0.0]).reshape(6, 1, 1)
    spikes, _ = scan(Rule(1.0), currents, asked)
    assert spikes.flatten().tolist() == [0, 1, 0, 0, 1, 0]
    assert asked.since[0] >= 1000
    assert asked.since[2:] == [1, 2, 3, 1]


def test_gradients_are_the_slopes():
    """In thresholds, so that a threshold of 2 halves them."""
    potential = torch.tensor([1.0, 2.0, 2.5, 9.0], requires_grad=True)
    spikes = fire(potential, 2.0, False, Triangle(1.0, 0.3), torch.ones(4))
    assert spikes.tolist() == [0, 1, 1, 1]
    spikes.sum().backward()
    assert potential.grad is not None
    assert torch.allclose(potential.grad, torch.tensor([0.075, 0.15, 0.1125, 0.0]))
    assert fire(potential, 2.0, True, Triangle(), torch.ones(4)).tolist() == [0, 0, 1, 1]


def test_a_reset_has_no_gradient():
    """The potential after a spike depends on what came in alone."""
    current = torch.full((3, 1, 1), 0.75, requires_grad=True)
    _, potential = scan(Rule(1.0), current, Triangle(5.0, 1.0))
    potential.sum().backward()
    assert current.grad is not None and current.grad.flatten().tolist() == [1, 1, 1]


@pytest.mark.parametrize("delta", [0.2, 0.5])
@pytest.mark.parametrize("samples", [1, 5])
def test_the_mean_of_zeroth_order_is_gaussian(delta, samples):
    torch.manual_seed(5)
    surrogate = ZerothOrder(delta, samples)
    z = torch.tensor([-2, -1, -0.5, 0.0, 0.3, 1, 1.7]) * delta
    drawn = surrogate.slope(z.repeat(100_000, 1), NEVER)
    error = drawn.std(dim=0) / math.sqrt(len(drawn))
    assert ((drawn.mean(dim=0) - surrogate.mean.slope(z, NEVER)).abs() < 4 * error).all()
    assert (error < 0.01 / delta).all()


def test_share_of_slopes():
    """Of one sample, a slope at distance d is 0 with the probability that |x| < d / delta."""
    torch.manual_seed(6)
    for samples in (1, 5):
        watched = Watched(ZerothOrder(0.5, samples))
        watched.slope(torch.full((100_000,), 0.75), NEVER)
        zero = math.erf(1.5 / math.sqrt(2)) ** samples
        assert watched.share == pytest.approx(1 - zero, abs=0.005)
