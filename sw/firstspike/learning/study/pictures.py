"""Pictures of the study: curves, receptive fields, and accuracy against cost."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from firstspike.learning.state import LearningState
from firstspike.learning.study.figures import Result, accesses
from firstspike.plots import png

__all__ = ["draw_curves", "draw_fields", "draw_front"]

_COLORS = {"dense": "tab:gray", "skip": "tab:blue", "cut": "tab:orange", "online": "tab:red"}
_CALLED = {
    "dense": "dense",
    "skip": "dense, skips w = 0",
    "cut": "dense, cut once afterwards",
    "online": "pruned while it learns",
}
_MARKS = {"dense": "s", "skip": "D", "cut": "v", "online": "o"}


def draw_curves(result: Result, seed: int) -> bytes:
    """Return a PNG of how learning went, against the stimuli seen."""
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    each = {
        "synaptic operations a stimulus": lambda p: p["synops"] / p["stimuli"],
        "STDP visits a stimulus": lambda p: p["stdp_visits"] / p["stimuli"],
        "cycles a stimulus": lambda p: p["cycles"] / p["stimuli"],
        "memory accesses a stimulus": lambda p: accesses(p) / p["stimuli"],
    }
    for variant in ("dense", "skip", "online"):
        curve = result.seeds[seed][variant]["curve"]
        style: dict[str, Any] = {"color": _COLORS[variant], "label": _CALLED[variant]}
        style |= {"marker": ".", "markersize": 4}
        known = [p for p in curve if "accuracy" in p]
        panels[0].plot(
            [p["seen"] / 1000 for p in known], [100 * p["accuracy"] for p in known], **style
        )
        seen = [p["seen"] / 1000 for p in curve]
        panels[1].plot(seen, [100 * p["alive"] for p in curve], **style)
        for panel, of in zip(panels[2:], each.values(), strict=True):
            panel.plot(seen, [of(p) for p in curve], **style)
    panels[0].set(title="test accuracy, %")
    panels[0].legend(fontsize=8, loc="lower right")
    panels[1].set(title="connections alive, %", ylim=(0, 105))
    for panel, title in zip(panels[2:], each, strict=True):
        panel.set(title=title)
        panel.set_ylim(bottom=0)
    for panel in panels:
        panel.grid(alpha=0.3)
        panel.set_xlabel("stimuli seen, thousands")
    figure.suptitle(f"{result.name}, seed {seed}")
    return png(figure)


def draw_fields(rows: list[tuple[str, LearningState, LearningState]]) -> bytes:
    """Return a PNG of the weights of the first neurons, unpruned beside pruned.

    Parameters
    ----------
    rows : list of (str, LearningState, LearningState)
        Title, the dense learner and the pruned one; of 784 inputs.
    """
    figure = Figure(figsize=(10, 2.7 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), 2, squeeze=False)
    for line, (title, *states) in zip(panels, rows, strict=True):
        for panel, state, what in zip(line, states, ("dense", "pruned"), strict=True):
            panel.imshow(_tiles(state, 4, 8), interpolation="nearest")
            panel.set_title(f"{title}, {what}: {100 * state.alive.mean():.0f} % alive", fontsize=10)
            panel.set_axis_off()
    return png(figure)


def _tiles(state: LearningState, rows: int, columns: int) -> np.ndarray:
    """Return fields as one picture in colour: black is the largest weight, blue is no synapse.

    Neurons are taken evenly from the whole layer, so that every class has its share.
    """
    side = 28
    picture = np.ones((rows * (side + 2), columns * (side + 2), 3))
    chosen = np.linspace(0, state.neurons - 1, rows * columns).astype(int)
    for k, j in enumerate(chosen):
        field = state.weights[:, j].reshape(side, side) / max(1, state.weights[:, j].max())
        tile = np.repeat(1 - field[:, :, None], 3, axis=2)
        tile[~state.alive[:, j].reshape(side, side)] = (0.72, 0.84, 0.96)
        row, column = divmod(k, columns)
        begin = row * (side + 2) + 1, column * (side + 2) + 1
        picture[begin[0] : begin[0] + side, begin[1] : begin[1] + side] = tile
    return picture


def draw_front(results: list[Result]) -> bytes:
    """Return a PNG of accuracy against live connections, and against cycles of an image.

    A row has a colour, a variant a mark.
    """
    sets = [
        (title, part)
        for title, part in (
            ("MNIST", [r for r in results if "fashion" not in r.name]),
            ("Fashion-MNIST", [r for r in results if "fashion" in r.name]),
        )
        if part
    ]
    figure = Figure(figsize=(12, 4 * len(sets)), layout="constrained")
    panels = figure.subplots(len(sets), 2, squeeze=False)
    for line, (title, part) in zip(panels, sets, strict=True):
        for panel, measure, ticks, what in zip(
            line,
            ("live", "inference_cycles"),
            ((5, 10, 20, 30, 50, 100, 200, 300), (500, 1000, 2000, 3000, 5000, 10000)),
            ("live connections, thousands", "cycles an inferred image"),
            strict=True,
        ):
            for number, result in enumerate(part):
                _points(panel, result, measure, f"C{number}")
            panel.set(title=title, xscale="log", xlabel=what, ylabel="test accuracy, %")
            panel.minorticks_off()
            low, high = panel.get_xlim()
            inside = [tick for tick in ticks if low < tick < high]
            panel.set_xticks(inside, [f"{tick:,}".replace(",", " ") for tick in inside])
            panel.grid(alpha=0.3)
        line[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    handles = [
        panels[0][0].plot([], [], mark, color="0.3", label=_CALLED[variant])[0]
        for variant, mark in _MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)
    return png(figure)


def _points(panel: Any, result: Result, measure: str, color: str) -> None:
    """Draw the variants of a row; a line joins the dense network and the pruned one."""
    spots = {}
    for variant in _MARKS:
        if measure == "live":
            live = [facts[variant]["live"] for facts in result.seeds.values()]
            at = statistics.fmean(live) / 1000
        else:
            at = statistics.fmean(result.values(variant, measure))
        spots[variant] = (at, statistics.fmean(result.values(variant, "accuracy")))
    ends = [spots["dense"], spots["online"]]
    panel.plot([x for x, _ in ends], [y for _, y in ends], color=color, alpha=0.4, linewidth=1)
    for variant, mark in _MARKS.items():
        label = result.name if variant == "online" else None
        panel.plot(*spots[variant], mark, color=color, markersize=6, label=label)
