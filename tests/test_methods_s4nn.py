"""Neurons that fire once, trained by the times at which they do.

Mutants tried, each of which a test here refused: a neuron that fires above its integer threshold,
or again and again; overshoots of silent neurons from the start; errors, or what goes back, with the
other sign; silent outputs that send nothing back; inputs that come in the same step and do not
count, or count however late they are; what goes back not scaled, or scaled over all images; black
pixels that fire; wanted times behind the end; a silent network without a target; outputs that start
anew; neurons that never do; counts that go on over epochs; the overshoot before the time; a
threshold that is 1 too low; times to the nearest step; weights cut off instead of rounded;
gradients for other weights than were used, none through the rounding, none of a scale; rare neurons
by their number of spikes; a pace without the weights, the threshold or what a weight stands for;
factors as fast as weights.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from firstspike import golden
from firstspike.cores import PRESETS
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.methods import s4nn
from firstspike.methods.fitting import fit
from firstspike.methods.s4nn import S4nnNet, errors, spike_times
from firstspike.outcome import first_difference
from firstspike.train.batches import load_splits
from methods_bench import recipe

pytestmark = pytest.mark.train


def small_net(bits: int, steps: int, images: np.ndarray) -> S4nnNet:
    """Return a network with weights of both signs, of which most neurons fire at some time."""
    torch.manual_seed(4)
    sizes = [images[0].size, 20, 12, 5]
    net = S4nnNet(sizes, steps=steps, bits=bits, level=0.3, images=torch.from_numpy(images))
    with torch.no_grad():
        for weight in net.weights:
            # Some stay silent, and many fire late.
            weight.sub_(0.35 * torch.rand(weight.shape[1]) * weight.max())
    net.renew()
    return net.eval()


@pytest.mark.parametrize("steps", [8, 64, 256])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_forward_is_the_golden_model(bits, steps):
    """Every time of every neuron, and the decision with its ties."""
    rng = np.random.default_rng(1)
    # From nearly black ones to full ones.
    there = rng.random((80, 5, 6)) < rng.random((80, 1, 1))
    images = (rng.integers(0, 256, (80, 5, 6)) * there).astype(np.uint8)
    net = small_net(bits, steps, images)
    pixels = torch.from_numpy(images).flatten(1).float() / 255
    network = net.to_network("n", (5, 6))
    assert network.steps == steps
    with torch.no_grad():
        found = net.run(pixels)
    late = golden.run(network, images, early_exit=False)
    for layer, (times, _) in zip(network.layers, found, strict=True):
        assert (times.numpy() == late.spike_time[layer.name]).all()
        assert 0.05 < (times < steps).float().mean() < 0.99
    early = golden.run(network, images)
    assert (net(pixels).argmax(dim=1).numpy() == early.predicted).all()
    assert 0 < early.forced.mean() < 1
    first = found[-1][0].min(dim=1, keepdim=True).values
    assert ((found[-1][0] == first).sum(dim=1)[early.forced == 0] > 1).any()


def test_all_pixels():
    """As the core encodes them, for every intensity and every number of steps."""
    images = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)
    for bits in range(3, 9):
        net = S4nnNet([1, 1], steps=1 << bits, bits=8, level=0.5, images=torch.from_numpy(images))
        with torch.no_grad():
            net.weights[0].fill_(1.0)
            net.log_scales[0].fill_(0.1)
            times = net.eval().run(torch.arange(256).float()[:, None] / 255)[0][0]
        outcome = golden.run(net.to_network("n", (1, 1)), images)
        assert (times.numpy() == outcome.spike_time["output"]).all()
        assert times.unique().numel() == (1 << bits) + (bits < 8)


def test_above_the_threshold():
    """A threshold of exactly 2 weights is reached by three, not by two."""
    net = S4nnNet([3, 1], steps=8, bits=8, level=0.5, images=torch.zeros(1, 1, 3).byte() + 255)
    with torch.no_grad():
        assert net.thresholds == [0.75]
        net.thresholds[0] = 2.0
        net.log_scales[0].fill_(0.0)
        net.weights[0].fill_(1.0)
        times = net.eval().run(torch.tensor([[1.0, 0.9, 0.0], [1.0, 1.0, 0.5]]))[0][0]
    assert times.flatten().tolist() == [8, 3]


def test_wanted_times_by_hand():
    """T = 10, gamma = 3."""

    def wanted(times: list[float], label: int) -> list[float]:
        found = torch.tensor([times])
        error = errors(found, torch.tensor([label]), 3, 10)[0]
        target = torch.tensor(times)
        if float(error.norm()) > 0:
            assert float(error.norm()) == pytest.approx(1)
            # Scaled by what makes the largest difference a whole number.
            return (error / error.abs().max()).tolist()
        return target.tolist()

    # The first is right: those at 4 and 6 are to fire at 7, that at 9 is late enough.
    assert wanted([4, 4, 6, 9], 0) == pytest.approx([0, 1, 1 / 3, 0])
    # A wrong one is the first: the right one is to fire at 4, the others at 7.
    assert wanted([6, 4, 5, 8], 0) == pytest.approx([-2 / 3, 1, 2 / 3, 0])
    # No later than the end.
    assert wanted([8, 9, 10, 10], 0) == pytest.approx([0, 1, 0, 0])
    # Nobody fires: the right one is to do so at 7.
    assert wanted([10, 10, 10, 10], 2) == pytest.approx([0, 0, -1, 0])
    # All is as wanted.
    assert wanted([2, 5, 9, 10], 0) == [2, 5, 9, 10]


def test_gradients_by_hand():
    """Two inputs at 1 and 3, three hidden neurons, two outputs; T = 8.

    Hidden potentials: 4, 5; 1, 6; 0, 2 of 4, 6, 5: times 1, 3, never. Outputs: 3 at 1, then 5; 1 at
    1, then 8: with thresholds of 3 they fire at 1 and 3.
    """
    arriving = torch.tensor([[1.0, 3.0]])
    first = torch.tensor([[4.0, 1.0, 0.0], [1.0, 5.0, 2.0]]).requires_grad_()
    second = torch.tensor([[3.0, 1.0], [2.0, 7.0], [9.0, 9.0]]).requires_grad_()
    # Thresholds of each hidden neuron are one and the same, so weights are scaled to them.
    scaled = (first.detach() * torch.tensor([3.0, 2.0, 2.4])).round()
    hidden, over = spike_times(arriving, first, scaled, 12, 8)
    assert hidden.tolist() == [[1, 3, 8]]
    assert over.tolist() == [[0, 0, -7]]
    times, over = spike_times(hidden, second, second.detach(), 3, 8)
    assert times.tolist() == [[1, 3]] and over.tolist() == [[0, 5]]
    error = torch.tensor([[0.6, -0.8]])
    (-(times * error).sum()).backward()
    # The second hidden neuron comes too late for the first output, the third one for both.
    assert second.grad is not None and first.grad is not None
    assert second.grad.flatten().tolist() == pytest.approx([0.6, -0.8, 0, -0.8, 0, 0])
    back = np.array([3 * 0.6 + 1 * -0.8, 7 * -0.8])
    one, two = back / np.linalg.norm(back)
    # The second input comes too late for the first hidden neuron.
    assert first.grad.flatten().tolist() == pytest.approx([one, two, 0, 0, two, 0])


def test_silent_outputs_have_gradients():
    """An output that never fires counts as firing at T, and all that came in is to blame."""
    weights = torch.tensor([[1.0], [1.0], [1.0]]).requires_grad_()
    times, over = spike_times(torch.tensor([[2.0, 7.0, 8.0]]), weights, weights.detach(), 9, 8)
    assert times.tolist() == [[8]] and over.tolist() == [[-7]]
    (-(times * -1.0).sum()).backward()
    assert weights.grad is not None
    assert weights.grad.flatten().tolist() == [-1, -1, 0]
    # And so are the neurons that sent it.
    sent = torch.tensor([[2.0, 7.0, 8.0]]).requires_grad_()
    times, _ = spike_times(sent, weights, torch.tensor([[3.0], [4.0], [5.0]]), 9, 8)
    (-(times * -1.0).sum()).backward()
    assert sent.grad is not None
    assert sent.grad.flatten().tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0])


def test_norms_are_of_each_image():
    """What goes back from one image does not depend on the others."""
    torch.manual_seed(2)
    arriving = torch.randint(0, 9, (6, 7)).float()
    first, second = torch.rand(7, 5), torch.rand(5, 3)
    error = torch.randn(6, 3)

    def gradient(rows: slice) -> torch.Tensor:
        weights = first.clone().requires_grad_()
        hidden, _ = spike_times(arriving[rows], weights, (first * 9).round(), 12, 8)
        times, _ = spike_times(hidden, second, (second * 9).round(), 9, 8)
        (-(times * error[rows]).sum()).backward()
        assert weights.grad is not None
        return weights.grad

    single = [gradient(slice(i, i + 1)) for i in range(6)]
    assert torch.allclose(gradient(slice(0, 6)), sum(single, torch.zeros(7, 5)), atol=1e-5)
    assert any(found.abs().max() > 0 for found in single)


def test_silent_neurons_start_anew():
    rng = np.random.default_rng(3)
    images = torch.from_numpy(rng.integers(0, 256, (50, 4, 4)).astype(np.uint8))
    net = S4nnNet([16, 6, 3], steps=8, bits=8, level=0.3, images=images)
    with torch.no_grad():
        net.weights[0][:, 2] = -1.0
        net.weights[1].fill_(-1.0)
    net.train().run(images.flatten(1).float() / 255)
    before = [weight.detach().clone() for weight in net.weights]
    net.renew()
    changed = (net.weights[0] != before[0]).all(dim=0).tolist()
    assert changed == [False, False, True, False, False, False]
    assert (net.weights[0][:, 2] >= 0).all()
    # Outputs learn without a spike of theirs.
    assert torch.equal(net.weights[1], before[1])
    # Nothing was seen since then.
    again = net.weights[0].detach().clone()
    net.renew()
    assert torch.equal(net.weights[0], again)


def test_rare_neurons_start_anew():
    """One image in 2000 is too few, three are not; each epoch counts by itself."""
    pixels = torch.zeros(2000, 2)
    pixels[0, 0] = 1.0
    pixels[:3, 1] = 1.0
    net = S4nnNet([2, 2, 2], steps=8, bits=8, level=0.3, images=(pixels * 255).byte()[:, None])
    net.train()

    def epoch(images: torch.Tensor) -> list[bool]:
        with torch.no_grad():
            net.weights[0].copy_(torch.eye(2))
            net.log_scales[0].fill_(-1.0)
        net.run(images)
        before = net.weights[0].detach().clone()
        net.renew()
        return (net.weights[0] != before).any(dim=0).tolist()

    assert epoch(pixels) == [True, False]
    assert epoch(torch.ones(2000, 2)) == [False, False]
    assert epoch(pixels * 0) == [True, True]


@pytest.mark.parametrize("bits", [1, 8])
def test_pace(bits):
    """Other numbers for the outputs, and the same network of integers."""
    images = torch.from_numpy(np.random.default_rng(7).integers(0, 256, (30, 4, 4), np.uint8))
    nets = []
    for pace in (1.0, 4.0):
        torch.manual_seed(8)
        nets.append(S4nnNet([16, 40, 3], steps=8, bits=bits, level=0.3, images=images, pace=pace))
    slow, fast = nets
    assert torch.allclose(slow.weights[1], 4 * fast.weights[1])
    assert torch.equal(slow.weights[0], fast.weights[0])
    for number in range(2):
        assert torch.equal(slow.integers(number), fast.integers(number))
        assert slow.theta(number) == fast.theta(number)


@pytest.mark.parametrize("bits", [1, 8])
def test_gradients_go_through_the_rounding(bits):
    """To the numbers behind it, for the weights that were used, and to what these stand for."""
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (30, 4, 4)).astype(np.uint8)
    torch.manual_seed(6)
    net = S4nnNet(
        [16, 6, 3], steps=8, bits=bits, level=0.3, images=torch.from_numpy(images), pace=4.0
    )
    error = torch.randn(30, 3)
    (net.train()(torch.from_numpy(images).flatten(1).float() / 255) * error).sum().backward()
    used = []
    times = torch.from_numpy((255 - images.reshape(30, 16).astype(int)) >> 5).float()
    times[torch.from_numpy(images.reshape(30, 16)) == 0] = 8
    for number in range(2):
        integers = net.integers(number)
        used.append((integers * net.log_scales[number].detach().exp()).requires_grad_())
        times, _ = spike_times(times, used[-1], integers, net.theta(number), 8)
    (times * error).sum().backward()
    for number, weight in enumerate(used):
        scale, found = net.log_scales[number], net.weights[number].grad
        assert found is not None and weight.grad is not None and weight.grad.abs().max() > 0
        factor = scale.detach().exp() if bits == 1 else 1.0
        assert torch.allclose(found, weight.grad * factor, atol=1e-5)
        if bits == 1:
            assert scale.grad is not None
            assert float(scale.grad) == pytest.approx(
                float((weight.detach() * weight.grad).sum()), rel=1e-3
            )
        else:
            assert scale.grad is None


REST = """\
hidden: [64]
weight_bits: 8
steps: [16]
training: {epochs: 25, batch: 32, learning_rate: 0.02}
options: {gamma: 0.06}
"""


@pytest.mark.parametrize(("bits", "least"), [(8, 0.8), (1, 0.7)])
def test_digits(tmp_path, bits, least):
    plan = recipe(tmp_path, "s4nn", REST.replace("weight_bits: 8", f"weight_bits: {bits}"))
    splits = load_splits(plan, None)
    shares: list[float] = []
    (variant,) = s4nn.train(plan, splits, 0, shares.append)
    assert variant.name == ("bs4nn-16" if bits == 1 else "s4nn-16")
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    assert (golden.run(variant.network, images).predicted == labels).mean() > least
    core = PRESETS["default"]
    expected = golden.run(variant.network, images[:6], core=core)
    difference = first_difference(
        expected, open_engine("pysim").run(variant.network, core, images[:6])
    )
    assert difference is None, difference
    assert "cycles" in expected.counters


def test_factors_learn_slower(tmp_path, monkeypatch):
    """At the rate of the weights they can run away, until any spike is above the threshold."""
    moved: list[float] = []

    def plain_steps(net, *rest, optimizer, **named):
        assert sum(len(group["params"]) for group in optimizer.param_groups) == 4
        weight, factor = net.weights[0], net.log_scales[0]
        before = float(weight.detach()[0, 0]), float(factor.detach())
        model = torch.nn.Module()
        model.forward = lambda pixels: weight[0, 0] + factor
        # Of the same groups; all gradients are 1.
        fit(
            model,
            *rest,
            loss=lambda found, _: found,
            optimizer=torch.optim.SGD(optimizer.param_groups),
            epochs=1,
        )
        after = float(weight.detach()[0, 0]), float(factor.detach())
        moved.extend(a - b for a, b in zip(before, after, strict=True))

    monkeypatch.setattr(s4nn, "fit", plain_steps)
    plan = recipe(tmp_path, "s4nn", REST.replace("weight_bits: 8", "weight_bits: 1"))
    s4nn.train(plan, load_splits(plan, None), 0, lambda _: None)
    assert moved[0] > 0
    assert moved[1] == pytest.approx(moved[0] / 30, rel=1e-3)


def test_numbers_of_steps(tmp_path):
    plan = recipe(tmp_path, "s4nn", REST.replace("[16]", "[16, 12]"))
    with pytest.raises(InputError, match=r"steps: has 12, must be powers of two in 8\.\.256"):
        s4nn.train(plan, load_splits(plan, None), 0, lambda _: None)
