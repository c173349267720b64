"""Figures of the build: cells, blocks, clocks over seeds; and whether engines agree."""

from __future__ import annotations

import re
from typing import Any

from firstspike.report.charts import blocks_chart, fmax_chart
from firstspike.report.pieces import Figure, Section, Table, number, percent
from firstspike.report.svg import draw

__all__ = ["hardware"]

_WORDS = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "carry": "carry cells",
    "lutram": "LUT RAMs",
    "ram": "block RAMs",
    "spram": "SPRAMs",
    "dsp": "multipliers",
}


def hardware(facts: dict[str, Any], checks: tuple[str, ...], commands: dict[str, str]) -> Section:
    """Return the section.

    Parameters
    ----------
    facts : dict
        From `firstspike.report.measured.measured`.
    checks : tuple of str
        Names of the runs that ``facts["agreement"]`` compares, in its order.
    commands : dict of str to str
        What makes a piece that is missing.
    """
    found = facts["resources"]
    tools = ", ".join(f"{name} {_short(version)}" for name, version in found["tools"].items())
    return Section(
        "hardware",
        "Hardware",
        f"One bitstream runs every network that fits its core. Tools: {tools}.",
        (
            _cells(found),
            _fmax(found),
            _blocks(found),
            _agreement(facts["agreement"], checks, commands),
        ),
    )


def _short(version: str) -> str:
    """Return the number in what a tool says of its version; report.json has all of it."""
    numbers = re.findall(r"\d+\.\d+[\d.+-]*", version)
    return numbers[0] if numbers else version


def _cells(found: dict[str, Any]) -> Figure:
    rows = [
        (kind, count["used"], count["there"], percent(count["used"] / count["there"], 1))
        for kind, count in found["cells"].items()
    ]
    return Figure(
        "cells",
        "Cells of the chip",
        "After place and route, in the words of nextpnr: core, link and clock together.",
        ("build",),
        table=Table.of(("cells", "used", "there", "share"), rows),
    )


def _fmax(found: dict[str, Any]) -> Figure:
    speeds = found["fmax_mhz"]
    caption = (
        f"Place and route with {len(speeds)} seed{'s' * (len(speeds) > 1)} reaches "
        f"{found['fmax_min']:.1f} to {found['fmax_max']:.1f} MHz; the board runs at "
        f"{found['clock_mhz']:g} MHz. The bitstream is that of seed {found['seed']}."
    )
    high = 120 + 26 * len(speeds)
    return Figure(
        "fmax",
        "Highest clock over seeds",
        caption,
        ("build",),
        draw("fmax", "Highest clock over seeds", caption,
             fmax_chart(speeds, found["clock_mhz"]), high=high),
        Table.of(("seed", "MHz"), [(seed, f"{value:.2f}") for seed, value in speeds.items()]),
    )  # fmt: skip


def _blocks(found: dict[str, Any]) -> Figure:
    blocks, sums, flat = found["blocks"], found["sums"], found["flat"]
    kinds = [kind for kind in _WORDS if kind in sums]
    more = sums["lut"] / flat["lut"] - 1
    caption = (
        "Cells that synthesis makes of each block when the borders between blocks are kept, for "
        f"this account only: {number(sums['lut'])} LUTs in all. The bitstream is made without "
        f"borders, of {number(flat['lut'])}; the account is {percent(more, 1)} above it."
    )
    rows = [(block["name"], *(block.get(kind, 0) for kind in kinds)) for block in blocks]
    rows.append(("sum of the blocks", *(sums[kind] for kind in kinds)))
    rows.append(("without borders", *(flat.get(kind, 0) for kind in kinds)))
    return Figure(
        "blocks",
        "Cells by block",
        caption,
        ("build",),
        draw("blocks", "Cells by block", caption, blocks_chart(blocks), high=60 + 24 * len(blocks)),
        Table.of(("block", *(_WORDS[kind] for kind in kinds)), rows),
    )


def _agreement(
    found: list[dict[str, Any]], checks: tuple[str, ...], commands: dict[str, str]
) -> Figure:
    title = "Do engines agree?"
    if not found:
        return Figure(
            "agreement",
            title,
            "No second engine has run these images.",
            missing=commands["run"].replace("run.npz", "rtl.npz") + " --engine rtl --limit 200",
        )
    rows = []
    for one in found:
        first = one["first"]
        rows.append(
            (
                " and ".join(one["engines"]),
                one["images"],
                len(one["quantities"]),
                "equal" if one["equal"] else f"differ: {first['quantity']}, image {first['image']}",
            )
        )
    return Figure(
        "agreement",
        title,
        "Compared here, from the dumps: decisions, spike times of every neuron, potentials, all "
        "counters and cycles of every image that both have.",
        ("run", *checks),
        table=Table.of(("engines", "images", "quantities", "result"), rows),
    )
