"""Training, quantisation and export; everything but `firstspike.train.recipe` needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["export", "train"]


def train(
    recipe_path: Path,
    run_folder: Path,
    *,
    seed: int | None = None,
    resume: bool = False,
    data_folder: Path | None = None,
) -> dict[str, Any]:
    """Train the network of a recipe; see `firstspike.train.loop.train`."""
    # Imported here, so that recipes can be read where torch is not installed.
    from firstspike.train.loop import train as run

    return run(recipe_path, run_folder, seed=seed, resume=resume, data_folder=data_folder)


def export(run_folder: Path, network_folder: Path) -> dict[str, Any]:
    """Write the integer network of a finished run; see `firstspike.train.exporting.export`."""
    from firstspike.train.exporting import export as run

    return run(run_folder, network_folder)
