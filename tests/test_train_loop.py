"""Training from recipe to network folder, on digits.

Mutants tried, each of which a test here refused: a resumed run that starts the optimiser afresh,
forgets the epoch in its seeds, or restarts the learning rate; a seed that is ignored; training
with the validation images; training without weight updates (accuracy); a calibrated shift that
export forgets; a model evaluated with other thresholds than the exported ones; a second run that
overwrites the first; an unfinished run that is exported; `potential_bits` not compared; the proof
without the negative weights; pruning left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")

from firstspike import golden  # noqa: E402
from firstspike.data import load  # noqa: E402
from firstspike.errors import InputError  # noqa: E402
from firstspike.network import Layer, Network, load_network  # noqa: E402
from firstspike.spec import Neuron, WeightKind  # noqa: E402
from firstspike.train import loop  # noqa: E402
from firstspike.train.exporting import export  # noqa: E402
from firstspike.train.loop import train  # noqa: E402
from firstspike.train.measure import measure  # noqa: E402
from firstspike.train.run import Run  # noqa: E402
from firstspike.train.table import main as table  # noqa: E402
from firstspike.train.widths import prove_widths  # noqa: E402

pytestmark = pytest.mark.train


def recipe(folder: Path, neuron: str = "step", **changes: Any) -> Path:
    content: dict[str, Any] = {
        "version": 1,
        "data": "digits",
        "neuron": neuron,
        "layers": [{"name": "h", "neurons": 40}, {"name": "o", "neurons": 10}],
        "validation": 197,
        "training": {"epochs": 4, "batch": 50, "learning_rate": 0.01, "input_dropout": 0.1},
    }
    for key, value in changes.items():
        if isinstance(value, dict) and key in content:
            content[key] = content[key] | value
        else:
            content[key] = value
    path = folder / "r.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def refused(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def weights(run: Path) -> dict[str, Any]:
    return torch.load(run / "checkpoint.pt", weights_only=True)["model"]


def same(left: Path, right: Path) -> bool:
    a, b = weights(left), weights(right)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("neuron", "layers", "early", "last"),
    [
        ("step", [{"name": "h", "neurons": 64}, {"name": "o", "neurons": 10}], 0.80, 0.84),
        (
            "step",
            [
                {"name": "h", "neurons": 100, "weights": "pm1"},
                {"name": "o", "neurons": 10, "weights": "pm1"},
            ],
            0.72,
            0.78,
        ),
        ("ramp", [{"name": "h", "neurons": 64}, {"name": "o", "neurons": 10}], None, 0.88),
    ],
)
def test_seconds_of_training_reach_an_accuracy(tmp_path, neuron, layers, early, last):
    path = recipe(tmp_path, neuron, layers=layers, training={"epochs": 30})
    result = train(path, tmp_path / "run")
    assert result["test"]["last"] >= last
    if early is not None:
        assert result["test"]["early"] >= early
        assert result["test"]["forced"] <= 0.1
        assert result["test"]["mean_step"] <= 4
    report = export(tmp_path / "run", tmp_path / "net")
    network = load_network(tmp_path / "net")
    assert network.digest == report["digest"]
    # The golden model finds in the exported files what training said.
    data = load("digits")
    outcome = golden.run(network, data.test_images)
    key = "early" if neuron == "step" else "last"
    assert (outcome.predicted == data.test_labels).mean() == pytest.approx(result["test"][key])
    if early is not None:
        assert outcome.decision_step.mean() == pytest.approx(result["test"]["mean_step"])
        assert outcome.forced.mean() == pytest.approx(result["test"]["forced"])
    outcome = golden.run(network, data.test_images, early_exit=False)
    right = outcome.last_predicted == data.test_labels
    assert right.mean() == pytest.approx(result["test"]["last"])


@pytest.mark.parametrize("neuron", ["step", "ramp"])
def test_a_resumed_run_ends_in_the_same_weights(tmp_path, neuron, monkeypatch):
    path = recipe(tmp_path, neuron, training={"hidden_dropout": 0.1})
    train(path, tmp_path / "whole")
    save = Run.save

    def broken(self, model, optimizer, record):
        save(self, model, optimizer, record)
        if self.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "save", broken)
    with pytest.raises(KeyboardInterrupt):
        train(path, tmp_path / "broken")
    monkeypatch.undo()
    assert "not finished (2 of 4 epochs)" in refused(export, tmp_path / "broken", tmp_path / "n")
    assert not (tmp_path / "n").exists()
    assert not same(tmp_path / "whole", tmp_path / "broken")
    train(path, tmp_path / "broken", resume=True)
    assert same(tmp_path / "whole", tmp_path / "broken")
    whole, broken_off = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "broken")
    )
    assert whole == broken_off
    assert [record["epoch"] for record in whole["epochs"]] == [1, 2, 3, 4]
    assert (tmp_path / "whole" / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_pruned_weights_are_zero_in_the_network(tmp_path):
    path = recipe(tmp_path, "ramp", prune={"share": 0.8}, training={"epochs": 12})
    train(path, tmp_path / "run")
    report = export(tmp_path / "run", tmp_path / "net")
    assert report["layers"][0]["zero"] >= 0.8
    assert report["layers"][1]["zero"] < 0.2
    assert report["test"]["last"] > 0.8
    hidden, output = load_network(tmp_path / "net").layers
    assert hidden.alive is not None and output.alive is None
    # Of 64 x 40 connections; a live one may have been rounded to 0.
    assert hidden.alive.sum() == 512 >= (hidden.weights != 0).sum() > 400


def test_weights_are_rounded_after_the_float_epochs(tmp_path):
    path = recipe(tmp_path, training={"epochs": 3, "float_epochs": 2})
    train(path, tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    # Only the last epoch is scored with integers, as the result is, before calibration.
    assert metrics["epochs"][2]["last"] == pytest.approx(metrics["result"]["validation"]["last"])


def test_the_seed_decides(tmp_path):
    path = recipe(tmp_path, training={"epochs": 1})
    for run, seed in (("a", None), ("b", 0), ("c", 1)):
        train(path, tmp_path / run, seed=seed)
    assert same(tmp_path / "a", tmp_path / "b")
    assert not same(tmp_path / "a", tmp_path / "c")
    assert json.loads((tmp_path / "c" / "metrics.json").read_text())["seed"] == 1


def test_the_learning_rate_rises_and_falls_once(tmp_path, monkeypatch):
    rates = []
    save = Run.save

    def watched(self, model, optimizer, record):
        rates.append(optimizer.param_groups[0]["lr"])
        save(self, model, optimizer, record)

    monkeypatch.setattr(Run, "save", watched)
    train(recipe(tmp_path), tmp_path / "run")
    # After the last of 22 updates of each of 4 epochs.
    falling = [0.005 * (1 + np.cos(np.pi * (22 * epoch - 1) / 88)) for epoch in (2, 3, 4)]
    assert rates == pytest.approx([0.01, *falling])


def test_every_epoch_has_its_own_order(tmp_path, monkeypatch):
    first = []
    batches = loop.batches

    def watched(*arguments):
        for number, (images, labels) in enumerate(batches(*arguments)):
            if number == 0:
                first.append(tuple(labels.tolist()))
            yield images, labels

    monkeypatch.setattr(loop, "batches", watched)
    train(recipe(tmp_path, training={"epochs": 3}), tmp_path / "run")
    assert len(set(first)) == 3


def test_validation_and_test_images_are_not_trained_with(tmp_path, monkeypatch):
    seen = []
    batches = loop.batches

    def watched(images, labels, *rest):
        seen.append(images.clone())
        return batches(images, labels, *rest)

    monkeypatch.setattr(loop, "batches", watched)
    train(recipe(tmp_path, training={"epochs": 1}), tmp_path / "run")
    data = load("digits")
    assert len(seen) == 1
    assert np.array_equal(seen[0].numpy(), data.train_images[:1100])


def test_runs_are_not_overwritten_or_mixed(tmp_path):
    path = recipe(tmp_path, training={"epochs": 1})
    run = tmp_path / "run"
    assert "the seed is 2147483648, must be in" in refused(train, path, run, seed=1 << 31)
    assert not run.exists()
    assert "holds no run to resume" in refused(train, path, run, resume=True)
    train(path, run)
    before = weights(run)
    assert "holds a run already" in refused(train, path, run)
    assert "the run's seed is 0, not 5" in refused(train, path, run, seed=5, resume=True)
    other = recipe(tmp_path, training={"epochs": 2})
    assert "differs from" in refused(train, other, run, resume=True)
    assert all(torch.equal(before[key], value) for key, value in weights(run).items())


def test_too_large_a_validation_split_is_refused(tmp_path):
    message = refused(train, recipe(tmp_path, validation=1290), tmp_path / "run")
    assert "validation: is 1290, which leaves 7 of 1297 images" in message
    assert not (tmp_path / "run").exists()


def test_damaged_runs_are_refused(tmp_path):
    run = tmp_path / "run"
    assert "not a run" in refused(export, run, tmp_path / "n")
    train(recipe(tmp_path, training={"epochs": 1}), run)
    whole = (run / "checkpoint.pt").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text"):
        (run / "checkpoint.pt").write_bytes(content)
        assert "checkpoint.pt: damaged" in refused(export, run, tmp_path / "n")
    (run / "checkpoint.pt").write_bytes(whole)
    text = (run / "recipe.yaml").read_text()
    (run / "recipe.yaml").write_text(text.replace("neurons: 40", "neurons: 41"))
    assert "is not of the recipe beside it" in refused(export, run, tmp_path / "n")
    (run / "recipe.yaml").write_text(text)
    (run / "metrics.json").write_text("{")
    assert "not valid JSON" in refused(export, run, tmp_path / "n")
    assert not (tmp_path / "n").exists()


def test_potentials_that_need_too_many_bits_are_refused(tmp_path):
    path = recipe(tmp_path, potential_bits=9, training={"epochs": 1})
    train(path, tmp_path / "run")
    message = refused(export, tmp_path / "run", tmp_path / "net")
    assert "the recipe's potential_bits is 9" in message
    assert not (tmp_path / "net").exists()


def network(weights: list[list[int]], offset: list[int], neuron: Neuron) -> Network:
    kind = WeightKind.SIGNED
    out = np.eye(len(offset), dtype=np.int64) * 3
    hidden = Layer("h", neuron, kind, 4, np.array(weights), np.array(offset))
    last = Layer("o", neuron, kind, 4, out, np.ones(len(offset), np.int64))
    return Network("n", (hidden, last), 3, (1, len(weights)), (0,) * len(offset))


def test_widths_are_proved_from_both_signs():
    # From -2 - 12 up to -2 + 5 (STEP); with magnitudes up to 7, from 2 - 84 up to 2 + 35 (RAMP).
    step = network([[5, 1], [-7, 1], [-5, 1]], [2, 1], Neuron.STEP)
    proof = prove_widths(step, 5)[0]
    assert (proof["low"], proof["high"], proof["bits"], proof["silent"]) == (-14, 3, 5, 0)
    assert "needs 5 bits" in refused(prove_widths, step, 4)
    ramp = network([[5, 1], [-7, 1], [-5, 1]], [2, 1], Neuron.RAMP)
    proof = prove_widths(ramp, 24)[0]
    assert (proof["low"], proof["high"], proof["bits"]) == (-82, 37, 8)


def test_layers_that_never_spike_are_refused():
    some = network([[1, 1], [1, -1], [0, 0]], [2, 2], Neuron.STEP)
    assert prove_widths(some, 24)[0]["silent"] == 1
    dead = network([[1, 1], [1, -1], [0, 0]], [3, 2], Neuron.STEP)
    assert "layer 'h'" in refused(prove_widths, dead, 24)
    flat = network([[-1, -1], [-1, -1]], [0, 0], Neuron.RAMP)
    assert "layer 'h': no stimulus" in refused(prove_widths, flat, 24)


def test_table_has_a_row_a_recipe(tmp_path):
    runs = []
    for neuron in ("step", "ramp"):
        folder = tmp_path / neuron
        folder.mkdir()
        path = recipe(folder, neuron, name=f"{neuron}-row", training={"epochs": 2})
        for seed in range(3 if neuron == "step" else 1):
            runs.append(folder / f"run{seed}")
            train(path, runs[-1], seed=seed)
    docs = tmp_path / "docs"
    assert table([*map(str, runs), "-o", str(docs)]) == 0
    entries = json.loads((docs / "accuracy.json").read_text())
    assert [(e["recipe"], e["seed"]) for e in entries] == [
        ("ramp-row", 0), ("step-row", 0), ("step-row", 1), ("step-row", 2)
    ]  # fmt: skip
    one = entries[1]
    assert one["command"] == "firstspike train step-row -o RUN --seed 0"
    assert len(one["deadline"]) == 8
    # At the last deadline only forced images are decided by it: that is the early decision.
    assert one["deadline"][-1] == pytest.approx(one["early"])
    assert one["synops"] > one["events"] > 0 == one["macs"]
    assert entries[0]["macs"] > 0 == entries[0]["synops"]
    text = (docs / "accuracy.md").read_text()
    assert "| `step-row` | 64-40-10 | 8 | 8 | 0, 1, 2 |" in text
    assert "±" in text
    assert (docs / "deadline.png").read_bytes().startswith(b"\x89PNG")
    assert table([str(runs[0]), str(runs[0]), "-o", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()
    assert measure(runs[0])["last"] == one["last"]
