"""Pictures of the table: accuracy against operations, and against the steps of a stimulus."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstspike.methods.table.figures import Result, mean

__all__ = ["draw_operations", "draw_steps"]

#: Accuracies below this are left out: they say only that a network had too few steps.
_FLOORS = {"mnist": 94.0, "fashion-mnist": 80.0}
_MARKS = "osDv^<>PX*hpd"


def draw_operations(by_data: Mapping[str, Sequence[Result]]) -> bytes:
    """Return a PNG of accuracy against operations: additions of weights, and multiplications.

    Parameters
    ----------
    by_data : dict of str to sequence of Result
        A panel a data set.
    """
    figure, panels = _panels(by_data)
    for panel, (data, found) in zip(panels, by_data.items(), strict=True):
        for number, (title, of) in enumerate(_methods(found).items()):
            points = [(_operations(r), 100 * (mean(r, "accuracy") or 0)) for r in of]
            _scatter(panel, number, title, points, _FLOORS[data])
        panel.set(title=data, xscale="log", xlabel="operations an image")
    _finish(figure, panels)
    return _png(figure)


def draw_steps(by_data: Mapping[str, Sequence[Result]]) -> bytes:
    """Return a PNG of accuracy against steps, a line for each kind of network of each method."""
    figure, panels = _panels(by_data)
    for panel, (data, found) in zip(panels, by_data.items(), strict=True):
        for number, (title, of) in enumerate(_methods(found).items()):
            lines: dict[str, list[tuple[float, float]]] = {}
            for r in of:
                kind = r.first["variant"].rpartition("-")[0] or r.first["variant"]
                point = (float(r.first["steps"]), 100 * (mean(r, "accuracy") or 0))
                lines.setdefault(kind, []).append(point)
            for turn, points in enumerate(lines.values()):
                _scatter(
                    panel, number, title if turn == 0 else None, points, _FLOORS[data], line=True
                )
        panel.set(title=data, xlabel="steps of a stimulus")
        panel.set_xscale("log", base=2)
    _finish(figure, panels)
    return _png(figure)


def _methods(found: Sequence[Result]) -> dict[str, list[Result]]:
    grouped: dict[str, list[Result]] = {}
    for result in found:
        grouped.setdefault(result.first["title"], []).append(result)
    return grouped


def _operations(result: Result) -> float:
    return sum(mean(result, key) or 0.0 for key in ("synops", "macs"))


def _panels(by_data: Mapping[str, Sequence[Result]]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.6 * len(by_data), 5.6), layout="constrained")
    return figure, list(figure.subplots(1, len(by_data), squeeze=False)[0])


def _scatter(
    panel: Axes,
    number: int,
    title: str | None,
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
        marker=_MARKS[number % len(_MARKS)],
        markersize=5,
        color=f"C{number % 10}",
        label=title,
    )


def _finish(figure: Figure, panels: list[Axes]) -> None:
    for panel in panels:
        panel.set_ylabel("test accuracy, %")
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=4)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
