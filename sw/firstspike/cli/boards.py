"""``firstspike boards``: boards, and the cores that fit them."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from firstspike.boards import BOARDS, Board, find_board
from firstspike.builds import Built, load_builds
from firstspike.cli.common import add_json, print_facts, print_json, print_table

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "boards",
        help="list boards, or tell one's wires and the cores that fit it",
        description="List the boards that there are bitstreams for, or tell of one where its two "
        "wires to the host are and which cores fit it. Fmax is that of the slowest seed that was "
        "placed and routed.",
    )
    parser.add_argument("board", metavar="NAME", nargs="?", help="tell more of this one")
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    boards = list(BOARDS.values()) if args.board is None else [find_board(args.board)]
    builds = load_builds()
    if args.json:
        print_json({board.name: _facts(board, builds) for board in boards})
        return 0
    if args.board is None:
        rows = [
            (
                board.name,
                board.chip,
                board.megahertz,
                board.baud,
                board.uart.bridge,
                " ".join(board.cores),
            )
            for board in boards
        ]
        print_table(("board", "chip", "MHz", "baud", "serial port", "cores"), rows)
        return 0
    [board] = boards
    _print_one(board, builds)
    return 0


def _facts(board: Board, builds: dict[tuple[str, str], Built]) -> dict:
    found = {core: builds.get((board.name, core)) for core in board.cores}
    return asdict(board) | {
        "cores": {core: None if built is None else asdict(built) for core, built in found.items()}
    }


def _print_one(board: Board, builds: dict[tuple[str, str], Built]) -> None:
    uart = board.uart
    print_facts(
        {
            "board": board.title,
            "chip": board.chip,
            "clock, MHz": board.megahertz,
            "baud": board.baud,
            "serial port": uart.bridge,
            "into the FPGA": f"{uart.rx} {uart.rx_at}".strip(),
            "out of the FPGA": f"{uart.tx} {uart.tx_at}".strip(),
            **({"ground": uart.ground_at} if uart.ground_at else {}),
            "boot": "over the link" if board.flash_offset is None else "from flash, or the link",
        }
    )
    print()
    rows = []
    for core in board.cores:
        built = builds.get((board.name, core))
        if built is None:
            rows.append((core, "-", "-", "-", "-"))
            continue
        logic, memory = ("{} of {}".format(*count) for count in (built.logic, built.block_ram))
        slowest = min(built.fmax.values())
        rows.append((core, logic, memory, slowest, built.bitstream_bytes))
    print_table(("core", "logic cells", "block RAMs", "Fmax, MHz", "bitstream, bytes"), rows)
