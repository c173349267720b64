"""Passes of one engine beside those of another: in any order, some at a time, kept.

Mutants that fail here: a pass begins with the first state; stimuli are counted from the beginning
of their pass; sums of the last pass only; passes after a difference are made; a later difference
is told before an earlier one; a pass that differs is kept; another design, core, rule, state,
result or order takes a pass that is kept; kept passes are made again; a pass is kept only at the
end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from digits_recipe import BASE
from firstspike.cli import main
from firstspike.cores import load_core
from firstspike.engines import GoldenEngine
from firstspike.errors import InputError
from firstspike.learning import passes
from firstspike.learning.outcome import joined
from firstspike.learning.passes import Keep, check_passes, learn_passes
from firstspike.learning.plan import Plan, make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.processes import in_processes
from process_calls import WrongEngine

RECIPE = BASE | {"stages": [{**BASE["stages"][0], "passes": 3}]}
CORE = load_core("learner-digits")
STIMULI = 120


def nothing(done: int) -> None:
    pass


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    return tmp_path


@pytest.fixture
def plan(place) -> Plan:
    return make_plan(load_learning_recipe(Path("recipe.yaml")), limit=STIMULI)


class Counting(WrongEngine):
    """Tells which passes were made."""

    def __init__(self, wrong: dict[int, int] | None = None, fails: int | None = None) -> None:
        super().__init__(wrong or {})
        self.passes: list[int] = []
        self.fails = fails

    def learn(self, rule, core, state, images, labels, *, progress=None):
        number = state.seen // STIMULI
        if number == self.fails:
            raise RuntimeError("the core stopped")
        self.passes.append(number)
        return super().learn(rule, core, state, images, labels, progress=progress)


def kept(engine: str = "rtl", **design: str) -> Keep:
    return Keep(Path("kept"), engine, design or {"core.v": "module core"})


def test_a_run_in_one_go_has_the_same_sums(plan):
    told: list[int] = []
    parts = learn_passes(plan, GoldenEngine(), CORE, told.append)
    assert [part.start.seen for part in parts] == [0, STIMULI, 2 * STIMULI]
    assert told[-1] == plan.total
    told.clear()
    checks = check_passes(plan, GoldenEngine(), CORE, parts, told.append)
    assert (told[0], told[-1]) == (0, plan.total)
    assert told == sorted(told)
    assert [checked.difference for checked in checks] == [None] * 3
    sums = joined([part.outcome for part in parts]).sums()
    assert sums["cycles"] > 0
    assert {name: sum(c.sums[name] for c in checks) for name in sums} == sums
    assert [c.alive for c in checks] == [part.outcome.state.alive.mean() for part in parts]
    assert sum(c.values for c in checks) == (len(sums) + 1) * plan.total


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_of_two_differences_is_named(plan, jobs):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    engine = WrongEngine({STIMULI: 7, 2 * STIMULI: 3})
    checks = check_passes(plan, engine, CORE, parts, nothing, jobs=jobs)
    assert len(checks) == 2
    assert checks[0].difference is None
    difference = checks[1].difference
    assert difference is not None
    assert (difference.quantity, difference.index) == ("winner", (STIMULI + 7,))
    assert difference.right == -7


def test_a_later_pass_that_differs_waits_for_an_earlier_one(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    engine = WrongEngine({0: 3, STIMULI: 7}, slow=0)
    checks = check_passes(plan, engine, CORE, parts, nothing, jobs=2)
    assert len(checks) == 1
    assert checks[0].difference is not None
    assert checks[0].difference.index == (3,)


class Silent(GoldenEngine):
    """Does not tell ties, as a board does not tell all."""

    def learn(self, rule, core, state, images, labels, *, progress=None):
        outcome = super().learn(rule, core, state, images, labels, progress=progress)
        del outcome.counters["ties"]
        return outcome


def test_only_what_both_tell_if_so_asked(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    whole = check_passes(plan, GoldenEngine(), CORE, parts, nothing)
    checks = check_passes(plan, Silent(), CORE, parts, nothing, shared=True)
    assert [checked.difference for checked in checks] == [None] * 3
    assert [w.values - c.values for w, c in zip(whole, checks, strict=True)] == [STIMULI] * 3
    with pytest.raises(ValueError, match="ties"):
        check_passes(plan, Silent(), CORE, parts, nothing)


def test_nothing_is_made_after_a_difference(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    engine = Counting({0: 7})
    assert len(check_passes(plan, engine, CORE, parts, nothing)) == 1
    assert engine.passes == [0]


def test_what_the_learner_became_is_not_counted_by_stimuli(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    state = parts[1].outcome.state
    wrong = replace(parts[1], outcome=replace(parts[1].outcome, state=_other(state, 3, 2)))
    checks = check_passes(plan, GoldenEngine(), CORE, [parts[0], wrong], nothing)
    difference = checks[1].difference
    assert difference is not None
    assert (difference.quantity, difference.index) == ("final weights", (3, 2))


def _other(state, i: int, j: int):
    weights = state.weights.copy()
    weights[i, j] ^= 1
    return replace(state, weights=weights)


def test_processes_find_what_one_finds(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    told: list[int] = []
    together = check_passes(plan, GoldenEngine(), CORE, parts, told.append, jobs=2)
    alone = check_passes(plan, GoldenEngine(), CORE, parts, nothing)
    assert [replace(c, seconds=0) for c in together] == [replace(c, seconds=0) for c in alone]
    assert told[-1] == plan.total


def test_a_run_that_breaks_off_goes_on(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    with pytest.raises(RuntimeError, match="the core stopped"):
        check_passes(plan, Counting(fails=2), CORE, parts, nothing, keep=kept())
    assert len(list(Path("kept").iterdir())) == 2
    engine, told = Counting(), []
    checks = check_passes(plan, engine, CORE, parts, told.append, keep=kept())
    assert engine.passes == [2]
    assert (told[0], told[-1]) == (2 * STIMULI, 3 * STIMULI)
    alone = check_passes(plan, GoldenEngine(), CORE, parts, nothing)
    assert [replace(c, seconds=0) for c in checks] == [replace(c, seconds=0) for c in alone]
    engine = Counting()
    assert check_passes(plan, engine, CORE, parts, nothing, keep=kept()) == checks
    assert engine.passes == []


def test_a_pass_that_differs_is_not_kept(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    check_passes(plan, Counting({STIMULI: 7}), CORE, parts, nothing, keep=kept())
    engine = Counting()
    checks = check_passes(plan, engine, CORE, parts, nothing, keep=kept())
    assert engine.passes == [1, 2]
    assert checks[-1].difference is None


def test_a_pass_of_another_kind_is_made_again(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    first, outcome = parts[0], parts[0].outcome
    winner = outcome.winner.copy()
    winner[5] += 1
    ties = {**outcome.counters, "ties": outcome.counters["ties"] + 1}
    images, labels = plan.images.copy(), plan.labels.copy()
    images[0, 0] ^= 1
    labels[0] ^= 1
    paths = [
        kept().path(plan, CORE, first),
        kept("netlist").path(plan, CORE, first),
        kept(**{"core.v": "module other"}).path(plan, CORE, first),
        kept().path(plan, replace(CORE, banks=2), first),
        kept().path(plan, CORE, replace(first, start=_other(first.start, 0, 0))),
        kept().path(plan, CORE, replace(first, outcome=replace(outcome, winner=winner))),
        kept().path(plan, CORE, replace(first, outcome=replace(outcome, counters=ties))),
        kept().path(plan, CORE, replace(first, outcome=replace(outcome, total_cycles=1))),
        kept().path(
            plan,
            CORE,
            replace(first, outcome=replace(outcome, state=_other(outcome.state, 0, 0))),
        ),
        kept().path(replace(plan, images=images), CORE, first),
        kept().path(replace(plan, labels=labels), CORE, first),
        kept().path(replace(plan, seed=plan.seed + 1), CORE, first),
        kept().path(
            replace(plan, rules=tuple(rule.without_pruning() for rule in plan.rules)), CORE, first
        ),
    ]
    assert len(set(paths)) == len(paths)
    again = learn_passes(plan, GoldenEngine(), CORE, nothing)[0]
    assert kept().path(plan, CORE, again) == paths[0]
    assert np.array_equal(again.outcome.winner, outcome.winner)


def test_a_damaged_file_is_named(plan):
    parts = learn_passes(plan, GoldenEngine(), CORE, nothing)
    check_passes(plan, GoldenEngine(), CORE, parts, nothing, keep=kept())
    path = sorted(Path("kept").iterdir())[1]
    path.write_text('{"alive": 1}')
    with pytest.raises(InputError, match=rf"^{path}: damaged, must be removed: "):
        check_passes(plan, GoldenEngine(), CORE, parts, nothing, keep=kept())


# --- the command


def compare(capsys, *arguments: str, status: int = 0) -> str:
    command = ["compare", "--engines", "golden,rtl", *arguments]
    assert main(command) == status
    out, err = capsys.readouterr()
    return err if status == 2 else out


@pytest.mark.rtl
def test_the_core_in_two_processes_and_kept(capsys, monkeypatch):
    at_a_time: list[int] = []

    def spied(calls, jobs, told):
        at_a_time.append(jobs)
        return in_processes(calls, jobs, told)

    monkeypatch.setattr(passes, "in_processes", spied)
    command = ["--learn", "recipe.yaml", "--limit", "60", "--core", "learner-digits"]
    command += ["--json", "--keep", "kept"]
    facts = json.loads(compare(capsys, *command, "--jobs", "2"))
    assert (facts["equal"], facts["core"]) == (True, "learner-digits")
    golden, rtl = facts["engines"]["golden"], facts["engines"]["rtl"]
    for name in ("alive", "cycles", "stdp_visits", "total_cycles"):
        assert golden[name] == rtl[name] > 0
    files = {path: path.stat().st_mtime_ns for path in Path("kept").iterdir()}
    assert sorted(path.name.rpartition("-")[0] for path in files) == [
        f"recipe-rtl-pass-{number}" for number in (1, 2, 3)
    ]
    again = json.loads(compare(capsys, *command))
    assert again["engines"]["rtl"] == rtl
    assert at_a_time == [2]
    assert {path: path.stat().st_mtime_ns for path in Path("kept").iterdir()} == files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--data", "digits", "--jobs", "2"], "--jobs and --keep go with --learn"),
        (["digits", "--data", "digits", "--keep", "k"], "--jobs and --keep go with --learn"),
        (
            ["--learn", "recipe.yaml", "--keep", "k", "--engines", "rtl,golden"],
            "the second engine is golden, must be rtl or netlist",
        ),
        (
            ["--learn", "recipe.yaml", "--keep", "recipe.yaml"],
            "--keep: recipe.yaml is a file, must be a folder",
        ),
        (
            ["--learn", "recipe.yaml", "--jobs", "2", "--engines", "golden,board", "--port", "p"],
            "--jobs learns several passes at a time, and there is one board",
        ),
    ],
)
def test_what_does_not_go_together(capsys, arguments, message):
    assert message in compare(capsys, *arguments, status=2)
    assert not Path("k").exists()
