"""Figures of speed and work: latency, events, operations, and the roofline."""

from __future__ import annotations

from typing import Any

from firstspike.report.charts import histogram_chart, roofline_chart
from firstspike.report.pieces import Figure, Section, Table, number, signed_si
from firstspike.report.svg import draw

__all__ = ["speeds"]

_KEYS = ("min", "p1", "p10", "p50", "p90", "p99", "max", "mean")
_WORDS = {
    "events": "Events an image",
    "synops": "Synaptic operations an image",
    "macs": "Multiply-accumulates an image",
}


def speeds(facts: dict[str, Any]) -> Section:
    """Return the section, from the numbers of `firstspike.report.measured.measured`."""
    figures = [_latency(facts), _roofline(facts["roofline"])]
    figures += [_work(name, facts["work"][name]) for name in _WORDS if name in facts["work"]]
    return Section(
        "speed",
        "Speed and work",
        f"Cycles come from the cost model, which equals the simulated core cycle by cycle, at the "
        f"clock of the board, {number(facts['clock_hz'] / 1e6)} MHz. The link to a host is not in "
        "them.",
        tuple(figures),
    )


def _percentiles(*found: tuple[str, dict[str, Any]]) -> Table:
    return Table.of(
        ("", *(name for name, _ in found)),
        [(key, *(values[key] for _, values in found)) for key in _KEYS],
    )


def _latency(facts: dict[str, Any]) -> Figure:
    found = facts["latency_us"]
    caption = (
        f"From an image that is ready to its result: half of {number(found['n'])} images take at "
        f"most {found['p50']:.1f} µs, 99 of 100 at most {found['p99']:.1f} µs. The next image is "
        "read meanwhile."
    )
    return Figure(
        "latency",
        "Latency",
        caption,
        ("run", "build"),
        draw("latency", "Latency", caption, histogram_chart(found, "microseconds")),
        _percentiles(("µs", found), ("cycles", facts["cycles"])),
    )


def _work(name: str, found: dict[str, Any]) -> Figure:
    title = _WORDS[name]
    caption = (
        f"Half of the images take at most {number(found['p50'])}, 99 of 100 at most "
        f"{number(found['p99'])}; {number(found['mean'], 4)} on average."
    )
    return Figure(
        name,
        title,
        caption,
        ("run",),
        draw(name, title, caption, histogram_chart(found, title.removesuffix(" an image").lower())),
        _percentiles((name, found)),
    )


def _roofline(found: dict[str, Any]) -> Figure:
    over = found["over_core_floor"]
    caption = (
        f"A dot is an image. The line above them is what the core's memories allow: "
        f"{number(found['lanes'])} lanes, {number(found['core_bits'])} bits a cycle, and at the "
        f"left the {number(found['input_cycles'])} cycles that reading the pixels takes. "
        + (f"The core takes {over:.2f} times those cycles. " if over else "")
        + f"Dashed: all memories of the chip, {number(found['device_bits'])} bits a cycle, each "
        f"full of {found['weight_bits']}-bit weights and read in every cycle; "
        f"{found['over_device_floor']:.1f} times fewer cycles, out of any core's reach."
    )
    rows = [
        ("cycles used", found["used"], 1.0),
        ("floor of the core's memories", found["core_floor"], over),
        ("floor of the chip's memories", found["device_floor"], found["over_device_floor"]),
    ]
    return Figure(
        "roofline",
        "Roofline",
        caption,
        ("run", "build"),
        draw("roofline", "Roofline", caption, roofline_chart(found)),
        Table.of(("an image, mean", "cycles", "used over it"), rows),
    )


def rate(facts: dict[str, Any]) -> str:
    """Return images a second, with its unit."""
    return signed_si(facts["images_per_second"], "images/s")
