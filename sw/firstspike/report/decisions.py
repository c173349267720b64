"""Figures of how a network decides: one image, steps of decisions, accuracy against deadline."""

from __future__ import annotations

from typing import Any

from firstspike.report.charts import anytime_chart, raster_chart, steps_chart
from firstspike.report.pieces import Figure, Section, Table, number, percent
from firstspike.report.svg import draw

__all__ = ["decisions"]


def decisions(facts: dict[str, Any]) -> Section:
    """Return the section, from the numbers of `firstspike.report.measured.measured`."""
    figures = [_raster(facts["image"])]
    if "decision_step" in facts:
        figures.append(_steps(facts["decision_step"]))
    if "anytime" in facts:
        figures.append(_anytime(facts["anytime"]))
    return Section(
        "decisions",
        "Decisions",
        "The brighter a pixel, the earlier its spike. The first output spike decides and ends the "
        "image; an image without one is decided after the last step, by the largest potential over "
        "its threshold.",
        tuple(figures),
    )


def _raster(found: dict[str, Any]) -> Figure:
    spiked = found["decision_step"] < found["steps"]
    caption = (
        f"Image {found['index']}, a {found['label']}: class {found['predicted']}, "
        + (f"in step {found['decision_step']}, " if spiked else "by the largest potential, ")
        + f"{number(found['cycles'])} cycles. Left the image, right who spiked in which step; "
        "later spikes are not waited for."
    )
    rows = [
        (name, len(spikes), found["neurons"][name], ", ".join(str(j) for _, j in spikes) or "none")
        for name, spikes in found["spikes"].items()
    ]
    return Figure(
        "raster",
        "One image",
        caption,
        ("run",),
        draw("raster", "One image", caption, raster_chart(found), panels=(1, 2), high=230),
        Table.of(("layer", "spiked", "neurons", "which, in order of layers"), rows),
    )


def _steps(found: list[float]) -> Figure:
    caption = (
        f"{percent(sum(found[:2]))} of the images are decided by step 1; "
        f"{percent(found[-1])} see no output spike."
    )
    return Figure(
        "steps",
        "When the first output spike comes",
        caption,
        ("run",),
        draw("steps", "When the first output spike comes", caption, steps_chart(found)),
        Table.of(
            ("step", "images"),
            [(str(t), percent(share)) for t, share in enumerate(found[:-1])]
            + [("none", percent(found[-1]))],
        ),
    )


def _anytime(found: dict[str, list[float]]) -> Figure:
    accuracy = found["accuracy"]
    caption = (
        f"Stopped after step t, an image that has an output spike keeps its decision, and the "
        f"largest potential decides the others: {percent(accuracy[0])} after step 0, "
        f"{percent(accuracy[-1])} after the last."
    )
    return Figure(
        "anytime",
        "Accuracy against deadline",
        caption,
        ("run",),
        draw("anytime", "Accuracy against deadline", caption, anytime_chart(found)),
        Table.of(
            ("stopped after step", "right", "has an output spike", "has one, and is right"),
            [
                (str(t), *(percent(found[key][t]) for key in ("accuracy", "decided", "right")))
                for t in range(len(accuracy))
            ],
        ),
    )
