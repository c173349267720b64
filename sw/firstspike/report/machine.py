"""Figures of the bench: how fast this machine simulates, and how fast cores are."""

from __future__ import annotations

from firstspike.report.files import Source
from firstspike.report.pieces import Figure, Section, Table, number

__all__ = ["machine"]


def machine(bench: Source | None, command: str) -> Section:
    """Return the section."""
    title = "Simulation"
    if bench is None:
        text = "How fast networks run without a board."
        return Section("bench", title, text, (Figure("speeds", title, text, missing=command),))
    content = bench.content
    rows = [
        (one["what"], number(one["median"], 4), number(one["low"], 4), number(one["high"], 4),
         str(one["runs"]), one["unit"])
        for one in content["figures"].values()
    ]  # fmt: skip
    described = ", ".join(f"{key} {value}" for key, value in content["machine"].items())
    return Section(
        "bench",
        title,
        f"On this machine: {described}.",
        (
            Figure(
                "speeds",
                "How fast",
                "Median of several runs, slowest and fastest. Rates of cores are modelled: cycles "
                "at the clock of the board, the link to a host not counted.",
                ("bench",),
                table=Table.of(("", "median", "slowest", "fastest", "runs", "unit"), rows),
                wide=True,
            ),
        ),
    )
