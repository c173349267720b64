"""From runs to the entries of docs/methods.json, and from these to figures over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firstspike.cores import PRESETS
from firstspike.methods.table.rows import Row
from firstspike.methods.table.runs import SPARSE, Runs

__all__ = ["Result", "cycles", "entries", "mean", "results", "sparse_cycles", "spread"]

#: An entry: what one network of one run is, and what it does on the whole test set.
Entry = dict[str, Any]

#: Of a run, and too long for the file.
_LEFT_OUT = ("weight_error",)


def entries(runs: Runs, rows: tuple[Row, ...], seeds: list[int]) -> list[Entry]:
    """Return an entry for every network of every run that is finished.

    Returns
    -------
    list of dict
        What `firstspike.methods.run` measured, with ``recipe``, ``method``, ``data``, ``seed``,
        ``seconds`` of the whole run, ``command`` and ``commit``; ``rtl`` is the comparison with
        the RTL (`Runs.check`), None where none was made.
    """
    found: list[Entry] = []
    for job in runs.jobs(rows, seeds):
        metrics = runs.metrics(job)
        if metrics is None:
            continue
        checks = runs.checks(job)
        of_run = {key: value for key, value in metrics.items() if key != "variants"}
        for variant in metrics["variants"]:
            kept = {key: value for key, value in variant.items() if key not in _LEFT_OUT}
            found.append(
                {"title": job.row.title}
                | of_run
                | {"command": f"firstspike train {job.recipe} -o RUN --seed {job.seed}"}
                | kept
                | {"rtl": checks.get(variant["variant"])}
            )
    return found


@dataclass(frozen=True)
class Result:
    """A network of a recipe, with an entry for each seed."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """Of the lowest seed; for what is the same in all of them."""
        return self.entries[0]

    def values(self, key: str) -> list[float]:
        """Return a figure for each seed; none of a seed that does not have it."""
        return [e[key] for e in self.entries if e.get(key) is not None]


def results(found: Sequence[Entry]) -> dict[tuple[str, str], Result]:
    """Return results by recipe and name of the network, in the order of the entries."""
    grouped: dict[tuple[str, str], list[Entry]] = {}
    for entry in found:
        grouped.setdefault((entry["recipe"], entry["variant"]), []).append(entry)
    return {key: Result(tuple(of)) for key, of in grouped.items()}


def mean(result: Result, key: str) -> float | None:
    """Return the mean over seeds; None if no seed has the figure."""
    values = result.values(key)
    return statistics.fmean(values) if values else None


def sparse_cycles(result: Result) -> list[float]:
    """Return the cycles an image of the core `firstspike.methods.table.runs.SPARSE`, by seed."""
    checks = [entry.get("rtl") or {} for entry in result.entries]
    return [check["sparse"]["cycles"] for check in checks if "sparse" in check]


def cycles(result: Result, *, sparse: bool) -> float | None:
    """Return the cycles an image on a dense or on a sparse core.

    None if the network did not run on such a core, of as many lanes as `SPARSE` has.
    """
    core = result.first.get("core")
    if core is None or PRESETS[core].lanes != PRESETS[SPARSE].lanes:
        return None
    if PRESETS[core].sparse == sparse:
        return mean(result, "cycles")
    there = sparse_cycles(result)
    return statistics.fmean(there) if sparse and there else None


def spread(values: Sequence[float], digits: int, factor: float = 1.0) -> str:
    """Return the mean, with the standard deviation where there are three values or more."""
    if not values:
        return "-"
    scaled = [factor * value for value in values]
    text = f"{statistics.fmean(scaled):.{digits}f}"
    if len(scaled) >= 3:
        text += f" ± {statistics.stdev(scaled):.{digits}f}"
    return text
