"""``firstspike verilog``: the core alone, for another flow."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.cli.common import add_core, need
from firstspike.cores import load_core

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "verilog",
        help="write the core as Verilog, its ports documented",
        description="Write the core alone, as Verilog for another flow: module core, with its "
        "ports described at the head of the file and in a JSON file beside it. "
        "`export --hex` writes what is loaded into it.",
    )
    add_core(parser)
    parser.add_argument("-o", dest="file", metavar="core.v", type=Path, required=True, help="file")
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    core = load_core(args.core)
    text = need("firstspike_hw.verilog", "hw").write(core, args.file)
    print(f"{args.file}: {len(text.splitlines())} lines")
    return 0
