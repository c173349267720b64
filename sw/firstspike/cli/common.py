"""Options and output that several commands share."""

from __future__ import annotations

import argparse
import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from firstspike.cores import PRESETS
from firstspike.errors import InputError

__all__ = [
    "add_core",
    "add_json",
    "add_stimuli",
    "at_least",
    "need",
    "print_facts",
    "print_json",
    "print_table",
    "show",
]

_NUMBER = re.compile(r"-?[0-9.]+|-")


def show(value: object) -> str:
    """Return ``value`` as tables show it: a float to about four digits, the rest as it is."""
    if not isinstance(value, float):
        return str(value)
    digits = 4 if abs(value) < 1 else 3 if abs(value) < 10 else 1
    return f"{value:.{digits}f}"


def at_least(low: int):
    """Return a converter of arguments to integers of at least ``low``."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < low:
            raise argparse.ArgumentTypeError(f"is {text!r}, must be an integer of at least {low}")
        return value

    return convert


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )


def add_core(parser: argparse.ArgumentParser, *, default: str | None = "default") -> None:
    """Add ``--core``."""
    parser.add_argument(
        "--core",
        metavar="NAME|core.yaml",
        default=default,
        help=f"a core: {', '.join(PRESETS)}, or a file (firstspike cores)",
    )


def add_stimuli(parser: argparse.ArgumentParser) -> None:
    """Add the options that name stimuli and choose among them."""
    parser.add_argument(
        "--data",
        metavar="NAME|file.npz|folder",
        help="digits, mnist, fashion-mnist, or own images",
    )
    parser.add_argument("--split", choices=["test", "train"], help="part of a data set (test)")
    parser.add_argument("--limit", metavar="N", type=at_least(1), help="only the first N images")
    parser.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    parser.add_argument(
        "--no-early-exit", action="store_true", help="go on after the decision, to the last step"
    )


def need(module: str, extra: str) -> ModuleType:
    """Import ``module``, whose packages come with the extra ``extra``.

    Raises
    ------
    InputError
        If a package is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"the package {error.name} is not installed: pip install 'firstspike[{extra}]'"
        ) from error


def print_json(content: Mapping[str, Any]) -> None:
    """Print ``content`` as one JSON object."""
    print(json.dumps(content, indent=2, allow_nan=False))


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; columns of numbers are set to the right."""
    lines = [[show(value) for value in row] for row in rows]
    right = [all(_NUMBER.fullmatch(line[i]) for line in lines) for i in range(len(head))]
    wide = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in [head, *lines]:
        cells = zip(line, wide, right, strict=True)
        print("  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in cells).rstrip())


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line, of mappings too; lists are left to ``--json``."""
    flat = dict(_flatten(facts, ""))
    wide = max(map(len, flat), default=0)
    for name, value in flat.items():
        print(f"{name:<{wide}}  {show(value)}")


def _flatten(facts: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield f"{prefix}{name}", value
