"""``firstspike compare --learn``: let two engines learn and name the first difference."""

from __future__ import annotations

import argparse
import importlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firstspike.cli.common import need, print_facts, print_json, print_table
from firstspike.cli.learn import check_learning_engine, learning_core, plan_of
from firstspike.cli.ports import core_of, opened
from firstspike.errors import InputError
from firstspike.learning.outcome import LearnOutcome, joined
from firstspike.learning.passes import Checked, Keep, check_passes, learn_passes
from firstspike.learning.plan import Plan
from firstspike.outcome import Difference
from firstspike.progress import counted
from firstspike.spec import CoreSpec

__all__ = ["compare_learning"]

_DIFFERENT = 1
_ACCESSES = ("weight_reads", "weight_writes", "mask_reads", "state_reads", "state_writes")


def compare_learning(args: argparse.Namespace) -> int:
    """Let both engines learn the whole run; return the exit status."""
    need("firstspike.golden.learning_fast", "learn")
    plan = plan_of(args, args.learn)
    if args.gain and "board" in args.engines:
        raise InputError("--gain learns on two cores, and the board has one")
    if args.jobs > 1 and "board" in args.engines:
        raise InputError("--jobs learns several passes at a time, and there is one board")
    with opened(args, *args.engines) as engines:
        for name, engine in zip(args.engines, engines, strict=True):
            check_learning_engine(name, engine)
        if args.keep is not None:
            _check_keep(args.keep, args.engines[1], engines[1])
        if "board" in args.engines:
            core_name, core = core_of(args.core, engines, "")
        else:
            core_name, core = learning_core(args, plan, args.engines)
        return _compare_on(args, plan, engines, core_name, core)


def _check_keep(folder: Path, name: str, engine: Any) -> None:
    """Refuse to keep passes in ``folder`` before the first one has taken its time."""
    if not hasattr(engine, "design"):
        raise InputError(
            f"--keep goes with long passes: the second engine is {name}, must be rtl or netlist"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--keep: {folder} is a file, must be a folder")


def _compare_on(
    args: argparse.Namespace,
    plan: Plan,
    engines: list[Any],
    core_name: str | None,
    core: CoreSpec | None,
) -> int:
    runs = [_compare(args, plan, engines, core)]
    if args.gain:
        if core is None or all(rule.pruning is None for rule in plan.rules):
            raise InputError("--gain needs a core and a recipe that prunes, without --no-prune")
        dense = replace(plan, rules=tuple(rule.without_pruning() for rule in plan.rules))
        # A core that never prunes has no masks to fetch.
        runs.append(_compare(args, dense, engines, replace(core, pruning=False)))
    facts = {
        "recipe": plan.recipe.name,
        "core": core_name,
        "data": plan.data,
        "images": len(plan.images),
        "passes": len(plan.rules),
        "stimuli": plan.total,
        "seed": plan.seed,
        "prune": not args.no_prune,
        "equal": all(run.difference is None for run in runs),
    }
    if args.json:
        named = [None if r.difference is None else _named(r.difference, args.engines) for r in runs]
        more = {"dense": {"difference": named[1], "engines": runs[1].figures}} if args.gain else {}
        print_json(facts | {"difference": named[0], "engines": runs[0].figures} | more)
        return 0 if facts["equal"] else _DIFFERENT
    print_facts(facts)
    for run, title in zip(runs, ("", "without pruning, on a core without masks"), strict=False):
        print(f"\n{title}" if title else "")
        first = run.figures[args.engines[0]]
        both = [name for name in first if all(name in r for r in run.figures.values())]
        rows = [(name, *(r[name] for r in run.figures.values())) for name in both]
        print_table(("", *run.figures), rows)
        print()
        print(_sentence(run, args.engines))
    if args.gain:
        print()
        _print_gain(*runs)
    return 0 if facts["equal"] else _DIFFERENT


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two engines that learned the same: what the first one gave, and its accuracy.

    ``values`` is how many values of stimuli both gave.
    """

    outcome: LearnOutcome
    values: int
    figures: dict[str, dict[str, Any]]
    difference: Difference | None
    accuracy: float | None


def _compare(
    args: argparse.Namespace, plan: Plan, engines: list[Any], core: CoreSpec | None
) -> _Comparison:
    first, second = args.engines
    start = time.monotonic()
    with counted(first, plan.total) as progress:
        parts = learn_passes(plan, engines[0], core, progress)
    seconds = time.monotonic() - start
    outcome = joined([part.outcome for part in parts])
    keep = None
    if args.keep is not None:
        keep = Keep(args.keep, second, engines[1].design(core).files)
    with counted(second, plan.total) as progress:
        checks = check_passes(
            plan,
            engines[1],
            core,
            parts,
            progress,
            # What a board does not tell is not compared.
            shared="board" in args.engines,
            jobs=args.jobs,
            keep=keep,
        )
    figures = {
        first: {"alive": float(outcome.state.alive.mean())}
        | outcome.sums()
        | _rate(plan.total, seconds),
        second: _checked_figures(checks, len(plan.images)),
    }
    evaluation = importlib.import_module("firstspike.learning.evaluate")
    learned = evaluation.evaluate(plan, plan.rules[-1], outcome.state.settled())
    values = sum(checked.values for checked in checks)
    return _Comparison(outcome, values, figures, checks[-1].difference, learned.accuracy)


def _print_gain(pruned: _Comparison, dense: _Comparison) -> None:
    """Print what pruning has saved."""
    ours, theirs = (
        {n: int(a.sum()) for n, a in r.outcome.counters.items()} for r in (pruned, dense)
    )
    alive = float(pruned.outcome.state.alive.mean())
    rows: list[tuple[Any, ...]] = [
        ("accuracy", dense.accuracy, pruned.accuracy, None),
        ("alive", 1.0, alive, 1 / alive),
    ]
    for name in ("cycles", "synops", "stdp_visits", *_ACCESSES):
        rows.append(
            (name, theirs[name], ours[name], theirs[name] / ours[name] if ours[name] else None)
        )
    both = [sum(each[name] for name in _ACCESSES) for each in (theirs, ours)]
    rows.append(("all accesses", *both, both[0] / both[1]))
    print_table(("learning", "dense", "pruned", "dense / pruned"), rows)


def _checked_figures(checks: list[Checked], images: int) -> dict[str, Any]:
    """Return the figures of an engine that learned every pass on its own."""
    figures: dict[str, Any] = {"alive": checks[-1].alive}
    for name in checks[0].sums:
        figures[name] = sum(checked.sums[name] for checked in checks)
    seconds = sum(checked.seconds for checked in checks)
    return figures | _rate(len(checks) * images, seconds)


def _rate(stimuli: int, seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "stimuli_per_second": stimuli / seconds}


def _named(difference: Difference, engines: tuple[str, str]) -> dict[str, Any]:
    return {
        "quantity": difference.quantity,
        "index": list(difference.index),
        "values": dict(zip(engines, (difference.left, difference.right), strict=True)),
    }


def _sentence(run: _Comparison, engines: tuple[str, str]) -> str:
    difference, outcome = run.difference, run.outcome
    if difference is None:
        state = sum(array.size for array in outcome.state.arrays().values())
        return (
            f"equal: {run.values} values of {len(outcome.winner)} stimuli, {state} of the learner"
        )
    place = f"{difference.quantity}{list(difference.index)}"
    return f"different: {place}: {engines[0]} {difference.left}, {engines[1]} {difference.right}"
