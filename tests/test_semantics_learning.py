"""The worked examples of docs/semantics.md on learning, sections 7 to 9.

The expected numbers stand in the text, computed by hand, and nowhere else. Each example runs one
stimulus at a time, and all at once.

Mutants are listed in test_learning_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from firstspike.engines import open_engine
from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
from firstspike.golden.randomness import advance, random_byte
from firstspike.learning import (
    Bound,
    LearningState,
    LearnOutcome,
    Pruning,
    Rule,
    Supervised,
    Unsupervised,
    table,
)
from firstspike.learning.outcome import joined

TEXT = (Path(__file__).parents[1] / "docs" / "semantics.md").read_text()
EXAMPLES = [
    yaml.safe_load(block) for block in re.findall(r"```yaml learning\n(.*?)```", TEXT, re.S)
]
IDS = [f"{i}-rule-{example['rule']}" for i, example in enumerate(EXAMPLES)]
RANDOM = yaml.safe_load(re.findall(r"```yaml random\n(.*?)```", TEXT, re.S)[0])

Learn = Callable[[Rule, LearningState, np.ndarray, np.ndarray], LearnOutcome]


def rule_of(given: dict) -> Rule:
    bits, bound = given.get("weight_bits", 8), Bound(given.get("bound", "soft"))
    values = {
        "weight_bits": bits,
        "time_bits": 3,
        "up": table(bound, given["potentiate"], bits, up=True),
        "down": table(bound, given["depress"], bits, up=False),
        "homeostasis": given.get("homeostasis", 0),
        "pruning": Pruning(**given["prune"]) if "prune" in given else None,
    }
    if "classes" not in given:
        return Unsupervised(**values)
    more = {name: given[name] for name in ("own", "other", "reward", "error_step") if name in given}
    return Supervised(**values, **more)


def state_of(given: dict) -> LearningState:
    weights = np.array(given["weights"], np.uint8)
    classes = given.get("classes")
    groups = 1 if classes is None else max(classes) + 1
    return LearningState(
        weights=weights,
        alive=np.ones(weights.shape, bool),
        threshold=np.array(given["threshold"], np.int64),
        offset=np.array(given.get("offset", [0] * groups), np.int64),
        lfsr=given.get("lfsr", 1),
        seen=0,
        classes=None if classes is None else np.array(classes, np.int64),
    )


def definition(
    rule: Rule, state: LearningState, images: np.ndarray, labels: np.ndarray
) -> LearnOutcome:
    learner = Learner(rule, state)
    times = step_times(images, rule.time_bits, rule.intensity_min).tolist()
    results = [learner.learn(*each) for each in zip(times, labels.tolist(), strict=True)]
    names = ("events", "synops", "stdp_visits", "stdp_changes", "pruned", "forced",
             "over_threshold", "ties")  # fmt: skip
    return LearnOutcome(
        winner=np.array([result.winner for result in results]),
        decision_step=np.array([result.decision_step for result in results]),
        state=learner.state(),
        counters={name: np.array([getattr(result, name) for result in results]) for name in names},
    )


def engine_golden(
    rule: Rule, state: LearningState, images: np.ndarray, labels: np.ndarray
) -> LearnOutcome:
    return open_engine("golden").learn(rule, None, state, images, labels)  # type: ignore[attr-defined]


LEARN: dict[str, Learn] = {"definition": definition, "golden": engine_golden}


def check(stimulus: dict, outcome: LearnOutcome, i: int) -> None:
    assert outcome.winner[i] == stimulus["winner"]
    assert outcome.decision_step[i] == stimulus["decision_step"]
    for name, value in stimulus.get("counters", {}).items():
        assert outcome.counters[name][i] == value, name


def check_state(stimulus: dict, state: LearningState) -> None:
    found = {name: array.tolist() for name, array in state.arrays().items()}
    found["in_force"] = state.in_force.tolist()
    for name in found.keys() & stimulus.keys():
        assert found[name] == stimulus[name], name


def test_every_rule_has_an_example():
    assert {example["rule"] for example in EXAMPLES} == {"7.1", "7.3", "7.4", "8.1", "8.2", "9"}


def test_random_numbers():
    register, *later = RANDOM["shifts"]
    for expected in later:
        register = advance(register, 1)
        assert register == expected
    for i, expected in RANDOM["bytes"].items():
        assert random_byte(RANDOM["register"], i) == expected


@pytest.mark.parametrize("learn", LEARN)
@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_examples(example, learn):
    rule, start = rule_of(example["learner"]), state_of(example["learner"])
    stimuli = example["stimuli"]
    images = np.array([stimulus["pixels"] for stimulus in stimuli], np.uint8)
    labels = np.array([stimulus.get("label", -1) for stimulus in stimuli])
    state, parts = start, []
    for i, stimulus in enumerate(stimuli):
        part = LEARN[learn](rule, state, images[i : i + 1], labels[i : i + 1])
        check(stimulus, part, 0)
        check_state(stimulus, part.state)
        state = part.state
        parts.append(part)
    whole = LEARN[learn](rule, start, images, labels)
    for i, stimulus in enumerate(stimuli):
        check(stimulus, whole, i)
    for name, array in joined(parts).state.arrays().items():
        assert np.array_equal(array, whole.state.arrays()[name]), name
