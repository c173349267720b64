"""``firstspike learn``: let a core learn by a recipe, and keep the network that it has learned."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from firstspike.cli.common import (
    add_core,
    add_json,
    at_least,
    need,
    print_facts,
    print_json,
    print_table,
)
from firstspike.cores import PRESETS, load_core
from firstspike.engines import ENGINES, open_engine
from firstspike.errors import InputError
from firstspike.learning import LearningState, Rule
from firstspike.learning.fit import check_learning_fit
from firstspike.learning.plan import Plan, make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.progress import noted
from firstspike.provenance import provenance
from firstspike.shipped import find_recipe
from firstspike.spec import CoreSpec

__all__ = [
    "add",
    "add_learning",
    "check_learning_engine",
    "learn_by",
    "learning_core",
    "plan_of",
    "print_learned",
]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "learn",
        help="let a core learn by a recipe",
        description="Learn from the training images of a data set, one stimulus after the other, "
        "as a learning core does, and write the network. It runs like any other.",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or a shipped name")
    parser.add_argument(
        "-o", dest="network", metavar="NET", type=Path, required=True, help="folder"
    )
    parser.add_argument("--engine", choices=["golden", "rtl"], default="golden", help="what learns")
    add_core(parser, default=None)
    add_learning(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the run in NET")
    parser.add_argument("--dump", metavar="F.npz", type=Path, help="write each stimulus' result")
    add_json(parser)
    parser.set_defaults(call=_call)


def add_learning(parser: argparse.ArgumentParser) -> None:
    """Add the options that change what a recipe says."""
    parser.add_argument(
        "--data", metavar="NAME|file.npz|folder", help="other images than the recipe's"
    )
    parser.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    parser.add_argument("--limit", metavar="N", type=at_least(1), help="only the first N images")
    parser.add_argument("--epochs", metavar="N", type=at_least(1), help="passes over the images")
    parser.add_argument("--seed", metavar="N", type=at_least(0), help="instead of the recipe's")
    parser.add_argument("--no-prune", action="store_true", help="keep all connections")


def plan_of(args: argparse.Namespace, recipe: str) -> Plan:
    """Return the run that recipe and options ask for."""
    return make_plan(
        load_learning_recipe(find_recipe(recipe)),
        source=args.data,
        limit=args.limit,
        epochs=args.epochs,
        seed=args.seed,
        prune=not args.no_prune,
        folder=args.dir,
    )


def learning_core(
    args: argparse.Namespace, plan: Plan, engines: Collection[str]
) -> tuple[str | None, CoreSpec | None]:
    """Return the core to learn on, and its name: without ``--core``, the first one that fits.

    The golden model also learns without any; then there are no cycles.
    """
    if args.core is not None:
        return args.core, load_core(args.core)
    state = plan.first_state()
    for name, core in PRESETS.items():
        if core.learning and all(_fits(rule, state, core) for rule in plan.rules):
            return name, core
    if set(engines) == {"golden"}:
        return None, None
    raise InputError(f"{plan.recipe.path}: fits no learning core that has a name, give one: --core")


def _fits(rule: Rule, state: LearningState, core: CoreSpec) -> bool:
    try:
        check_learning_fit(rule, state, core)
    except InputError:
        return False
    return True


def check_learning_engine(name: str, engine: Any) -> None:
    """Refuse ``engine``, which is called ``name``, if it cannot learn."""
    if not hasattr(engine, "learn"):
        able = [other for other in ENGINES if other != "pysim"]
        raise InputError(f"engine {name} cannot learn, must be one of {', '.join(able)}")


def _call(args: argparse.Namespace) -> int:
    plan = plan_of(args, args.recipe)
    name, core = learning_core(args, plan, [args.engine])
    engine = open_engine(args.engine)
    check_learning_engine(args.engine, engine)
    facts = learn_by(args, plan, args.engine, engine, name, core)
    print_learned(args, facts)
    return 0


def learn_by(
    args: argparse.Namespace,
    plan: Plan,
    name: str,
    engine: Any,
    core_name: str | None,
    core: CoreSpec | None,
) -> dict[str, Any]:
    """Let ``engine``, which is called ``name``, learn; return the figures of the run."""
    run = need("firstspike.learning.run", "learn")
    facts: dict[str, Any] = {"engine": name, "core": core_name}
    with noted(plan.recipe.name, plan.total) as progress:
        return facts | run.learn(
            plan,
            engine,
            core,
            args.network,
            label=f"{name} {core}",
            origin=provenance("learn", args.words, core, engine=name),
            resume=args.resume,
            dump=args.dump,
            progress=progress,
        )


def print_learned(args: argparse.Namespace, facts: dict[str, Any]) -> None:
    """Print the figures of a run of learning."""
    if args.json:
        print_json(facts)
        return
    shown = {name: value for name, value in facts.items() if value is not None}
    del shown["counters"]
    print_facts(shown)
    print()
    _print_phases(facts["phases"])


def _print_phases(phases: list[dict[str, Any]]) -> None:
    """Print how learning went, per stimulus."""
    names = ("events", "synops", "stdp_visits", "stdp_changes", "cycles")
    names = tuple(name for name in names if name in phases[0]["counters"])
    rows = [
        (
            phase["seen"],
            "-" if phase["accuracy"] is None else phase["accuracy"],
            phase["alive"],
            *(phase["counters"][name] / phase["stimuli"] for name in names),
        )
        for phase in phases
    ]
    print_table(("stimuli", "accuracy", "alive", *(f"{name} each" for name in names)), rows)
