"""``firstspike cores``: core descriptions."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from firstspike.cli.common import add_json, print_json, print_table
from firstspike.cores import PRESETS, core_yaml, load_core

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cores",
        help="list cores, or print one as core.yaml",
        description="List the cores that have a name, or print one as a file to start from: "
        "firstspike cores default > core.yaml",
    )
    parser.add_argument("core", metavar="NAME|core.yaml", nargs="?", help="print this one")
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    if args.core is not None:
        core = load_core(args.core)
        if args.json:
            print_json(asdict(core))
        else:
            print(core_yaml(core), end="")
        return 0
    if args.json:
        print_json({name: asdict(core) for name, core in PRESETS.items()})
        return 0
    names = list(asdict(PRESETS["default"]))
    rows = [("lanes", *(core.lanes for core in PRESETS.values()))]
    rows += [(name, *(getattr(core, name) for core in PRESETS.values())) for name in names]
    print_table(("", *PRESETS), rows)
    return 0
