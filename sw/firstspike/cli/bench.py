"""``firstspike bench``: how fast simulation, golden model and cores are; how good methods are."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firstspike.cli import bench_methods
from firstspike.cli.common import (
    add_json,
    at_least,
    need,
    print_facts,
    print_json,
    print_table,
)
from firstspike.files import write_file
from firstspike.progress import counted
from firstspike.provenance import provenance
from firstspike.speed.against import load_bench, ratios
from firstspike.speed.machine import machine

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="how fast simulation, golden model and cores are; how good methods are",
        description="Time the simulated core and the golden model on the shipped digits, and model "
        "images a second of every board's cores. Medians of several runs, with their spread. Or, "
        "with methods, make the table of docs/methods.md.",
    )
    parser.add_argument(
        "--runs", metavar="N", type=at_least(1), default=5, help="repeat each work (5)"
    )
    parser.add_argument("--against", metavar="OLD.json", type=Path, help="an earlier bench")
    parser.add_argument("-o", dest="file", metavar="FILE", type=Path, help="write it as JSON")
    add_json(parser)
    parser.set_defaults(call=_call)
    bench_methods.add(parser.add_subparsers(metavar="methods"))


def _call(args: argparse.Namespace) -> int:
    old = None if args.against is None else load_bench(args.against)
    speed = need("firstspike.speed.bench", "sim")
    facts: dict[str, Any] = {
        "provenance": provenance("bench", args.words, None, runs=args.runs),
        "machine": machine(),
    }
    with counted("bench", speed.steps(args.runs)) as progress:
        done = iter(range(1, speed.steps(args.runs) + 1))
        found = speed.bench(args.runs, lambda: progress(next(done)))
    facts["figures"] = {name: asdict(figure) for name, figure in found.items()}
    if old is not None:
        facts["against"] = ratios(facts, old)
    if args.file is not None:
        write_file(args.file, (json.dumps(facts, indent=1) + "\n").encode())
    if args.json:
        print_json(facts)
        return 0
    print_facts(facts["machine"])
    print()
    _print(facts)
    return 0


def _print(facts: dict[str, Any]) -> None:
    head = ["figure", "median", "slowest", "fastest", "unit"]
    against = facts.get("against")
    rows = [
        [name, *(float(f[key]) for key in ("median", "low", "high")), f["unit"]]
        for name, f in facts["figures"].items()
    ]
    if against is not None:
        head.append(f"over {against['commit'] or 'the old one'}")
        for row in rows:
            row.append(against["ratios"].get(row[0], "-"))
    print_table(head, rows)
    if against is not None and against["differs"]:
        print(f"\nanother machine: {', '.join(against['differs'])}")
