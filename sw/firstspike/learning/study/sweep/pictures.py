"""The picture of the sweep: every design, and the fronts."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from firstspike.learning.study.sweep.runs import COSTS
from firstspike.learning.study.sweep.settings import Setting
from firstspike.pareto import front
from firstspike.plots import png

__all__ = ["draw_sweep"]

_COLORS = {3: "tab:blue", 4: "tab:orange", 5: "tab:green"}
_SIZES = {80: 12, 104: 22, 208: 45, 400: 90}
_TICKS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)


def draw_sweep(families: dict[str, list[tuple[Setting, dict[str, Any]]]]) -> bytes:
    """Return a PNG: a line of panels a family, accuracy against each cost.

    Parameters
    ----------
    families : dict of list of (Setting, dict)
        Designs and what was measured on the validation images, by family.
    """
    figure = Figure(figsize=(13, 3.6 * len(families)), layout="constrained")
    panels = figure.subplots(len(families), len(COSTS), squeeze=False)
    for line, (name, designs) in zip(panels, families.items(), strict=True):
        for panel, (cost, called) in zip(line, COSTS.items(), strict=True):
            _draw(panel, designs, cost)
            panel.set(title=name, xlabel=called, xscale="log", ylabel="validation accuracy, %")
            if cost == "live":
                panel.set_xlabel(f"{called}, thousands")
            low, high = panel.get_xlim()
            panel.minorticks_off()
            inside = [tick for tick in _TICKS if low < tick < high]
            panel.set_xticks(inside, [f"{tick:,}".replace(",", " ") for tick in inside])
            panel.grid(alpha=0.3)
    marks: list[tuple[str, dict[str, Any]]] = [
        (f"T = {1 << bits}", {"marker": "o", "color": color}) for bits, color in _COLORS.items()
    ]
    marks += [
        (f"N = {neurons}", {"marker": "o", "color": "0.6", "markersize": size**0.5})
        for neurons, size in _SIZES.items()
    ]
    marks.append(("dense", {"marker": "s", "color": "0.4", "markerfacecolor": "none"}))
    handles = [Line2D([], [], linestyle="", label=label, **style) for label, style in marks]
    handles.append(Line2D([], [], color="black", label="front"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)
    return png(figure, dpi=100)


def _draw(panel: Any, designs: list[tuple[Setting, dict[str, Any]]], cost: str) -> None:
    unit = 1000 if cost == "live" else 1
    costs = [facts[cost] / unit for _, facts in designs]
    gains = [100 * facts["accuracy"] for _, facts in designs]
    for (setting, _), x, y in zip(designs, costs, gains, strict=True):
        color = _COLORS[setting.time_bits]
        face = color if setting.below else "none"
        mark, size = ("o" if setting.below else "s"), _SIZES[setting.neurons]
        panel.scatter(x, y, s=size, marker=mark, facecolors=face, edgecolors=color, alpha=0.75)
    best = front(costs, gains)
    panel.step([costs[i] for i in best], [gains[i] for i in best], where="post", color="black")
    # What is far below says nothing about the front, and would flatten it.
    panel.set_ylim(gains[best[0]] - 3, gains[best[-1]] + 1)
