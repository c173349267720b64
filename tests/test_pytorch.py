"""Files of ``torch.export.save``: folded, quantised, or refused by the name of the operation.

Mutants tried, each of which a test here refused: a normalisation without its epsilon, or its mean;
constants before the first layer in the other order; a bias that is not multiplied by the layer
behind it; half a step that is not added to the bias; a scale that forgets what the layer before
stands for; a largest activation that the integers do not have; a branch that is taken for a chain.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from firstspike import golden
from firstspike.cli import main
from firstspike.data import load
from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.pytorch.program import read_program
from firstspike.pytorch.ramp import to_ramp, top_for

pytestmark = pytest.mark.train


def save(tmp_path: Path, model: nn.Module, *shape: int) -> Path:
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(model, (torch.rand(2, *shape),)), path)
    return path


class Scaled(nn.Module):
    """Pixels are normalised first, and scores are made logarithms of probabilities."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.log_softmax(self.inner((x - 0.25) / 0.5 * 3 + 0.125), dim=1)


def normalised() -> nn.Module:
    """Return a network that has each operation that is taken."""
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 9),
        nn.BatchNorm1d(9, eps=0.1),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(9, 8, bias=False),
        nn.ReLU6(),
        nn.Linear(8, 7),
        nn.Hardtanh(0, 0.5),
        nn.Linear(7, 5),
        nn.Linear(5, 4),
    )
    for part in model:
        if isinstance(part, nn.BatchNorm1d):
            assert part.running_mean is not None and part.running_var is not None
            for values in (part.running_mean, part.weight.data, part.bias.data):
                nn.init.uniform_(values, 0.5, 1.5)
            nn.init.uniform_(part.running_var, 0.1, 0.3)
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=1.0)
    return Scaled(model).eval()


def test_operations_fold(tmp_path):
    """The chain of dense layers computes what the network does."""
    model = normalised()
    program = read_program(save(tmp_path, model, 3, 4))
    assert program.shape == (3, 4)
    assert [s.weights.shape for s in program.stages] == [(12, 9), (9, 8), (8, 7), (7, 4)]
    assert [s.active for s in program.stages] == [True, True, True, False]
    assert [s.top for s in program.stages] == [np.inf, 6.0, 0.5, np.inf]
    pixels = torch.rand(50, 3, 4)
    with torch.no_grad():
        expected = model(pixels)
    outputs = program.run(pixels.flatten(1).double().numpy())
    assert outputs[1].max() == 6.0 and outputs[2].max() == 0.5
    found = torch.log_softmax(torch.from_numpy(outputs[-1]), dim=1)
    torch.testing.assert_close(found, expected.double(), atol=1e-4, rtol=1e-4)
    # No layer is idle, so that each counts.
    assert all(values.std(axis=0).mean() > 0.01 for values in outputs)


def test_integers_follow(tmp_path):
    """With 8 bits and 256 steps, potentials stand for the outputs."""
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU6(), nn.Linear(12, 4)
    ).eval()
    with torch.no_grad():
        for part in model:
            if isinstance(part, nn.Linear):
                part.bias.add_(0.3)
    program = read_program(save(tmp_path, model, 20))
    images = (torch.rand(200, 20) * 255).round().byte()
    pixels = images.numpy() / 255
    network, tops = to_ramp(program, pixels, name="n", shape=(4, 5), bits=8, time_bits=8)
    assert list(tops) == ["hidden1", "hidden2"] and tops["hidden2"] <= 6.1
    outcome = golden.run(network, images.numpy())
    expected = program.run(pixels)[-1]
    last = program.stages[-1]
    unit = np.abs(last.weights).max() / np.abs(network.layers[-1].weights).max()
    found = outcome.potential * unit * tops["hidden2"] / 255
    spread = expected.std(axis=0).mean()
    assert np.abs(found - expected).mean() < 0.06 * spread
    # What was asked for is what the integers stand for.
    for title, values, stage in zip(tops, program.run(pixels), program.stages, strict=False):
        assert tops[title] == pytest.approx(min(stage.top, top_for(values, 255)), rel=0.02)


def test_rounding_has_no_direction(tmp_path):
    """With few steps, what a hidden layer loses on one image it gains on another."""
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 1)).eval()
    with torch.no_grad():
        # All outputs count what the hidden layer sends.
        for values in model[2].parameters():
            values.fill_(1.0)
    program = read_program(save(tmp_path, model, 20))
    images = (torch.randint(0, 16, (500, 20)) * 17).byte().numpy()
    network, tops = to_ramp(program, images / 255, name="n", shape=(4, 5), bits=8, time_bits=4)
    outcome = golden.run(network, images)
    expected = program.run(images / 255)[-1]
    weight = network.layers[-1].weights.max()
    found = outcome.potential * tops["hidden1"] / 15 / weight
    assert abs((found - expected).mean()) < 0.25 * 30 * tops["hidden1"] / 15


def test_the_largest_activation():
    rng = np.random.default_rng(1)
    even = rng.uniform(0, 2, 5000)
    assert top_for(even, 15) == pytest.approx(even.max(), rel=0.05)
    # One that is far out is not worth coarse steps for all.
    assert top_for(np.append(even, 40.0), 15) < 20
    assert top_for(np.zeros(5), 15) == 1.0


def refused(tmp_path: Path, model: nn.Module, *shape: int) -> str:
    with pytest.raises(InputError) as error:
        read_program(save(tmp_path, model, *shape))
    assert "\n" not in str(error.value)
    return str(error.value)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.b(h + x)


class Pair(nn.Module):
    def forward(self, x, y):
        return x + y


def test_what_is_refused(tmp_path):
    conv = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)).eval()
    assert "conv2d (aten.conv2d.default): is not taken" in refused(tmp_path, conv, 1, 4, 4)
    assert "without branches" in refused(tmp_path, Residual(), 4)
    tanh = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    assert "tanh (aten.tanh.default): is not taken" in refused(tmp_path, tanh, 4)
    norm = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    assert "eval()" in refused(tmp_path, norm, 4)
    drop = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 2))
    assert "eval()" in refused(tmp_path, drop.train(), 4)
    late = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    assert "must follow a Linear layer" in refused(tmp_path, late, 4)
    ends = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    assert "must end with a Linear layer" in refused(tmp_path, ends, 4)
    first = nn.Sequential(nn.ReLU(), nn.Linear(4, 4))
    assert "before the first Linear layer" in refused(tmp_path, first, 4)
    soft = nn.Sequential(nn.Linear(4, 4), nn.Softmax(1), nn.Linear(4, 2))
    assert "which must be the end" in refused(tmp_path, soft, 4)
    clip = nn.Sequential(nn.Linear(4, 4), nn.Hardtanh(-1, 1), nn.Linear(4, 2))
    assert "must clip from 0 up" in refused(tmp_path, clip, 4)
    first = nn.Linear(4, 4)
    broken = nn.Sequential(first, nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        first.weight[1, 2] = float("nan")
    assert "linear: weight holds a number that is not finite" in refused(tmp_path, broken, 4)


def test_damaged_files(tmp_path):
    path = tmp_path / "net.pt2"
    with pytest.raises(InputError, match="no such file"):
        read_program(path)
    for content in (b"", b"not a program", b"PK\x03\x04broken"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            read_program(path)
    whole = save(tmp_path, nn.Sequential(nn.Linear(4, 2)), 4).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        read_program(path)


def test_one_command(tmp_path, capsys):
    """From a trained network to one that runs; what it loses is told."""
    digits = load("digits")
    x = torch.tensor(digits.train_images).float() / 255
    y = torch.tensor(digits.train_labels)
    torch.manual_seed(3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    path, folder = save(tmp_path, model.eval(), 8, 8), tmp_path / "net"
    assert main(["export", str(path), "-o", str(folder), "--data", "digits", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["core"] == "default" and facts["images"] == len(digits.test_labels)
    with torch.no_grad():
        scores = model(torch.tensor(digits.test_images).float() / 255)
    before = float((scores.argmax(1).numpy() == digits.test_labels).mean())
    assert facts["accuracy_before"] == before > 0.85
    assert facts["accuracy"] > before - 0.02 and facts["same"] > 0.97
    network = load_network(folder)
    assert network.digest == facts["digest"] and network.steps == 16
    predicted = golden.run(network, digits.test_images.reshape(-1, 64)).predicted
    assert (predicted == digits.test_labels).mean() == facts["accuracy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --data"),
        (["--data", "digits", "--steps", "12"], "--steps is 12, must be a power of two, 8..256"),
        (["--data", "digits", "--reset", "soft"], "--reset goes with a NIR file"),
        (["--data", "digits", "--variant", "x"], "--variant and --nir do not go"),
        (["--data", "mnist"], "the network takes 8 x 8"),
    ],
)
def test_bad_words(tmp_path, capsys, words, said):
    path, folder = save(tmp_path, nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), 8, 8), tmp_path
    assert main(["export", str(path), "-o", str(folder / "net"), *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1
    assert not (folder / "net").exists()
