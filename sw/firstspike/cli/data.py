"""``firstspike data``: find or fetch data sets."""

from __future__ import annotations

import argparse
from pathlib import Path

from firstspike import data
from firstspike.cli.common import add_json, print_json, print_table

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "data",
        help="find or fetch data sets, verify them, say where they lie",
        description="Find data sets, or fetch them (npm, Debian's archive, HTTPS), and verify "
        "them. They lie in $FIRSTSPIKE_DATA, or in the user's cache.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(data.NAMES)} (all)")
    parser.add_argument("--dir", metavar="D", type=Path, help="look there, and fetch to there")
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    from firstspike.data.fetch import find_or_fetch

    facts = {}
    names = args.names or data.NAMES
    for name in names:
        # An unknown name is refused before anything is fetched.
        data.check_name(name)
    for name in names:
        place = None if name == "digits" else find_or_fetch(name, args.dir)
        found = data.load(name, args.dir)
        rows, columns = found.train_images.shape[1:]
        facts[name] = {
            "train": len(found.train_labels),
            "test": len(found.test_labels),
            "rows": rows,
            "columns": columns,
            "folder": str(place or Path(data.__file__).parent),
        }
    if args.json:
        print_json(facts)
    else:
        head = ("data set", "train", "test", "size", "verified, in")
        print_table(
            head,
            [
                (name, f["train"], f["test"], f"{f['rows']} x {f['columns']}", f["folder"])
                for name, f in facts.items()
            ],
        )
    return 0
