"""The runs of the sweep: a recipe and a file of facts each, so that a sweep can go on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from firstspike.files import write_file
from firstspike.golden.learning_fast import learn
from firstspike.learning.evaluate import evaluate
from firstspike.learning.plan import Plan, make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.learning.study.figures import accesses
from firstspike.learning.study.rows import core_of
from firstspike.learning.study.runs import infer, sums
from firstspike.learning.study.sweep.settings import Setting
from firstspike.provenance import commit

__all__ = ["COSTS", "Sweep"]

#: What a design costs, by the name of its fact, and how that is called.
COSTS = {
    "live": "live connections",
    "inference_cycles": "cycles an inferred image",
    "learning_cycles": "cycles a learned stimulus",
}


@dataclass(frozen=True)
class Sweep:
    """The folder of the runs.

    Parameters
    ----------
    folder : Path
        A recipe a design, as ``firstspike learn`` takes it, and the facts of its runs.
    data : Path, optional
        Where the data sets lie.
    limit : int, optional
        Learn from the first images only.
    """

    folder: Path
    data: Path | None = None
    limit: int | None = None

    def known(self, setting: Setting, seed: int | None) -> dict[str, Any] | None:
        """Return the facts of a run, None if there are none or those of another recipe."""
        path = self._file(setting, seed)
        if not path.exists():
            return None
        facts = json.loads(path.read_text())
        return facts if facts["key"] == self._key(setting, seed) else None

    def run(self, setting: Setting, seed: int | None) -> dict[str, Any]:
        """Return the facts of a run, and run it first if they are missing.

        Parameters
        ----------
        setting : Setting
            The design.
        seed : int, optional
            Learn all training images and measure on the test images, with this seed. None: hold
            back the validation images and measure on them, with seed 0.
        """
        facts = self.known(setting, seed)
        if facts is None:
            path = self._file(setting, None if seed is None else 0).with_suffix(".yaml")
            write_file(path, self._text(setting, seed).encode())
            recipe = load_learning_recipe(path)
            plan = make_plan(recipe, limit=self.limit, seed=seed or 0, folder=self.data)
            facts = {"key": self._key(setting, seed)} | _measured(plan, setting)
            write_file(self._file(setting, seed), (json.dumps(facts, indent=1) + "\n").encode())
        return facts

    def _file(self, setting: Setting, seed: int | None) -> Path:
        return self.folder / f"{setting.name}-{'validation' if seed is None else seed}.json"

    def _text(self, setting: Setting, seed: int | None) -> str:
        return yaml.safe_dump(setting.recipe(validation=seed is None), sort_keys=False)

    def _key(self, setting: Setting, seed: int | None) -> str:
        """Return digits that a run has in common with no run of another recipe."""
        text = f"{self._text(setting, seed)}{seed} {self.limit}"
        return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _measured(plan: Plan, setting: Setting) -> dict[str, Any]:
    """Learn as ``plan`` says; return accuracy, live connections, and cycles and accesses of one."""
    core = core_of(plan.recipe, "online" if setting.below else "dense")
    core = replace(core, time_bits=setting.time_bits)
    state = plan.first_state()
    parts: list[dict[str, int]] = []
    for number, rule in enumerate(plan.rules):
        order = plan.order(number)
        outcome = learn(rule, state, plan.images[order], plan.labels[order], core=core)
        state = outcome.state
        parts.append(sums(outcome))
    state, rule = state.settled(), plan.rules[-1]
    inferred = sums(infer(rule, core, state, plan.test_images))
    return {
        "accuracy": evaluate(plan, rule, state).accuracy,
        "alive": float(state.alive.mean()),
        "live": int(state.alive.sum()),
        "learning_cycles": sum(part["cycles"] for part in parts) / plan.total,
        "learning_accesses": sum(accesses(part) for part in parts) / plan.total,
        "inference_cycles": inferred["cycles"] / inferred["stimuli"],
        "inference_accesses": accesses(inferred) / inferred["stimuli"],
        "forced": inferred["forced"] / inferred["stimuli"],
        "commit": commit(),
    }
