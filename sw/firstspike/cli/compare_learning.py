"""``firstspike compare --learn``: let two engines learn and name the first difference."""

from __future__ import annotations

import argparse
import time
from typing import Any

from firstspike.cli.common import need, print_facts, print_json, print_table
from firstspike.cli.learn import learning_core, learning_engine, plan_of
from firstspike.learning.outcome import LearnOutcome, first_learning_difference, joined
from firstspike.learning.plan import Plan
from firstspike.outcome import Difference
from firstspike.progress import counted
from firstspike.spec import CoreSpec

__all__ = ["compare_learning"]

_DIFFERENT = 1


def compare_learning(args: argparse.Namespace) -> int:
    """Let both engines learn the whole run; return the exit status."""
    need("firstspike.golden.learning_fast", "learn")
    plan = plan_of(args, args.learn)
    core_name, core = learning_core(args, plan, args.engines)
    outcomes: list[LearnOutcome] = []
    results: dict[str, dict[str, Any]] = {}
    for name in args.engines:
        start = time.monotonic()
        outcome = _learn(name, plan, core)
        seconds = time.monotonic() - start
        outcomes.append(outcome)
        results[name] = _figures(outcome) | {
            "seconds": seconds,
            "stimuli_per_second": plan.total / seconds,
        }
    difference = first_learning_difference(*outcomes)
    facts = {
        "recipe": plan.recipe.name,
        "core": core_name,
        "data": plan.data,
        "images": len(plan.images),
        "passes": len(plan.rules),
        "stimuli": plan.total,
        "seed": plan.seed,
        "prune": not args.no_prune,
        "equal": difference is None,
    }
    if args.json:
        named = None if difference is None else _named(difference, args.engines)
        print_json(facts | {"difference": named, "engines": results})
    else:
        print_facts(facts)
        print()
        rows = [(name, *(r[name] for r in results.values())) for name in results[args.engines[0]]]
        print_table(("", *results), rows)
        print()
        print(_sentence(difference, args.engines, outcomes[0]))
    return 0 if difference is None else _DIFFERENT


def _learn(name: str, plan: Plan, core: CoreSpec | None) -> LearnOutcome:
    engine = learning_engine(name)
    state = plan.first_state()
    parts: list[LearnOutcome] = []
    n = len(plan.images)
    with counted(name, plan.total) as progress:
        for number, rule in enumerate(plan.rules):
            order = plan.order(number)
            part = engine.learn(
                rule,
                core,
                state,
                plan.images[order],
                plan.labels[order],
                progress=lambda done, before=number * n: progress(before + done),
            )
            state = part.state
            parts.append(part)
    return joined(parts)


def _figures(outcome: LearnOutcome) -> dict[str, Any]:
    figures: dict[str, Any] = {"alive": float(outcome.state.alive.mean())}
    figures |= {name: int(array.sum()) for name, array in outcome.counters.items()}
    if outcome.total_cycles is not None:
        figures["total_cycles"] = outcome.total_cycles
    return figures


def _named(difference: Difference, engines: tuple[str, str]) -> dict[str, Any]:
    return {
        "quantity": difference.quantity,
        "index": list(difference.index),
        "values": dict(zip(engines, (difference.left, difference.right), strict=True)),
    }


def _sentence(
    difference: Difference | None, engines: tuple[str, str], outcome: LearnOutcome
) -> str:
    if difference is None:
        stimuli = sum(array.size for array in outcome.arrays().values())
        state = sum(array.size for array in outcome.state.arrays().values())
        return f"equal: {stimuli} values of {len(outcome.winner)} stimuli, {state} of the learner"
    place = f"{difference.quantity}{list(difference.index)}"
    return f"different: {place}: {engines[0]} {difference.left}, {engines[1]} {difference.right}"
