"""``python -m firstspike.learning.study``: run what is missing, and write the results page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from firstspike.errors import InputError
from firstspike.learning.study.page import write_page
from firstspike.learning.study.rows import ROWS
from firstspike.learning.study.runs import Runs
from firstspike.progress import noted
from firstspike.seeds import seeds_of

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firstspike.learning.study")
    parser.add_argument("-o", dest="docs", type=Path, required=True, help="folder of the page")
    parser.add_argument("--rows", help="some rows only, by name, with commas between")
    parser.add_argument("--seeds", default="0,1,2", help="seeds, with commas between")
    parser.add_argument("--runs", type=Path, default=Path("runs/learning"), help="their folder")
    parser.add_argument("--dir", type=Path, help="where the data sets lie")
    options = parser.parse_args(arguments)
    try:
        names = list(ROWS) if options.rows is None else options.rows.split(",")
        seeds = seeds_of(options.seeds)
        for name in names:
            if name not in ROWS:
                raise InputError(f"--rows: {name!r} is none of {', '.join(ROWS)}")
        runs = Runs(options.runs, options.dir)
        rows = [ROWS[name] for name in names]
        total = sum(runs.missing(row, seed) for seed in seeds for row in rows)
        with noted("learning", total) as progress:
            done = 0

            def told(more: int, note: str) -> None:
                nonlocal done
                done += more
                progress(done, note)

            # Seed by seed, so that a study that is broken off has something of every row.
            for seed in seeds:
                for row in rows:
                    runs.row(row, seed, told)
        write_page(options.docs, runs)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
