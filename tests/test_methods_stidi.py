"""Spikes on ramps, and displacements of their times.

Mutants tried, each of which a test here refused: a neuron that fires above its threshold alone, or
again; the potential in place of its slope, or no slope of silent neurons; ramps one step shorter,
longer without a spike, or below 0; an input that moves what fired before it, or not what fires with
it, or that never spiked; displacements of the other sign, of hidden neurons too; no least slope, or
nothing else; hidden displacements that are not divided by a slope; the right class wanted later; no
sharpness; a mean for a sum; initial potentials that are not rounded, or whole with half the inputs,
as thresholds, gradients and later shares; spikes left out in use; sign weights that go anywhere; a
neuron that fires twice on the core, currents that are not kept; potentials where times are read.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from firstspike.errors import InputError
from firstspike.golden.encoding import latency_times
from firstspike.golden.multispike import run_multispike
from firstspike.methods import stidi
from firstspike.methods.ramps import fire_once, move_inputs, weight_gradient
from firstspike.methods.simulate import simulate
from firstspike.methods.stidi_net import RampNet
from firstspike.network import MultiSpikeLayer
from firstspike.spec import WeightKind
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train

STEPS = 1 << 16


def net(sizes: list[int], steps: int = 32, seed: int = 1, **changes) -> RampNet:
    torch.manual_seed(seed)
    values = {"by_potential": False, "least_slope": 1e-3, "sharpness": 20.0, "gain": 8.0}
    model = RampNet(sizes, steps=steps, **(values | changes))
    for layer in model.layers:
        layer.initial.copy_(torch.randn(layer.initial.shape) * 0.2)
    return model


def pictures(n: int, pixels: int, seed: int = 2) -> np.ndarray:
    images = np.random.default_rng(seed).integers(0, 256, (n, pixels)).astype(np.uint8)
    images[images < 60] = 0
    return images


def test_ramps_by_hand():
    """The example of semantics 11.1: 2, 7, 12 with a threshold of 8; and one that is never met."""
    weights = np.array([[2, 1], [3, -2]], np.float32)
    fired, slopes, potentials = fire_once(
        np.array([[0, 1], [5, 1]]), weights, np.zeros(2, np.float32), 8.0, 5
    )
    assert fired.tolist() == [[2, 5], [3, 5]]
    assert slopes.tolist() == [[5, -1], [3, -2]]
    assert potentials.tolist() == [[22, -3], [12, -8]]
    errors = np.array([[1, 10], [100, 1000]], np.float32)
    # The first image: ramps of 3 and 2 steps, or of all 5 and 4 where there was no spike.
    assert weight_gradient(np.array([[0, 1], [5, 1]]), fired, errors, 5).tolist() == [
        [3, 50],
        [2 + 100 * 3, 40 + 1000 * 4],
    ]
    # Steps 0 and 1 are before all spikes, a silent input moves nothing.
    assert move_inputs(np.array([[0, 1], [5, 1]]), fired, errors, weights, 5).tolist() == [
        [-2 - 10, -3 + 20],
        [0, -300 + 2000],
    ]
    late = move_inputs(np.array([[3, 2], [5, 4]]), fired, errors, weights, 5)
    assert late.tolist() == [[-10, -3 + 20], [0, 2000]]


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("by_potential", [False, True])
def test_integers_spike_when_floats_do(bits, by_potential):
    """Of all layers: each neuron's time, told by a readout, and what is compared in the end."""
    model = net([40, 30, 20, 5], by_potential=by_potential)
    for layer in model.layers:
        layer.round_to(bits)
    images = pictures(60, 40)
    passes = model.run(latency_times(images, 32, 1))
    network = model.to_integers("n", (5, 8))
    outcome = run_multispike(network, images)
    scores = model.scores(passes[-1])
    assert (outcome.predicted == scores.argmax(axis=1)).all()
    unit = model.layers[-1].scale / 32 if by_potential else 1 / 32
    assert np.allclose(outcome.potential * unit, scores, atol=1e-5)
    for number, done in enumerate(passes):
        if by_potential and done is passes[-1]:
            continue
        layer = network.layers[number]
        reader = MultiSpikeLayer(
            name="reader",
            sources=(layer.name,),
            kind=WeightKind.SIGNED,
            weight_bits=2,
            weights=np.eye(layer.neurons, dtype=np.int64),
            threshold=None,
            current_leak=None,
        )
        part = replace(
            network,
            layers=(*network.layers[: number + 1], reader),
            labels=tuple(range(layer.neurons)),
        )
        assert (32 - run_multispike(part, images).potential == done.fired).all()
        assert len(np.unique(done.fired)) > 10


def test_floats_are_simulated_the_same():
    """Without rounding, step by step in the rule of all methods."""
    model = net([40, 30, 5])
    images = pictures(60, 40)
    passes = model.run(latency_times(images, 32, 1))
    course = simulate(model.to_floats("n", (5, 8)), torch.from_numpy(images).float() / 255)
    for number, name in enumerate(("hidden1", "output")):
        spikes = course.spikes[name].numpy()
        times = np.where(spikes.any(axis=0), spikes.argmax(axis=0), 32)
        assert (times != passes[number].fired).mean() < 0.005


def test_times_move_as_the_rule_says():
    """Difference quotients; with so many steps these hardly count, and no spike is out of order."""
    model = net([40, 30, 5], steps=STEPS)
    times = latency_times(pictures(1, 40), STEPS, 1)
    hidden, output = model.run(times)
    column = int(output.fired[0].argmin())
    assert output.fired[0, column] < STEPS
    errors = np.zeros((1, 5), np.float32)
    errors[0, column] = -1 / output.slopes[0, column]
    # Of outputs' weights, directly; of hidden weights, by way of the hidden spike's time.
    model._back([hidden, output], errors)
    compared = 0
    for number, layer in enumerate(model.layers):
        weight, told = layer.weight, layer.weight.grad
        assert told is not None
        gradient = told.numpy()
        order = np.abs(gradient).ravel().argsort()[::-1]
        for place in order[:20]:
            i, j = divmod(int(place), gradient.shape[1])
            if abs(gradient[i, j]) < 0.01:
                continue
            size = 0.0005 / abs(gradient[i, j])
            before = weight[i, j].item()
            found = []
            for sign in (-1, 1):
                weight[i, j] = before + sign * float(size)
                found.append(model.run(times)[1].fired[0, column] / STEPS)
            weight[i, j] = before
            quotient = (found[1] - found[0]) / (2 * size)
            assert quotient == pytest.approx(gradient[i, j], rel=0.1), (number, i, j)
            compared += 1
    assert compared > 20


def test_a_desired_step_is_taken():
    """Two inputs and one output, by hand; then in the direction of the update, and against it."""
    model = net([2, 1], steps=100)
    (layer,) = model.layers
    layer.weight.copy_(torch.tensor([[2.0], [1.5]]))
    layer.initial.zero_()
    times = np.array([[10, 30]])
    (done,) = model.run(times)
    fired = done.fired[0, 0]
    # 2 (47 - 9) + 1.5 (47 - 29) = 103 is the first to reach 100; before it there are 99.5.
    assert fired == 47
    assert done.slopes[0, 0] == pytest.approx(3.5)
    for wanted in (1, -1):
        errors = model._errors(done, np.array([[wanted / 100]]))
        assert errors[0, 0] == pytest.approx(wanted / 350)
        gradient = weight_gradient(times, done.fired, errors, 100)[:, 0] / 100
        ramps = (fired - times[0] + 1) / 100
        assert gradient == pytest.approx(wanted / 350 * ramps, rel=1e-5)
        before = layer.weight.clone()
        layer.weight -= torch.from_numpy(gradient)[:, None] * (3.5**2 / float((ramps**2).sum()))
        (moved,) = model.run(times)
        assert moved.fired[0, 0] - fired == wanted
        layer.weight.copy_(before)


def test_least_slope():
    model = net([2, 1], steps=10, least_slope=5.0)
    (layer,) = model.layers
    layer.initial.zero_()
    layer.weight.copy_(torch.tensor([[4.0], [0.0]]))
    (done,) = model.run(np.array([[0, 0]]))
    assert model._errors(done, np.ones((1, 1))) == pytest.approx(0.2)
    layer.weight.fill_(4.0)
    (done,) = model.run(np.array([[0, 0]]))
    assert model._errors(done, np.ones((1, 1))) == pytest.approx(0.125)


@pytest.mark.parametrize("by_potential", [False, True])
def test_targets(by_potential):
    """The right class earlier, the others later in proportion; the loss is the cross-entropy."""
    model = net([40, 30, 5], by_potential=by_potential, dropout=0.0)
    times = latency_times(pictures(3, 40), 32, 1)
    labels = np.array([0, 4, 2])
    last = model.run(times)[-1]
    score = last.potentials if by_potential else -last.fired / 32
    chances = torch.from_numpy(score * 20.0).double().softmax(dim=1).numpy()
    told = torch.from_numpy(score * 20.0).double().log_softmax(dim=1).numpy()
    expected = -told[np.arange(3), labels].mean()
    assert model.learn(times, labels) == pytest.approx(expected, rel=1e-5)
    chances[np.arange(3), labels] -= 1
    desired = chances * 20 / 3
    if not by_potential:
        desired = desired / np.maximum(last.slopes, 1e-3)
    grad = model.layers[-1].initial.grad
    assert grad is not None
    assert np.allclose(grad.numpy(), desired.sum(axis=0), rtol=1e-4, atol=1e-6)


def test_gradient_of_potentials():
    """Where potentials are compared, the outputs' weights have the plain gradient of the loss."""
    model = net([40, 30, 5], by_potential=True)
    times = latency_times(pictures(9, 40), 32, 1)
    labels = np.arange(9) % 5
    model.learn(times, labels)
    layer = model.layers[-1]
    hidden = model.run(times)[-1].times
    weight = layer.weight.clone().requires_grad_()
    ramps = torch.from_numpy((32 - hidden) / 32).float()
    logits = 20.0 * (ramps @ weight + layer.initial)
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels)).backward()
    assert layer.weight.grad is not None and weight.grad is not None
    assert torch.allclose(layer.weight.grad, weight.grad, rtol=1e-3, atol=1e-5)


def test_dropout():
    """As many spikes fewer, as much less of a threshold; nothing of it outside training."""
    model = net([40, 400, 5], dropout=0.5)
    times = latency_times(pictures(20, 40), 32, 1)
    whole, part = model.run(times)[1], model.run(times, training=True)[1]
    assert (whole.times == model.run(times)[1].times).all()
    there = (part.times < 32).sum() / (whole.times < 32).sum()
    assert there == pytest.approx(0.5, abs=0.05)
    assert ((part.times == whole.times) | (part.times == 32)).all()
    assert part.share == 0.5 and whole.share == 1.0


def test_half_the_inputs():
    """Each input stands twice, and one of each pair is left out: nothing changes."""
    model = net([40, 30])
    (layer,) = model.layers
    layer.weight[20:] = layer.weight[:20]
    times = latency_times(pictures(20, 20), 32, 1)
    whole = layer.take(np.concatenate([times, times], axis=1), True)
    half = layer.take(np.concatenate([times, np.full_like(times, 32)], axis=1), True, 0.5)
    assert len(np.unique(whole.fired)) > 5
    # Sums differ in their last digits.
    assert (whole.fired != half.fired).mean() < 0.01
    same = whole.fired == half.fired
    assert np.allclose(whole.slopes[same], half.slopes[same], rtol=1e-3, atol=1e-3)
    assert np.allclose(whole.potentials, half.potentials, rtol=1e-3, atol=1e-3)
    assert np.allclose(half.weights, 2 * whole.weights)
    model._back([half], np.ones((20, 30), np.float32))
    expected = 2 * weight_gradient(half.times, half.fired, np.ones((20, 30), np.float32), 32) / 32
    assert layer.weight.grad is not None
    assert np.allclose(layer.weight.grad.numpy(), expected, rtol=1e-4)


def test_sign_weights_stay_near():
    model = net([40, 5])
    (layer,) = model.layers
    layer.round_to(1)
    assert layer.scale == pytest.approx(layer.weight.abs().mean().item())
    layer.weight.mul_(100)
    layer.limit()
    assert layer.weight.abs().max().item() == pytest.approx(2 * layer.scale)
    weights, initial, threshold = layer.whole()
    assert (weights == np.where(layer.weight.numpy() >= 0, 1, -1)).all()
    assert threshold == round(32 / layer.scale) and (initial == initial.round()).all()


REST = """\
hidden: [48]
weight_bits: 4
steps: [16]
training: {epochs: 20, batch: 32, learning_rate: 0.01}
options: {gain: 4, rounded: 3, readout: READOUT}
"""


@pytest.mark.parametrize("readout", [0, 1])
def test_digits(tmp_path, readout):
    plan = recipe(tmp_path, "stidi", REST.replace("READOUT", str(readout)))
    splits = load_splits(plan, None)
    shares: list[float] = []
    real, sign = stidi.train(plan, splits, 0, shares.append)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    assert (real.name, sign.name) == ("real-16", "sign-16")
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    found = [
        (run_multispike(variant.network, images).predicted == labels).mean()
        for variant in (real, sign)
    ]
    assert found[0] > real.facts["float_accuracy"] - 0.05 and found[0] > 0.75
    assert found[1] > 0.65 and "float_accuracy" not in sign.facts
    assert {layer.kind for layer in sign.network.layers[:2]} == {WeightKind.PM1}
    assert max(layer.weight_bits for layer in sign.network.layers) == 1
    # What was trained is what is exported.
    checked = (
        run_multispike(sign.network, splits.validation_images.numpy()).predicted
        == splits.validation_labels.numpy()
    )
    assert checked.mean() == sign.facts["validation_accuracy"]
    check_on_core(real if readout else sign, images[:2])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight_bits: 4", "weight_bits: 1", r"weight_bits: is 1, must be in 2\.\.8"),
        ("rounded: 3", "rounded: 20", "rounded: is 20, must be below 20"),
    ],
)
def test_refused(tmp_path, old, new, message):
    plan = recipe(tmp_path, "stidi", REST.replace("READOUT", "0").replace(old, new))
    with pytest.raises(InputError, match=message):
        stidi.train(plan, load_splits(plan, None), 0, lambda _: None)
