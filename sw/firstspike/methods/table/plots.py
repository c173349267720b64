"""Pictures of the table: accuracy against cycles, operations, and the steps of a stimulus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from firstspike.methods.table.figures import Result, cycles, mean
from firstspike.plots import png

__all__ = ["draw_operations", "draw_steps"]

#: Accuracies below this are left out: they say only that a network had too few steps.
_FLOORS = {"mnist": 94.0, "fashion-mnist": 80.0}
_MARKS = "osDv^<>PX*hpd"


def draw_cycles(by_data: Mapping[str, Sequence[Result]]) -> bytes:
    """Return a PNG of accuracy against cycles, on a sparse core where a network ran on one.

    Parameters
    ----------
    by_data : dict of str to sequence of Result
        A panel a data set.
    """
    return _draw(by_data, _cycles, "cycles an image; on a sparse core where it was tried")


def draw_operations(by_data: Mapping[str, Sequence[Result]]) -> bytes:
    """Return a PNG of accuracy against operations: additions of weights, and multiplications.

    Dead synapses count like others.

    Parameters
    ----------
    by_data : dict of str to sequence of Result
        A panel a data set.
    """
    return _draw(by_data, _operations, "operations an image, those of dead synapses too")


def _draw(
    by_data: Mapping[str, Sequence[Result]], cost_of: Callable[[Result], float | None], label: str
) -> bytes:
    figure, panels = _panels(by_data)
    numbers = _numbers(by_data)
    for panel, (data, found) in zip(panels, by_data.items(), strict=True):
        for title, of in _methods(found).items():
            points = [
                (cost, 100 * (mean(r, "accuracy") or 0))
                for r in of
                if (cost := cost_of(r)) is not None
            ]
            _scatter(panel, numbers[title], points, _FLOORS[data])
        panel.set(title=data, xscale="log", xlabel=label)
    _finish(figure, panels, numbers)
    return png(figure)


def draw_steps(by_data: Mapping[str, Sequence[Result]]) -> bytes:
    """Return a PNG of accuracy against steps, a line for each kind of network of each method."""
    figure, panels = _panels(by_data)
    numbers = _numbers(by_data)
    for panel, (data, found) in zip(panels, by_data.items(), strict=True):
        for title, of in _methods(found).items():
            lines: dict[str, list[tuple[float, float]]] = {}
            for r in of:
                kind = r.first["variant"].rpartition("-")[0]
                point = (float(r.first["steps"]), 100 * (mean(r, "accuracy") or 0))
                lines.setdefault(kind, []).append(point)
            for points in lines.values():
                # Networks of other pages differ in more than their steps.
                line = "page" not in of[0].first
                _scatter(panel, numbers[title], points, _FLOORS[data], line=line)
        panel.set(title=data, xlabel="steps of a stimulus")
        panel.set_xscale("log", base=2)
        panel.xaxis.set_major_formatter("{x:g}")
    _finish(figure, panels, numbers)
    return png(figure)


def _methods(found: Sequence[Result]) -> dict[str, list[Result]]:
    grouped: dict[str, list[Result]] = {}
    for result in found:
        grouped.setdefault(result.first["title"], []).append(result)
    return grouped


def _numbers(by_data: Mapping[str, Sequence[Result]]) -> dict[str, int]:
    """Return a number for each method, the same in all panels."""
    titles = dict.fromkeys(r.first["title"] for found in by_data.values() for r in found)
    return {title: number for number, title in enumerate(titles)}


def _style(number: int) -> dict[str, Any]:
    return {"marker": _MARKS[number % len(_MARKS)], "color": f"C{number % 10}", "markersize": 5}


def _cycles(result: Result) -> float | None:
    found = cycles(result, sparse=True)
    return cycles(result, sparse=False) if found is None else found


def _operations(result: Result) -> float:
    return sum(mean(result, key) or 0.0 for key in ("synops", "macs"))


def _panels(by_data: Mapping[str, Sequence[Result]]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.6 * len(by_data), 5.6), layout="constrained")
    return figure, list(figure.subplots(1, len(by_data), squeeze=False)[0])


def _scatter(
    panel: Axes,
    number: int,
    points: list[tuple[float, float]],
    floor: float,
    *,
    line: bool = False,
) -> None:
    shown = sorted(point for point in points if point[1] >= floor)
    panel.plot(
        [x for x, _ in shown],
        [y for _, y in shown],
        linestyle="-" if line else "none",
        linewidth=0.8,
        **_style(number),
    )


def _finish(figure: Figure, panels: list[Axes], numbers: Mapping[str, int]) -> None:
    for panel in panels:
        panel.set_ylabel("test accuracy, %")
        panel.grid(alpha=0.3)
    handles = [
        Line2D([], [], linestyle="none", label=title, **_style(number))
        for title, number in numbers.items()
    ]
    figure.legend(handles=handles, fontsize=8, loc="outside lower center", ncols=4)
