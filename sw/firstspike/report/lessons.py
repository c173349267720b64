"""Figures of learning on the core: accuracy, connections, cycles, receptive fields."""

from __future__ import annotations

from typing import Any

from firstspike.report.charts import fields_chart, learning_chart, learning_cycles_chart
from firstspike.report.pieces import Figure, Section, Table, number, percent
from firstspike.report.svg import draw

__all__ = ["lessons"]

_BOTH = ("pruned", "unpruned")
_COLUMNS = 8


def lessons(found: dict[str, Any] | None, command: str, *, apart: bool) -> Section:
    """Return the section.

    Parameters
    ----------
    found : dict or None
        From `firstspike.report.learned.learned`.
    command : str
        What makes a dump of learning.
    apart : bool
        Whether the learner is another core than the one that the report is about.
    """
    title = "Learning and pruning"
    if found is None:
        text = "No core of this board has learned."
        return Section(
            "learning", title, text, (Figure("learning-curve", title, text, missing=command),)
        )
    there = [key for key in _BOTH if key in found]
    one = found[there[0]]
    figures = [_curve(found, there), _cycles(found, there)]
    figures += [_fields(key, found[key]) for key in there if found[key]["fields"]]
    if len(there) == 1:
        figures.append(
            Figure("learning-other", "With and without pruning", "Only one of both was run.",
                   missing=command + (" --no-prune" if there == ["pruned"] else ""))
        )  # fmt: skip
    return Section(
        "learning",
        title,
        f"Recipe {one['recipe']}, seed {one['seed']}, {number(one['stimuli'])} stimuli of "
        f"{one['data']}, accuracy measured on the {one['evaluated_on']} images."
        + (" The learner is another core for this board, with a bitstream of its own." * apart),
        tuple(figures),
    )


def _sources(there: list[str]) -> tuple[str, ...]:
    return tuple(f"learn-{key}" for key in there)


def _curve(found: dict[str, Any], there: list[str]) -> Figure:
    caption = "; ".join(
        f"{key}: {percent(found[key]['accuracy'])} right, {percent(found[key]['alive'], 1)} of the "
        "connections alive"
        for key in there
    )
    rows = [
        (key, phase["seen"], percent(phase["accuracy"]), percent(phase["alive"], 1))
        for key in there
        for phase in found[key]["phases"]
    ]
    title = "Accuracy and connections"
    return Figure(
        "learning-curve",
        title,
        f"In the end {caption}.",
        _sources(there),
        draw("learning-curve", title, caption, learning_chart(found), panels=(2, 1), high=310),
        Table.of(("", "stimuli", "accuracy", "alive"), rows),
    )


def _cycles(found: dict[str, Any], there: list[str]) -> Figure:
    last = found[there[0]]["last_stimuli"]
    caption = f"Means over the last {number(last)} stimuli: " + ", ".join(
        f"{number(found[key]['last_cycles'])} cycles {key}" for key in there
    )
    caption += f", {found['gain']:.2f} times fewer." if "gain" in found else "."
    rows = [
        (key, *(found[key]["cycles"][name] for name in ("p1", "p50", "p99", "mean")),
         found[key]["last_cycles"])
        for key in there
    ]  # fmt: skip
    title = "Cycles a stimulus"
    return Figure(
        "learning-cycles",
        title,
        caption,
        _sources(there),
        draw("learning-cycles", title, caption, learning_cycles_chart(found), high=310),
        Table.of(("", "p1", "p50", "p99", "mean", "mean of the last"), rows),
    )


def _fields(key: str, found: dict[str, Any]) -> Figure:
    fields = found["fields"]
    title = f"Receptive fields, {key}"
    caption = f"The {len(fields)} neurons that won most often; bright is a strong connection" + (
        ", and grey ones were removed." if key == "pruned" else "."
    )
    rows = [
        (str(f["neuron"]), f["wins"], sum(w >= 0 for row in f["weights"] for w in row))
        for f in fields
    ]
    return Figure(
        f"fields-{key}",
        title,
        caption,
        (f"learn-{key}",),
        draw(f"fields-{key}", title, caption, fields_chart(fields),
             panels=(-(-len(fields) // _COLUMNS), _COLUMNS), high=62 * -(-len(fields) // _COLUMNS)),
        Table.of(("neuron", "stimuli won", "connections"), rows),
    )  # fmt: skip
