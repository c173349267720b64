"""Networks of other pages that stand in the table: trained on the core's own neurons, or learned.

They come from docs/accuracy.json and docs/learning.json, which have their own commands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.methods.measure import measure
from firstspike.methods.variant import SingleSpikeVariant
from firstspike.network import load_network
from firstspike.shipped import find_network, find_recipe
from firstspike.train.batches import load_splits
from firstspike.train.recipe import load_recipe

__all__ = ["references", "shipped"]

#: Recipes of docs/accuracy.json: title.
_TRAINED = {
    "step-8bit-400": "trained STEP neurons",
    "step-pm1-600": "trained STEP neurons, sign weights",
    "ramp-8bit-128": "trained RAMP neurons",
}
#: Rows of docs/learning.json: title. Variants are those of its study.
_LEARNED = {
    "unsupervised-400": "STDP on chip, without labels",
    "supervised-400": "STDP on chip, with labels",
}
_VARIANTS = {"dense": "dense", "online": "pruned"}


def references(docs: Path, data: str) -> list[dict[str, Any]]:
    """Return entries like those of `firstspike.methods.table.figures`, for a data set.

    Raises
    ------
    InputError
        If a file of ``docs`` is missing or broken.
    """
    found = []
    for entry in _load(docs / "accuracy.json"):
        title = _TRAINED.get(entry["recipe"].removesuffix(f"-{data}"))
        if title is None or entry["data"] != data:
            continue
        early = entry["early"] if entry["neuron"] == "step" else entry["last"]
        found.append(
            {
                "title": title,
                "page": "accuracy.md",
                "data": data,
                "recipe": entry["recipe"],
                "variant": entry["recipe"],
                "seed": entry["seed"],
                "layers": [int(size) for size in entry["layers"].split("-")],
                "weight_bits": entry["weight_bits"],
                "connectivity": 1.0,
                "steps": entry["steps"],
                "accuracy": early,
                "mean_step": entry["mean_step"] if entry["neuron"] == "step" else None,
                "synops": entry["synops"],
                "macs": entry["macs"],
            }
        )
    for entry in _load(docs / "learning.json"):
        title = _LEARNED.get(entry["row"].removesuffix(f"-{data}"))
        if title is None or entry["variant"] not in _VARIANTS:
            continue
        variant = _VARIANTS[entry["variant"]]
        found.append(
            {
                "title": title,
                "page": "learning.md",
                "data": data,
                "recipe": entry["row"],
                "variant": f"{entry['row']}, {variant}",
                "seed": entry["seed"],
                "layers": [784, int(entry["row"].split("-")[1])],
                "weight_bits": 8,
                "connectivity": entry["alive"] / 100,
                "steps": 16,
                "accuracy": entry["accuracy"] / 100,
                "synops": entry["inference_synops"],
                "macs": None,
                "cycles": entry["inference_cycles"],
                "core": "learner-400",
            }
        )
    return found


def shipped(data: str, data_folder: Path | None = None) -> list[dict[str, Any]]:
    """Return an entry of the network that comes along for a data set, measured now.

    Raises
    ------
    InputError
        If the data set is missing.
    """
    splits = load_splits(load_recipe(find_recipe(data)), data_folder)
    network = load_network(find_network(data))
    found = measure(SingleSpikeVariant(data, network), splits)
    title = "trained STEP neurons, shipped"
    return [
        {"title": title, "page": "accuracy.md", "data": data, "recipe": data, "seed": 0} | found
    ]


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}; it comes with the documentation") from error
