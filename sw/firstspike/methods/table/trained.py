"""Networks of the core's own neurons, trained by `firstspike.train`, as runs of the table."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from firstspike.files import write_file
from firstspike.methods.measure import measure
from firstspike.methods.run import METRICS
from firstspike.methods.variant import SingleSpikeVariant
from firstspike.network import load_network
from firstspike.provenance import commit
from firstspike.train.batches import load_splits
from firstspike.train.exporting import export
from firstspike.train.loop import train
from firstspike.train.recipe import load_recipe

__all__ = ["train_recipe"]


def train_recipe(
    path: Path, folder: Path, *, seed: int, data_folder: Path | None = None
) -> dict[str, Any]:
    """Run the recipe ``path``, and leave its network in ``folder`` as a method leaves its own.

    The network is called ``NEURON-T``. What was broken off goes on; its ``seconds`` are then None.

    Returns
    -------
    dict
        See `firstspike.methods.run.train_method`.
    """
    recipe = load_recipe(path)
    training = folder / "training"
    goes_on = (training / METRICS).exists()
    start = time.monotonic()
    result = train(path, training, seed=seed, resume=goes_on, data_folder=data_folder)
    seconds = None if goes_on else time.monotonic() - start
    name = f"{recipe.neuron.value}-{1 << recipe.time_bits}"
    export(training, folder / "networks" / name)
    network = load_network(folder / "networks" / name)
    told = {
        "float_accuracy": result["test_latent"]["last"],
        "validation_accuracy": result["validation"]["last"],
    }
    splits = load_splits(recipe, data_folder)
    write_file(folder / "recipe.yaml", path.read_bytes())
    facts = {
        "recipe": recipe.name,
        "method": recipe.neuron.value,
        "data": recipe.data,
        "seed": seed,
        "seconds": seconds,
        "commit": commit(),
        "variants": [measure(SingleSpikeVariant(name, network, told), splits)],
    }
    write_file(folder / METRICS, (json.dumps(facts, indent=1) + "\n").encode())
    return facts
