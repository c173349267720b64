"""The study of learning: its four variants, its arithmetic, and that its runs are kept.

Mutants tried, each found by a test here: nothing done to the table in `stays`; `min_fan_in` of 16
in the variant that skips zeros; `cut` by the smallest weights; ratios upside down; a dense core
with masks; a run taken from its file though the recipe is another; seeds of a row that are not
complete on the page; inference that learns.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from firstspike import data
from firstspike.cores import PRESETS
from firstspike.engines import GoldenEngine
from firstspike.errors import InputError
from firstspike.golden.learning_fast import learn
from firstspike.learning.export import network_of
from firstspike.learning.plan import make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.learning.study import runs as runs_module
from firstspike.learning.study.figures import Result, accesses, spread
from firstspike.learning.study.rows import ROWS, VARIANTS, Row, core_of, cut, rules_of, stays
from firstspike.learning.study.runs import ACCESSES, Runs, infer
from firstspike.shipped import find_recipe, recipes

RECIPE = {
    "version": 1,
    "kind": "learning",
    "data": "digits",
    "neurons": 24,
    "initial": {"threshold": 0.2},
    "label_images": 300,
    "stages": [
        {
            "passes": 2,
            "potentiate": 40,
            "depress": 20,
            "bound": "room",
            "homeostasis": 1,
            "prune": {"below": 60, "after": 100},
        }
    ],
}
TAUGHT = {
    "neurons": 80,
    "classes": 10,
    "stages": [
        {"potentiate": 16, "depress": 16, "bound": "room", "other": 262144, "reward": True},
        {"potentiate": 900, "depress": 0, "bound": "hard", "own": 300},
    ],
}
#: Weights come to 0 soon.
HARD = {"potentiate": 1500, "depress": 3000, "bound": "hard", "homeostasis": 1}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Let names of recipes be files here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs_module, "find_recipe", lambda name: Path(f"{name}.yaml"))
    return tmp_path


def write(name: str, **changes) -> None:
    Path(f"{name}.yaml").write_text(yaml.safe_dump(RECIPE | changes))


@pytest.mark.parametrize("changes", [{"stages": [HARD, HARD]}, TAUGHT])
def test_skipping_zeros_changes_no_bit(place, changes):
    write("own", **changes)
    plan = make_plan(load_learning_recipe(Path("own.yaml")), limit=400)
    core = core_of(plan.recipe, "skip")
    assert core.pruning
    dense, skip = plan.first_state(), plan.first_state()
    pairs = zip(plan.recipe.passes(None, prune=False), rules_of(plan.recipe, "skip"), strict=True)
    for unpruned, rule in pairs:
        rule_of_dense = stays(unpruned)
        one = learn(rule_of_dense, dense, plan.images, plan.labels)
        two = learn(rule, skip, plan.images, plan.labels, core=core)
        dense, skip = one.state, two.state
        for name in ("winner", "decision_step"):
            assert np.array_equal(getattr(one, name), getattr(two, name))
    assert dense.alive.all()
    # Zeros that came to be are gone, but for the last connection of a neuron.
    assert np.array_equal(dense.weights, skip.weights)
    assert np.array_equal(dense.threshold, skip.threshold)
    gone = ~skip.alive
    assert gone.any()
    assert not dense.weights[gone].any()
    assert (dense.weights[skip.alive] == 0).sum() < 0.2 * gone.sum()


def test_the_dense_core_has_no_masks(place):
    write("own")
    recipe = load_learning_recipe(Path("own.yaml"))
    assert core_of(recipe, "dense") == dataclasses.replace(PRESETS["learner"], pruning=False)
    for variant in ("skip", "cut", "online"):
        assert core_of(recipe, variant) == PRESETS["learner"]
    large = dataclasses.replace(recipe, neurons=400)
    assert core_of(large, "online") == PRESETS["learner-400"]


def test_what_a_cut_leaves(place):
    write("own")
    state = make_plan(load_learning_recipe(Path("own.yaml"))).first_state()
    cut_off = cut(state, 500)
    assert cut_off.alive.sum() == 500
    assert cut_off.weights[cut_off.alive].min() >= state.weights[~cut_off.alive].max()
    assert np.array_equal(cut_off.weights[cut_off.alive], state.weights[cut_off.alive])
    assert np.array_equal(cut_off.threshold, state.threshold)


def test_a_row_is_run_once(place, monkeypatch):
    write("row")
    write("row-dense")
    runs, row = Runs(Path("runs"), limit=300), Row("row", "row-dense")
    learned = []
    assert runs.missing(row, 3) == 3 * 2 * 300
    found = runs.row(row, 3, lambda more, note: learned.append(more))
    assert sum(learned) == 3 * 2 * 300
    assert found["cut"]["live"] == found["online"]["live"] < found["dense"]["live"] == 64 * 24
    assert found["cut"]["learning"] == found["dense"]["learning"]
    assert found["dense"]["inference"]["mask_reads"] == 0 < found["cut"]["inference"]["mask_reads"]
    assert found["cut"]["inference"]["synops"] < found["dense"]["inference"]["synops"]
    for variant, facts in found.items():
        for phase, n in (("learning", 600), ("inference", 300)):
            assert facts[phase]["stimuli"] == n
            assert facts[phase]["weight_reads"] == (
                facts[phase]["synops"] + facts[phase]["stdp_visits"]
            )
            assert facts[phase]["cycles"] > facts[phase]["floor_cycles"] > 0
        assert 0.1 < facts["accuracy"] < 1, variant
        assert facts["curve"][-1]["seen"] == 600
    assert found["online"]["curve"][-1]["alive"] == found["online"]["alive"]
    # Nothing is left to do, and what is read is what was written.
    learned.clear()
    assert runs.missing(row, 3) == 0
    assert json.dumps(runs.complete(row), sort_keys=True) == json.dumps({3: found}, sort_keys=True)
    assert not learned
    # Another recipe is another run, and only that one.
    write("row", neurons=23)
    assert runs.missing(row, 3) == 600
    assert runs.complete(row) == {}


@pytest.mark.parametrize(("changes", "variant"), [({}, "dense"), ({}, "online"), (TAUGHT, "skip")])
def test_inference_is_that_of_the_network(place, changes, variant):
    write("own", **changes)
    plan = make_plan(load_learning_recipe(Path("own.yaml")), limit=300)
    core, state = core_of(plan.recipe, variant), plan.first_state()
    rule = rules_of(plan.recipe, variant)[-1]
    state = learn(rule, state, plan.images, plan.labels, core=core).state.settled()
    ours = infer(rule, core, state, plan.test_images)
    labels = np.arange(state.neurons)
    network = network_of(rule, state, labels, name="own", shape=plan.shape)
    theirs = GoldenEngine().run(network, core, plan.test_images)
    assert np.array_equal(ours.winner, theirs.predicted)
    assert np.array_equal(ours.decision_step, theirs.decision_step)
    for name, values in ours.counters.items():
        assert np.array_equal(values, theirs.counters[name]), name
    assert ours.total_cycles == theirs.total_cycles
    assert ours.floor_cycles is not None
    assert theirs.floor_cycles is not None
    assert np.array_equal(ours.floor_cycles, theirs.floor_cycles)


def facts(accuracy: float, cycles: int, reads: int) -> dict:
    part = dict.fromkeys((*ACCESSES, "events", "synops", "stdp_visits"), 0)
    part |= {"weight_reads": reads, "state_reads": 10, "cycles": cycles, "floor_cycles": 50}
    both = {"learning": part | {"stimuli": 10}, "inference": part | {"stimuli": 5}}
    return both | {"accuracy": accuracy, "alive": 0.25, "zero": 0.5}


def test_ratios_are_paired_by_seed():
    result = Result(
        "row",
        {
            seed: {
                "dense": facts(0.8 + seed / 100, 600, 90),
                "skip": facts(0.7, 300, 40),
                "cut": facts(0.75, 450, 30),
                "online": facts(0.79, 100 * (seed + 1), 40),
            }
            for seed in (0, 1, 2)
        },
    )
    assert accesses(result.seeds[0]["dense"]["learning"]) == 100
    assert result.values("dense", "inference_cycles") == [120, 120, 120]
    assert result.ratios("dense", "run_cycles") == [6, 3, 2]
    assert result.ratios("cut", "learning_cycles") == [4.5, 2.25, 1.5]
    assert result.values("dense", "learning_over") == [12, 12, 12]
    assert result.best == "dense"
    assert result.points() == pytest.approx([-1, -2, -3])
    assert result.saved("learning") == pytest.approx([50, 50, 50])
    assert spread([1, 2, 3], 1) == "2.0 ± 1.0"
    assert spread([1, 2], 1) == "1.5"


def test_recipes_of_all_rows_are_shipped():
    for row in ROWS.values():
        dense, online = (load_learning_recipe(find_recipe(n)) for n in (row.dense, row.online))
        assert (dense.neurons, dense.data, dense.classes) == (
            online.neurons,
            online.data,
            online.classes,
        )
        assert all(rule.pruning is None for rule in dense.rules)
        assert all(rule.pruning is not None for rule in online.rules)
        assert dense.validation == online.validation == 0
        assert row.online in recipes()


@pytest.mark.train
def test_the_page(place, monkeypatch):
    page = importlib.import_module("firstspike.learning.study.page")
    write("row")
    write("row-dense")
    runs, row = Runs(Path("runs"), limit=200), Row("row", "row-dense")
    monkeypatch.setattr(page, "ROWS", {"row": row, "none": Row("none", "row-dense")})
    digits = data.load("digits")
    monkeypatch.setattr(page.data, "load", lambda name, folder: digits)
    with pytest.raises(InputError, match="holds all variants of no row"):
        page.write_page(Path("docs"), runs)
    found = [runs.row(row, seed, lambda more, note: None) for seed in (0, 1)]
    # Half of a row does not count.
    runs.row(row, 2, lambda more, note: None)
    Path("runs/row-dense-skip-2.json").unlink()
    page.write_page(Path("docs"), runs)
    assert sorted(path.name for path in Path("docs").iterdir()) == [
        "learning-front.png",
        "learning.json",
        "learning.md",
    ]
    entries = json.loads(Path("docs/learning.json").read_text())
    assert [(entry["variant"], entry["seed"]) for entry in entries] == [
        (variant, seed) for seed in (0, 1) for variant in VARIANTS
    ]
    for entry in entries:
        facts = found[entry["seed"]][entry["variant"]]
        assert entry["accuracy"] == pytest.approx(100 * facts["accuracy"])
        assert entry["commit"] == facts["commit"]
        cycles = facts["inference"]["cycles"] / 200
        assert entry["inference_cycles"] == pytest.approx(cycles, abs=1e-5)
    text = Path("docs/learning.md").read_text()
    pruned = 50 * (found[0]["online"]["accuracy"] + found[1]["online"]["accuracy"])
    assert f"| `row` | 2 | {pruned:.2f} |" in text
    assert "| pruned | 2 |" in text
    assert "`none`" not in text
