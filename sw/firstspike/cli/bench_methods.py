"""``firstspike bench methods``: every method, trained, measured, run on the RTL, in one table."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike.cli.common import at_least, need
from firstspike.errors import InputError
from firstspike.progress import noted
from firstspike.seeds import seeds_of

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "methods",
        help="train by every method, and write the table",
        description="Train by every method on MNIST and Fashion-MNIST, measure every network on "
        "the whole test set, compare those of the table on the RTL with the golden model, and "
        "write methods.json, pictures and the results in methods.md. What a folder of runs has "
        "already is not done again, so that the hours can be had in pieces.",
    )
    parser.add_argument(
        "-o", dest="docs", metavar="DOCS", type=Path, help="write the results there"
    )
    parser.add_argument(
        "--runs", metavar="D", type=Path, default=Path("runs/methods"), help="(runs/methods)"
    )
    parser.add_argument("--rows", metavar="A,B", help="recipes without their data set; all")
    parser.add_argument("--seeds", metavar="N,M", default="0,1,2", help="(0,1,2)")
    parser.add_argument(
        "--images", metavar="N", type=at_least(1), default=1000, help="on the RTL (1000)"
    )
    parser.add_argument("--no-rtl", action="store_true", help="leave the RTL for another time")
    parser.add_argument("--no-train", action="store_true", help="take the runs that are there")
    parser.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    rows_of = need("firstspike.methods.table.rows", "train").ROWS
    rows = _rows(args.rows, rows_of)
    seeds = seeds_of(args.seeds)
    runs = need("firstspike.methods.table.runs", "train").Runs(args.runs, args.images, args.dir)
    jobs = list(runs.jobs(rows, seeds))
    if args.no_train:
        jobs = [job for job in jobs if runs.metrics(job) is not None]
    # Seconds of training and of simulation are not known beforehand; runs are what is counted.
    with noted("methods", 2 * len(jobs)) as progress:
        for number, job in enumerate(jobs):
            progress(2 * number, f"training {job}")
            runs.train(job)
            progress(2 * number + 1, f"RTL {job}")
            for variant in () if args.no_rtl else job.row.shown:
                runs.check(job, variant)
    if args.docs is not None:
        figures = need("firstspike.methods.table.figures", "train")
        # The table is of all runs that are there, whatever was asked for this time.
        found = figures.entries(runs, rows_of, runs.seeds())
        need("firstspike.methods.table.page", "train").write_results(args.docs, found, args.dir)
    return 0


def _rows(text: str | None, rows) -> tuple:
    if text is None:
        return rows
    by_stem = {row.stem: row for row in rows}
    for stem in text.split(","):
        if stem not in by_stem:
            raise InputError(f"--rows: {stem!r} is none of {', '.join(by_stem)}")
    return tuple(by_stem[stem] for stem in text.split(","))
