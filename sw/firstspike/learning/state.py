"""What a learner is between two stimuli."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from firstspike.errors import InputError
from firstspike.learning.rule import Rule, Supervised
from firstspike.spec import CLASS_BLOCK, LEARNED_THRESHOLD_MAX, OFFSET_LIMIT, THRESHOLD_MIN

__all__ = ["LFSR_MAX", "LearningState", "check_state", "first_state"]

#: Largest state of the random register; 0 is none, because it would stay 0.
LFSR_MAX = (1 << 32) - 1


@dataclass(frozen=True, slots=True, eq=False)
class LearningState:
    """A layer that learns; nothing else decides what it does next.

    Parameters
    ----------
    weights : ndarray of uint8, shape (inputs, neurons)
        0 where a synapse is dead.
    alive : ndarray of bool, shape (inputs, neurons)
        Which synapses there are.
    threshold : ndarray of int64, shape (neurons,)
        As stored, 1..2^17; ``in_force`` has the offset taken off.
    offset : ndarray of int64, shape (groups,)
        D: what the thresholds of a group have fallen by. A class is a group; without classes
        there is one.
    lfsr : int
        S: the random register, 1..2^32-1.
    seen : int
        k: stimuli seen with learning on.
    classes : ndarray of int64, shape (neurons,), or None
        Class of each neuron, 0..groups-1, for supervised learning.

    Raises
    ------
    InputError
        If shapes disagree or a value is out of range.
    """

    weights: np.ndarray
    alive: np.ndarray
    threshold: np.ndarray
    offset: np.ndarray
    lfsr: int
    seen: int
    classes: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = self.weights.shape
        if self.weights.dtype != np.uint8 or len(shape) != 2 or 0 in shape:
            raise InputError("state: weights must be uint8 of shape (inputs, neurons)")
        if self.alive.shape != shape or self.alive.dtype != np.bool_:
            raise InputError(f"state: alive must be bool of shape {shape}")
        if self.weights[~self.alive].any():
            raise InputError("state: a dead synapse has a weight, must be 0")
        if self.threshold.shape != shape[1:] or self.threshold.dtype != np.int64:
            raise InputError(f"state: threshold must be int64 of shape {shape[1:]}")
        low, high = int(self.threshold.min()), int(self.threshold.max())
        if low < THRESHOLD_MIN or high > LEARNED_THRESHOLD_MAX:
            raise InputError(
                f"state: thresholds are {low}..{high}, must be in "
                f"{THRESHOLD_MIN}..{LEARNED_THRESHOLD_MAX}"
            )
        if self.offset.ndim != 1 or self.offset.dtype != np.int64 or len(self.offset) < 1:
            raise InputError("state: offset must be int64 of shape (groups,)")
        if self.offset.min() < 0 or self.offset.max() >= OFFSET_LIMIT:
            raise InputError(f"state: offset must be in 0..{OFFSET_LIMIT - 1}")
        groups = self.group
        if groups.shape != shape[1:] or groups.dtype != np.int64:
            raise InputError(f"state: classes must be int64 of shape {shape[1:]}")
        if groups.min() < 0 or groups.max() >= len(self.offset):
            raise InputError(f"state: classes must be in 0..{len(self.offset) - 1}, one an offset")
        for name, low, high in (("lfsr", 1, LFSR_MAX), ("seen", 0, 1 << 62)):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"state: {name} is {value!r}, must be an integer in {low}..{high}")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.weights.shape[0]

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return self.weights.shape[1]

    @property
    def group(self) -> np.ndarray:
        """Which offset each neuron's threshold has, int64 of shape (neurons,)."""
        return np.zeros(self.neurons, np.int64) if self.classes is None else self.classes

    @property
    def fan_in(self) -> np.ndarray:
        """Live synapses of each neuron, int64 of shape (neurons,)."""
        return self.alive.sum(axis=0)

    @property
    def in_force(self) -> np.ndarray:
        """Thresholds that the next stimulus is compared with, int64 of shape (neurons,)."""
        return np.maximum(THRESHOLD_MIN, self.threshold - self.offset[self.group])

    def settled(self) -> LearningState:
        """Return the state at the end of learning: the offset is taken off the thresholds."""
        return replace(self, threshold=self.in_force, offset=np.zeros_like(self.offset))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays of integers, by name; `from_arrays` is the way back."""
        classes = {} if self.classes is None else {"classes": self.classes}
        return classes | {
            "weights": self.weights,
            "alive": self.alive.astype(np.uint8),
            "threshold": self.threshold,
            "offset": self.offset,
            "lfsr": np.array(self.lfsr),
            "seen": np.array(self.seen),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> LearningState:
        """Return the state whose `arrays` these are.

        Raises
        ------
        InputError
            If one is missing, or something is out of range.
        """
        for name in ("weights", "alive", "threshold", "offset", "lfsr", "seen"):
            if name not in arrays:
                raise InputError(f"state: array '{name}' is missing")
        return cls(
            weights=arrays["weights"],
            alive=arrays["alive"].astype(bool),
            threshold=arrays["threshold"].astype(np.int64),
            offset=arrays["offset"].astype(np.int64),
            lfsr=int(arrays["lfsr"]),
            seen=int(arrays["seen"]),
            classes=arrays["classes"].astype(np.int64) if "classes" in arrays else None,
        )


def check_state(rule: Rule, state: LearningState) -> None:
    """Refuse a state that ``rule`` could not have led to.

    Raises
    ------
    InputError
        If a weight is larger than the rule's, or classes and rule do not go together.
    """
    if state.weights.max() > rule.weight_max:
        raise InputError(f"state: a weight is {state.weights.max()}, at most {rule.weight_max}")
    if isinstance(rule, Supervised) == (state.classes is None):
        raise InputError(
            "state: neurons must have classes for a supervised rule, and none for another"
        )


def first_state(
    rule: Rule,
    inputs: int,
    neurons: int,
    *,
    seed: int,
    threshold: float,
    mean: float = 0.8,
    spread: float = 0.05,
    classes: int = 0,
    alive: np.ndarray | None = None,
) -> LearningState:
    """Return what learning starts from: random weights and equal thresholds.

    Parameters
    ----------
    rule : Rule
        Its weight bits are used.
    inputs, neurons : int
        Size of the layer.
    seed : int
        Of weights and of the random register, 0 or more.
    threshold : float
        theta0 as a share of ``inputs * 0.8 * WMAX``, of what an image of all white would bring if
        all weights were 0.8 WMAX.
    mean, spread : float
        Weights are normal with this mean and standard deviation, in parts of WMAX, and at least 1:
        a weight of 0 would stay 0.
    classes : int
        Give the neurons so many classes, in ascending order and in blocks of
        `firstspike.spec.CLASS_BLOCK`; 0: none.
    alive : ndarray of bool, shape (inputs,), optional
        Which inputs have synapses; all, if not given.

    Raises
    ------
    InputError
        If a class has no neuron.
    """
    given = None
    if classes:
        blocks = -(-neurons // CLASS_BLOCK)
        given = np.arange(neurons) // CLASS_BLOCK * classes // blocks
        if blocks < classes:
            raise InputError(
                f"neurons is {neurons}, must be more than {CLASS_BLOCK * (classes - 1)}: a class "
                f"has blocks of {CLASS_BLOCK}"
            )
    most = rule.weight_max
    random = np.random.default_rng([seed, 0])
    weights = np.rint(random.normal(mean * most, spread * most, (inputs, neurons)))
    theta = int(threshold * inputs * 0.8 * most) << rule.fraction_bits
    mask = np.ones((inputs, neurons), bool)
    if alive is not None:
        mask &= alive[:, None]
    return LearningState(
        weights=(weights.clip(1, most) * mask).astype(np.uint8),
        alive=mask,
        threshold=np.full(neurons, max(THRESHOLD_MIN, theta)),
        offset=np.zeros(max(1, classes), np.int64),
        lfsr=int(random.integers(1, LFSR_MAX, endpoint=True)),
        seen=0,
        classes=given,
    )
