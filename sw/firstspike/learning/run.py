"""Learning from a recipe to a network: in pieces, so that it can be broken off and resumed."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.engines import LearningEngine
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.golden.learning_fast import classify
from firstspike.learning.checkpoint import Checkpoint
from firstspike.learning.evaluate import evaluate
from firstspike.learning.export import LAYER, network_of
from firstspike.learning.labels import assign
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.plan import Plan
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState
from firstspike.network import save_network
from firstspike.spec import CoreSpec

__all__ = ["Progress", "learn"]

#: Stimuli between two checkpoints.
_PIECE = 5000
#: Stimuli that the running accuracy is measured on, before they are learned.
_PEEK = 500

#: Called with the number of stimuli done so far, and a note on how it goes.
Progress = Callable[[int, str], None]


class _Sums:
    """What is summed over the stimuli of a phase, or of the whole run."""

    def __init__(self, kept: dict[str, int] | None = None) -> None:
        self.values: dict[str, int] = dict(kept or {})

    def add(self, outcome: LearnOutcome, labels: np.ndarray) -> None:
        """Add what happened to a piece of stimuli with these labels."""
        values = outcome.sums() | {"stimuli": len(outcome.winner)}
        classes = outcome.state.classes
        if classes is not None:
            wrong = (classes[outcome.winner] != labels) & (labels >= 0)
            values["errors"] = int(wrong.sum())
        if outcome.floor_cycles is not None:
            values["floor_cycles"] = int(outcome.floor_cycles.sum())
        for name, value in values.items():
            self.values[name] = self.values.get(name, 0) + value

    def facts(self) -> dict[str, Any]:
        """Return the sums, ready for JSON, with the counters by themselves."""
        apart = ("stimuli", "errors", "total_cycles", "floor_cycles")
        facts: dict[str, Any] = {name: self.values[name] for name in apart if name in self.values}
        facts["counters"] = {
            name: value for name, value in self.values.items() if name not in apart
        }
        return facts


def learn(
    plan: Plan,
    engine: LearningEngine,
    core: CoreSpec | None,
    folder: Path,
    *,
    label: str,
    origin: Mapping[str, Any],
    resume: bool = False,
    dump: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Learn as ``plan`` says and leave the network in ``folder``.

    Parameters
    ----------
    plan : Plan
        What to learn from, and by which rules.
    engine : LearningEngine
        What learns.
    core : CoreSpec, optional
        What it runs on; the golden model also learns without one.
    folder : Path
        Folder of the network, with ``learning.json``: what this function returns.
    label : str
        Of the engine and the core; a run is resumed with the same only.
    origin : mapping
        From `firstspike.provenance.provenance`; a dump holds it, with what was learned.
    resume : bool
        Go on with the unfinished run in ``folder``; what is learned is, in every bit, what a run
        that was never broken off learns.
    dump : Path, optional
        Write the result of every stimulus to this .npz file.
    progress : callable, optional
        Told how it goes.

    Returns
    -------
    dict
        Figures of the run, ready for JSON; docs/command-line.md has its keys.

    Raises
    ------
    InputError
        If there is an unfinished run and ``resume`` is false, or none and it is true, or another
        one; or if rule, core and images do not fit each other.
    """
    checkpoint = Checkpoint(folder, f"{plan.digest} {label}")
    state = plan.first_state()
    notes: dict[str, Any] = {"done": 0, "phases": [], "phase": {}, "whole": {}, "seconds": 0.0}
    if resume:
        state, notes = checkpoint.load()
    elif checkpoint.exists():
        raise InputError(
            f"{folder}: holds an unfinished run: go on with --resume, or remove {checkpoint.folder}"
        )
    if dump is not None and notes["done"]:
        checkpoint.records(notes["done"])
    phase, whole = _Sums(notes["phase"]), _Sums(notes["whole"])
    begun = time.monotonic() - notes["seconds"]
    recent: list[tuple[np.ndarray, np.ndarray]] = []
    done, n = notes["done"], len(plan.images)
    while done < plan.total:
        number, at = divmod(done, n)
        count = min(_PIECE, n - at, plan.recipe.report - phase.values.get("stimuli", 0))
        chosen = plan.order(number)[at : at + count]
        images, labels, rule = plan.images[chosen], plan.labels[chosen], plan.rules[number]
        note = _note(rule, state, images[:_PEEK], labels[:_PEEK], recent)

        def shown(so_far: int, done: int = done, note: str = note) -> None:
            if progress is not None:
                progress(done + so_far, note)

        shown(0)
        outcome = engine.learn(rule, core, state, images, labels, progress=shown)
        state = outcome.state
        done += count
        recent = [*recent[-1:], (outcome.winner, labels)]
        phase.add(outcome, labels)
        whole.add(outcome, labels)
        if phase.values["stimuli"] == plan.recipe.report or done == plan.total:
            notes["phases"].append(phase.facts() | _figures(plan, rule, state, number, done))
            phase = _Sums()
        notes |= {"done": done, "phase": phase.values, "whole": whole.values}
        notes["seconds"] = time.monotonic() - begun
        if dump is not None:
            checkpoint.save_records(outcome, done)
        checkpoint.save(state, notes)
    rule, state = plan.rules[-1], state.settled()
    labels = evaluate(plan, rule, state).labels
    network = network_of(rule, state, labels, name=plan.recipe.name, shape=plan.shape)
    facts: dict[str, Any] = {
        "network": network.name,
        "digest": network.digest,
        "data": plan.data,
        "split": "train",
        "images": n,
        "passes": len(plan.rules),
        "seed": plan.seed,
        "rule": "supervised" if isinstance(rule, Supervised) else "unsupervised",
        "prune": any(rule.pruning is not None for rule in plan.rules),
        "inputs": state.inputs,
        "neurons": state.neurons,
        "evaluated_on": plan.evaluated_on,
        "labelled_neurons": int((labels >= 0).sum()),
    }
    last = notes["phases"][-1]
    facts |= {name: last[name] for name in ("accuracy", "alive", "forced", "mean_steps")}
    facts |= whole.facts()
    facts["seconds"] = notes["seconds"]
    facts["stimuli_per_second"] = plan.total / notes["seconds"]
    facts["phases"] = notes["phases"]
    if dump is not None:
        origin = {
            **origin,
            "network": network.name,
            "network_digest": network.digest,
            "recipe": plan.recipe.name,
            "seed": plan.seed,
            "pruning": facts["prune"],
            "data": plan.data,
            "split": "train",
            "evaluated_on": plan.evaluated_on,
        }
        write_file(dump, _dump(plan, checkpoint.records(done), state, facts, origin))
    save_network(network, folder)
    write_file(folder / "learning.json", (json.dumps(facts, indent=2) + "\n").encode())
    checkpoint.remove()
    return facts


def _figures(
    plan: Plan, rule: Rule, state: LearningState, number: int, done: int
) -> dict[str, Any]:
    """Return how good the learner is after ``done`` stimuli."""
    found = evaluate(plan, rule, state)
    return {
        "pass": number + 1,
        "seen": done,
        "accuracy": found.accuracy,
        "alive": float(state.alive.mean()),
        "forced": found.forced,
        "mean_steps": found.mean_steps,
    }


def _note(
    rule: Rule,
    state: LearningState,
    images: np.ndarray,
    labels: np.ndarray,
    recent: list[tuple[np.ndarray, np.ndarray]],
) -> str:
    """Return share of live synapses, and accuracy on what is about to be learned.

    Neurons without classes have those of the stimuli which they won lately.
    """
    note = f"{100 * state.alive.mean():.1f} % alive"
    classes = state.classes
    if classes is None and recent:
        winners, known = (np.concatenate(column) for column in zip(*recent, strict=True))
        classes = assign(winners, known, state.neurons)
    if classes is None or not (labels >= 0).any():
        return note
    winner, _ = classify(rule, state, images)
    return f"{note}, {100 * (classes[winner] == labels)[labels >= 0].mean():.1f} % right"


def _dump(
    plan: Plan,
    records: dict[str, np.ndarray],
    state: LearningState,
    facts: Mapping[str, Any],
    origin: Mapping[str, Any],
) -> bytes:
    """Return an .npz archive with what happened to every stimulus; docs/command-line.md."""
    first = plan.first_state()
    order = np.concatenate([plan.order(number) for number in range(len(plan.rules))])
    counters = {
        name.removeprefix("counters."): array
        for name, array in records.items()
        if name.startswith("counters.")
    }
    arrays = {
        "order": order,
        "label": plan.labels[order],
        "winner": records["winner"],
        "decision_step": records["decision_step"],
        "counters": np.stack(list(counters.values()), axis=1),
        "counter_names": np.array(list(counters)),
        "seed": np.array(plan.seed),
        f"weights0.{LAYER}": first.weights,
        f"threshold0.{LAYER}": first.threshold,
        f"weights.{LAYER}": state.weights,
        f"alive.{LAYER}": state.alive.astype(np.uint8),
        f"threshold.{LAYER}": state.threshold,
        "lfsr": np.array(state.lfsr),
        "phases": np.array(json.dumps(facts["phases"])),
        "provenance": np.array(json.dumps(origin)),
    }
    if "total_cycles" in facts:
        arrays["total_cycles"] = np.array(facts["total_cycles"])
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()
