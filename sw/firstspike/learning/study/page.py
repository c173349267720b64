"""docs/learning.md, its pictures, and every figure as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from firstspike import data
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.study.bars import bars
from firstspike.learning.study.figures import MEASURES, Result
from firstspike.learning.study.pictures import draw_curves, draw_fields, draw_front
from firstspike.learning.study.rows import ROWS, VARIANTS
from firstspike.learning.study.runs import Runs
from firstspike.learning.study.sections import accesses, in_short, ratios, seeds, variants
from firstspike.learning.study.text import HEAD, SHIPPED, TRIED

__all__ = ["write_page"]

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
        in_short(results),
        bars(results),
        variants(results),
        ratios(results),
        accesses(results),
        _dark(runs),
        _shown(pictures),
        TRIED,
        SHIPPED,
        seeds(results),
    ]
    write_file(docs / "learning.md", "\n".join(parts).encode())


def _entries(result: Result) -> list[dict[str, Any]]:
    """Return an entry a seed and variant."""
    row = ROWS[result.name]
    return [
        {
            "row": result.name,
            "variant": variant,
            "seed": seed,
            "recipe": row.recipe(variant),
            "command": "python -m firstspike.learning.study -o docs "
            f"--rows {result.name} --seeds {seed}",
            "commit": facts[variant]["commit"],
            "passes": facts[variant]["passes"],
            "live": facts[variant]["live"],
        }
        | {name: round(of(facts[variant]), 6) for name, of in MEASURES.items()}
        for seed, facts in result.seeds.items()
        for variant in VARIANTS
    ]


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
