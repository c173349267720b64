"""Networks of other pages that stand in the table: the shipped ones, and those learned on the core.

The latter come from docs/learning.json, which has its own command.
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

__all__ = ["learned", "shipped"]

#: Rows of docs/learning.json: title. Variants are those of its study.
_LEARNED = {
    "unsupervised-400": "STDP on chip, without labels",
    "supervised-400": "STDP on chip, with labels",
}
_VARIANTS = {"dense": "dense", "online": "pruned"}


def learned(docs: Path, data: str) -> list[dict[str, Any]]:
    """Return entries of networks learned on the core, for a data set.

    They are like those of `firstspike.methods.table.figures`.

    Raises
    ------
    InputError
        If learning.json is missing from ``docs``, or broken.
    """
    found = []
    for entry in _load(docs / "learning.json"):
        title = _LEARNED.get(entry["row"].removesuffix(f"-{data}"))
        if title is None or entry["variant"] not in _VARIANTS:
            continue
        found.append(
            {
                "title": title,
                "page": "learning.md",
                "data": data,
                "recipe": entry["row"],
                "variant": _VARIANTS[entry["variant"]],
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
    found = measure(SingleSpikeVariant(f"step-{network.steps}", network), splits)
    title = "trained STEP, 128, shipped"
    return [
        {"title": title, "page": "accuracy.md", "data": data, "recipe": data, "seed": 0} | found
    ]


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}; it comes with the documentation") from error
