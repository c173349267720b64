"""The sweep over designs: what it draws, its fronts, and that its runs are kept.

Mutants tried, each found by a test here: a front that keeps ties; a front by falling cost; bounds
that do not rise; a dense design on a core with masks; settings that depend on how many are drawn; a
run taken from its file though its recipe is another; test figures of the validation images.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import replace

import pytest

from firstspike.errors import InputError
from firstspike.golden.learning_fast import learn
from firstspike.learning.evaluate import evaluate
from firstspike.learning.plan import make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.learning.study.rows import core_of
from firstspike.learning.study.runs import ACCESSES
from firstspike.learning.study.sweep import runs as runs_module
from firstspike.learning.study.sweep import settings as settings_module
from firstspike.learning.study.sweep.runs import Sweep
from firstspike.learning.study.sweep.settings import FAMILIES, Setting, draw
from firstspike.pareto import front


def test_a_front_is_what_nothing_beats():
    #        beaten  best  equal  dear  dearer, no better  cheap
    costs = [5, 3, 3, 9, 10, 1]
    gains = [0.6, 0.7, 0.7, 0.9, 0.9, 0.2]
    assert front(costs, gains) == [5, 1, 3]
    assert front([], []) == []


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_settings_are_recipes(tmp_path, family):
    settings = [draw(family, number) for number in range(30)]
    assert settings == [draw(family, number) for number in range(30)]
    assert len({(s.threshold, s.depress) for s in settings}) == 30
    assert {s.neurons for s in settings} == {80, 104, 208, 400}
    assert {s.time_bits for s in settings} == {3, 4, 5}
    assert [s.below == 0 for s in settings] == [number % 5 == 0 for number in range(30)]
    for setting in settings:
        path = tmp_path / "recipe.yaml"
        path.write_text(json.dumps(setting.recipe(validation=True)))
        recipe = load_learning_recipe(path)
        assert recipe.validation == 10_000
        assert recipe.data == family.data
        assert (recipe.classes > 0) == family.supervised
        assert {rule.time_bits for rule in recipe.rules} == {setting.time_bits}
        assert family.threshold[0] <= setting.threshold <= family.threshold[1]
        bounds = [rule.pruning.below if rule.pruning else 0 for rule in recipe.rules]
        assert bounds == sorted(bounds)
        assert bounds[-1] == setting.below
        if setting.below:
            assert family.below[0] <= setting.below <= family.below[1]
            assert bounds[0] <= setting.below // 2


def learning_digits(family: str, number: int, neurons: int) -> Setting:
    """Return a design that learns digits, in more steps than the cores' own."""
    setting = draw(FAMILIES[family], number)
    digits = replace(setting.family, data="digits")
    return replace(setting, family=digits, neurons=neurons, time_bits=5)


@pytest.fixture
def few(monkeypatch) -> None:
    """Hold back few images, and prune soon."""
    monkeypatch.setattr(settings_module, "_VALIDATION", 200)
    monkeypatch.setattr(settings_module, "_AFTER", 100)


@pytest.mark.parametrize(("number", "variant"), [(0, "dense"), (1, "online")])
def test_a_run_is_that_of_its_recipe(tmp_path, few, number, variant):
    setting = learning_digits("unsupervised-mnist", number, 16)
    facts = Sweep(tmp_path, limit=300).run(setting, 1)
    recipe = load_learning_recipe(tmp_path / f"{setting.name}-0.yaml")
    plan = make_plan(recipe, limit=300, seed=1)
    core = replace(core_of(recipe, variant), time_bits=5)
    state, cycles, reads = plan.first_state(), 0, 0
    for number, rule in enumerate(plan.rules):
        order = plan.order(number)
        outcome = learn(rule, state, plan.images[order], plan.labels[order], core=core)
        state = outcome.state
        assert outcome.total_cycles is not None
        cycles += outcome.total_cycles
        reads += sum(int(outcome.counters[name].sum()) for name in ACCESSES)
    assert facts["live"] == state.alive.sum()
    assert (facts["alive"] == 1) == (variant == "dense")
    assert facts["learning_cycles"] == cycles / (300 * len(plan.rules))
    assert facts["learning_accesses"] == reads / (300 * len(plan.rules))
    assert facts["accuracy"] == evaluate(plan, plan.rules[-1], state.settled()).accuracy
    assert len(plan.test_images) == 500


def test_runs_are_kept(tmp_path, few, monkeypatch):
    sweep = Sweep(tmp_path, limit=300)
    setting = learning_digits("unsupervised-mnist", 1, 16)
    assert sweep.known(setting, None) is None
    facts, tested = sweep.run(setting, None), sweep.run(setting, 1)
    monkeypatch.setattr(runs_module, "_measured", None)
    assert sweep.run(setting, None) == facts
    assert sweep.run(setting, 1) == tested
    assert sweep.known(replace(setting, below=setting.below + 1), None) is None
    assert sweep.known(setting, 2) is None
    held = load_learning_recipe(tmp_path / f"{setting.name}-validation.yaml")
    assert held.validation == 200


@pytest.mark.train
def test_the_page(tmp_path, few):
    page = importlib.import_module("firstspike.learning.study.sweep.page")
    settings = [learning_digits("supervised-mnist", number, 80) for number in range(3)]
    family = settings[0].family
    sweep = Sweep(tmp_path / "runs", limit=200)
    designs = [(setting, sweep.run(setting, None)) for setting in settings]
    members = page.fronts(designs)
    docs = tmp_path / "docs"
    with pytest.raises(InputError, match="seed 0; run it first"):
        page.write_page(docs, sweep, [(family, settings)], [0, 1, 2])
    assert not docs.exists()
    best = sorted({i for found in members.values() for i in found})
    found = {i: [sweep.run(settings[i], seed) for seed in (0, 1, 2)] for i in best}
    page.write_page(docs, sweep, [(family, settings)], [0, 1, 2])
    names = ["learning-sweep.json", "learning-sweep.md", "learning-sweep.png"]
    assert sorted(path.name for path in docs.iterdir()) == names
    entries = json.loads((docs / "learning-sweep.json").read_text())["designs"]
    for i, (entry, (_, facts)) in enumerate(zip(entries, designs, strict=True)):
        assert entry["validation"]["accuracy"] == pytest.approx(facts["accuracy"])
        assert entry["fronts"] == [cost for cost in members if i in members[cost]]
        tested = [run["accuracy"] for run in entry["test"]]
        assert tested == pytest.approx([run["accuracy"] for run in found.get(i, [])])
    text = (docs / "learning-sweep.md").read_text()
    mean = sum(run["accuracy"] for run in found[best[0]]) * 100 / 3
    assert f"| {mean:.2f} ± " in text
    assert text.count("\n| ") == 1 + len(best)
