"""``firstspike build``: a bitstream for a board."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from firstspike.boards import BOARDS, find_board
from firstspike.cli.common import (
    add_core,
    add_json,
    at_least,
    need,
    print_facts,
    print_json,
    print_table,
)
from firstspike.cores import load_core
from firstspike.fit import check_fit
from firstspike.network import load_network
from firstspike.shipped import find_network

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "build",
        help="make a bitstream for a board",
        description="Synthesise, place and route the board's core, or another one, and write the "
        "bitstream with a JSON file beside it. The network is loaded later: a bitstream runs any "
        "that fits its core. Given a network, it is checked that this one does.",
    )
    parser.add_argument("network", metavar="NET", nargs="?", help="check that this network fits")
    parser.add_argument(
        "--board",
        metavar="NAME",
        required=True,
        choices=BOARDS,
        help=", ".join(BOARDS),
    )
    add_core(parser, default=None)
    parser.add_argument(
        "--seeds", metavar="N", type=at_least(1), default=3, help="place and route N times (3)"
    )
    parser.add_argument(
        "--baud", metavar="N", type=at_least(1), help="bits a second of the UART (the board's)"
    )
    parser.add_argument(
        "-o", dest="folder", metavar="D", type=Path, default=Path("bitstreams"), help="bitstreams/"
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    board = find_board(args.board, baud=args.baud)
    core = load_core(args.core or board.cores[0])
    if args.network is not None:
        check_fit(load_network(find_network(args.network)), core)
    made = need("firstspike_hw.build", "hw").build(
        core, board, args.folder, seeds=args.seeds, words=args.words
    )
    record = made.bitstream.with_suffix(".json")
    facts = json.loads(record.read_text())
    if args.json:
        print_json({"bitstream": str(made.bitstream), "record": str(record)} | facts)
        return 0
    print_facts(
        {
            "bitstream": made.bitstream,
            "record": record,
            "clock, MHz": facts["clock_hz"] / 1e6,
            **{f"Fmax of seed {seed}, MHz": value for seed, value in facts["fmax_mhz"].items()},
        }
    )
    print()
    rows = [(kind, count["used"], count["there"]) for kind, count in facts["cells"].items()]
    print_table(("cells", "used", "there"), rows)
    return 0
