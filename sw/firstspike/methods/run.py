"""A method from its recipe to networks in a folder, each measured on the whole test set.

A run folder holds ``recipe.yaml`` (a copy), ``networks/<variant>`` and, once all is done,
``metrics.json``.
"""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from firstspike import golden
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.fit import check_fit
from firstspike.golden.multispike import run_multispike
from firstspike.methods.recipe import load_method_recipe
from firstspike.methods.variant import AnyVariant
from firstspike.multispike_fit import check_multispike_fit
from firstspike.network import (
    AnyNetwork,
    MultiSpikeNetwork,
    Network,
    save_multispike,
    save_network,
)
from firstspike.outcome import Outcome
from firstspike.progress import counted
from firstspike.provenance import commit
from firstspike.train.batches import Splits, load_splits
from firstspike.train.recipe import SEED_MAX

__all__ = ["METRICS", "core_for", "export_variant", "first_spikes", "train_method"]

METRICS = "metrics.json"

_NETWORKS = "networks"
_PARTS = 1000


def train_method(
    path: Path, folder: Path, *, seed: int | None = None, data_folder: Path | None = None
) -> dict[str, Any]:
    """Run the method of the recipe ``path``, and leave its networks in ``folder``.

    Parameters
    ----------
    path : Path
        The recipe.
    folder : Path
        Made if missing; what a run that was broken off has left there is replaced.
    seed : int, optional
        In place of the recipe's.
    data_folder : Path, optional
        Where the data set lies.

    Returns
    -------
    dict
        What ``metrics.json`` holds: ``recipe``, ``method``, ``data``, ``seed``, ``seconds`` of the
        method's own work, ``commit``, and a list ``variants`` with the figures of each network.

    Raises
    ------
    InputError
        If recipe or data cannot be used, or the folder holds a finished run.
    """
    recipe = load_method_recipe(path)
    if (folder / METRICS).exists():
        raise InputError(f"{folder}: holds a finished run already; name another folder")
    seed = recipe.training.seed if seed is None else seed
    if not 0 <= seed <= SEED_MAX:
        raise InputError(f"the seed is {seed}, must be in 0..{SEED_MAX}")
    splits = load_splits(recipe, data_folder)
    module = importlib.import_module(f"firstspike.methods.{recipe.method}")
    write_file(folder / "recipe.yaml", path.read_bytes())
    start = time.monotonic()
    with counted(recipe.name, _PARTS) as progress:
        variants = module.train(recipe, splits, seed, lambda share: progress(round(share * _PARTS)))
    seconds = time.monotonic() - start
    rows = []
    with counted("test set", len(variants)) as progress:
        for number, variant in enumerate(variants):
            _save(variant.network, folder / _NETWORKS / variant.name)
            rows.append(_measure(variant, splits))
            progress(number + 1)
    facts = {
        "recipe": recipe.name,
        "method": recipe.method,
        "data": recipe.data,
        "seed": seed,
        "seconds": seconds,
        "commit": commit(),
        "variants": rows,
    }
    write_file(folder / METRICS, (json.dumps(facts, indent=1) + "\n").encode())
    return facts


def _save(network: AnyNetwork, folder: Path) -> None:
    if isinstance(network, MultiSpikeNetwork):
        save_multispike(network, folder)
    else:
        save_network(network, folder)


def core_for(network: AnyNetwork) -> str | None:
    """Return the core that cycles are told of, by name; None if the network fits no preset.

    That is ``multispike`` for a multi-spike network. For others it is ``default``, or else the
    preset with the smallest synapse memory that they fit.
    """
    if isinstance(network, MultiSpikeNetwork):
        try:
            check_multispike_fit(network, PRESETS["multispike"])
        except InputError:
            return None
        return "multispike"
    sizes = {name: core.banks * core.weight_rows * core.word_bits for name, core in PRESETS.items()}
    for name in sorted(sizes, key=lambda name: (name != "default", sizes[name])):
        try:
            check_fit(network, PRESETS[name])
        except InputError:
            continue
        return name
    return None


def _measure(variant: AnyVariant, splits: Splits) -> dict[str, Any]:
    """Return the figures of a network on all test images."""
    network = variant.network
    name = core_for(network)
    core = None if name is None else PRESETS[name]
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    if isinstance(network, MultiSpikeNetwork):
        outcome = run_multispike(network, images, core=core)
        spikes = sum(count.sum() for count in outcome.spike_count.values())
        further = {}
    else:
        outcome = golden.run(network, images, core=core)
        spikes = sum((times < network.steps).sum() for times in outcome.spike_time.values())
        further = first_spikes(network, outcome, images, labels)
    alive = [la.weights.size if la.alive is None else la.alive.sum() for la in network.layers]
    facts: dict[str, Any] = {
        "variant": variant.name,
        "digest": network.digest,
        "core": name,
        "steps": network.steps,
        "weight_bits": max(layer.weight_bits for layer in network.layers),
        "layers": [network.pixels, *(layer.neurons for layer in network.layers)],
        "synapses": sum(la.weights.size for la in network.layers),
        "connectivity": float(sum(alive) / sum(la.weights.size for la in network.layers)),
        "images": len(labels),
        "accuracy": _share(np.array(network.labels)[outcome.predicted] == labels),
        "spikes": float(spikes / len(labels)),
    }
    for counter in ("events", "synops", "macs", "cycles"):
        known = counter in outcome.counters
        facts[counter] = float(outcome.counters[counter].mean()) if known else None
    return facts | further | variant.facts


def first_spikes(
    network: Network, outcome: Outcome, images: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """Return what there is to know of a network that decides early.

    ``mean_step`` of the decision, and the share of ``forced`` ones; ``last_accuracy``, of the
    largest overshoot after the last step; and ``lenient_accuracy``, which counts all ties as hits:
    an image is right if an output of its class is among those that fire first. It is there to be
    compared with publications, and nothing is ranked by it.
    """
    classes = np.array(network.labels)
    last = golden.run(network, images, early_exit=False).last_predicted
    first = outcome.spike_time[network.layers[-1].name] == outcome.decision_step[:, None]
    first &= outcome.forced[:, None] == 0
    hit = (first & (classes == labels[:, None])).any(axis=1)
    hit |= (outcome.forced == 1) & (classes[outcome.predicted] == labels)
    return {
        "mean_step": float(outcome.decision_step.mean()),
        "forced": _share(outcome.forced == 1),
        "last_accuracy": _share(classes[last] == labels),
        "lenient_accuracy": _share(hit),
    }


def _share(found: np.ndarray) -> float:
    return float(found.mean())


def export_variant(folder: Path, name: str, network: Path) -> dict[str, Any]:
    """Copy the network ``name`` of a finished run to the folder ``network``.

    Raises
    ------
    InputError
        If the run is not finished, or has no such network.
    """
    if not (folder / METRICS).is_file():
        raise InputError(f"{folder}: no {METRICS} there, so not a finished run of a method")
    facts = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    rows = {row["variant"]: row for row in facts["variants"]}
    if name not in rows:
        raise InputError(f"--variant is {name!r}, must be one of {', '.join(rows)}")
    for file in ("weights.npz", "network.yaml"):
        write_file(network / file, (folder / _NETWORKS / name / file).read_bytes())
    return {"network": str(network)} | rows[name]
