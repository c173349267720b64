"""The runs of the study: a file each, so that a study that was broken off goes on."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.files import write_file
from firstspike.golden.learning_fast import learn
from firstspike.learning.evaluate import evaluate
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.plan import Plan, make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState
from firstspike.learning.study.rows import Row, core_of, cut, rules_of
from firstspike.provenance import commit
from firstspike.shipped import find_recipe
from firstspike.spec import CoreSpec

__all__ = ["ACCESSES", "Runs", "Told", "infer", "sums"]

#: Accesses that are counted, by kind.
ACCESSES = ("weight_reads", "weight_writes", "mask_reads", "state_reads", "state_writes")
#: What is summed over stimuli.
_SUMMED = ("events", "synops", "stdp_visits", "pruned", "forced", *ACCESSES)
#: Stimuli between two points of a curve.
_PIECE = 20_000

#: Called with how many stimuli more were learned, and a note.
Told = Callable[[int, str], None]


@dataclass(frozen=True)
class Runs:
    """The folder of the runs.

    Parameters
    ----------
    folder : Path
        One .json and one .npz a run.
    data : Path, optional
        Where the data sets lie.
    limit : int, optional
        Learn from, and measure on, the first images only.
    """

    folder: Path
    data: Path | None = None
    limit: int | None = None

    def plan(self, name: str, seed: int) -> Plan:
        """Return the run that the shipped recipe ``name`` asks for."""
        recipe = load_learning_recipe(find_recipe(name))
        plan = make_plan(recipe, limit=self.limit, seed=seed, folder=self.data)
        part = slice(self.limit)
        return replace(plan, test_images=plan.test_images[part], test_labels=plan.test_labels[part])

    def missing(self, row: Row, seed: int) -> int:
        """Return how many stimuli are still to be learned for a row and a seed."""
        names = [(row.recipe(variant), variant) for variant in ("dense", "skip", "online")]
        return sum(
            self.plan(name, seed).total
            for name, variant in names
            if self._kept(self._file(name, variant, seed), self._key(name, variant)) is None
        )

    def complete(self, row: Row) -> dict[int, dict[str, dict[str, Any]]]:
        """Return the facts of all variants by seed, as far as all of them were run."""
        found: dict[int, dict[str, dict[str, Any]]] = {}
        for path in sorted(self.folder.glob(f"{row.online}-online-*.json")):
            seed = int(path.stem.rpartition("-")[2])
            if self.missing(row, seed) == 0:
                found[seed] = self.row(row, seed, lambda more, note: None)
        return dict(sorted(found.items()))

    def row(self, row: Row, seed: int, told: Told) -> dict[str, dict[str, Any]]:
        """Return the facts of all four variants, and run those that are missing."""
        found = {
            variant: self._learned(row.recipe(variant), variant, seed, told)
            for variant in ("dense", "skip", "online")
        }
        live = found["online"]["live"]
        found["cut"] = self._cut(row, seed, live, found["dense"])
        return found

    def state(self, name: str, variant: str, seed: int) -> LearningState:
        """Return what a run has learned."""
        with np.load(self._file(name, variant, seed).with_suffix(".npz")) as archive:
            return LearningState.from_arrays(dict(archive))

    def _file(self, name: str, variant: str, seed: int) -> Path:
        return self.folder / f"{name}-{variant}-{seed}.json"

    def _key(self, name: str, variant: str, *more: int) -> str:
        """Return digits that a run has in common with no run of another recipe or core."""
        recipe = load_learning_recipe(find_recipe(name))
        digest = hashlib.blake2s(recipe.path.read_bytes(), digest_size=8)
        digest.update(repr((variant, core_of(recipe, variant), self.limit, *more)).encode())
        return digest.hexdigest()

    def _kept(self, path: Path, key: str) -> dict[str, Any] | None:
        """Return the facts in a file, None if it has none or those of another run."""
        if not path.exists():
            return None
        facts = json.loads(path.read_text())
        return facts if facts["key"] == key else None

    def _keep(self, path: Path, key: str, facts: dict[str, Any]) -> dict[str, Any]:
        facts = {"key": key, "commit": commit()} | facts
        write_file(path, (json.dumps(facts, indent=1) + "\n").encode())
        return facts

    def _learned(self, name: str, variant: str, seed: int, told: Told) -> dict[str, Any]:
        path, key = self._file(name, variant, seed), self._key(name, variant)
        facts = self._kept(path, key)
        if facts is not None:
            return facts
        plan = self.plan(name, seed)
        core = core_of(plan.recipe, variant)
        rules = rules_of(plan.recipe, variant)
        state, facts = _learn(plan, rules, core, told, f"{name} {variant} {seed}")
        content = io.BytesIO()
        np.savez_compressed(content, **state.arrays())  # type: ignore[arg-type]
        write_file(path.with_suffix(".npz"), content.getvalue())
        return self._keep(path, key, facts | _inferred(plan, rules[-1], core, state))

    def _cut(self, row: Row, seed: int, live: int, dense: dict[str, Any]) -> dict[str, Any]:
        """Measure the dense network with as many connections as the pruned one has.

        What is said of learning is the dense network's.
        """
        path, key = self._file(row.name, "cut", seed), self._key(row.dense, "cut", live)
        facts = self._kept(path, key)
        if facts is None:
            plan = self.plan(row.dense, seed)
            state = cut(self.state(row.dense, "dense", seed), live)
            rule = rules_of(plan.recipe, "dense")[-1]
            core = core_of(plan.recipe, "cut")
            facts = self._keep(path, key, _inferred(plan, rule, core, state))
        return dense | facts


def sums(outcome: LearnOutcome) -> dict[str, int]:
    """Return what the stimuli of ``outcome`` took together."""
    assert outcome.total_cycles is not None
    assert outcome.floor_cycles is not None
    return {name: int(outcome.counters[name].sum()) for name in _SUMMED} | {
        "stimuli": len(outcome.winner),
        "cycles": outcome.total_cycles,
        "floor_cycles": int(outcome.floor_cycles.sum()),
    }


def _learn(
    plan: Plan, rules: tuple[Rule, ...], core: CoreSpec, told: Told, label: str
) -> tuple[LearningState, dict[str, Any]]:
    """Learn as ``plan`` says, but by other rules; return the end and the curve to it."""
    state = plan.first_state()
    curve: list[dict[str, Any]] = []
    n = len(plan.images)
    seen = 0
    for number, rule in enumerate(rules):
        order = plan.order(number)
        for begin in range(0, n, _PIECE):
            chosen = order[begin : begin + _PIECE]
            outcome = learn(rule, state, plan.images[chosen], plan.labels[chosen], core=core)
            state = outcome.state
            seen += len(chosen)
            point = sums(outcome) | {"seen": seen, "alive": float(state.alive.mean())}
            if begin + _PIECE >= n or state.classes is None:
                point["accuracy"] = evaluate(plan, rule, state).accuracy
            curve.append(point)
            told(len(chosen), f"{label}: {100 * state.alive.mean():.1f} % alive")
    whole = {
        name: sum(point[name] for point in curve)
        for name in (*_SUMMED, "stimuli", "cycles", "floor_cycles")
    }
    return state.settled(), {"passes": len(rules), "learning": whole, "curve": curve}


def _inferred(plan: Plan, rule: Rule, core: CoreSpec, state: LearningState) -> dict[str, Any]:
    """Return what the learned network does with the images that accuracy is measured on."""
    found = evaluate(plan, rule, state)
    outcome = infer(rule, core, state, plan.test_images)
    return {
        "accuracy": found.accuracy,
        "alive": float(state.alive.mean()),
        "live": int(state.alive.sum()),
        "zero": float((state.weights == 0).mean()),
        "mean_steps": found.mean_steps,
        "inference": sums(outcome),
    }


def infer(rule: Rule, core: CoreSpec, state: LearningState, images: np.ndarray) -> LearnOutcome:
    """Return what a core does that could learn, but is not told to.

    That is what a core does with images that have no label, and what it would do as a network;
    but a network of which no neuron can fire any more, which decides by the largest potential in
    the end, is refused where networks are run.
    """
    silent = Supervised(
        weight_bits=rule.weight_bits,
        time_bits=rule.time_bits,
        intensity_min=rule.intensity_min,
        off=rule.off,
        up=rule.up,
        down=rule.down,
    )
    classes = state.group.copy()
    return learn(silent, replace(state, classes=classes), images, None, core=core)
