"""Learning in the golden model: the definition, and the compiled form of it.

Mutants are listed in test_learning_rules.py, whose tests run both forms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstspike import golden
from firstspike.golden import learning_fast
from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
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
from firstspike.learning.outcome import first_learning_difference, joined
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, WeightKind


def times_of(rule: Rule, images: np.ndarray) -> list[list[int]]:
    if rule.off:
        images = np.concatenate([images, 255 - images], axis=1)
    return step_times(images, rule.time_bits, rule.intensity_min).tolist()


def by_definition(
    rule: Rule, state: LearningState, images: np.ndarray, labels: np.ndarray
) -> LearnOutcome:
    """Return what the definition makes of images, in the form of the compiled one."""
    learner = Learner(rule, state)
    pairs = zip(times_of(rule, images), labels.tolist(), strict=True)
    results = [learner.learn(times, label) for times, label in pairs]
    names = ("events", "synops", "stdp_visits", "stdp_changes", "pruned", "forced",
             "over_threshold", "ties")  # fmt: skip
    return LearnOutcome(
        winner=np.array([result.winner for result in results], np.int64),
        decision_step=np.array([result.decision_step for result in results], np.int64),
        state=learner.state(),
        counters={
            name: np.array([getattr(result, name) for result in results], np.int64)
            for name in names
        },
    )


UP = table(Bound.SOFT, 8, 8, up=True)
DOWN = table(Bound.SOFT, 4, 8, up=False)

Case = tuple[Rule, LearningState, np.ndarray, np.ndarray]


@st.composite
def rules(draw) -> Rule:
    bits = draw(st.integers(2, 8))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    most = draw(st.sampled_from([1, 300, min((1 << 14) - 1, 1 << (bits + 6))]))
    tables = random.integers(0, most + 1, (2, 1 << bits)).tolist()
    values = {
        "weight_bits": bits,
        "time_bits": draw(st.integers(3, 8)),
        "intensity_min": draw(st.integers(1, 40)),
        "off": draw(st.booleans()),
        "up": tuple(tables[0]),
        "down": tuple(tables[1]),
        "homeostasis": draw(st.sampled_from([0, 1, 3, 255])),
        "pruning": draw(
            st.none()
            | st.builds(
                Pruning,
                below=st.integers(1, (1 << bits) - 1),
                after=st.integers(0, 12),
                min_fan_in=st.integers(1, 6),
            )
        ),
    }
    if draw(st.booleans()):
        return Unsupervised(**values)
    return Supervised(
        **values,
        own=draw(st.sampled_from([0, 50, 2000])),
        other=draw(st.sampled_from([0, 300, 1 << 18])),
        reward=draw(st.booleans()),
        error_step=draw(st.sampled_from([0, 25, 20000])),
    )


@st.composite
def learners(draw) -> Case:
    """Draw small learners of every width, with images between noise and all black or white."""
    rule = draw(rules())
    pixels, neurons = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    if rule.off:
        # Cores have the OFF channel begin with a whole word of pixels.
        pixels = -(-pixels // 4) * 4
    inputs = pixels * (2 if rule.off else 1)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    alive = rng.random((inputs, neurons)) < draw(st.sampled_from([0.3, 0.9, 1.0]))
    classes = None
    if isinstance(rule, Supervised):
        classes = np.repeat(rng.integers(0, 4, 3), 8)[:neurons]
    offset = draw(st.sampled_from([0, 5, 300, (1 << 14) - 2]))
    state = LearningState(
        weights=(rng.integers(0, rule.weight_max + 1, (inputs, neurons)) * alive).astype(np.uint8),
        alive=alive,
        threshold=rng.integers(1, draw(st.sampled_from([60 * inputs + 2, 1 << 17])), neurons),
        offset=np.full(1 if classes is None else 4, offset),
        lfsr=draw(st.integers(1, (1 << 32) - 1)),
        seen=draw(st.integers(0, 20)),
        classes=classes,
    )
    images = rng.integers(0, 256, (draw(st.integers(1, 30)), pixels))
    images *= rng.integers(0, 3, (len(images), 1))
    labels = rng.choice(np.append(state.group, -1), len(images))
    return rule, state, images.clip(0, 255).astype(np.uint8), labels


@settings(max_examples=150)
@given(learners())
def test_compiled_is_the_definition(case):
    rule, state, images, labels = case
    slow = by_definition(rule, state, images, labels)
    fast = learning_fast.learn(rule, state, images, labels)
    assert first_learning_difference(slow, fast) is None


@settings(max_examples=15)
@given(learners())
def test_after_every_stimulus(case):
    """The state after each stimulus is the same, and one at a time the same as all at once."""
    rule, state, images, labels = case
    whole = learning_fast.learn(rule, state, images, labels)
    learner, parts = Learner(rule, state), []
    for n, times in enumerate(times_of(rule, images)):
        part = learning_fast.learn(rule, state, images[n : n + 1], labels[n : n + 1])
        learner.learn(times, int(labels[n]))
        for name, array in learner.state().arrays().items():
            assert np.array_equal(array, part.state.arrays()[name]), name
        state = part.state
        parts.append(part)
    assert first_learning_difference(joined(parts), whole) is None


@settings(max_examples=40)
@given(learners(), st.sampled_from([2, 4, 8]))
def test_a_core_changes_nothing(case, banks):
    """Live synapses are counted by bank where a core is given; what is learned is the same."""
    rule, state, images, labels = case
    core = CoreSpec(
        banks=banks,
        word=1,
        weight_bits=rule.weight_bits,
        time_bits=8,
        ramp=False,
        max_inputs=96,
        max_layers=1,
        state_rows=20,
        weight_rows=96 * 20,
        learning=True,
        pruning=True,
    )
    alone = learning_fast.learn(rule, state, images, labels)
    with_core = learning_fast.learn(rule, state, images, labels, core=core)
    counters = {name: with_core.counters[name] for name in alone.counters}
    assert first_learning_difference(alone, replace(with_core, counters=counters)) is None


@settings(max_examples=60)
@given(learners())
def test_inference_is_that_of_the_network(case):
    rule, state, images, _ = case
    layer = Layer(
        "output",
        Neuron.STEP,
        WeightKind.UNSIGNED,
        rule.weight_bits,
        state.weights.astype(np.int64),
        state.settled().threshold,
        fraction_bits=rule.fraction_bits,
        alive=state.alive,
    )
    network = Network(
        "learned",
        (layer,),
        rule.time_bits,
        (1, images.shape[1]),
        tuple(range(state.neurons)),
        rule.intensity_min,
        rule.off,
    )
    outcome = golden.run(network, images)
    winner, step = learning_fast.classify(rule, state, images)
    assert np.array_equal(winner, outcome.predicted)
    assert np.array_equal(step, outcome.decision_step)


def test_nothing_given_is_changed():
    rng = np.random.default_rng(3)
    state = LearningState(
        weights=rng.integers(1, 256, (30, 5), dtype=np.uint8),
        alive=np.ones((30, 5), bool),
        threshold=np.full(5, 500),
        offset=np.zeros(1, np.int64),
        lfsr=1,
        seen=0,
    )
    before = {name: array.copy() for name, array in state.arrays().items()}
    images = rng.integers(0, 256, (50, 30), dtype=np.uint8)
    copy = images.copy()
    outcome = learning_fast.learn(
        Unsupervised(up=UP, down=DOWN, pruning=Pruning(below=200)), state, images
    )
    assert outcome.counters["pruned"].sum() > 0
    assert np.array_equal(images, copy)
    for name, array in state.arrays().items():
        assert np.array_equal(array, before[name]), name


@pytest.mark.parametrize("n", [0, 1, 999, 1000, 1001])
def test_progress(n):
    state = LearningState(
        np.ones((4, 2), np.uint8),
        np.ones((4, 2), bool),
        np.array([3, 3]),
        np.zeros(1, np.int64),
        7,
        0,
    )
    done: list[int] = []
    outcome = learning_fast.learn(
        Unsupervised(up=UP, down=DOWN), state, np.zeros((n, 4), np.uint8), progress=done.append
    )
    assert done[-1:] == ([n] if n else [])
    assert len(outcome.winner) == n
    assert outcome.state.seen == n
