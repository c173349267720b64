"""Figures of energy: parts, rates, what pruning saves, the model's own error, other systems."""

from __future__ import annotations

from typing import Any

from firstspike.report.charts import energy_chart
from firstspike.report.pieces import Figure, Section, Table, number, percent, signed_si
from firstspike.report.svg import draw

__all__ = ["energies"]

_TEXT = (
    "Energies are a model, not a measurement: nobody has measured this board. Coefficients come "
    "from what others measured on the same chips; a bar is the nominal value and a whisker what "
    "coefficients and activity leave open, all in one direction."
)


def energies(found: dict[str, Any] | None, command: str, learning: str) -> Section:
    """Return the section.

    Parameters
    ----------
    found : dict or None
        From `firstspike.report.energy.modelled`.
    command, learning : str
        What makes an activity of inference, and one of learning.
    """
    if found is None:
        figure = Figure("energy", "Energy by part", "Without an activity there is no energy.",
                        missing=command)  # fmt: skip
        return Section("energy", "Energy", _TEXT, (figure,))
    inference = found["inference"]
    figures = (
        _parts(inference),
        _rates(found),
        _learning(found, learning),
        _held_out(found["held_out"]),
        _convention(inference),
    )
    return Section("energy", "Energy", _TEXT, figures)


def _range(found: dict[str, float], unit: str) -> tuple[str, str, str]:
    low, nominal, high = (signed_si(found[key], unit) for key in ("low", "nominal", "high"))
    return low, nominal, high


def _parts(found: dict[str, Any]) -> Figure:
    title = "Energy by part"
    low, nominal, high = _range(found["joules"], "J")
    caption = (
        f"{nominal} an image, between {low} and {high}: model, not measurement. At full rate, "
        f"{number(found['full_rate_hz'])} images a second; static power is "
        f"{percent(found['static_share'], 1)} of it."
    )
    rows = [(name, *_range(part, "J")) for name, part in found["parts"].items()]
    rows.append(("all", low, nominal, high))
    return Figure(
        "energy",
        title,
        caption,
        ("activity", "run", "build"),
        draw("energy", title, caption, energy_chart(found["parts"], 1e-9)),
        Table.of(("part", "low", "nominal", "high"), rows),
        notes=tuple(found["power"]["notes"]),
    )


def _rates(found: dict[str, Any]) -> Figure:
    rows = [
        (
            f"{number(one['rate_hz'])} images/s{text}",
            *_range(one["joules"], "J"),
            percent(one["static_share"], 1),
        )
        for one, text in ((found["inference"], ", full rate"), (found["at_rate"], ""))
        if one is not None
    ]
    power = found["inference"]["power"]
    rows += [
        ("power at work", *_range(power["watts"], "W"), percent(power["static_share"], 1)),
        ("power waiting, clock on", *_range(power["idle_watts"], "W"), "-"),
    ]
    return Figure(
        "rates",
        "Rate and power",
        "A core that waits for images still takes static power, and its clock runs: the fewer "
        "images a second, the more each one costs. Model, not measurement.",
        ("activity", "run", "build"),
        table=Table.of(("", "low", "nominal", "high", "static"), rows),
        missing=""
        if found["at_rate"]
        else "firstspike report ... --rate HZ, for energies at a rate of yours",
    )


def _learning(found: dict[str, Any], command: str) -> Figure:
    title = "Learning, pruned and not"
    learning, saved = found["learning"], found["saving"]
    if not learning:
        return Figure("learning-energy", title, "No learner was built and simulated.",
                      missing=command)  # fmt: skip
    rows = [
        (
            key,
            *_range(one["joules"], "J"),
            number(one["cycles"], 4),
            signed_si(one["power"]["watts"]["nominal"], "W"),
        )
        for key, one in learning.items()
    ]
    caption = "Energy of a stimulus, over the whole run of learning. Model, not measurement."
    if saved is not None:
        published = saved["published"]
        caption += (
            f" Pruning saves {saved['energy_saved']['nominal']:.1f} % of the energy and "
            f"{saved['cycles_saved']:.1f} % of the cycles. Published, for another network on "
            f"another chip: {published['learning_saved']:g} % of learning, "
            f"{published['inference_saved']:g} % of inference, and "
            f"{published['power_of_pruning']:g} % of power for the logic that prunes "
            f"({published['source']})."
        )
    sources = tuple(f"{kind}-{key}" for key in learning for kind in ("activity", "learn", "build"))
    return Figure(
        "learning-energy",
        title,
        caption,
        sources,
        table=Table.of(("", "low", "nominal", "high", "cycles", "power"), rows),
    )


def _held_out(found: list[dict[str, Any]]) -> Figure:
    rows = []
    for held in found:
        for run in held["runs"]:
            predicted = run["predicted"]
            rows.append(
                (
                    f"{held['design']}, {run['mhz']:g} MHz",
                    " and ".join(held["fitted_on"]),
                    f"{run['measured']:.2f}",
                    f"{predicted['nominal']:.2f}",
                    f"{predicted['low']:.2f} to {predicted['high']:.2f}",
                    f"{100 * run['error']:+.1f}\u202f%",
                )
            )
    return Figure(
        "model-error",
        "How wrong is the model?",
        f"Each of {len(found)} designs that others measured on the UP5K is predicted by a model "
        "that did not see it. Milliwatts; the range is that of activities that had to be assumed. "
        "The measurements and who made them: sw/firstspike/power/measurements.yaml.",
        table=Table.of(("design", "fitted on", "measured", "predicted", "range", "error"), rows),
    )


def _convention(found: dict[str, Any]) -> Figure:
    convention = found["convention"]
    names = {
        "joules": "this network, float arithmetic",
        "integer_joules": "this network, integers",
        "ann_joules": "same layers, not spiking, float",
        "ann_integer_joules": "same layers, not spiking, integers",
    }
    rows = [
        (text, signed_si(convention[key], "J")) for key, text in names.items() if key in convention
    ]
    return Figure(
        "convention",
        "By counting operations",
        f"A {convention['label']}: what papers print, without memories, clocks or wires, for no "
        "chip that exists here.",
        ("run",),
        table=Table.of(("an image", "energy"), rows),
    )
