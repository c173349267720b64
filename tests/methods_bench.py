"""What the tests of methods share: recipes on digits, and the core beside the golden model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from firstspike.cores import PRESETS
from firstspike.engines import open_engine
from firstspike.golden.multispike import run_multispike
from firstspike.methods.recipe import MethodRecipe, load_method_recipe
from firstspike.methods.variant import Variant
from firstspike.outcome import first_difference

__all__ = ["check_on_core", "recipe"]

CORE = PRESETS["multispike"]


def recipe(tmp_path: Path, method: str, rest: str) -> MethodRecipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"version: 1\nkind: method\nmethod: {method}\ndata: digits\nvalidation: 100\n{rest}"
    )
    return load_method_recipe(path)


def check_on_core(variant: Variant, images: np.ndarray) -> None:
    """Assert that the core does what the golden model does, cycle for cycle."""
    golden = run_multispike(variant.network, images, core=CORE)
    outcome = open_engine("pysim").run(variant.network, CORE, images)
    difference = first_difference(golden, outcome)
    assert difference is None, difference
    assert "cycles" in golden.counters
    firing = [layer.name for layer in variant.network.layers if layer.threshold is not None]
    assert firing and all(golden.spike_count[name].any() for name in firing)
