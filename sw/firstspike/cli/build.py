"""``firstspike build``: a bitstream for a board."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.cli.common import add_json

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser("build", help="make a bitstream")
    parser.add_argument("-o", dest="folder", type=Path, default=Path("bitstreams"))
    add_json(parser)
