"""``firstspike report``: a page from the files of figures that other commands have written."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.boards import BOARDS, find_board
from firstspike.cli.common import add_core, add_json, at_least, need, print_facts, print_json
from firstspike.cores import load_core
from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.shipped import find_network

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report",
        help="a page with all figures of a network on a board, and where each comes from",
        description="Read what build, run, learn, activity and bench have written to a folder, and "
        "write one HTML page that needs no network, with the same as .json and .md beside it.",
    )
    parser.add_argument("network", metavar="NET", help="a folder, or a shipped name")
    parser.add_argument(
        "--board", metavar="NAME", required=True, choices=BOARDS, help=", ".join(BOARDS)
    )
    add_core(parser, default=None)
    parser.add_argument(
        "--from", dest="folder", metavar="FOLDER", type=Path, required=True, help="the evidence"
    )
    parser.add_argument("--rate", metavar="HZ", type=float, help="images a second, for energies")
    parser.add_argument(
        "--image", metavar="N", type=at_least(0), help="the image that is drawn, from 0"
    )
    parser.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    parser.add_argument(
        "-o", dest="page", metavar="FILE", type=Path, default=Path("report.html"),
        help="report.html",
    )  # fmt: skip
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    if args.rate is not None and not 0 < args.rate < float("inf"):
        raise InputError(f"--rate is {args.rate}, must be above 0")
    board = find_board(args.board)
    core_source = args.core or board.cores[0]
    make = need("firstspike.report.make", "report")
    evidence = need("firstspike.report.evidence", "report")
    subject = evidence.Subject(
        network=load_network(find_network(args.network)),
        network_source=args.network,
        core=load_core(core_source),
        core_source=core_source,
        board=board,
    )
    report = make.make_report(
        subject,
        args.folder,
        args.page,
        image=args.image,
        rate=args.rate,
        data=args.dir,
        words=args.words,
    )
    if args.json:
        print_json(report)
        return 0
    print_facts({name: card["shown"] for name, card in report["summary"].items()})
    print(f"\n{args.page}: written, with .json and .md beside it")
    return 0
