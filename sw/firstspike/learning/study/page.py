"""docs/learning.md, its pictures, and every figure as JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from firstspike import data
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.study.bars import bars
from firstspike.learning.study.figures import MEASURES, Result, spread
from firstspike.learning.study.pictures import draw_curves, draw_fields, draw_front
from firstspike.learning.study.rows import ROWS, VARIANTS
from firstspike.learning.study.runs import ACCESSES, Runs
from firstspike.learning.study.tables import table
from firstspike.learning.study.text import HEAD, SHIPPED, TRIED

__all__ = ["write_page"]

_CALLED = {"dense": "dense", "skip": "skips w = 0", "cut": "cut", "online": "pruned"}
#: Rows whose curves and receptive fields are drawn, as far as there are runs of them.
_CURVES = (
    "unsupervised-104-mnist",
    "unsupervised-104-fashion-mnist",
    "supervised-104-mnist",
    "supervised-104-fashion-mnist",
)
_FIELDS = ("unsupervised-104-mnist", "unsupervised-104-fashion-mnist", "supervised-104-mnist")


def write_page(docs: Path, runs: Runs) -> None:
    """Write learning.md, learning.json and learning-*.png from all rows that are complete.

    Raises
    ------
    InputError
        If no row is.
    """
    results = [Result(name, runs.complete(row)) for name, row in ROWS.items()]
    results = [result for result in results if result.seeds]
    if not results:
        raise InputError(f"{runs.folder}: holds all variants of no row, run one first")
    pictures = _pictures(results, runs)
    for name, content in pictures.items():
        write_file(docs / name, content)
    entries = [entry for result in results for entry in _entries(result)]
    write_file(docs / "learning.json", (json.dumps(entries, indent=1) + "\n").encode())
    parts = [
        HEAD,
        bars(results),
        _variants(results),
        _ratios(results),
        _accesses(results),
        _dark(runs),
        _shown(pictures),
        TRIED,
        SHIPPED,
        _seeds(results),
    ]
    write_file(docs / "learning.md", "\n".join(parts).encode())


def _entries(result: Result) -> list[dict[str, Any]]:
    """Return an entry a seed and variant."""
    row = ROWS[result.name]
    commit = _commit()
    return [
        {
            "row": result.name,
            "variant": variant,
            "seed": seed,
            "recipe": row.recipe(variant),
            "command": "python -m firstspike.learning.study -o docs "
            f"--rows {result.name} --seeds {seed}",
            "commit": commit,
            "passes": facts[variant]["passes"],
            "live": facts[variant]["live"],
        }
        | {name: round(of(facts[variant]), 6) for name, of in MEASURES.items()}
        for seed, facts in result.seeds.items()
        for variant in VARIANTS
    ]


def _commit() -> str | None:
    """Return the commit of the source that measures; None outside of a checkout."""
    try:
        call = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=10", "HEAD"]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _variants(results: list[Result]) -> str:
    """Return the table of all variants."""
    lines = []
    for result in results:
        for variant in VARIANTS:
            first = variant == VARIANTS[0]

            def figure(name: str, digits: int, variant: str = variant, r: Result = result) -> str:
                return spread(r.values(variant, name), digits)

            learned = variant != "cut"
            passes = next(iter(result.seeds.values()))[variant]["passes"]
            lines.append(
                [
                    f"`{result.name}`" if first else "",
                    str(len(result.seeds)) if first else "",
                    _CALLED[variant],
                    str(passes),
                    figure("accuracy", 2),
                    figure("alive", 1),
                    figure("zero", 1),
                    figure("learning_cycles", 0) if learned else "as dense",
                    figure("learning_over", 3) if learned else "",
                    figure("learning_synops", 0) if learned else "",
                    figure("learning_stdp_visits", 1) if learned else "",
                    figure("inference_cycles", 0),
                    figure("inference_over", 3),
                    figure("inference_synops", 0),
                ]
            )
    head = ["row", "seeds", "variant", "passes", "accuracy, %", "alive, %", "w = 0, %",
            "cycles a learned stimulus", "over floor", "synaptic operations", "STDP visits",
            "cycles an inferred image", "over floor", "synaptic operations"]  # fmt: skip
    return (
        "## All rows\n\nMeans over the stimuli of the whole run, and over the test images. *Over "
        "floor*: cycles over those which the memories' bandwidth alone would need. *w = 0* counts "
        "removed connections, too.\n\n" + table(head, lines)
    )


def _ratios(results: list[Result]) -> str:
    """Return what pruning gains over each of the others."""
    lines = []
    for result in results:
        for variant in ("dense", "skip", "cut"):
            first = variant == "dense"

            def ratio(name: str, variant: str = variant, r: Result = result) -> str:
                return spread(r.ratios(variant, name), 2)

            lines.append(
                [
                    f"`{result.name}`" if first else "",
                    spread(result.points(), 2) if first else "",
                    f"{_CALLED[variant]} / pruned",
                    ratio("run_cycles"),
                    ratio("learning_cycles"),
                    ratio("learning_synops"),
                    ratio("learning_stdp_visits"),
                    ratio("learning_accesses"),
                    ratio("inference_cycles"),
                    ratio("inference_synops"),
                    ratio("inference_accesses"),
                ]
            )
    head = ["row", "pruned minus best dense, points", "ratio", "learning: cycles of the run",
            "cycles a stimulus", "synaptic operations", "STDP visits", "accesses",
            "inference: cycles", "synaptic operations", "accesses"]  # fmt: skip
    return (
        "## What pruning while learning gains\n\nOver 1: the pruned learner needs less. The two "
        "sides of a row may have different numbers of passes, which the cycles of the run show; "
        "all other figures of learning are a stimulus. The best dense network is the better one of "
        "those that were learned without pruning, *dense* and *skips w = 0*.\n\n"
        + table(head, lines)
    )


def _accesses(results: list[Result]) -> str:
    """Return the table of memory accesses by kind."""
    lines = []
    for result in results:
        for phase in ("learning", "inference"):
            for variant in VARIANTS:
                if (phase, variant) == ("learning", "cut"):
                    continue
                first = (phase, variant) == ("learning", "dense")
                names = [f"{phase}_{kind}" for kind in ACCESSES]
                lines.append(
                    [
                        f"`{result.name}`" if first else "",
                        phase if variant == "dense" else "",
                        _CALLED[variant],
                        *(spread(result.values(variant, name), 0) for name in names),
                        spread(result.values(variant, f"{phase}_accesses"), 0),
                        spread(result.saved(phase), 1) if variant == "online" else "",
                    ]
                )
    head = ["row", "phase", "variant", *(kind.replace("_", " ") for kind in ACCESSES), "sum",
            "saved by pruning, %"]  # fmt: skip
    return (
        "## Memory accesses\n\nA stimulus. Every synaptic operation also reads and writes the "
        "state of a neuron. A removed connection is struck out of both masks, which is not "
        "counted: at most two writes a stimulus on the mean over a run. Pixels, lists of events "
        "and tables of changes are the same on both sides and not counted. The dense core has no "
        "masks.\n\n" + table(head, lines)
    )


def _dark(runs: Runs) -> str:
    """Return how many pixels are dark in nearly all images."""
    shares = []
    for name in ("mnist", "fashion-mnist"):
        images, _ = data.load(name, runs.data).split("train")
        lit = (images.reshape(len(images), -1) > 0).mean(axis=0)
        shares.append((100 * np.mean(lit < 0.01), 100 * np.mean(lit == 0)))
    (rare, never), (rare2, never2) = shares
    return (
        "## Dark pixels\n\n"
        f"Of MNIST's 784 pixels {rare:.1f} % are lit in under 1 % of the training images, and "
        f"{never:.1f} % in none; of Fashion-MNIST's {rare2:.1f} % and {never2:.1f} %. Connections "
        "of such pixels are easily removed, and cost next to nothing where events bring the work "
        "(lit: spikes at all, intensity 1 or more).\n"
    )


def _pictures(results: list[Result], runs: Runs) -> dict[str, bytes]:
    """Return all pictures by file name."""
    by_name = {result.name: result for result in results}
    drawn = {}
    for name in _CURVES:
        if name in by_name:
            result = by_name[name]
            drawn[f"learning-curves-{name}.png"] = draw_curves(result, min(result.seeds))
    fields = []
    for name in _FIELDS:
        if name in by_name:
            row, seed = ROWS[name], min(by_name[name].seeds)
            dense = runs.state(row.dense, "dense", seed)
            fields.append((name, dense, runs.state(row.online, "online", seed)))
    if fields:
        drawn["learning-fields.png"] = draw_fields(fields)
    drawn["learning-front.png"] = draw_front(results)
    return drawn


def _shown(pictures: dict[str, bytes]) -> str:
    """Return the pictures, with what they show."""
    text = {
        "learning-curves": "Against stimuli seen: test accuracy with learning off (with labels, at "
        "the end of each pass only), and what a stimulus costs while it is learned.",
        "learning-fields": "Weights of neurons taken evenly from a layer, the same ones unpruned "
        "and pruned: dark is a large weight, blue a removed connection.",
        "learning-front": "Accuracy against live connections and against cycles: the variants of "
        "each row, joined. Better is up and to the left.",
    }
    parts = ["## Pictures\n"]
    told = set()
    for name in pictures:
        kind = next(kind for kind in text if name.startswith(kind))
        if kind not in told:
            told.add(kind)
            parts.append(text[kind] + "\n")
        parts.append(f"![{name.removesuffix('.png')}]({name})\n")
    return "\n".join(parts)


def _seeds(results: list[Result]) -> str:
    """Return accuracy and ratios of every seed."""
    lines = []
    for result in results:
        for at, seed in enumerate(result.seeds):
            values = [f"{result.values(variant, 'accuracy')[at]:.2f}" for variant in VARIANTS]
            ratios = [
                f"{result.ratios('dense', name)[at]:.2f}"
                for name in ("run_cycles", "learning_cycles", "inference_cycles")
            ]
            alive = f"{result.values('online', 'alive')[at]:.2f}"
            lines.append([f"`{result.name}`", str(seed), *values, alive, *ratios])
    head = ["row", "seed", *(f"{_CALLED[v]}, %" for v in VARIANTS), "alive, %",
            "learning: cycles of the run, dense / pruned", "a stimulus", "inference"]  # fmt: skip
    return "## Every seed\n\n" + table(head, lines)
