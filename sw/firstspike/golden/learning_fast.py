"""The golden model of learning for whole data sets: `learning` compiled, and tested equal to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firstspike.errors import InputError
from firstspike.golden.encoding import step_times
from firstspike.golden.learning_kernels import (
    RECORD,
    Fixed,
    Net,
    inference,
    scratch,
    supervised,
    unsupervised,
)
from firstspike.learning.fit import check_learning_fit
from firstspike.learning.labels import check_labels
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState, check_state
from firstspike.learning_cost import COSTS, REST, STARTS, parameters, total_cycles
from firstspike.spec import INTENSITY_MAX, MASK_BITS, CoreSpec

__all__ = ["classify", "learn"]

#: Stimuli between two reports of progress.
_CHUNK = 1000


def _lut(rule: Rule) -> np.ndarray:
    """Return the spike time of every intensity."""
    every = np.arange(INTENSITY_MAX + 1, dtype=np.uint8)
    return step_times(every, rule.time_bits, rule.intensity_min)


def _pixels(rule: Rule, state: LearningState, images: np.ndarray) -> np.ndarray:
    """Return flat images, or refuse what does not fit."""
    if images.dtype != np.uint8:
        raise InputError(f"images: dtype is {images.dtype}, must be uint8")
    flat = np.ascontiguousarray(images.reshape(len(images), -1 if len(images) else 0))
    inputs = flat.shape[1] * (2 if rule.off else 1)
    if len(flat) and inputs != state.inputs:
        raise InputError(f"images: {inputs} inputs each, the learner takes {state.inputs}")
    return flat


def _fixed(rule: Rule, core: CoreSpec | None, pixels: int, neurons: int) -> Fixed:
    more = rule if isinstance(rule, Supervised) else None
    prune = rule.pruning
    return Fixed(
        lut=_lut(rule),
        table=rule.tables(),
        finer=rule.fraction_bits,
        homeostasis=rule.homeostasis,
        below=prune.below if prune else 0,
        after=prune.after if prune else 0,
        min_fan_in=prune.min_fan_in if prune else 0,
        own=more.own if more else 0,
        other=more.other if more else 0,
        reward=more.reward if more else False,
        error_step=more.error_step if more else 0,
        core=parameters(core, pixels, neurons),
    )


def _net(state: LearningState, banks: int) -> Net:
    """Return copies of all that learning changes."""
    alive = state.alive
    row_live = np.zeros((state.inputs, banks), np.int32)
    for bank in range(banks):
        row_live[:, bank] = alive[:, bank::banks].sum(axis=1)
    words = -(-state.inputs // MASK_BITS)
    padded = np.zeros((words * MASK_BITS, state.neurons), bool)
    padded[: state.inputs] = alive
    column_live = padded.reshape(words, MASK_BITS, state.neurons).sum(axis=1).T
    # Explicit copies: ascontiguousarray would hand back a single column itself.
    return Net(
        rows=state.weights.copy(order="C"),
        columns=state.weights.T.copy(order="C"),
        live=alive.T.copy(order="C"),
        row_live=row_live,
        column_live=column_live.astype(np.int32, order="C"),
        threshold=state.threshold.copy(),
        offset=state.offset.copy(),
        group=state.group.copy(),
        single=np.array([state.lfsr, state.seen]),
    )


def learn(
    rule: Rule,
    state: LearningState,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    core: CoreSpec | None = None,
    progress: Callable[[int], None] | None = None,
) -> LearnOutcome:
    """Return what ``rule`` makes of ``state`` with ``images``.

    Parameters
    ----------
    rule : Rule
        How it learns.
    state : LearningState
        What it starts from; not changed.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Stimuli, in order.
    labels : ndarray of int64, shape (n,), optional
        Classes, -1 for none; only a supervised rule looks at them, and without them it learns
        nothing.
    core : CoreSpec, optional
        Predict what this core needs, too.
    progress : callable, optional
        Called with the number of stimuli done so far.

    Raises
    ------
    InputError
        If images, labels, state and rule do not fit each other.
    """
    flat = _pixels(rule, state, images)
    check_state(rule, state)
    if core is not None:
        check_learning_fit(rule, state, core)
    known = check_labels(rule, state, labels, len(flat))
    net = _net(state, core.banks if core is not None else 1)
    fixed = _fixed(rule, core, flat.shape[1], state.neurons)
    room = scratch(state.inputs, state.neurons, rule.steps)
    size = np.bincount(net.group, minlength=len(net.offset))
    record = np.empty((len(flat), len(RECORD)), np.int64)
    cost = np.zeros((len(flat), STARTS + rule.steps), np.int64)
    for begin in range(0, len(flat), _CHUNK):
        part = slice(begin, min(begin + _CHUNK, len(flat)))
        given = (fixed, net, room, record[part], cost[part])
        if isinstance(rule, Supervised):
            supervised(flat[part], known[part], size, *given)
        else:
            unsupervised(flat[part], *given)
        if progress is not None:
            progress(part.stop)
    by_name: dict[str, np.ndarray] = dict(zip(RECORD, record.T, strict=True))
    costs = dict(zip(COSTS, cost.T, strict=False)) if core is not None else {}
    floor = costs.pop("floor_cycles", None)
    total = None
    if core is not None:
        words = -(-flat.shape[1] // core.pixels) * (2 if rule.off else 1)
        learned = known >= 0 if isinstance(rule, Supervised) else np.ones(len(flat), bool)
        rest = np.where(learned, REST, 0)
        total = int(total_cycles(costs["cycles"], cost[:, STARTS:], rule.steps, words, rest))
    return LearnOutcome(
        winner=by_name.pop("winner"),
        decision_step=by_name.pop("decision_step"),
        state=LearningState(
            weights=net.rows,
            alive=net.live.T.copy(order="C"),
            threshold=net.threshold,
            offset=net.offset,
            lfsr=int(net.single[0]),
            seen=int(net.single[1]),
            classes=state.classes,
        ),
        counters=by_name | costs,
        total_cycles=total,
        floor_cycles=floor,
    )


def classify(rule: Rule, state: LearningState, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the learner says to ``images`` while it does not learn, as `golden.run` would.

    Parameters
    ----------
    rule : Rule
        Its coding and weight bits are used.
    state : LearningState
        With the thresholds in force.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Stimuli.

    Returns
    -------
    tuple of ndarray of int64, shape (n,)
        The neuron with the largest d at the decision, forced or not, and the decision step: T
        where it was forced.

    Raises
    ------
    InputError
        If images, state and rule do not fit each other.
    """
    flat = _pixels(rule, state, images)
    record = np.empty((len(flat), 2), np.int64)
    room = scratch(state.inputs, state.neurons, rule.steps)
    inference(flat, _lut(rule), rule.fraction_bits, state.weights, state.in_force, room, record)
    return record[:, 0], record[:, 1]
