"""From a finished run to a network folder, with proof and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.network import save_network
from firstspike.spec import weight_range
from firstspike.train.batches import SHAPES
from firstspike.train.measure import network_of
from firstspike.train.run import read_run
from firstspike.train.widths import prove_widths

__all__ = ["export"]


def export(run_folder: Path, network_folder: Path) -> dict[str, Any]:
    """Write the integer network of a finished run: network.yaml, weights.npz, recipe.yaml.

    A report goes to ``export.json`` in the run folder: for each layer what its potentials can
    meet and the bits that they need, the share of weights that are 0 or at their bound, and what
    quantisation cost: scores of the integer network and, as ``..._latent``, of the weights before
    they were rounded.

    Parameters
    ----------
    run_folder : Path
        Of `firstspike.train.loop.train`.
    network_folder : Path
        Made if missing.

    Returns
    -------
    dict
        The report.

    Raises
    ------
    InputError
        If the run is not finished, or its network cannot be expressed; nothing is written then.
    """
    run = read_run(run_folder)
    recipe = run.recipe
    network = network_of(run, SHAPES[recipe.data])
    try:
        layers = prove_widths(network, recipe.potential_bits)
    except InputError as error:
        raise InputError(f"{run_folder}: {error}") from error
    for entry, layer in zip(layers, network.layers, strict=True):
        entry["zero"] = float((layer.weights == 0).mean())
        entry["at_bound"] = float(
            (np.abs(layer.weights) == weight_range(layer.kind, layer.weight_bits)[1]).mean()
        )
    report = {
        "network": str(network_folder),
        "name": network.name,
        "digest": network.digest,
        "seed": run.seed,
        "potential_bits": max(entry["bits"] for entry in layers),
        "layers": layers,
        **(run.result or {}),
    }
    save_network(network, network_folder)
    write_file(network_folder / "recipe.yaml", (run_folder / "recipe.yaml").read_bytes())
    write_file(run_folder / "export.json", (json.dumps(report, indent=1) + "\n").encode())
    return report
