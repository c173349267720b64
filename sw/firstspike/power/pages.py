"""Tables of ``docs/power.md`` from the coefficients and the model's error.

``python -m firstspike.power.pages docs/power.md`` writes them; a test holds the page to them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.power.device import devices
from firstspike.power.memories import held_out_errors

__all__ = ["coefficients_table", "errors_table", "fill", "main"]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def coefficients_table() -> str:
    """Return every coefficient of every chip: range, what it rests on, source."""
    rows = []
    for device in devices().values():
        for one in device.coefficients.values():
            value = one.value
            numbers = (f"{number:g}" for number in (value.low, value.nominal, value.high))
            rows.append((f"`{device.name}`", one.name, *numbers, one.unit, one.kind, one.source))
    head = ("chip", "coefficient", "low", "nominal", "high", "unit", "rests on", "source")
    return _table(head, rows)


def errors_table() -> str:
    """Return each design as the other predicts it."""
    rows = []
    for held in held_out_errors():
        for run in held["runs"]:
            predicted = run["predicted"]
            rows.append(
                (
                    held["design"],
                    ", ".join(held["fitted_on"]),
                    f"{run['mhz']:g}",
                    f"{run['measured']:.2f}",
                    f"{predicted['nominal']:.2f}",
                    f"{predicted['low']:.2f} to {predicted['high']:.2f}",
                    f"{100 * run['error']:+.1f} %",
                )
            )
        rows += [
            (held["design"], source, "", f"{mw:.2f}", "", "", f"{100 * error:+.1f} %")
            for mw, source, error in held["others"]
        ]
    head = (
        "predicted",
        "fitted on",
        "MHz",
        "mW measured",
        "mW modelled",
        "by assumptions",
        "error",
    )
    return _table(head, rows)


def fill(page: str) -> str:
    """Return the text of a page with its tables made again.

    Raises
    ------
    InputError
        If the marks of a table are missing.
    """
    for name, table in (("coefficients", coefficients_table()), ("errors", errors_table())):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise InputError(f"the page must have {begin.strip()} and {end.strip()} once")
        head, _, rest = page.partition(begin)
        page = head + begin + table + end + rest.partition(end)[2]
    return page


def main(arguments: Sequence[str]) -> int:
    """Write the tables of the page that is named; return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m firstspike.power.pages docs/power.md", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    try:
        write_file(path, fill(path.read_text(encoding="utf-8")).encode())
    except (InputError, OSError) as error:
        print(f"pages: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
