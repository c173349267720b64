"""The runs behind the table: a folder each, so that a table that was broken off goes on."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from firstspike.cores import load_core
from firstspike.engines import GoldenEngine, open_engine
from firstspike.files import write_file
from firstspike.methods.recipe import is_method
from firstspike.methods.run import METRICS, train_method
from firstspike.methods.table.rows import DATA, Row
from firstspike.methods.table.trained import train_recipe
from firstspike.network import AnyNetwork, load_any_network
from firstspike.outcome import first_difference
from firstspike.provenance import commit
from firstspike.shipped import find_recipe
from firstspike.stimuli import load_stimuli

__all__ = ["SPARSE", "Job", "Runs"]

#: Core on which networks with few connections run, too.
SPARSE = "sparse"

_CHECKS = "checks"


@dataclass(frozen=True, slots=True)
class Job:
    """A run of the table: a recipe of ``row``, for a data set and a seed."""

    row: Row
    data: str
    seed: int

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return self.row.recipe(self.data)

    def __str__(self) -> str:
        return f"{self.recipe}, seed {self.seed}"


@dataclass(frozen=True)
class Runs:
    """The folder of the runs.

    Parameters
    ----------
    folder : Path
        One folder a run.
    images : int
        Of the test set, for the comparison of RTL and golden model.
    data : Path, optional
        Where the data sets lie.
    """

    folder: Path
    images: int = 1000
    data: Path | None = None

    def jobs(self, rows: tuple[Row, ...], seeds: list[int]) -> Iterator[Job]:
        """Yield all runs, seed by seed, so that a table broken off has something of every row."""
        for seed in seeds:
            for row in rows:
                for data in DATA:
                    yield Job(row, data, seed)

    def seeds(self) -> list[int]:
        """Return the seeds that any run has, ascending."""
        names = (folder.name.rpartition("-")[2] for folder in self.folder.glob("*-*"))
        return sorted({int(name) for name in names if name.isdecimal()})

    def path(self, job: Job) -> Path:
        """Return the folder of a run."""
        return self.folder / f"{job.recipe}-{job.seed}"

    def metrics(self, job: Job) -> dict[str, Any] | None:
        """Return what a run has in its ``metrics.json``; None if it is yet to be made.

        A run of a recipe that was changed since is none.
        """
        folder = self.path(job)
        if not (folder / METRICS).is_file():
            return None
        if _content(folder / "recipe.yaml") != _content(find_recipe(job.recipe)):
            return None
        return json.loads((folder / METRICS).read_text(encoding="utf-8"))

    def train(self, job: Job) -> dict[str, Any]:
        """Make a run if it is missing; return its metrics."""
        found = self.metrics(job)
        if found is not None:
            return found
        path, folder = find_recipe(job.recipe), self.path(job)
        make = train_method if is_method(path) else train_recipe
        if make is train_method or (folder / METRICS).exists():
            shutil.rmtree(folder, ignore_errors=True)
        return make(path, folder, seed=job.seed, data_folder=self.data)

    def checks(self, job: Job) -> dict[str, dict[str, Any]]:
        """Return the comparisons of a run with the RTL, by network, as far as they were made."""
        metrics = self.metrics(job) or {"variants": []}
        found = {}
        for entry in metrics["variants"]:
            path = self._check(job, entry["variant"])
            if path.is_file():
                facts = json.loads(path.read_text(encoding="utf-8"))
                if (facts["digest"], facts["images"]) == (entry["digest"], self.images):
                    found[entry["variant"]] = facts
        return found

    def check(self, job: Job, variant: str) -> dict[str, Any] | None:
        """Compare the RTL with the golden model, in all that either tells; return the facts.

        ``equal``, ``difference`` (None or where), ``values`` compared, ``images``, ``digest``,
        ``core`` and ``seconds`` of the RTL, and ``commit``. A network with fewer than all
        connections also has ``sparse``: the same of the core `SPARSE`, and its ``cycles`` an image
        of the whole test set. None if no core with a name has room for the network.
        """
        known = self.checks(job)
        if variant in known:
            return known[variant]
        entry = next(e for e in self.train(job)["variants"] if e["variant"] == variant)
        if entry["core"] is None:
            return None
        network = load_any_network(self.path(job) / "networks" / variant)
        images = load_stimuli(job.data, network.shape, split="test", folder=self.data).images
        facts = {"digest": network.digest, "images": self.images}
        facts |= _compare(network, entry["core"], images[: self.images])
        if entry["connectivity"] < 1:
            outcome = GoldenEngine().run(network, load_core(SPARSE), images)
            facts["sparse"] = _compare(network, SPARSE, images[: self.images]) | {
                "cycles": float(outcome.counters["cycles"].mean())
            }
        facts["commit"] = commit()
        write_file(self._check(job, variant), (json.dumps(facts, indent=1) + "\n").encode())
        return facts

    def _check(self, job: Job, variant: str) -> Path:
        return self.path(job) / _CHECKS / f"{variant}.json"


def _content(path: Path) -> Any:
    """Return what a recipe says, whatever its comments say."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _compare(network: AnyNetwork, core: str, images: np.ndarray) -> dict[str, Any]:
    """Return how the RTL of a core compares with the golden model."""
    spec = load_core(core)
    golden = GoldenEngine().run(network, spec, images)
    start = time.monotonic()
    rtl = open_engine("rtl").run(network, spec, images)
    seconds = time.monotonic() - start
    difference = first_difference(golden, rtl)
    return {
        "core": core,
        "equal": difference is None,
        "difference": None if difference is None else str(difference),
        "values": sum(array.size for array in golden.arrays().values()),
        "seconds": seconds,
    }
