"""The plots of a report, each drawn from the numbers that stand in report.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from firstspike.report.pieces import number
from firstspike.report.svg import INK, MUTED, SERIES

__all__ = [
    "anytime_chart",
    "blocks_chart",
    "energy_chart",
    "fields_chart",
    "fmax_chart",
    "histogram_chart",
    "image_chart",
    "learning_chart",
    "learning_cycles_chart",
    "raster_chart",
    "roofline_chart",
    "steps_chart",
]

_SMALL = 9.5
#: A connection that was removed: grey on light and on dark pages.
_GONE = (0.36, 0.38, 0.42, 1.0)
Paint = Callable[[Any], None]
_BLUE, _RED, _GREEN, _ORANGE, _PURPLE, _SKY = SERIES


def _mark(ax: Axes, x: float, text: str, colour: str = INK, *, high: float = 1.0) -> None:
    """Draw a vertical line with its meaning at its top."""
    ax.axvline(x, color=colour, linewidth=1, linestyle=(0, (4, 2)), zorder=3)
    ax.annotate(
        text,
        (x, high),
        xycoords=("data", "axes fraction"),
        xytext=(3, -1),
        textcoords="offset points",
        va="top",
        fontsize=_SMALL,
        color=colour,
    )


def histogram_chart(found: dict[str, Any], quantity: str) -> Paint:
    """Return a painter of a distribution, with its median and 99th percentile."""

    def paint(ax: Axes) -> None:
        edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
        ax.stairs(counts, edges, fill=True, color=_BLUE)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        ax.grid(axis="x", visible=False)
        ax.set(xlabel=quantity, ylabel="images", xlim=(edges[0], edges[-1]))
        ax.set_ylim(0, max(counts) * 1.18)
        _mark(ax, found["p50"], f"p50 {number(found['p50'])}")
        _mark(ax, found["p99"], f"p99 {number(found['p99'])}", _RED)

    return paint


def steps_chart(found: list[float]) -> Paint:
    """Return a painter of the share of images decided in each step; the last one is never."""

    def paint(ax: Axes) -> None:
        x = np.arange(len(found))
        ax.bar(x, [100 * share for share in found], color=[*[_BLUE] * (len(found) - 1), _RED])
        for at, share in zip(x, found, strict=True):
            if share >= 0.001:
                ax.annotate(
                    f"{100 * share:.1f}", (at, 100 * share), ha="center", va="bottom",
                    fontsize=_SMALL, xytext=(0, 1), textcoords="offset points",
                )  # fmt: skip
        every = max(1, -(-len(found) // 10))
        ticks = [int(t) for t in x[:-1:every]]
        ax.set_xticks([*ticks, int(x[-1])], [*map(str, ticks), "none"])
        ax.grid(axis="x", visible=False)
        ax.set(xlabel="step of the first output spike", ylabel="images, %")

    return paint


def anytime_chart(found: dict[str, list[float]]) -> Paint:
    """Return a painter of accuracy against deadline."""

    def paint(ax: Axes) -> None:
        x = np.arange(len(found["accuracy"]))
        for key, colour, text, style in (
            ("accuracy", _BLUE, "right, if all must answer", "o-"),
            ("decided", MUTED, "has an output spike", "s:"),
            ("right", _GREEN, "has one, and it is right", "^--"),
        ):
            ax.plot(x, [100 * v for v in found[key]], style, color=colour, label=text, ms=4)
        ax.set(xlabel="stopped after step", ylabel="images, %", ylim=(0, 103))
        ax.set_xticks(x[:: max(1, len(x) // 12)])
        ax.legend(loc="lower right", fontsize=_SMALL)

    return paint


def image_chart(found: dict[str, Any]) -> Paint:
    """Return a painter of the stimulus itself."""

    def paint(ax: Axes) -> None:
        ax.imshow(found["pixels"], cmap="cividis", vmin=0, vmax=255, interpolation="nearest")
        ax.set_axis_off()

    return paint


def raster_chart(found: dict[str, Any]) -> Paint:
    """Return a painter of the spikes of one image: neurons upwards, layers above each other."""

    def paint(axes: Any) -> None:
        picture, ax = axes
        image_chart(found)(picture)
        base = 0
        for place, (name, neurons) in enumerate(found["neurons"].items()):
            spikes = found["spikes"].get(name, [])
            colour = SERIES[place % len(SERIES)]
            ax.scatter(
                [t for t, _ in spikes],
                [base + j for _, j in spikes],
                s=16 if neurons > 40 else 26,
                marker="x" if neurons <= 40 else ".",
                color=colour,
            )
            ax.annotate(
                f"{name}: {len(spikes)} of {neurons}",
                (1.0, base + neurons / 2),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="center",
                fontsize=_SMALL,
                color=colour,
            )
            base += neurons + max(4, neurons // 12)
            ax.axhline(base - max(4, neurons // 12) / 2, color=MUTED, linewidth=0.5)
        ax.set(xlabel="step", ylabel="neuron", xlim=(-0.5, found["steps"] - 0.5), ylim=(-3, base))
        ax.set_xticks(range(0, found["steps"], max(1, found["steps"] // 8)))
        ax.set_yticks([])
        if found["decision_step"] < found["steps"]:
            _mark(ax, found["decision_step"], "decision", _RED)

    return paint


def roofline_chart(found: dict[str, Any]) -> Paint:
    """Return a painter of operations a cycle over operations an image, under both roofs."""

    def paint(ax: Axes) -> None:
        dots = np.array(found["dots"], float)
        work, cycles = dots[dots[:, 0] > 0].T
        x = np.geomspace(work.min() / 1.6, work.max() * 1.6, 100)
        device = np.full_like(x, found["device_lanes"])
        ax.plot(x, device, color=_ORANGE, linestyle="--")
        roof = np.minimum(found["lanes"], x / found["input_cycles"])
        ax.plot(x, roof, color=INK)
        ax.scatter(work, work / cycles, s=7, color=_BLUE, alpha=0.55, linewidths=0)
        ax.set(xscale="log", yscale="log", xlabel="synaptic operations of an image")
        ax.set_ylabel("operations a clock cycle")
        ax.set_ylim(min(roof.min(), (work / cycles).min()) * 0.8, found["device_lanes"] * 1.9)
        ax.set_xlim(x[0], x[-1])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
            axis.set_minor_locator(NullLocator())
        for y, text, colour in (
            (found["device_lanes"], "all memories of the chip", _ORANGE),
            (found["lanes"], "memories of the core", INK),
        ):
            ax.annotate(
                text, (x[-1], y), ha="right", va="bottom", fontsize=_SMALL, color=colour,
                xytext=(0, 2), textcoords="offset points",
            )  # fmt: skip

    return paint


def blocks_chart(blocks: list[dict[str, Any]]) -> Paint:
    """Return a painter of LUTs and flip-flops by block."""

    def paint(ax: Axes) -> None:
        y = np.arange(len(blocks))[::-1]
        luts = [block.get("lut", 0) for block in blocks]
        ffs = [block.get("ff", 0) for block in blocks]
        ax.barh(y + 0.19, luts, 0.38, color=_BLUE, label="LUTs")
        ax.barh(y - 0.19, ffs, 0.38, color=_ORANGE, label="flip-flops")
        ax.set_yticks(y, [block["name"] for block in blocks])
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("cells")
        ax.legend(loc="lower right")

    return paint


def fmax_chart(fmax: dict[str, float], clock: float) -> Paint:
    """Return a painter of the clock that each seed reached, beside the board's."""

    def paint(ax: Axes) -> None:
        seeds = sorted(fmax, key=int)
        speeds = [fmax[seed] for seed in seeds]
        y = np.arange(len(seeds))[::-1]
        ax.scatter(speeds, y, s=46, color=_BLUE, zorder=3)
        for at, speed in zip(y, speeds, strict=True):
            ax.annotate(
                f"{speed:.1f}", (speed, at), xytext=(6, 0), textcoords="offset points",
                va="center", fontsize=_SMALL,
            )  # fmt: skip
        ax.set_yticks(y, [f"seed {seed}" for seed in seeds])
        ax.set_ylim(-0.7, len(seeds) - 0.1)
        high = max([clock, *speeds])
        ax.set_xlim(min([clock, *speeds]) - 0.08 * high, high * 1.1)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("MHz")
        _mark(ax, clock, f"runs at {clock:g}", _RED)

    return paint


def learning_chart(found: dict[str, Any]) -> Paint:
    """Return a painter of accuracy and live connections over stimuli."""

    def paint(axes: Any) -> None:
        top, low = axes
        for key, colour, style in (("pruned", _BLUE, "-"), ("unpruned", _RED, "--")):
            if key not in found:
                continue
            phases = [p for p in found[key]["phases"] if p["accuracy"] is not None]
            top.plot(
                [p["seen"] / 1000 for p in phases],
                [100 * p["accuracy"] for p in phases],
                f"o{style}", color=colour, label=key, ms=4,
            )  # fmt: skip
            curve = np.array(found[key]["curve"])
            low.plot(curve[:, 0] / 1000, 100 * curve[:, 1], style, color=colour, label=key)
        top.set_ylabel("accuracy, %")
        low.set(ylabel="alive, %", xlabel="thousand stimuli", ylim=(0, 105))
        top.sharex(low)
        top.tick_params(labelbottom=False)
        top.legend(loc="lower right")

    return paint


def learning_cycles_chart(found: dict[str, Any]) -> Paint:
    """Return a painter of the cycles of a stimulus as learning goes on."""

    def paint(ax: Axes) -> None:
        for key, colour, style in (("pruned", _BLUE, "-"), ("unpruned", _RED, "--")):
            if key in found:
                curve = np.array(found[key]["curve"])
                ax.plot(curve[:, 0] / 1000, curve[:, 2], style, color=colour, label=key)
        ax.set(xlabel="thousand stimuli", ylabel="cycles a stimulus")
        ax.set_ylim(0, None)
        ax.legend(loc="best")

    return paint


def fields_chart(fields: list[dict[str, Any]]) -> Paint:
    """Return a painter of receptive fields; connections that are gone are grey."""

    def paint(axes: Any) -> None:
        most = max(max(map(max, field["weights"])) for field in fields)
        for ax, field in zip(axes.flat, fields, strict=False):
            weights = np.array(field["weights"])
            shades = colormaps["cividis"](weights / max(most, 1))
            shades[weights < 0] = _GONE
            ax.imshow(shades, interpolation="nearest")
            ax.set_title(f"{field['neuron']}", fontsize=_SMALL - 2, pad=1, color=MUTED)
        for ax in axes.flat:
            ax.set_axis_off()

    return paint


def energy_chart(parts: dict[str, dict[str, float]], unit: float) -> Paint:
    """Return a painter of the parts of an energy with their ranges, divided by ``unit``."""

    def paint(ax: Axes) -> None:
        names = list(parts)
        y = np.arange(len(names))[::-1]
        low, mid, high = (
            np.array([parts[n][k] / unit for n in names]) for k in ("low", "nominal", "high")
        )
        ax.barh(y, mid, 0.55, color=_BLUE)
        ax.errorbar(
            mid, y, xerr=[mid - low, high - mid], fmt="none", color=INK, capsize=3, elinewidth=1
        )
        ax.set_yticks(y, names)
        ax.grid(axis="y", visible=False)
        ax.set_xlim(0, None)
        ax.set_xlabel("nJ an image (model, not measurement)")

    return paint
