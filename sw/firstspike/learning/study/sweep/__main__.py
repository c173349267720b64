"""``python -m firstspike.learning.study.sweep``: run what is missing, and write the page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from firstspike.errors import InputError
from firstspike.learning.study.sweep.page import fronts, write_page
from firstspike.learning.study.sweep.runs import Sweep
from firstspike.learning.study.sweep.settings import FAMILIES, Setting, draw
from firstspike.progress import noted
from firstspike.seeds import seeds_of

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firstspike.learning.study.sweep")
    parser.add_argument("-o", dest="docs", type=Path, required=True, help="folder of the page")
    parser.add_argument("--points", type=int, default=60, help="designs a rule and data set (60)")
    parser.add_argument("--seeds", default="0,1,2", help="of the fronts' runs, commas between")
    parser.add_argument("--runs", type=Path, default=Path("runs/sweep"), help="their folder")
    parser.add_argument("--dir", type=Path, help="where the data sets lie")
    options = parser.parse_args(arguments)
    try:
        if options.points < 1:
            raise InputError(f"--points is {options.points}, must be 1 or more")
        seeds = seeds_of(options.seeds)
        sweep = Sweep(options.runs, options.dir)
        families = [
            (family, [draw(family, number) for number in range(options.points)])
            for family in FAMILIES.values()
        ]
        # Number by number, so that a sweep that is broken off has something of every family.
        drawn = [
            setting for group in zip(*(s for _, s in families), strict=True) for setting in group
        ]
        _run(sweep, [(setting, None) for setting in drawn], "designs")
        best = [setting for _, settings in families for setting in _best(sweep, settings)]
        _run(sweep, [(setting, seed) for seed in seeds for setting in best], "fronts")
        write_page(options.docs, sweep, families, seeds)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(sweep: Sweep, runs: list[tuple[Setting, int | None]], what: str) -> None:
    """Run what is missing."""
    missing = [run for run in runs if sweep.known(*run) is None]
    with noted(what, len(missing)) as progress:
        for done, (setting, seed) in enumerate(missing, 1):
            facts = sweep.run(setting, seed)
            progress(done, f"{setting.name}: {100 * facts['accuracy']:.1f} %")


def _best(sweep: Sweep, settings: list[Setting]) -> list[Setting]:
    """Return the designs of one family that lie on a front."""
    designs = [(setting, sweep.run(setting, None)) for setting in settings]
    return [settings[i] for i in sorted({i for f in fronts(designs).values() for i in f})]


if __name__ == "__main__":
    sys.exit(main())
