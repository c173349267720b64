"""``firstspike export``: turn a trained run into an integer network."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.cli.common import add_json, need, print_facts, print_json
from firstspike.errors import InputError

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export", help="quantise a run to a network"
    )
    parser.add_argument("run", metavar="RUN", type=Path, help="folder that train wrote")
    parser.add_argument(
        "-o", dest="network", metavar="NET", type=Path, required=True, help="folder"
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    if not args.run.is_dir():
        raise InputError(f"{args.run}: no such folder, must be one that firstspike train wrote")
    facts = need("firstspike.train.exporting", "train").export(args.run, args.network)
    (print_json if args.json else print_facts)(facts)
    return 0
