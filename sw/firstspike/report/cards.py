"""The summary at the top of a page: a few numbers, each with what it rests on."""

from __future__ import annotations

from typing import Any

from firstspike.report.evidence import Evidence, Subject
from firstspike.report.pieces import Card, number, percent, signed_si

__all__ = ["cards", "subject_facts"]

_LOGIC = ("ICESTORM_LC", "TRELLIS_COMB")
_WORDS = {"ICESTORM_LC": "logic cells", "TRELLIS_COMB": "LUTs"}


def subject_facts(subject: Subject, evidence: Evidence, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the head of the page says."""
    network, run = subject.network, evidence.run.origin
    sizes = "-".join(str(n) for n in (network.inputs, *(la.neurons for la in network.layers)))
    bits = max(layer.weight_bits for layer in network.layers)
    return {
        "network": network.name,
        "title": subject.board.title,
        "lede": f"A {sizes} network of {network.neuron.name} neurons with {bits}-bit weights, run "
        f"on {number(facts['images'])} images. What is modelled is called modelled, and every "
        "number leads to the file and the command that it comes from.",
        "facts": {
            "network": f"{network.name} {network.digest}",
            "core": f"{subject.core_source} {subject.core_digest}",
            "board": f"{subject.board.title}, {subject.board.chip}",
            "clock": f"{number(facts['clock_hz'] / 1e6)}\u202fMHz",
            "data": f"{run['data']}, {run['split']}",
            "engine": run["engine"],
        },
    }


def cards(
    subject: Subject, evidence: Evidence, facts: dict[str, Any], energy: dict[str, Any] | None
) -> list[Card]:
    """Return the numbers of the summary."""
    found = []
    if facts["accuracy"] is not None:
        found.append(
            Card("accuracy", "Accuracy", percent(facts["accuracy"]),
                 f"{number(facts['images'])} images, one label each", facts["accuracy"], ("run",))
        )  # fmt: skip
    latency = facts["latency_us"]
    per_image = facts["clock_hz"] / facts["images_per_second"]
    found += [
        Card("latency", "Latency, median", signed_si(latency["p50"] / 1e6, "s"),
             f"p99 {signed_si(latency['p99'] / 1e6, 's')}, at {facts['clock_hz'] / 1e6:g} MHz",
             {"p50_us": latency["p50"], "p99_us": latency["p99"]}, ("run", "build")),
        Card("rate", "Images a second", number(facts["images_per_second"]),
             f"the core alone, {number(per_image, 4)} cycles each",
             facts["images_per_second"], ("run", "build")),
    ]  # fmt: skip
    if energy is not None:
        joules = energy["inference"]["joules"]
        found.append(
            Card("energy", "Energy an image", signed_si(joules["nominal"], "J"),
                 f"{signed_si(joules['low'], 'J', 2)} to {signed_si(joules['high'], 'J', 2)}; "
                 "model, not measurement", joules, ("activity", "run", "build"))
        )  # fmt: skip
    found += [*_chip(facts["resources"]), *_floor(facts["roofline"])]
    if facts["agreement"]:
        good = all(one["equal"] for one in facts["agreement"])
        images = min(one["images"] for one in facts["agreement"])
        engines = sorted({one["engines"][1] for one in facts["agreement"]})
        runs = (f"run-{n}" for n in range(2, 2 + len(facts["agreement"])))
        found.append(
            Card(
                "agreement",
                f"{' and '.join(engines)} against {evidence.run.origin['engine']}",
                "equal" if good else "different",
                f"{number(images)} images, all spikes and cycles",
                good,
                ("run", *runs),
            )
        )
    return found


def _chip(found: dict[str, Any]) -> list[Card]:
    kind = next(kind for kind in _LOGIC if kind in found["cells"])
    count = found["cells"][kind]
    slowest, fastest = (f"{found[key]:.1f}" for key in ("fmax_min", "fmax_max"))
    seeds = "1 seed" if len(found["fmax_mhz"]) == 1 else f"{len(found['fmax_mhz'])} seeds"
    clocks = slowest if slowest == fastest else f"{slowest}\u2013{fastest}"
    return [
        Card("cells", _WORDS[kind].capitalize().replace("Luts", "LUTs"), number(count["used"]),
             f"of {number(count['there'])}, {percent(count['used'] / count['there'], 0)}; "
             "core, link and clock", count, ("build",)),
        Card("fmax", "Highest clock", f"{clocks}\u202fMHz",
             f"{seeds}; runs at {found['clock_mhz']:g} MHz",
             found["fmax_mhz"], ("build",)),
    ]  # fmt: skip


def _floor(found: dict[str, Any]) -> list[Card]:
    if not found["over_core_floor"]:
        return []
    return [
        Card("floor", "Cycles over the memory floor", f"{found['over_core_floor']:.2f} times",
             f"{number(found['operations_a_cycle'])} of {found['lanes']} operations a cycle",
             found["over_core_floor"], ("run",))
    ]  # fmt: skip
