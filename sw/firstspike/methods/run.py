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

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.methods.measure import measure
from firstspike.methods.recipe import load_method_recipe
from firstspike.network import AnyNetwork, MultiSpikeNetwork, save_multispike, save_network
from firstspike.progress import counted
from firstspike.provenance import commit
from firstspike.train.batches import load_splits
from firstspike.train.recipe import SEED_MAX

__all__ = ["METRICS", "export_variant", "train_method"]

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
            rows.append(measure(variant, splits))
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
