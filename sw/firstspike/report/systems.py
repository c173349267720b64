"""The comparison with published systems: a table a kind of figure, never one ranking of all."""

from __future__ import annotations

from typing import Any

from firstspike.power.systems import KINDS, System
from firstspike.power.systems import systems as published
from firstspike.report.pieces import Figure, Section, Table, number, percent, signed_si

__all__ = ["systems"]

_TITLES = {
    "measured": "Measured",
    "vendor estimate": "Estimated by a vendor's tool",
    "not said": "Not said how",
}
_CAPTIONS = {
    "measured": "Power was measured on the device, by those who publish it.",
    "vendor estimate": "Power is what a tool says, without the hardware.",
    "not said": "What was read of the source does not say how power was found.",
}
_HEAD = ("system", "device", "task", "of", "accuracy", "energy", "power", "source")


def systems(
    subject: dict[str, Any], energy: dict[str, Any] | None, accuracy: float | None
) -> Section:
    """Return the section.

    Parameters
    ----------
    subject : dict
        From `firstspike.report.cards.subject_facts`.
    energy : dict or None
        From `firstspike.report.energy.modelled`.
    accuracy : float or None
        Of the network, 0..1.
    """
    figures = [] if energy is None else [_ours(subject, energy, accuracy)]
    for kind in KINDS:
        found = [system for system in published() if system.kind == kind]
        # FPGAs before chips, and within each the least energy first.
        found.sort(key=lambda s: (s.technology != "FPGA", s.energy_uj is None, s.energy_uj or 0))
        figures.append(
            Figure(
                kind.replace(" ", "-"),
                _TITLES[kind],
                _CAPTIONS[kind],
                table=Table.of(_HEAD, [_row(system) for system in found]),
                wide=True,
            )
        )
    return Section(
        "systems",
        "Published systems",
        "Other tasks, other chips, other ways to find a figure: each kind has a table of its own, "
        "and nothing is ranked across them. Figures are what the sources print; a star marks an "
        "energy that is power times latency, computed here.",
        tuple(figures),
    )


def _ours(subject: dict[str, Any], energy: dict[str, Any], accuracy: float | None) -> Figure:
    joules = energy["inference"]["joules"]
    low, high = signed_si(joules["low"], "J", 2), signed_si(joules["high"], "J", 2)
    row = (
        subject["network"],
        subject["title"],
        subject["facts"]["data"],
        "inference",
        percent(accuracy),
        f"{signed_si(joules['nominal'], 'J')} ({low} to {high})",
        signed_si(energy["inference"]["power"]["watts"]["nominal"], "W"),
        "this report",
    )
    return Figure(
        "ours",
        "This core, modelled",
        "Model, not measurement: it is in none of the tables below.",
        ("activity", "run", "build"),
        table=Table.of(_HEAD, [row]),
        wide=True,
    )


def _row(system: System) -> tuple[str, ...]:
    energy, power = system.energy_uj, system.power_mw
    return (
        system.name,
        system.device,
        system.task,
        system.what,
        "-" if system.accuracy is None else f"{number(system.accuracy, 4)}\u202f%",
        "-" if energy is None else signed_si(energy / 1e6, "J") + ("*" if system.computed else ""),
        "-" if power is None else signed_si(power / 1e3, "W"),
        f"{system.source} ({system.seen})",
    )
