"""docs/learning-sweep.md, its picture, and every figure as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.study.figures import spread
from firstspike.learning.study.sweep.pictures import draw_sweep
from firstspike.learning.study.sweep.runs import COSTS, Sweep
from firstspike.learning.study.sweep.settings import Family, Setting
from firstspike.markdown import table
from firstspike.pareto import front

__all__ = ["fronts", "write_page"]

#: Designs of a family with what was measured on the validation images.
Designs = list[tuple[Setting, dict[str, Any]]]

_HEAD = """# Designs of the learning core

How many neurons, how many steps, which threshold, how much pruning? Each dot is a network that
learned on the golden model, whole passes over the training images, five without labels and ten with
them, with settings drawn at random:

* N, neurons: 80, 104, 208 or 400; T, steps of a stimulus: 8, 16 or 32;
* f, the first threshold, as a share of 0.8 of the largest weight times the number of inputs;
* a, depression over potentiation, in passes that learn without errors;
* *below*: the bound of the last pass under which a weight is removed; it rises evenly from pass to
  pass. Every fifth design removes nothing and runs on a core without masks.

Cycles are the cost model's, which equals the RTL, of 8 banks with dual-port memories. Dots are
measured on the last 10 000 training images, which were not learned, one seed each: enough to see
where the good designs lie, not to tell neighbours apart. What lies on a front, where nothing else
has more accuracy for as little cost, then learned all training images with each seed, and is
measured on the test images; the tables below are of these, with standard deviations.

    python -m firstspike.learning.study.sweep -o docs{options}

makes this page, `learning-sweep.json` and the picture; it goes on where it was broken off, and
`--points` draws more. It leaves a recipe a design in `runs/sweep`, for `firstspike learn`. Recipes
that were tuned by hand, what pruning gains over other ways, and what the designs say, are in
[learning.md](learning.md).

![learning-sweep](learning-sweep.png)
"""


def fronts(designs: Designs) -> dict[str, list[int]]:
    """Return the front of each cost, as indices into ``designs``."""
    gains = [facts["accuracy"] for _, facts in designs]
    return {cost: front([facts[cost] for _, facts in designs], gains) for cost in COSTS}


def write_page(
    docs: Path, sweep: Sweep, families: list[tuple[Family, list[Setting]]], seeds: list[int]
) -> None:
    """Write learning-sweep.md, .json and .png from runs that are all there.

    Raises
    ------
    InputError
        If a run is missing.
    """
    drawn: dict[str, Designs] = {}
    parts: list[str] = []
    entries: list[dict[str, Any]] = []
    for family, settings in families:
        designs = [(setting, _facts(sweep, setting, None)) for setting in settings]
        drawn[family.name] = designs
        members = fronts(designs)
        tested = {
            i: [_facts(sweep, designs[i][0], seed) for seed in seeds]
            for i in sorted({i for found in members.values() for i in found})
        }
        parts.append(_section(family, designs, members, tested))
        entries += _entries(designs, members, tested)
    points = max(len(settings) for _, settings in families)
    content = {
        "command": f"python -m firstspike.learning.study.sweep -o docs --points {points}",
        "designs": entries,
    }
    write_file(docs / "learning-sweep.png", draw_sweep(drawn))
    write_file(docs / "learning-sweep.json", (json.dumps(content, indent=1) + "\n").encode())
    head = _HEAD.format(options=f" --points {points}")
    write_file(docs / "learning-sweep.md", "\n".join([head, *parts]).encode())


def _facts(sweep: Sweep, setting: Setting, seed: int | None) -> dict[str, Any]:
    facts = sweep.known(setting, seed)
    if facts is None:
        raise InputError(f"{sweep.folder}: has no run of {setting.name}, seed {seed}; run it first")
    return facts


def _section(
    family: Family,
    designs: Designs,
    members: dict[str, list[int]],
    tested: dict[int, list[dict[str, Any]]],
) -> str:
    """Return the table of all designs of a family that lie on a front."""
    lines = []
    for i in sorted(tested, key=lambda i: designs[i][1]["inference_cycles"]):
        setting, facts = designs[i]

        def of(name: str, digits: int, scale: float = 1, runs=tested[i]) -> str:
            return spread([scale * run[name] for run in runs], digits)

        lines.append(
            [
                setting.name.rpartition("-")[2],
                ", ".join(_SHORT[cost] for cost, found in members.items() if i in found),
                str(setting.neurons),
                str(1 << setting.time_bits),
                f"{setting.threshold:g}",
                f"{setting.depress:g}",
                str(setting.below or "dense"),
                f"{100 * facts['accuracy']:.2f}",
                of("accuracy", 2, 100),
                of("live", 1, 1e-3),
                of("alive", 1, 100),
                of("learning_cycles", 0),
                of("inference_cycles", 0),
            ]
        )
    head = ["design", "front of", "N", "T", "f", "a", "below", "validation, %", "test, %",
            "live connections, thousands", "alive, %", "cycles a learned stimulus",
            "cycles an inferred image"]  # fmt: skip
    return f"## {family.name}\n\n{len(designs)} designs.\n\n{table(head, lines)}"


_SHORT = {"live": "connections", "inference_cycles": "inference", "learning_cycles": "learning"}


def _entries(
    designs: Designs,
    members: dict[str, list[int]],
    tested: dict[int, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return an entry a design: what it is, what was measured, and whether it was tested."""

    def rounded(facts: dict[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in facts.items() if name != "key"}
        return {n: round(v, 6) if isinstance(v, float) else v for n, v in shown.items()}

    return [
        {
            "design": setting.name,
            "neurons": setting.neurons,
            "steps": 1 << setting.time_bits,
            "threshold": setting.threshold,
            "depress": setting.depress,
            "below": setting.below,
            "fronts": [cost for cost, found in members.items() if i in found],
            "validation": rounded(facts),
            "test": [rounded(run) for run in tested.get(i, [])],
        }
        for i, (setting, facts) in enumerate(designs)
    ]
