"""Random learners on random learning cores, and what happened in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
from firstspike.learning import (
    LearningState,
    LearnOutcome,
    Pruning,
    Rule,
    Supervised,
    Unsupervised,
)
from firstspike.spec import (
    AMOUNT_BITS,
    CLASS_BLOCK,
    HANDICAP_MAX,
    LEARNED_THRESHOLD_MAX,
    MASK_BITS,
    OFFSET_LIMIT,
    CoreSpec,
)

__all__ = [
    "LearnerCase",
    "by_definition",
    "draw_learner",
    "draw_learner_core",
    "learner_features",
    "rearranged",
]

#: Events that a bank can be behind the others, and more cycles than an event is ever on its way.
_QUEUE = 16
_SLACK = 12


@dataclass(frozen=True, slots=True)
class LearnerCase:
    """Something to learn.

    Attributes
    ----------
    rule, state, core : Rule, LearningState, CoreSpec
        How, from what, and where; the learner fits the core.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli: noise of any density, all black and all white ones.
    labels : ndarray of int64, shape (n,), or None
        Classes, -1 for none; None without supervision.
    """

    rule: Rule
    state: LearningState
    core: CoreSpec
    images: np.ndarray
    labels: np.ndarray | None

    @property
    def times(self) -> np.ndarray:
        """Spike times of all inputs, int64 of shape (n, inputs)."""
        images = self.images
        if self.rule.off:
            images = np.concatenate([images, 255 - images], axis=1)
        return step_times(images, self.rule.time_bits, self.rule.intensity_min)


def draw_learner_core(rng: np.random.Generator, *, banks: int | None = None) -> CoreSpec:
    """Return a small learning core of ``banks`` banks, or of any number."""
    inputs = MASK_BITS * int(rng.integers(1, 4))
    rows = int(rng.choice([1, 2, 3, 3, 5, 17] if rng.random() < 0.2 else [1, 2, 3]))
    return CoreSpec(
        banks=int(rng.choice([2, 2, 4, 8, 16])) if banks is None else banks,
        word=1,
        weight_bits=int(rng.choice([8, 4, 3])),
        time_bits=int(rng.integers(3, 6)),
        ramp=False,
        max_layers=1,
        max_inputs=inputs,
        state_rows=rows,
        weight_rows=inputs * rows,
        pixels=int(rng.choice([4, 4, 8])),
        learning=True,
        pruning=bool(rng.random() < 0.8),
    )


def _rule(rng: np.random.Generator, core: CoreSpec, inputs: int, classes: int) -> Rule:
    """Return a rule that changes weights by leaps, so that something happens soon."""
    bits = core.weight_bits
    # The largest change is all of a weight; some tables have small ones only.
    most = int(rng.choice([1, 300, (1 << min(bits + 8, AMOUNT_BITS)) - 1]))
    up, down = rng.integers(0, most + 1, (2, 1 << bits)).tolist()
    pruning = None
    if core.pruning and rng.random() < 0.8:
        pruning = Pruning(
            below=int(rng.integers(1, 1 << bits)),
            after=int(rng.choice([0, 1, 2, 5])),
            min_fan_in=int(rng.choice([1, max(1, inputs // 2), max(1, inputs - 2)])),
        )
    values = {
        "weight_bits": bits,
        "time_bits": int(rng.integers(3, core.time_bits + 1)),
        "intensity_min": int(rng.choice([1, 40])),
        "off": inputs > core.max_inputs // 2 and inputs % (2 * core.pixels) == 0
        and bool(rng.random() < 0.4),
        "up": tuple(up),
        "down": tuple(down),
        "homeostasis": int(rng.choice([0, 1, 3, 240])),
        "pruning": pruning,
    }  # fmt: skip
    if not classes:
        return Unsupervised(**values)
    return Supervised(
        **values,
        own=int(rng.choice([0, 500])),
        other=int(rng.choice([0, 0, 200, HANDICAP_MAX])),
        reward=bool(rng.random() < 0.7),
        error_step=int(rng.choice([0, 25, 60000])),
    )


def _state(
    rng: np.random.Generator, rule: Rule, core: CoreSpec, inputs: int, neurons: int, classes: int
) -> LearningState:
    """Return where learning begins; some neurons are alike, some synapses dead, some weights 0."""
    shape = (inputs, neurons)
    most = rule.weight_max
    weights = rng.integers(0, most + 1, shape)
    weights[rng.random(shape) < rng.choice([0.0, 0.0, 0.4])] = 0
    twins = int(rng.integers(neurons)) if rng.random() < 0.4 else 0
    weights[:, :twins] = weights[:, -1:]
    alive = np.ones(shape, bool)
    if core.pruning:
        alive = rng.random(shape) < rng.choice([0.2, 0.6, 1.0, 1.0])
        # A whole word without live inputs now and then.
        alive[: MASK_BITS * int(rng.integers(2)), int(rng.integers(neurons))] = False
    share = rng.choice([0.0, 0.1, 0.3, 0.9])
    theta = 1 + (int(share * inputs * most / 2) << rule.fraction_bits)
    threshold = np.full(neurons, theta)
    if rng.random() < 0.3:
        threshold = np.minimum(threshold + rng.integers(0, 300, neurons), LEARNED_THRESHOLD_MAX)
    threshold[rng.random(neurons) < rng.choice([0.0, 0.1])] = LEARNED_THRESHOLD_MAX
    return LearningState(
        weights=(weights * alive).astype(np.uint8),
        alive=alive,
        threshold=threshold.astype(np.int64),
        offset=np.full(max(1, classes), int(rng.choice([0, 7, OFFSET_LIMIT - 3]))),
        lfsr=int(rng.integers(1, 1 << 32)),
        seen=int(rng.choice([0, 0, 3])),
        classes=np.arange(neurons) // CLASS_BLOCK % classes if classes else None,
    )


def _images(rng: np.random.Generator, count: int, pixels: int) -> np.ndarray:
    """Return stimuli of different kinds, in random order."""
    shape = (count, pixels)
    images = rng.integers(0, 256, shape)
    if rng.random() < 0.4:
        # All of them early: many events in few steps.
        images = 255 - (images >> 4)
    images *= rng.random(shape) < rng.choice([0.1, 0.5, 1.0], (count, 1))
    white, black = rng.random((2, count)) < 0.1
    images[white] = 255
    images[black] = 0
    return images.astype(np.uint8)


def draw_learner(seed: int, *, core: CoreSpec | None = None, count: int = 10) -> LearnerCase:
    """Return the case number ``seed``; without ``core``, on a core of its own."""
    rng = np.random.default_rng(seed)
    core = draw_learner_core(rng) if core is None else core
    most = core.state_rows * core.banks
    neurons = most if rng.random() < 0.5 else int(rng.integers(max(1, most - core.banks), most + 1))
    inputs = int(rng.integers(core.max_inputs // 2 + 1, core.max_inputs + 1))
    if rng.random() < 0.5:
        inputs = core.max_inputs
    classes = 0
    if core.banks <= CLASS_BLOCK and rng.random() < 0.5:
        blocks = -(-neurons // CLASS_BLOCK)
        classes = int(rng.integers(min(2, blocks), min(4, blocks) + 1))
    rule = _rule(rng, core, inputs, classes)
    state = _state(rng, rule, core, inputs, neurons, classes)
    images = _images(rng, count, inputs // (2 if rule.off else 1))
    labels = None
    if classes:
        labels = rng.integers(0, classes, count)
        labels[rng.random(count) < 0.15] = -1
    return LearnerCase(rule, state, core, images, labels)


def rearranged(case: LearnerCase, banks: int) -> LearnerCase:
    """Return the same learner on a core of ``banks`` banks."""
    rows = -(-case.state.neurons // banks)
    core = replace(case.core, banks=banks, state_rows=rows, weight_rows=case.core.max_inputs * rows)
    return replace(case, core=core)


def by_definition(case: LearnerCase) -> tuple[LearnOutcome, list[LearningState]]:
    """Return what `firstspike.golden.learning` makes of a case, and the state after each stimulus.

    The counters are those that do not depend on the core.
    """
    learner = Learner(case.rule, case.state)
    labels = [-1] * len(case.images) if case.labels is None else case.labels.tolist()
    results = []
    states = []
    for times, label in zip(case.times.tolist(), labels, strict=True):
        results.append(learner.learn(times, label))
        states.append(learner.state())
    names = (
        "events", "synops", "stdp_visits", "stdp_changes", "pruned", "forced", "over_threshold",
        "ties",
    )  # fmt: skip

    def column(name: str) -> np.ndarray:
        return np.array([getattr(result, name) for result in results], np.int64)

    outcome = LearnOutcome(
        winner=column("winner"),
        decision_step=column("decision_step"),
        state=learner.state(),
        counters={name: column(name) for name in names},
    )
    return outcome, states


def learner_features(
    case: LearnerCase, outcome: LearnOutcome, states: list[LearningState]
) -> Counter[str]:
    """Return how often something worth testing happened, by name.

    Parameters
    ----------
    case : LearnerCase
        What was learned.
    outcome, states : LearnOutcome, list of LearningState
        From `by_definition`.
    """
    rule, core, start = case.rule, case.core, case.state
    times, counters = case.times, outcome.counters
    seen: Counter[str] = Counter()
    seen["supervised" if isinstance(rule, Supervised) else "unsupervised"] += 1
    seen[f"{core.banks} banks"] += 1
    seen[f"{core.weight_bits} bits"] += 1
    seen["masks" if core.pruning else "no masks"] += 1
    seen["masks in parts"] += core.pruning and core.mask_parts > 1
    seen["OFF channel"] += rule.off
    seen["dead at the start"] += int((~start.alive).any())
    seen["seen before"] += start.seen > 0
    seen["fewer steps than the core"] += rule.time_bits < core.time_bits
    seen["a part of a row"] += start.neurons % core.banks > 0
    seen["a part of a word"] += start.inputs % MASK_BITS > 0
    seen["ties"] += int((counters["ties"] > 0).sum())
    seen["several over"] += int((counters["over_threshold"] > 1).sum())
    seen["forced"] += int(counters["forced"].sum())
    seen["decided late"] += int((outcome.decision_step % rule.steps > 0).sum())
    seen["silent"] += int((times == rule.steps).all(axis=1).sum())
    seen["all white"] += int((case.images == 255).all(axis=1).sum())
    before = start
    for n, after in enumerate(states):
        label = None if case.labels is None else int(case.labels[n])
        last = min(int(outcome.decision_step[n]), rule.steps - 1)
        seen += _during(case, before, times[n], last)
        if isinstance(rule, Supervised) and label is not None:
            seen += _judged(rule, before, after, int(outcome.winner[n]), label)
        seen += _changes(rule, before, after)
        before = after
    return seen


def _during(case: LearnerCase, state: LearningState, times: np.ndarray, last: int) -> Counter[str]:
    """Return what happened to the events of a stimulus."""
    seen: Counter[str] = Counter()
    banks = case.core.banks
    live = np.stack([state.alive[:, bank::banks].sum(axis=1) for bank in range(banks)])
    for t in range(last + 1):
        now = live[:, times == t]
        count = now.shape[1]
        seen["steps without events"] += count == 0
        seen["an event that reaches nobody in a bank"] += int((now == 0).sum())
        if count > _QUEUE:
            # Whatever the order, the slowest bank is so far behind that its queue is full.
            behind = np.sort(now)[:, : count - _QUEUE].sum(axis=1)
            seen["full queue"] += bool(behind.max() > count + case.core.state_rows + _SLACK)
    return seen


def _judged(
    rule: Supervised, before: LearningState, after: LearningState, winner: int, label: int
) -> Counter[str]:
    """Return what supervision made of a winner."""
    if label < 0:
        return Counter({"no label": 1})
    if before.group[winner] == label:
        return Counter({"right, learned" if rule.reward else "right, not learned": 1})
    low, high = int(after.threshold.min()), int(after.threshold.max())
    return Counter(
        {
            "wrong": 1,
            "lowest threshold": int(rule.error_step > 0 and low == 1),
            "highest threshold": int(rule.error_step > 0 and high == LEARNED_THRESHOLD_MAX),
        }
    )


def _changes(rule: Rule, before: LearningState, after: LearningState) -> Counter[str]:
    """Return what learning changed in a stimulus."""
    seen: Counter[str] = Counter()
    seen["renewal of the offset"] += int((after.offset < before.offset).sum())
    killed = before.alive & ~after.alive
    moved = (before.weights != after.weights).any(axis=0)
    weights = after.weights[:, moved][after.alive[:, moved]]
    seen["a weight at its top"] += int((weights == rule.weight_max).any())
    seen["a live weight of 0"] += int((weights == 0).any())
    seen["kills"] += int(killed.sum())
    for j in np.flatnonzero(moved):
        for first in range(0, before.inputs, MASK_BITS):
            word = slice(first, first + MASK_BITS)
            live = np.flatnonzero(before.alive[word, j])
            seen["a word without live inputs"] += len(live) == 0
            if len(live) and killed[word, j].any():
                seen["kills in the last synapse of a word"] += int(killed[word, j][live[-1]])
                seen["kills of a whole word"] += int(killed[word, j][live].all())
    if rule.pruning is not None and (weights < rule.pruning.below).any():
        early = after.seen < rule.pruning.after
        seen["too early to prune" if early else "fan-in guard"] += 1
    return seen
