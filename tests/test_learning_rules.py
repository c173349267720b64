"""What learning promises: theorems, edges, and lines on which implementations could part.

Mutants tried in the definition and the compiled form at once, each of which a test here or in
test_semantics_learning.py refused: `>` at the threshold; inputs of the last step, or silent ones,
on the wrong side; 31 shifts; random bytes without the position, or others for the second column;
`>=` for min_fan_in, fan_in not counted down; the old weight tested for pruning, `<=`, or `after`
compared before k is counted; a dead synapse that keeps its weight; weights that wrap; the offset
before the threshold, not moved by silence, or taken off too late; no floor or ceiling of a
threshold; the handicap after the floor, or exchanged; overshoot without fraction bits; a wrong
winner that changes for silent inputs, or by the table of falls; reward ignored; all neurons for
those of the class; the highest index of equals, for winner or best; a stimulus without label
counted; learning where nobody fired. Of tables: bounds exchanged, rounded down, not halved. Labels
not checked, or -1 refused; counts of -1 among winners or labels; class 0 for no class; a random
register of 0; potentials of a core not looked at; thresholds of a network with the offset on.

In the compiled form alone, refused by test_learning_golden.py: OFF inputs like ON inputs; counts of
live synapses of the wrong bank, or not kept; either copy of the weights, or the alive bits, not
written; arrays of the given state changed; classes lost; a step without events taken for the
last one; inference with stored thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from firstspike import data
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.golden import learning_fast
from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
from firstspike.golden.randomness import advance
from firstspike.learning import (
    Bound,
    LearningState,
    Pruning,
    Rule,
    Supervised,
    Unsupervised,
    table,
)
from firstspike.learning.export import network_of
from firstspike.learning.labels import assign
from firstspike.learning.state import first_state
from firstspike.spec import LEARNED_THRESHOLD_MAX, OFFSET_LIMIT, CoreSpec

RNG = np.random.default_rng(7)


def amounts(potentiate: float, depress: float, bound: Bound = Bound.SOFT, bits: int = 8) -> dict:
    return {
        "weight_bits": bits,
        "up": table(bound, potentiate, bits, up=True),
        "down": table(bound, depress, bits, up=False),
    }


ORDINARY = amounts(8, 4)


def layer(inputs=60, neurons=16, blocks=0, rule: Rule | None = None, **changes) -> LearningState:
    state = first_state(
        rule or Unsupervised(**ORDINARY), inputs, neurons, seed=1, threshold=0.1, classes=blocks
    )
    return replace(state, **changes)


def noise(n: int, pixels: int) -> np.ndarray:
    return RNG.integers(0, 256, (n, pixels), dtype=np.uint8)


def by_definition(rule, state, images, labels=None) -> LearningState:
    learner = Learner(rule, state)
    labels = np.full(len(images), -1) if labels is None else labels
    times = step_times(images, rule.time_bits, rule.intensity_min).tolist()
    for each, label in zip(times, labels.tolist(), strict=True):
        learner.learn(each, label)
    return learner.state()


def compiled(rule, state, images, labels=None) -> LearningState:
    return learning_fast.learn(rule, state, images, labels).state


Learn = Callable[..., LearningState]
both = pytest.mark.parametrize("learn", [by_definition, compiled])


def differ(left: LearningState, right: LearningState) -> set[str]:
    ours, theirs = left.arrays(), right.arrays()
    return {name for name in ours if not np.array_equal(ours[name], theirs[name])}


# --- pruning


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = data.load("digits").split("train")
    return images[:n].reshape(n, -1), labels[:n]


@pytest.mark.parametrize("bits", [3, 4, 8])
@pytest.mark.parametrize("supervised", [False, True])
def test_pruning_at_zero_is_no_pruning(bits, supervised):
    """A theorem: random numbers depend on the position, and a weight of 0 stays 0."""
    values = {**amounts(200, 250, bits=bits), "homeostasis": 2}
    rule: Rule = (
        Supervised(**values, own=300, error_step=20, reward=True)
        if supervised
        else Unsupervised(**values)
    )
    state = layer(64, 88, blocks=10 if supervised else 0, rule=rule)
    images, labels = digits(1297)
    dense = learning_fast.learn(rule, state, images, labels)
    at_zero = replace(rule, pruning=Pruning(below=1, after=0, min_fan_in=1))
    pruned = learning_fast.learn(at_zero, state, images, labels)
    assert pruned.counters["pruned"].sum() > 100
    assert np.array_equal(pruned.winner, dense.winner)
    assert np.array_equal(pruned.decision_step, dense.decision_step)
    assert differ(pruned.state, dense.state) == {"alive"}
    for name in ("events", "over_threshold", "ties", "forced", "stdp_changes"):
        assert np.array_equal(pruned.counters[name], dense.counters[name]), name
    for name in ("synops", "stdp_visits"):
        assert pruned.counters[name].sum() < dense.counters[name].sum()


@both
@pytest.mark.parametrize("least", [1, 7, 30])
def test_a_neuron_keeps_min_fan_in(learn: Learn, least):
    state = layer(60, 6)
    rule = Unsupervised(
        **amounts(0, 16000, Bound.HARD),
        pruning=Pruning(below=255, min_fan_in=least),
    )
    after = learn(rule, state, noise(300, 60))
    # The winner of the first stimulus loses all weights but 255 at once, down to the last allowed.
    assert after.fan_in.min() == least
    assert (after.weights[~after.alive] == 0).all()


@both
def test_what_is_pruned_already_counts_as_fan_in(learn: Learn):
    alive = np.zeros((60, 2), bool)
    alive[:5] = True
    state = layer(60, 2, alive=alive, weights=np.where(alive, 9, 0).astype(np.uint8))
    state = replace(state, threshold=np.array([1, 1]))
    rule = Unsupervised(**amounts(0, 0), pruning=Pruning(below=200, min_fan_in=5))
    assert not differ(learn(rule, state, np.full((3, 60), 255, np.uint8)), state) & {"alive"}


# --- edges of stimuli


@both
def test_all_black(learn: Learn):
    """Nothing comes: nobody wins, weights stay, thresholds fall, the random register moves."""
    state, rule = layer(), Unsupervised(**ORDINARY, homeostasis=3)
    after = learn(rule, state, np.zeros((50, 60), np.uint8))
    assert differ(after, state) == {"offset", "lfsr", "seen"}
    assert after.offset.tolist() == [150]
    assert after.lfsr == advance(state.lfsr, 32 * 50)
    # In force they are at least 1, so that nobody ever fires without an event.
    low = replace(state, threshold=np.ones(16, np.int64))
    outcome = learning_fast.learn(rule, low, np.zeros((50, 60), np.uint8))
    assert set(outcome.winner.tolist()) == {-1}
    assert outcome.counters["forced"].sum() == 50


@both
def test_all_white(learn: Learn):
    """Everything comes at step 0: the winner's weights only rise, and soon nothing changes."""
    state, rule = layer(60, 4), Unsupervised(**amounts(100, 4), homeostasis=50)
    white = np.full((1500, 60), 255, np.uint8)
    after = learn(rule, state, white)
    assert (after.weights >= state.weights).all()
    assert (after.weights == 255).all()
    outcome = learning_fast.learn(rule, state, white)
    assert set(outcome.decision_step.tolist()) == {0}
    assert set(outcome.counters["events"].tolist()) == {60}
    # Homeostasis lets all of them win.
    assert set(outcome.winner.tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("rule", [
    Unsupervised(**amounts(255, 255), homeostasis=255, pruning=Pruning(below=200)),
    Supervised(**amounts(64, 64, Bound.ROOM), homeostasis=255, own=1 << 18, other=1 << 18,
               reward=True, error_step=65535),
    Supervised(**amounts(64, 64), homeostasis=255, other=1 << 18, reward=True),
])  # fmt: skip
def test_noise_leaves_nothing_out_of_range(rule):
    """The state checks its ranges itself whenever it is made; here after every 50 stimuli."""
    blocks = 10 if isinstance(rule, Supervised) else 0
    state = layer(784, 80, blocks=blocks, rule=rule)
    images, labels = noise(500, 784), RNG.integers(0, 10, 500)
    for _ in range(20):
        for part in range(0, 500, 50):
            at = slice(part, part + 50)
            state = learning_fast.learn(rule, state, images[at], labels[at]).state
            assert state.weights.max() <= 255
            assert (state.offset < OFFSET_LIMIT).all()
            assert (state.threshold <= LEARNED_THRESHOLD_MAX).all()
            assert (state.threshold >= 1).all()


@both
def test_a_threshold_rises_to_its_maximum_only(learn: Learn):
    """White at threshold 2^17 and an offset that makes it reachable."""
    state = layer(
        500,
        1,
        weights=np.full((500, 1), 255, np.uint8),
        threshold=np.array([LEARNED_THRESHOLD_MAX - 100]),
        offset=np.array([16000]),
    )
    white = np.full((1, 500), 255, np.uint8)
    after = learn(Unsupervised(**ORDINARY, homeostasis=99), state, white)
    assert after.threshold.tolist() == [LEARNED_THRESHOLD_MAX - 1]
    after = learn(Unsupervised(**ORDINARY, homeostasis=101), state, white)
    assert after.threshold.tolist() == [LEARNED_THRESHOLD_MAX]


@both
def test_a_threshold_falls_to_one_only(learn: Learn):
    weights = np.full((8, 16), 3, np.uint8)
    state = replace(layer(8, 16, blocks=2), threshold=np.full(16, 20), weights=weights)
    # Neuron 0 wins every tie; the best of class 1 is neuron 8 until its weights have grown.
    rule = Supervised(**amounts(0, 0), error_step=50)
    after = learn(rule, state, np.full((1, 8), 255, np.uint8), np.array([1]))
    assert after.threshold[[0, 8, 1]].tolist() == [70, 1, 20]


# --- labels, states and images that are refused


@pytest.mark.parametrize("label", [-2, 10, 1 << 40])
def test_labels_out_of_range(label):
    state = layer(64, 80, blocks=10)
    labels = np.zeros(5, np.int64)
    labels[3] = label
    with pytest.raises(InputError, match=rf"labels\[3\] is {label}, must be -1 or a class that"):
        learning_fast.learn(Supervised(**ORDINARY), state, noise(5, 64), labels)


def test_labels_of_a_class_without_neurons():
    classes = np.repeat([0, 2], 8)
    state = layer(64, 16, blocks=2, offset=np.zeros(3, np.int64))
    state = replace(state, classes=classes)
    with pytest.raises(InputError, match=r"labels\[0\] is 1, must be .*: 0, 2$"):
        learning_fast.learn(Supervised(**ORDINARY), state, noise(1, 64), np.array([1]))


def test_labels_mean_nothing_without_supervision():
    state, images = layer(64), noise(20, 64)
    with_labels = compiled(Unsupervised(**ORDINARY), state, images, np.arange(20) * 1000)
    assert not differ(with_labels, compiled(Unsupervised(**ORDINARY), state, images))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(4, np.int64), "labels must be int64 of shape (5,), one an image"),
        (np.zeros(5, np.int32), "labels must be int64 of shape (5,), one an image"),
    ],
)
def test_labels_of_another_shape(labels, message):
    with pytest.raises(InputError) as caught:
        learning_fast.learn(Unsupervised(**ORDINARY), layer(64), noise(5, 64), labels)
    assert str(caught.value) == message


@both
def test_no_label_is_inference(learn: Learn):
    rule = Supervised(**ORDINARY, own=100, other=50, reward=True, error_step=5)
    state, images = layer(64, 80, blocks=10), noise(10, 64)
    assert not differ(learn(rule, state, images, np.full(10, -1)), state)
    assert not differ(learn(rule, state, images), state)
    outcome = learning_fast.learn(rule, state, images)
    winner, step = learning_fast.classify(rule, state, images)
    assert np.array_equal(outcome.winner, winner)
    assert np.array_equal(outcome.decision_step, step)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lfsr": 0}, "state: lfsr is 0, must be an integer in 1..4294967295"),
        ({"lfsr": 1 << 32}, "state: lfsr is 4294967296, must be an integer in 1..4294967295"),
        ({"seen": -1}, "state: seen is -1, must be an integer in 0.."),
        ({"weights": np.ones((60, 16), np.int64)}, "state: weights must be uint8 of shape"),
        ({"alive": np.ones((60, 15), bool)}, "state: alive must be bool of shape (60, 16)"),
        ({"alive": np.zeros((60, 16), bool)}, "state: a dead synapse has a weight, must be 0"),
        ({"threshold": np.ones(15, np.int64)}, "state: threshold must be int64 of shape (16,)"),
        ({"threshold": np.zeros(16, np.int64)}, "state: thresholds are 0..0, must be in 1..131072"),
        ({"threshold": np.full(16, 131073)}, "thresholds are 131073..131073, must be in 1..131072"),
        ({"offset": np.array(0)}, "state: offset must be int64 of shape (groups,)"),
        ({"offset": np.array([-1])}, "state: offset must be in 0..16383"),
        ({"offset": np.array([1 << 14])}, "state: offset must be in 0..16383"),
        ({"classes": np.zeros(15, np.int64)}, "state: classes must be int64 of shape (16,)"),
        ({"classes": np.ones(16, np.int64)}, "state: classes must be in 0..0, one an offset"),
        ({"classes": np.full(16, -1)}, "state: classes must be in 0..0, one an offset"),
    ],
)
def test_states_that_there_cannot_be(changes, message):
    with pytest.raises(InputError) as caught:
        layer(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "state", "images", "message"),
    [
        (Unsupervised(**amounts(8, 4, bits=4)), layer(), noise(1, 60), "a weight is 2"),
        (
            Supervised(**ORDINARY),
            layer(),
            noise(1, 60),
            "neurons must have classes for a supervised rule",
        ),
        (Unsupervised(**ORDINARY), layer(blocks=2), noise(1, 60), "and none for another"),
        (
            Unsupervised(**ORDINARY),
            layer(),
            noise(1, 59),
            "images: 59 inputs each, the learner takes 60",
        ),
        (
            Unsupervised(**ORDINARY, off=True),
            layer(),
            noise(1, 60),
            "images: 120 inputs each, the learner",
        ),
        (
            Unsupervised(**ORDINARY),
            layer(),
            noise(1, 60) / 2,
            "images: dtype is float64, must be uint8",
        ),
    ],
)
def test_parts_that_do_not_fit(rule, state, images, message):
    with pytest.raises(InputError) as caught:
        learning_fast.learn(rule, state, images)
    assert message in str(caught.value)


def rule(**changes) -> Supervised:
    return Supervised(**(ORDINARY | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rule(weight_bits=1), "weight_bits is 1, must be an integer in 2..8"),
        (lambda: rule(up=(0,) * 255), "up: 255 entries, must be 256"),
        (lambda: rule(down=(0,) * 16), "down: 16 entries, must be 256"),
        (lambda: rule(up=(0, -1) * 128), "up[1] is -1, must be an integer in 0..16383"),
        (lambda: rule(up=(16383, 16384) * 128), "up[1] is 16384, must be an integer in 0..16383"),
        (lambda: rule(down=(True,) * 256), "down[0] is True, must be an integer in 0..16383"),
        (lambda: rule(homeostasis=256), "homeostasis is 256, must be an integer in 0..255"),
        (lambda: Unsupervised(**amounts(1, 1, bits=4), pruning=Pruning(below=16)), "below is 16,"),
        (lambda: Pruning(below=0), "below is 0, must be an integer in 1..255"),
        (lambda: Pruning(below=1, min_fan_in=0), "min_fan_in is 0, must be an integer in 1..8192"),
        (lambda: Pruning(below=1, after=1 << 24), "after is 16777216, must be an integer in 0.."),
        (lambda: rule(own=(1 << 18) + 1), "own is 262145, must be an integer in 0..262144"),
        (lambda: rule(error_step=-1), "error_step is -1, must be an integer in 0..65535"),
        (lambda: rule(time_bits=2), "time_bits is 2, must be an integer in 3..8"),
        (lambda: amounts(256, 0), "256 times a soft bound of 64 is 16384, must be below 16384"),
        (lambda: amounts(0, 65, Bound.ROOM), "65 times a room bound of 255 is 16575, must be"),
    ],
)
def test_rules_out_of_range(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_tables():
    assert Unsupervised(**amounts(255, 255)).tables().max() == 255 * 64
    assert table(Bound.HARD, 16383, 8, up=True) == (16383,) * 256
    assert table(Bound.SOFT, 2, 3, up=True) == (0, 2, 4, 4, 4, 4, 4, 2)
    assert table(Bound.ROOM, 2, 2, up=True) == (6, 4, 2, 0)
    assert table(Bound.ROOM, 2, 2, up=False) == (0, 2, 4, 6)
    # Half of (0, 1, 1, 1) + (3, 2, 1, 0), rounded up from the half.
    assert table(Bound.MIXED, 1, 2, up=True) == (2, 2, 1, 1)
    assert table(Bound.ROOM, 0.25, 2, up=False) == (0, 0, 1, 1)


# --- cores

CORE = CoreSpec(
    banks=4, word=1, ramp=False, max_layers=1, learning=True, pruning=True, max_inputs=64,
    state_rows=4, weight_rows=256,
)  # fmt: skip
MANY = {"banks": 16, "state_rows": 17, "weight_rows": 64 * 17}
WIDE = {"max_inputs": 4096, "state_rows": 4, "weight_rows": 4096 * 4}


@pytest.mark.parametrize(
    ("changes", "rule", "state", "message"),
    [
        (None, {}, {}, "the core has learning: false"),
        ({"weight_bits": 4}, {}, {}, "weight_bits is 8, the core learns weights of 4"),
        ({"pruning": False}, {}, {}, "it prunes, the core has pruning: false"),
        ({}, {"time_bits": 5}, {}, "time_bits 5, the core has 4"),
        ({}, {}, {"inputs": 65}, "inputs 65, the core has 64"),
        ({}, {}, {"neurons": 17}, "state_rows 5, the core has 4"),
        (MANY, {"homeostasis": 255}, {"neurons": 258}, "a class 65790, must be below 65536"),
        (WIDE, {}, {"inputs": 2100}, "can meet -131072..535499, the core has 20 bits: -524288.."),
    ],
)
def test_cores_that_do_not_fit(changes, rule, state, message):
    values, learner = {"pruning": Pruning(below=1)} | rule, layer(**state)
    core = CoreSpec() if changes is None else replace(CORE, **changes)
    with pytest.raises(InputError) as caught:
        open_engine("golden").learn(  # type: ignore[attr-defined]
            Unsupervised(**(ORDINARY | values)), core, learner, noise(1, learner.inputs), None
        )
    assert message in str(caught.value)


# --- labels of neurons, and what it is all for


def test_a_network_has_the_thresholds_in_force():
    state = layer(threshold=np.full(16, 100), offset=np.array([30]))
    network = network_of(Unsupervised(**ORDINARY), state, np.arange(16), name="n", shape=(6, 10))
    assert network.layers[0].offset.tolist() == [70] * 16


def test_labels_are_those_of_most_stimuli_won():
    winner = np.array([0, 0, 0, 1, 1, 3, 3, -1, 4])
    labels = np.array([2, 2, 5, 5, 2, 7, 7, 9, -1])
    assert assign(winner, labels, 5).tolist() == [2, 2, -1, 7, -1]


def accuracy(rules: Sequence[Rule], state: LearningState) -> tuple[float, float]:
    """Learn digits, one pass a rule; return test accuracy, and the share of live synapses."""
    images, labels = digits(1297)
    for number, rule in enumerate(rules):
        order = np.random.default_rng(number).permutation(len(images))
        state = learning_fast.learn(rule, state, images[order], labels[order]).state
    state, rule = state.settled(), rules[-1]
    classes = state.classes
    if classes is None:
        classes = assign(learning_fast.classify(rule, state, images)[0], labels, state.neurons)
    test_images, test_labels = data.load("digits").split("test")
    winner, _ = learning_fast.classify(rule, state, test_images)
    return float((classes[winner] == test_labels).mean()), float(state.alive.mean())


@pytest.mark.parametrize("pruning", [None, Pruning(below=51, after=2500)])
def test_digits_are_learned_without_labels(pruning):
    rule = Unsupervised(**amounts(32, 32), homeostasis=1, off=True, pruning=pruning)
    state = first_state(rule, 128, 104, seed=0, threshold=0.44)
    right, alive = accuracy([rule] * 6, state)
    assert right > 0.80
    assert (alive < 0.5) == (pruning is not None)


def test_digits_are_learned_with_labels():
    teach = Supervised(
        **amounts(16, 16, Bound.ROOM), homeostasis=2, other=1 << 18, reward=True, off=True
    )
    correct = Supervised(**amounts(300, 0, Bound.HARD), own=300, error_step=10, off=True)
    state = first_state(teach, 128, 80, seed=0, threshold=0.3, mean=0.5, classes=10)
    assert accuracy([teach] * 3 + [correct] * 6, state)[0] > 0.85
