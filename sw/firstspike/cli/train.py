"""``firstspike train``: train a network by a recipe, with PyTorch."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.cli.common import (
    add_json,
    at_least,
    need,
    print_facts,
    print_json,
    print_table,
)
from firstspike.errors import InputError
from firstspike.methods.recipe import is_method
from firstspike.shipped import find_recipe

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser("train", help="train by a recipe")
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or a shipped name")
    parser.add_argument("-o", dest="run", metavar="RUN", type=Path, required=True, help="folder")
    parser.add_argument("--seed", metavar="N", type=at_least(0), help="instead of the recipe's")
    parser.add_argument("--resume", action="store_true", help="go on with the run in RUN")
    parser.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    recipe = find_recipe(args.recipe)
    if is_method(recipe):
        return _method(args, recipe)
    facts = need("firstspike.train.loop", "train").train(
        recipe, args.run, seed=args.seed, resume=args.resume, data_folder=args.dir
    )
    (print_json if args.json else print_facts)(facts)
    return 0


def _method(args: argparse.Namespace, recipe: Path) -> int:
    """Run a published method, which makes several networks."""
    if args.resume:
        raise InputError("--resume: a method runs in one go; leave the option out")
    facts = need("firstspike.methods.run", "train").train_method(
        recipe, args.run, seed=args.seed, data_folder=args.dir
    )
    if args.json:
        print_json(facts)
        return 0
    rows = facts.pop("variants")
    print_facts(facts)
    print()
    names = ("variant", "steps", "accuracy", "spikes", "synops", "macs", "cycles")
    print_table(
        names, [[row[name] if row[name] is not None else "-" for name in names] for row in rows]
    )
    return 0
