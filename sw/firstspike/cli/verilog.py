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
        "verilog", help="write the core as Verilog, its ports documented"
    )
    add_core(parser)
    parser.add_argument("-o", dest="file", metavar="core.v", type=Path, required=True, help="file")
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    core = load_core(args.core)
    need("firstspike_hw.verilog", "hw").write(core, args.file)
    print(args.file)
    return 0
