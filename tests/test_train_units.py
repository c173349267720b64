"""Parts of training: quantisers, STEP and RAMP layers, losses, calibration, integer network.

Mutants tried, each of which a test here refused: `floor` for `round` in the quantiser, no clamp in
it, 0 as a pm1 weight, a gradient without the factor of the largest weight; `>` for `>=` in `fire`;
the running maximum left out forward, and its gradient sent to the last step; `ceil` left out of a
hidden threshold; the thermometer one step late, and without `intensity_min`; `round` for `floor` in
the staircase, and a gradient beyond its top; bias not rounded; `prune` that keeps a pruned weight's
gradient; the caution applied to the right class; a calibration that ignores forced decisions, or
takes a shift below the least threshold; ties given to the highest index; an image that is not
moved to one side, or mirrored top to bottom; a deadline that changes decisions made before.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike import golden  # noqa: E402
from firstspike.golden.encoding import encode as golden_encode  # noqa: E402
from firstspike.network import Layer, Network  # noqa: E402
from firstspike.spec import Neuron, WeightKind, weight_range  # noqa: E402
from firstspike.train.batches import augment, batches  # noqa: E402
from firstspike.train.integer import decide, trace  # noqa: E402
from firstspike.train.measure import deadline_accuracy  # noqa: E402
from firstspike.train.objective import calibrate, gate_loss  # noqa: E402
from firstspike.train.plans import LayerPlan, Objective  # noqa: E402
from firstspike.train.quantizers import clip_latent, quantize  # noqa: E402
from firstspike.train.ramp import Ramp, magnitudes, staircase  # noqa: E402
from firstspike.train.step import Hidden, fire, thermometer  # noqa: E402

pytestmark = pytest.mark.train

SIGNED, PM1 = WeightKind.SIGNED, WeightKind.PM1
GOAL = Objective(gate=1, caution=4, caution_end=1, first=1, last=1, mean_step=0.5, forced=0.05)


def tensor(*values: float):
    return torch.tensor(values)


@pytest.mark.parametrize(
    ("kind", "bits", "expected"),
    [
        (SIGNED, 8, [-127, -64, 0, 1, 2, 127]),
        (SIGNED, 4, [-7, -4, 0, 0, 0, 7]),
        (SIGNED, 2, [-1, -1, 0, 0, 0, 1]),
        (PM1, 1, [-1, -1, 1, 1, 1, 1]),
    ],
)
def test_weights_are_rounded_and_clipped(kind, bits, expected):
    latent = tensor(-3.0, -0.503, 0.0, 0.009, 0.013, 1.5).requires_grad_()
    value = quantize(latent, kind, bits)
    assert value.tolist() == expected
    value.sum().backward()
    # The factor between latent and integer weights is the largest weight.
    assert latent.grad is not None
    assert latent.grad.tolist() == [weight_range(kind, bits)[1]] * 6


def test_latent_weights_stay_in_their_range():
    latent = tensor(-3.0, 0.5, 1.5)
    clip_latent(latent)
    assert latent.tolist() == [-1.0, 0.5, 1.0]


@pytest.mark.parametrize("off", [False, True])
@pytest.mark.parametrize("time_bits", [3, 4, 8])
def test_thermometer_is_the_golden_encoding(time_bits, off):
    pixels = 256
    images = np.arange(256, dtype=np.uint8)[None]
    inputs = pixels * (2 if off else 1)
    layer = Layer("a", Neuron.STEP, SIGNED, 8, np.ones((inputs, 1), np.int64), np.ones(1, np.int64))
    network = Network("n", (layer,), time_bits, (16, 16), (0,), intensity_min=40, off=off)
    times = golden_encode(network, images)
    fired = thermometer(torch.from_numpy(images), time_bits, 40, off)
    for t in range(network.steps):
        assert np.array_equal(fired[t].numpy(), times <= t)


def test_fired_stays_fired():
    v = tensor(1.0, 5.0, 4.0, 6.0, 2.0).view(5, 1, 1)
    fired = fire(v, tensor(5.0), tensor(1.0))
    assert fired.flatten().tolist() == [0, 1, 1, 1, 1]


def test_gradient_goes_to_the_step_of_the_largest_potential():
    v = tensor(1.0, 5.0, 4.0, 6.0, 2.0).view(5, 1, 1).requires_grad_()
    theta = tensor(5.0).requires_grad_()
    fire(v, theta, tensor(2.0)).sum().backward()
    assert v.grad is not None
    assert theta.grad is not None
    # Surrogate 1 / (2 (1 + 5 |u|)^2) with u = -2, 0, 0, 0.5, 0.5; steps 2 and 4 repeat 1 and 3.
    expected = [0.5 / 121, 1.0, 0.0, 2 * 0.5 / 3.5**2, 0.0]
    assert v.grad.flatten().tolist() == pytest.approx(expected)
    assert theta.grad.item() == pytest.approx(-sum(expected))


def test_a_hidden_threshold_is_rounded_up_and_at_least_one():
    layer = Hidden(4, LayerPlan("h", 3, SIGNED, 4))
    layer.mean.copy_(tensor(2.5, 7.0, -4.0))
    layer.deviation.fill_(2.0)
    assert layer.integer_threshold().tolist() == [3, 7, 1]


def test_batch_statistics_are_followed_until_frozen():
    torch.manual_seed(0)
    layer = Hidden(6, LayerPlan("h", 5, SIGNED, 8)).train()
    fired = (torch.rand(8, 300, 6) < 0.5).float()
    for _ in range(400):
        layer(fired)
    v = fired.reshape(-1, 6) @ layer.integers()
    assert torch.allclose(layer.mean, v.mean(0), rtol=0.01, atol=0.1)
    assert torch.allclose(layer.deviation, v.std(0), rtol=0.01)
    layer.frozen = True
    mean = layer.mean.clone()
    layer(fired * 0)
    assert torch.equal(layer.mean, mean)


def test_staircase_floors_and_clips():
    u = tensor(-1.0, -0.1, 0.9, 1.0, 14.99, 15.5, 17.0).requires_grad_()
    level = staircase(u, 15)
    assert level.tolist() == [0, 0, 0, 1, 14, 15, 15]
    level.sum().backward()
    assert u.grad is not None
    assert u.grad.tolist() == [0, 0, 1, 1, 1, 1, 0]


def test_ramp_potentials_are_integers_and_pruned_weights_stay_zero():
    torch.manual_seed(0)
    layer = Ramp(20, LayerPlan("r", 6, SIGNED, 4), 16)
    with torch.no_grad():
        layer.offset.normal_()
        layer.log_scale.normal_()
    v = layer(magnitudes(torch.randint(256, (9, 20), dtype=torch.uint8), 4))
    assert torch.equal(v, v.round())
    assert layer.scale().item() == round(layer.scale().item()) >= 1
    layer.prune(0.5)
    assert (layer.integers() == 0).sum() >= 60
    assert layer.mask.sum() == 60
    v = layer(torch.ones(1, 20)).sum()
    v.backward()
    assert layer.weight.grad is not None
    assert not layer.weight.grad[layer.mask == 0].any()
    assert layer.weight.grad[layer.mask == 1].all()


def test_a_wrong_output_over_its_threshold_costs_more():
    labels = torch.tensor([0])
    caution = tensor(9.0)
    good = gate_loss(tensor(3.0, -3.0).view(1, 1, 2), labels, caution)
    missed = gate_loss(tensor(-3.0, -3.0).view(1, 1, 2), labels, caution)
    wrong = gate_loss(tensor(3.0, 3.0).view(1, 1, 2), labels, caution)
    assert good < missed < wrong
    assert wrong.item() == pytest.approx((np.log1p(np.exp(-3)) + 9 * np.log1p(np.exp(3))) / 10)


def test_early_and_last_decisions():
    # d by step: nobody; two over, equal and largest; a late, larger one.
    d = torch.tensor([[[-1, -2, -3]], [[0, 2, 2]], [[1, 2, 9]]])
    early, step, last = decide(d)
    assert (early.item(), step.item(), last.item()) == (1, 1, 2)
    early, step, last = decide(torch.tensor([[[-5, -5, -5]], [[-9, -2, -2]]]))
    assert (early.item(), step.item(), last.item()) == (1, 2, 1)


def test_calibration_trades_the_step_for_right_decisions():
    # At step 0 output 1 reaches 3, at step 1 output 0, the right one, reaches 10: a higher
    # threshold waits for it, and one above 10 decides nothing.
    potential = torch.tensor([[[0, 3]] * 8, [[10, 3]] * 8, [[10, 3]] * 8, [[10, 3]] * 8])
    labels = torch.zeros(8, dtype=torch.long)
    shift = calibrate(potential, torch.tensor([1, 1]), labels, GOAL)
    assert 3 < 1 + shift <= 10
    # Nobody ever above 0: thresholds cannot sink below 1, however much is forced.
    assert calibrate(-potential, torch.tensor([4, 5]), labels, GOAL) >= -3


def test_calibration_keeps_forced_decisions_rare():
    # Above 8 half of the images are forced, and right; up to 8 none is, and that half is wrong.
    late = [[0, 3], [10, 3], [10, 3], [10, 3]]
    wrong = [[0, 8], [0, 8], [7, 0], [7, 0]]
    potential = torch.tensor([[late[t]] * 4 + [wrong[t]] * 4 for t in range(4)])
    labels = torch.zeros(8, dtype=torch.long)
    theta = torch.tensor([1, 1])
    goal = dataclasses.replace(GOAL, mean_step=1.0)
    assert 3 < 1 + calibrate(potential, theta, labels, goal) <= 8
    free = dataclasses.replace(goal, forced=1.0)
    assert 8 < 1 + calibrate(potential, theta, labels, free) <= 10


def test_a_deadline_keeps_decisions_that_were_made():
    # Image 0 decides for 1 at step 1, and would be 0 later; image 1 never decides.
    overshoot = np.array([[[-5, -3], [-1, -2]], [[-2, 0], [-3, -2]], [[4, 0], [-3, -2]]])
    assert deadline_accuracy(overshoot, np.array([1, 1])) == [0.5, 1.0, 1.0]
    assert deadline_accuracy(overshoot, np.array([0, 0])) == [0.5, 0.0, 0.0]


def random_network(rng: np.random.Generator, neuron: Neuron) -> Network:
    time_bits = int(rng.integers(3, 6))
    off = neuron is Neuron.STEP and bool(rng.integers(2))
    pm1 = bool(rng.integers(2))
    kind, bits = (PM1, 1) if pm1 else (SIGNED, int(rng.integers(2, 9)))
    top = weight_range(kind, bits)[1]
    sizes = [24 * (2 if off else 1), int(rng.integers(3, 20)), int(rng.integers(2, 6))]
    layers = []
    for number, (wide, neurons) in enumerate(itertools.pairwise(sizes)):
        weights = rng.integers(-top, top + 1, (wide, neurons))
        if pm1:
            weights = np.where(weights >= 0, 1, -1)
        unit = max(2, top * 2)
        if neuron is Neuron.STEP:
            layer = Layer(f"l{number}", neuron, kind, bits, weights, rng.integers(1, unit, neurons))
        else:
            bias = rng.integers(-unit, unit, neurons)
            layer = Layer(f"l{number}", neuron, kind, bits, weights, bias, int(rng.integers(1, 99)))
        layers.append(layer)
    least = 20 if neuron is Neuron.STEP else 1
    return Network("n", tuple(layers), time_bits, (4, 6), (0,) * sizes[-1], least, off)


@pytest.mark.parametrize("neuron", list(Neuron))
def test_integer_network_is_the_golden_model_to_the_bit(neuron):
    rng = np.random.default_rng(5)
    forced = early_steps = tied = 0
    for _ in range(40):
        network = random_network(rng, neuron)
        images = (rng.integers(0, 256, (30, 24)) * rng.integers(0, 2, (30, 1))).astype(np.uint8)
        ours = trace(network, torch.from_numpy(images))
        theirs = golden.run(network, images, early_exit=False)
        assert np.array_equal(ours.potential[-1].numpy(), theirs.potential)
        for name, times in ours.spike_time.items():
            assert np.array_equal(times.numpy(), theirs.spike_time[name])
        overshoot = ours.potential
        if neuron is Neuron.STEP:
            overshoot = overshoot - torch.from_numpy(network.layers[-1].offset)
            early, step, last = decide(overshoot)
            assert np.array_equal(early.numpy(), theirs.predicted)
            assert np.array_equal(step.numpy(), theirs.decision_step)
        else:
            _, _, last = decide(overshoot)
        assert np.array_equal(last.numpy(), theirs.last_predicted)
        forced += int(theirs.forced.sum())
        early_steps += int((theirs.decision_step < network.steps).sum())
        top = theirs.potential.max(1, keepdims=True)
        tied += int(((theirs.potential == top).sum(1) > 1).sum())
    # What the comparison is for did occur.
    assert tied
    assert neuron is Neuron.RAMP or (forced and early_steps)


def test_a_pass_takes_every_image_once():
    torch.manual_seed(1)
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1).expand(10, 3, 3)
    seen = list(batches(images, torch.arange(10), 3, 0, False))
    labels = torch.cat([labels for _, labels in seen])
    assert len(labels) == 9 == len(labels.unique())
    assert all((found[:, 0, 0] == labels).all() for found, labels in seen)


def test_augmentation_moves_and_mirrors():
    torch.manual_seed(1)
    image = torch.zeros(400, 5, 5, dtype=torch.uint8)
    image[:, 2, 3] = 7
    moved = augment(image, 1, False)
    places = {tuple(place) for place in torch.nonzero(moved)[:, 1:].tolist()}
    assert places == {(row, column) for row in (1, 2, 3) for column in (2, 3, 4)}
    mirrored = augment(image, 0, True)
    assert {tuple(p) for p in torch.nonzero(mirrored)[:, 1:].tolist()} == {(2, 3), (2, 1)}
