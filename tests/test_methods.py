"""What methods share, and an identity of each method that must hold.

Mutants tried, each of which a test here refused: a threshold rounded down where a neuron fires at
it; one that fires above it without the 1 added; biases in the unit of a weight where pixels are
numbers; weights cut off instead of rounded; spikes of a hidden layer without their value; a start
at 0 instead of half the threshold; biases of FTBC that share one row; its error with the other
sign.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import firstspike
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.ftbc import calibrate
from firstspike.methods.qcfs import Levels, LevelsNet, to_floats
from firstspike.methods.quantize import quantize_network, scale_for
from firstspike.methods.recipe import METHODS, is_method, load_method_recipe
from firstspike.methods.simulate import simulate
from firstspike.spec import InputCoding, Reset

pytestmark = pytest.mark.train


def float_network(rng: np.random.Generator, **changes) -> FloatNetwork:
    """Return a network whose numbers are integers, of 7 levels of input."""
    layers = (
        FloatLayer(
            name="hidden",
            weights=rng.integers(-7, 8, (6, 5)).astype(float),
            sources=("input",),
            threshold=20.0,
            reset=changes.pop("reset", Reset.SOFT),
            bias=rng.integers(-3, 4, (changes.pop("rows", 1), 5)).astype(float),
            initial=np.full(5, 10.0),
            once=changes.pop("once", False),
            strict=changes.pop("strict", False),
        ),
        FloatLayer(
            name="output",
            weights=rng.integers(-7, 8, (5, 3)).astype(float),
            sources=("hidden",),
            threshold=None,
        ),
    )
    values = {
        "name": "n",
        "layers": layers,
        "steps": 4,
        "coding": InputCoding.DIRECT,
        "shape": (2, 3),
        "labels": (0, 1, 2),
        "input_bits": 8,
    }
    return FloatNetwork(**(values | changes))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("coding", [InputCoding.DIRECT, InputCoding.ONCE])
@pytest.mark.parametrize(
    "changes", [{}, {"reset": Reset.HARD}, {"rows": 4}, {"once": True}], ids=str
)
def test_integers_in_floats_are_the_golden_model(changes, coding, strict):
    """With weights that 4 bits hold exactly, floats and integers do the same."""
    rng = np.random.default_rng(1)
    network = float_network(rng, coding=coding, strict=strict, **changes)
    # Pixels of 0 and 255 are the numbers 0 and 1, so that all sums are whole.
    images = (rng.integers(0, 2, (50, 6)) * 255).astype(np.uint8)
    # The largest weight must be there for the scale to be 1.
    layers = []
    for layer in network.layers:
        weights = layer.weights.copy()
        weights[0, 0] = 7
        layers.append(replace(layer, weights=weights))
    network = replace(network, layers=tuple(layers))
    course = simulate(network, torch.from_numpy(images).float() / 255)
    outcome = run_multispike(quantize_network(network, 4).network, images)
    counts = course.spikes["hidden"].sum(dim=0).numpy()
    assert (counts == outcome.spike_count["hidden"]).all()
    single = changes.get("once") or coding is InputCoding.ONCE
    assert counts.max() > (0 if single else 1)
    assert (course.potential.numpy() == outcome.potential).all()


def test_strict_thresholds():
    """A neuron that fires above 2 does not fire at 2."""
    for strict, fires in ((False, 1), (True, 0)):
        layer = FloatLayer(
            name="a", weights=np.array([[2.0]]), sources=("input",), threshold=2.0, strict=strict
        )
        network = FloatNetwork(
            name="n",
            layers=(layer,),
            steps=1,
            coding=InputCoding.DIRECT,
            shape=(1, 1),
            labels=(0,),
        )
        image = np.array([[255]], np.uint8)
        outcome = run_multispike(quantize_network(network, 8).network, image)
        assert outcome.spike_count["a"].tolist() == [[fires]]


def test_rounding():
    """Weights, thresholds, biases and initial potentials go to the nearest integer."""
    rng = np.random.default_rng(6)
    bias, initial = rng.normal(size=(1, 10)), rng.normal(size=10)
    layer = FloatLayer(
        name="a",
        weights=rng.normal(size=(20, 10)),
        sources=("input",),
        threshold=4.321,
        bias=bias,
        initial=initial,
    )
    network = FloatNetwork(
        name="n",
        layers=(layer,),
        steps=1,
        coding=InputCoding.RATE,
        shape=(4, 5),
        labels=tuple(range(10)),
    )
    quantized = quantize_network(network, 8)
    found, scale = quantized.network.layers[0], quantized.scales["a"]
    assert found.bias is not None and found.initial is not None and found.threshold is not None
    assert np.abs(found.weights * scale - layer.weights).max() <= scale / 2 * 1.001
    assert abs(found.threshold * scale - 4.321) <= scale / 2
    assert np.abs(found.bias * scale - bias).max() <= scale / 2
    assert np.abs(found.initial * scale - initial).max() <= scale / 2


def test_scales():
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(100, 50))
    top = np.abs(weights).max()
    assert scale_for(weights, 8) == pytest.approx(top / 127, rel=0.2)
    # With few bits, cutting off the largest costs less than a coarse scale.
    assert scale_for(weights, 3) < 0.8 * top / 3
    assert scale_for(np.zeros((2, 2)), 4) == 1.0


def test_levels():
    """The activation is the count of spikes that a neuron sends in as many steps, exactly."""
    levels = Levels(4)
    with torch.no_grad():
        levels.threshold.fill_(1.0)
    current = torch.linspace(-0.5, 1.5, 81).double()
    layer = FloatLayer(
        name="a",
        weights=np.array([[1.0]]),
        sources=("input",),
        threshold=1.0,
        initial=np.array([0.5]),
    )
    network = FloatNetwork(
        name="n", layers=(layer,), steps=4, coding=InputCoding.DIRECT, shape=(1, 1), labels=(0,)
    )
    counts = simulate(network, current[:, None].float()).spikes["a"].sum(dim=0)[:, 0]
    # Between the steps of the stairs; on them, floats may fall to either side.
    inside = ((current * 4 + 0.5) % 1 - 0.5).abs() < 0.45
    assert (levels(current)[inside] * 4 == counts[inside]).all()
    assert sorted(set(counts.tolist())) == [0, 1, 2, 3, 4]


def trained(seed: int, levels: int = 4) -> LevelsNet:
    torch.manual_seed(seed)
    model = LevelsNet([20, 30, 10, 4], levels, 0.0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight"):
                parameter.mul_(3.0)
    return model.eval()


def test_conversion_comes_to_the_activation():
    """With many steps, the mean of the outputs is what the trained network gives."""
    model = trained(3, levels=1 << 16)
    inputs = torch.rand(40, 20)
    network = to_floats(model, "n", 2000, (4, 5), 8)
    course = simulate(network, inputs)
    assert torch.allclose(course.potential / 2000, model(inputs).detach(), atol=0.02)


def test_ftbc_makes_every_step_right_in_the_mean():
    model = trained(4)
    inputs = torch.rand(400, 20)
    floats = to_floats(model, "n", 4, (4, 5), 8)
    calibrated, errors = calibrate(model, floats, inputs, rate=0.4, rounds=20)
    for before, after in zip(errors["converted"], errors["ftbc"], strict=True):
        assert len(before) == 4
        assert max(after) < 0.01
        assert max(before) > 5 * max(after)
    bias = calibrated.layers[0].bias
    assert bias is not None and len({tuple(row) for row in bias.tolist()}) == 4


def recipe(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


GOOD = """\
version: 1
kind: method
method: ftbc
data: digits
hidden: [16]
steps: [1, 2]
training: {epochs: 2}
"""


def test_recipes(tmp_path):
    read = load_method_recipe(recipe(tmp_path, GOOD))
    assert (read.method, read.hidden, read.steps, read.weight_bits) == ("ftbc", (16,), (1, 2), 8)
    assert read.options["levels"] == 8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ftbc", "magic", "method: is 'magic', must be one of"),
        ("[1, 2]", "[]", "must name at least one"),
        ("[1, 2]", "[0]", r"steps\[0\]: is 0, must be an integer in 1..4096"),
        ("{epochs: 2}", "{epochs: 2, rate: 1}", "rate: unknown key"),
        ("hidden: [16]", "hidden: [16]\noptions: {levels: 0}", "levels: is 0, must be a number"),
        ("version: 1", "version: 2", "this release reads version 1"),
    ],
)
def test_refused_recipes(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message):
        load_method_recipe(recipe(tmp_path, GOOD.replace(old, new)))


def test_not_finite():
    with pytest.raises(InputError, match=r"weights\[0, 1\] is not a finite number"):
        FloatLayer(name="a", weights=np.array([[1.0, np.nan]]), sources=("input",), threshold=1.0)


def test_shipped_recipes():
    """Each method has one for both large data sets; recipes have the names of their files."""
    found = set()
    for path in (Path(firstspike.__file__).parent / "recipes").glob("*.yaml"):
        if is_method(path):
            read = load_method_recipe(path)
            assert read.name == path.stem
            found.add((read.method, read.data))
    large = {(method, data) for method in METHODS for data in ("mnist", "fashion-mnist")}
    assert large <= found <= large | {(method, "digits") for method in METHODS}
