"""What a page is made of: figures, tables and single numbers, each with its sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Card", "Figure", "Section", "Table", "number", "percent", "signed_si"]

#: Between groups of three digits, and between a number and its unit.
_THIN = "\u202f"
_NUMERIC = re.compile(r"[+-]?\d[\d.\u202f]*(\u202f\S{1,3}|$|\*)|-$")
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"),
             (1e-9, "n"), (1e-12, "p"))  # fmt: skip


def number(value: Any, digits: int = 3) -> str:
    """Return a number for people: ``digits`` significant ones, more for whole numbers."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    if float(value).is_integer() or abs(value) >= 10**digits:
        return f"{round(value):,}".replace(",", _THIN)
    places = max(0, digits - 1 - (0 if value == 0 else _magnitude(value)))
    return f"{value:.{places}f}"


def _magnitude(value: float) -> int:
    return int(f"{abs(value):e}".partition("e")[2])


def percent(share: float | None, places: int = 2) -> str:
    """Return a share 0..1 in percent."""
    return "-" if share is None else f"{100 * share:.{places}f}{_THIN}%"


def signed_si(value: float, unit: str, digits: int = 3) -> str:
    """Return a quantity with a prefix of its unit: 3.06e-5 s as 30.6 µs."""
    if value == 0:
        return f"0{_THIN}{unit}"
    factor, prefix = next((p for p in _PREFIXES if abs(value) >= p[0]), _PREFIXES[-1])
    return f"{number(value / factor, digits)}{_THIN}{prefix}{unit}"


@dataclass(frozen=True, slots=True)
class Card:
    """A number of the summary.

    Parameters
    ----------
    key : str
        In report.json.
    label, shown, note : str
        What it is, as it is shown, and what belongs to it.
    value : object
        As a program reads it.
    sources : tuple of str
        Names of files; `firstspike.report.evidence.Evidence.used`.
    """

    key: str
    label: str
    shown: str
    note: str
    value: Any
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def right(self) -> tuple[bool, ...]:
        """Whether each column is of numbers, which are set to the right."""
        columns = zip(*self.rows, strict=True)
        return tuple(all(_NUMERIC.match(cell) for cell in column) for column in columns)

    @classmethod
    def of(cls, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
        """Return a table of numbers and texts."""
        return cls(tuple(head), tuple(tuple(_cell(value) for value in row) for row in rows))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else number(value, 4)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its numbers, or what makes it where it is missing.

    Parameters
    ----------
    key : str
        Its place in the page, and the name of what it shows.
    title, caption : str
        Text.
    sources : tuple of str
        Names of files.
    svg : str
        The picture; empty: none, the table is all.
    table : Table or None
        Its numbers.
    missing : str
        The command that makes what is not there.
    wide : bool
        Whether it takes the whole width.
    notes : tuple of str
        What has to be known to read it.
    """

    key: str
    title: str
    caption: str
    sources: tuple[str, ...] = ()
    svg: str = ""
    table: Table | None = None
    missing: str = ""
    wide: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under a heading, with what has to be known to read them."""

    key: str
    title: str
    text: str
    figures: tuple[Figure, ...]
