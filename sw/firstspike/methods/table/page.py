"""The results in docs/methods.md, between two marks; and docs/methods.json."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.markdown import table
from firstspike.methods.table.claims import claims
from firstspike.methods.table.figures import (
    Entry,
    Result,
    cycles,
    mean,
    results,
    sparse_cycles,
    spread,
)
from firstspike.methods.table.plots import draw_cycles, draw_operations, draw_steps
from firstspike.methods.table.references import learned, shipped
from firstspike.methods.table.rows import DATA, ROWS
from firstspike.methods.table.runs import SPARSE
from firstspike.pareto import front

__all__ = ["write_results"]

_COMMAND = "firstspike bench methods -o docs"
_BEGIN = "<!-- results: begin -->"
_END = "<!-- results: end -->"

_HEAD = (
    "method", "network", "layers", "bits", "connections, %", "T", "floating point, %",
    "integers, %", "decision step", "spikes", "operations", "cycles", "lanes",
    "cycles, sparse core", "training, s", "RTL",
)  # fmt: skip


def write_results(docs: Path, found: Sequence[Entry], data_folder: Path | None = None) -> None:
    """Write methods.json, three pictures, and the results in methods.md.

    Parameters
    ----------
    docs : Path
        Folder of the documentation.
    found : sequence of dict
        See `firstspike.methods.table.figures.entries`.
    data_folder : Path, optional
        Where data sets lie, for the networks that come along.

    Raises
    ------
    InputError
        If methods.md is missing, or has not both marks.
    """
    page = docs / "methods.md"
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page}: {error.strerror}; -o must name the documentation") from error
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise InputError(f"{page}: must hold {_BEGIN} and {_END} once each")
    head, rest = text.split(_BEGIN)
    tail = rest.split(_END)[1]
    by_data: dict[str, list[Result]] = {}
    for data in DATA:
        mine = [e for e in found if e["data"] == data]
        by_data[data] = [
            *results(mine).values(),
            *results(shipped(data, data_folder)).values(),
            *results(learned(docs, data)).values(),
        ]
    every = {(r.first["recipe"], r.first["variant"]): r for of in by_data.values() for r in of}
    parts = [_BEGIN, f"<!-- made by: {_COMMAND} -->", "", _budgets(by_data), claims(every)]
    for data, of in by_data.items():
        parts += [f"### {data}\n", _table(of)]
    parts += [
        "![accuracy against cycles](methods-cycles.png)\n",
        "![accuracy against operations](methods-operations.png)\n",
        "![accuracy against steps](methods-steps.png)\n",
        _END,
    ]
    write_file(docs / "methods.json", (json.dumps(list(found), indent=1) + "\n").encode())
    write_file(docs / "methods-cycles.png", draw_cycles(by_data))
    write_file(docs / "methods-operations.png", draw_operations(by_data))
    write_file(docs / "methods-steps.png", draw_steps(by_data))
    write_file(page, (head + "\n".join(parts) + tail).encode())


def _shown(result: Result) -> bool:
    """Tell whether a network stands in the table; those of other pages do."""
    entry = result.first
    if "page" in entry:
        return True
    stem = entry["recipe"].removesuffix(f"-{entry['data']}")
    return any(row.stem == stem and entry["variant"] in row.shown for row in ROWS)


def _table(found: Sequence[Result]) -> str:
    lines = []
    for result in found:
        if not _shown(result):
            continue
        e = result.first
        name = f"`{e['variant']}`"
        if "page" in e:
            name = f"[{e['recipe']}, {e['variant']}]({e['page']})"
        operations = [
            sum(entry.get(key) or 0.0 for key in ("synops", "macs")) for entry in result.entries
        ]
        lines.append([
            e["title"], name, "-".join(str(size) for size in e["layers"]), str(e["weight_bits"]),
            f"{100 * (mean(result, 'connectivity') or 0):.3g}", str(e["steps"]),
            spread(result.values("float_accuracy"), 2, 100),
            spread(result.values("accuracy"), 2, 100),
            spread(result.values("mean_step"), 2),
            spread(result.values("spikes"), 0), spread(operations, 0),
            spread(result.values("cycles"), 0), _lanes(e), spread(sparse_cycles(result), 0),
            spread(result.values("seconds"), 0), _rtl(result),
        ])  # fmt: skip
    return table(list(_HEAD), lines)


def _rtl(result: Result) -> str:
    """Return in how many of the seeds the RTL did what the golden model did."""
    if "page" in result.first:
        return "its page"
    checks = [e["rtl"] for e in result.entries if e["rtl"] is not None]
    if not checks:
        return "-"
    equal = sum(check["equal"] and check.get("sparse", check)["equal"] for check in checks)
    return f"= {equal}/{len(checks)}" if equal == len(checks) else f"differs {equal}/{len(checks)}"


def _budgets(by_data: dict[str, list[Result]]) -> str:
    """Return which network is best for how much of what: those that no cheaper one comes up to."""
    parts = ["### Which method for which budget\n"]
    parts.append(
        "Networks that no other one with as few cycles, or bits of live weights, comes up to, by "
        f"the means over seeds. Cycles are those of cores with {PRESETS[SPARSE].lanes} lanes.\n"
    )
    budgets: tuple[tuple[str, Callable[[Result], float | None]], ...] = (
        ("cycles, dense core", lambda result: cycles(result, sparse=False)),
        ("cycles, sparse core", lambda result: cycles(result, sparse=True)),
        ("live weights, kbit", _kilobits),
    )
    for data, found in by_data.items():
        for title, cost_of in budgets:
            head = [title, f"{data}, %", "method", "recipe", "network", "T", "bits"]
            lines = [
                [f"{cost:.0f}", f"{100 * accuracy:.2f}", result.first["title"],
                 f"`{result.first['recipe']}`", f"`{result.first['variant']}`",
                 str(result.first["steps"]), str(result.first["weight_bits"])]
                for cost, accuracy, result in _front(found, cost_of)
            ]  # fmt: skip
            parts.append(table(head, lines))
    return "\n".join(parts)


def _front(
    found: Sequence[Result], cost_of: Callable[[Result], float | None]
) -> list[tuple[float, float, Result]]:
    """Return cost, accuracy and network where no network at that cost or less is as accurate."""
    known = [
        (cost, mean(result, "accuracy") or 0.0, result)
        for result in found
        if (cost := cost_of(result)) is not None
    ]
    return [known[i] for i in front([cost for cost, *_ in known], [gain for _, gain, _ in known])]


def _kilobits(result: Result) -> float:
    e = result.first
    return e["weight_bits"] * (mean(result, "connections") or _live(e)) / 1000


def _lanes(entry: Entry) -> str:
    """Return the lanes of the core that an entry's cycles are told of."""
    core = entry.get("core")
    if core is None:
        return "-"
    return f"{PRESETS[core].lanes}{', sparse' if PRESETS[core].sparse else ''}"


def _live(entry: Entry) -> float:
    """Return the live synapses of a network whose layers are all those that there are."""
    sizes = entry["layers"]
    synapses = entry.get("synapses") or sum(a * b for a, b in itertools.pairwise(sizes))
    return synapses * entry["connectivity"]
