"""The table of the methods: its runs go on where they stopped, its figures are those of the runs.

Mutants tried, each of which a test here refused: runs made again that are there; a changed recipe
taken for the old one; a comparison that is always equal; one of a changed network kept; differences
that are not paired by seed; steps compared the wrong way round; the front with networks that a
cheaper one comes up to.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from firstspike.cli import main
from firstspike.cores import PRESETS, core_yaml
from firstspike.data import load
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.methods.table import page as page_module
from firstspike.methods.table import runs as runs_module
from firstspike.methods.table.claims import claims
from firstspike.methods.table.figures import entries, results, spread
from firstspike.methods.table.page import write_results
from firstspike.methods.table.rows import DATA, ROWS, Row
from firstspike.methods.table.runs import Job, Runs
from firstspike.network import load_any_network
from firstspike.shipped import recipes

pytestmark = pytest.mark.train

DOCS = Path(__file__).parents[1] / "docs"

RECIPE = """\
version: 1
kind: method
method: ftbc
data: digits
validation: 100
hidden: [16]
weight_bits: 4
steps: [1, 2]
training: {epochs: 2, batch: 64, learning_rate: 0.01}
"""


def job(tmp_path: Path) -> Job:
    (tmp_path / "tiny-digits").write_text(RECIPE)
    return Job(Row("tiny", str(tmp_path / "tiny"), ("ftbc-1",)), "digits", 3)


def test_rows_have_recipes():
    for row in ROWS:
        for data in DATA:
            assert row.recipe(data) in recipes()


def test_a_run_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(runs_module, "open_engine", lambda _: open_engine("pysim"))
    runs, mine = Runs(tmp_path, images=3), job(tmp_path)
    assert runs.metrics(mine) is None and runs.checks(mine) == {}
    made = runs.train(mine)
    assert made["seed"] == 3 and len(made["variants"]) == 4
    first = runs.check(mine, "ftbc-1")
    assert first is not None and first["equal"] and first["images"] == 3 and first["values"] > 100

    def refuse(*_, **__):
        raise AssertionError("made again")

    monkeypatch.setattr(runs_module, "train_method", refuse)
    monkeypatch.setattr(runs_module, "open_engine", refuse)
    assert runs.train(mine) == made
    assert runs.check(mine, "ftbc-1") == first
    # A comment changes nothing; another number is another run.
    (tmp_path / "tiny-digits").write_text(RECIPE + "# a comment\n")
    assert runs.metrics(mine) == made
    (tmp_path / "tiny-digits").write_text(RECIPE.replace("epochs: 2", "epochs: 3"))
    assert runs.metrics(mine) is None
    # Nor is a comparison of fewer images, or of another network, taken for this one.
    (tmp_path / "tiny-digits").write_text(RECIPE)
    assert Runs(tmp_path, images=4).checks(mine) == {}
    metrics = json.loads((runs.path(mine) / "metrics.json").read_text())
    metrics["variants"][1]["digest"] = "0" * 12
    (runs.path(mine) / "metrics.json").write_text(json.dumps(metrics))
    assert metrics["variants"][1]["variant"] == "ftbc-1"
    assert runs.checks(mine) == {}


RAMP = """\
version: 1
data: digits
neuron: ramp
time_bits: 4
layers:
  - {name: hidden, neurons: 16, weights: signed, weight_bits: 8}
  - {name: output, neurons: 10, weights: signed, weight_bits: 8}
validation: 100
training: {epochs: 2, batch: 64, learning_rate: 0.01}
"""


def test_a_recipe_without_a_method(tmp_path, monkeypatch):
    monkeypatch.setattr(runs_module, "open_engine", lambda _: open_engine("pysim"))
    (tmp_path / "tiny-digits").write_text(RAMP)
    mine = Job(Row("tiny", str(tmp_path / "tiny"), ("ramp-16",)), "digits", 1)
    runs = Runs(tmp_path, images=3)
    made = runs.train(mine)
    assert runs.metrics(mine) == made and made["method"] == "ramp" and made["seed"] == 1
    (entry,) = made["variants"]
    assert (entry["variant"], entry["core"], entry["steps"]) == ("ramp-16", "default", 16)
    assert 0.2 < entry["accuracy"] <= 1 and abs(entry["float_accuracy"] - entry["accuracy"]) < 0.1
    assert entry["cycles"] > 0 and entry["macs"] > 0
    checked = runs.check(mine, "ramp-16")
    assert checked is not None and checked["equal"]
    # Where no core has room for a network, there is nothing to compare it on.
    shutil.rmtree(runs.path(mine) / "checks")
    entry["core"] = None
    (runs.path(mine) / "metrics.json").write_text(json.dumps(made))
    assert runs.check(mine, "ramp-16") is None and runs.checks(mine) == {}


def test_a_difference_is_told(tmp_path, monkeypatch):
    runs, mine = Runs(tmp_path, images=2), job(tmp_path)
    runs.train(mine)

    class Wrong:
        def run(self, network, core, images):
            right = open_engine("golden").run(network, core, images)
            counts = {name: array.copy() for name, array in right.spike_count.items()}
            counts["hidden1"][1, 5] += 1
            return replace(right, spike_count=counts)

    monkeypatch.setattr(runs_module, "open_engine", lambda _: Wrong())
    found = runs.check(mine, "ftbc-1")
    assert found is not None and not found["equal"]
    assert found["difference"].startswith("spike_count.hidden1[1, 5]: ")


def test_few_connections_run_on_a_sparse_core(tmp_path, monkeypatch):
    monkeypatch.setattr(runs_module, "open_engine", lambda _: open_engine("pysim"))
    core = replace(PRESETS["sparse"], banks=4, weight_rows=2048, state_rows=64)
    (tmp_path / "small.yaml").write_text(core_yaml(core))
    monkeypatch.setattr(runs_module, "SPARSE", str(tmp_path / "small.yaml"))
    runs, mine = Runs(tmp_path, images=2), job(tmp_path)
    made = runs.train(mine)
    assert "sparse" not in (runs.check(mine, "ftbc-2") or {})
    next(e for e in made["variants"] if e["variant"] == "ftbc-1")["connectivity"] = 0.9
    (runs.path(mine) / "metrics.json").write_text(json.dumps(made))
    checked = runs.check(mine, "ftbc-1")
    assert checked is not None and checked["equal"] and checked["sparse"]["equal"]
    network = load_any_network(runs.path(mine) / "networks" / "ftbc-1")
    images = load("digits").split("test")[0]
    cycles = open_engine("golden").run(network, core, images).counters["cycles"]
    assert checked["sparse"]["cycles"] == cycles.mean()


def entry(recipe: str, variant: str, accuracy: float, **more) -> dict:
    data = "fashion-mnist" if "fashion" in recipe else "mnist"
    return {
        "title": "t",
        "recipe": recipe,
        "data": data,
        "seed": 0,
        "seconds": 10.0,
        "variant": variant,
        "layers": [784, 20, 10],
        "synapses": 15880,
        "weight_bits": 4,
        "connectivity": 1.0,
        "steps": int(variant.rpartition("-")[2]),
        "accuracy": accuracy,
        "spikes": 5.0,
        "synops": 100.0,
        "macs": 50.0,
        "cycles": 1000.0,
        "core": "default",
        "rtl": {"equal": True},
    } | more


def rewired(accuracy: float, cycles: float, sparse: float) -> dict:
    """Return an entry of a network with a tenth of its connections."""
    return entry(
        "rewiring-mnist",
        "rewired-10-4",
        accuracy,
        connectivity=0.1,
        cycles=cycles,
        rtl={"equal": True, "sparse": {"equal": True, "cycles": sparse}},
    )


def test_claims():
    found = [
        entry("rewiring-mnist", "dense-4", 0.98),
        rewired(0.97, cycles=1000.0, sparse=400.0),
        entry("hybrid-mnist", "hybrid-2", 0.970),
        entry("hybrid-mnist", "converted-2", 0.5),
        entry("hybrid-mnist", "converted-16", 0.964),
        entry("hybrid-mnist", "converted-8", 0.966),
        *(entry("ftbc-mnist", "ftbc-1", 0.9 + 0.01 * s, seed=s) for s in range(3)),
        *(entry("ftbc-mnist", "converted-1", 0.88 + 0.02 * s, seed=s) for s in range(3)),
    ]
    told = claims(results(found))
    assert "T = 2: 97.00 %, conversion needs 8 (96.60 %), 4.0 x" in told
    assert "dense 98.00 %, 1000 cycles; 10 %: -1.00, 1000 cycles (400 on a sparse core)" in told
    # By seed: 2, 1 and 0 points.
    assert "T = 1: +1.00 ± 1.00" in told


def test_spread():
    assert spread([0.5, 0.7], 1, 100) == "60.0"
    assert spread([1.0, 2.0, 3.0], 2) == "2.00 ± 1.00"
    assert spread([], 2) == "-"


def test_the_page(tmp_path, monkeypatch):
    alone = {"title": "shipped", "page": "accuracy.md", "rtl": None}
    monkeypatch.setattr(
        page_module,
        "shipped",
        lambda data, _: [entry(data, "step-8", 0.95, cycles=200.0) | alone],
    )
    shutil.copy(DOCS / "learning.json", tmp_path)
    page = tmp_path / "methods.md"
    page.write_text("before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n")
    found = [
        entry("hybrid-mnist", "hybrid-2", 0.9701, cycles=300.0),
        entry("hybrid-mnist", "hybrid-8", 0.9601, cycles=310.0),
        entry("hybrid-mnist", "converted-4", 0.9999, cycles=9000.0),
        rewired(0.965, cycles=700.0, sparse=250.0),
    ]
    write_results(tmp_path, found)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    budgets, table = text.split("### What was to be shown")
    dense, sparse, memory = (of for of in budgets.split("\n\n") if "| mnist, % |" in of)
    # Dearer and worse: not on the front.
    assert "`hybrid-2`" in dense and "`hybrid-8`" not in budgets
    assert "| 300 | 97.01 |" in dense and "`converted-4`" in dense and "`rewired" not in dense
    assert "| 200 | 95.00 | shipped | `mnist` | `step-8` | 8 | 4 |" in dense
    # Nothing else ran there.
    assert sparse.count("\n| ") == 1 and "| 250 | 96.50 |" in sparse
    # A tenth of 4 x 15880.
    assert "| 6 | 96.50 |" in memory and "| 64 | 99.99 |" in memory
    assert "97.01" in table and "`hybrid-8`" in table
    assert "[supervised-400-mnist, pruned](learning.md)" in table
    # Not among those of the table.
    assert "`converted-4`" not in table.split("### mnist")[1]
    assert json.loads((tmp_path / "methods.json").read_text()) == found
    for name in ("methods-cycles.png", "methods-operations.png", "methods-steps.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    write_results(tmp_path, found)
    assert page.read_text() == text
    page.write_text("no marks")
    with pytest.raises(InputError, match=r"must hold <!-- results: begin -->"):
        write_results(tmp_path, found)


def test_entries(tmp_path):
    """Runs of the table's own recipes, as far as they are there."""
    assert entries(Runs(tmp_path), ROWS, [0]) == []
    folder = tmp_path / "hybrid-mnist-1"
    folder.mkdir()
    shutil.copy(recipes()["hybrid-mnist"], folder / "recipe.yaml")
    variant = {"variant": "hybrid-2", "digest": "d", "accuracy": 0.5, "weight_error": {"a": 1}}
    facts = {"recipe": "hybrid-mnist", "data": "mnist", "seed": 1, "variants": [variant]}
    (folder / "metrics.json").write_text(json.dumps(facts))
    runs = Runs(tmp_path)
    assert runs.seeds() == [1]
    (found,) = entries(runs, ROWS, runs.seeds())
    assert found["title"] == "hybrid" and found["accuracy"] == 0.5 and found["rtl"] is None
    assert found["command"] == "firstspike train hybrid-mnist -o RUN --seed 1"
    assert "weight_error" not in found and "variants" not in found


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--rows", "x"], "--rows: 'x' is none of"), (["--seeds", "a"], "--seeds is 'a'")],
)
def test_bad_words(capsys, words, said):
    assert main(["bench", "methods", *words]) == 2
    assert said in capsys.readouterr().err
