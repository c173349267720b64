"""From a folder of evidence to report.html, report.json and report.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.provenance import provenance
from firstspike.report.cards import cards, subject_facts
from firstspike.report.decisions import decisions
from firstspike.report.energies import energies
from firstspike.report.energy import modelled
from firstspike.report.evidence import Subject, commands, gather
from firstspike.report.files import Source
from firstspike.report.hardware import hardware
from firstspike.report.learned import learned
from firstspike.report.lessons import lessons
from firstspike.report.machine import machine
from firstspike.report.measured import measured
from firstspike.report.page import html_page, markdown_page
from firstspike.report.pieces import Section
from firstspike.report.speeds import speeds
from firstspike.report.systems import systems
from firstspike.stimuli import Stimuli, load_stimuli

__all__ = ["make_report"]

#: An image that is decided in this step, or later, shows how layers follow each other.
_LATE = 2


def make_report(
    subject: Subject,
    folder: Path,
    page: Path,
    *,
    image: int | None = None,
    rate: float | None = None,
    data: Path | None = None,
    words: Sequence[str] = (),
) -> dict[str, Any]:
    """Write ``page``, and beside it the same with the suffixes ``.json`` and ``.md``.

    Parameters
    ----------
    subject : Subject
        What the report is about.
    folder : Path
        Where the evidence is.
    page : Path
        The HTML file.
    image : int, optional
        Which image of the run is drawn, from 0; the first one that is decided in step 2 or later,
        which has something to show, if it is left out.
    rate : float, optional
        Images a second for which energies are told, beside the full rate.
    data : Path, optional
        Where data sets lie.
    words : sequence of str
        The command line that asks for it.

    Returns
    -------
    dict
        What stands in the JSON file; docs/report.md.

    Raises
    ------
    InputError
        If a piece that is needed is missing or belongs to something else, or one is damaged.
    """
    if page.suffix != ".html":
        raise InputError(f"-o {page}: the name must end in .html")
    evidence = gather(subject, folder)
    told = commands(subject, folder)
    stimuli = _stimuli(subject, evidence.run, data)
    if image is None:
        image = int(np.argmax(evidence.run.arrays["decision_step"] >= _LATE))
    if image >= len(stimuli.images):
        raise InputError(
            f"--image {image}: the run is of {len(stimuli.images)} images, must be in "
            f"0..{len(stimuli.images) - 1}"
        )
    facts = measured(subject, evidence, stimuli, image)
    learning = learned(evidence.learns)
    energy = modelled(evidence, rate)
    shown = subject_facts(subject, evidence, facts)
    checks = tuple(f"run-{number}" for number in range(2, 2 + len(evidence.checks)))
    sections = [
        decisions(facts),
        speeds(facts),
        energies(energy, told["activity"], told["activity-learn"]),
        systems(shown, energy, facts["accuracy"]),
        lessons(learning, told["learn"], apart=not subject.core.learning),
        hardware(facts, checks, told),
        machine(evidence.bench, told["bench"]),
    ]
    origin = provenance(
        "report", words, subject.core, network=subject.network.name,
        network_digest=subject.network.digest, board=subject.board.name,
    )  # fmt: skip
    sources = {name: _shown(source) for name, source in evidence.used.items()}
    summary = cards(subject, evidence, facts, energy)
    unused = [(source.path.name, why) for source, why in evidence.unused]
    html = html_page(shown, summary, sections, sources, unused, origin)
    report = {
        "provenance": origin,
        "summary": {
            card.key: {"value": card.value, "shown": card.shown, "sources": list(card.sources)}
            for card in summary
        },
        "figures": _figures(sections),
        "measured": facts,
        "energy": energy,
        "learning": learning,
        "bench": None if evidence.bench is None else evidence.bench.content["figures"],
        "sources": {
            name: {"file": s.path.name, "sha256": s.sha256, "provenance": s.origin}
            for name, s in evidence.used.items()
        },
        "unused": [{"file": name, "reason": why} for name, why in unused],
    }
    write_file(page, html.encode())
    write_file(page.with_suffix(".json"), (json.dumps(report, indent=1) + "\n").encode())
    text = markdown_page(shown, summary, sources, origin)
    write_file(page.with_suffix(".md"), text.encode())
    return report


def _stimuli(subject: Subject, run: Source, folder: Path | None) -> Stimuli:
    """Return what a run ran on; its first images, in order."""
    split = run.origin["split"]
    labels = run.arrays["label"]
    stimuli = load_stimuli(
        run.origin["data"],
        subject.network.shape,
        split=None if split == "all" else split,
        limit=len(labels),
        folder=folder,
    )
    known = stimuli.labels
    if len(stimuli.images) != len(labels) or (known is not None and (known != labels).any()):
        raise InputError(f"{run.path}: data {run.origin['data']} has changed since: run it again")
    return stimuli


def _shown(source: Source) -> dict[str, Any]:
    """Return a source as the page tells it."""
    facts: dict[str, str] = {"firstspike": source.origin["firstspike"]}
    for key in ("core_digest", "network", "network_digest", "data", "split", "engine", "recipe",
                "seed", "pruning", "family", "images"):  # fmt: skip
        value = source.origin.get(key)
        if value is not None:
            facts[key.replace("_", " ")] = str(value)
    return {
        "file": source.path.name,
        "sha256": source.sha256,
        "origin": source.origin,
        "facts": facts,
    }


def _figures(sections: list[Section]) -> dict[str, Any]:
    """Return title, table and sources of every figure by its key."""
    return {
        figure.key: {
            "title": figure.title,
            "caption": figure.caption,
            "sources": list(figure.sources),
            "missing": figure.missing,
            "table": None
            if figure.table is None
            else {"head": list(figure.table.head), "rows": [list(r) for r in figure.table.rows]},
        }
        for section in sections
        for figure in section.figures
    }
