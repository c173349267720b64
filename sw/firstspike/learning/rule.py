"""Learning rules: every integer that learning depends on, beside the state itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from firstspike.errors import InputError
from firstspike.spec import AMOUNT_BITS, HANDICAP_MAX, INTENSITY_MAX, TIME_BITS_MAX, TIME_BITS_MIN

__all__ = ["Bound", "Pruning", "Rule", "Supervised", "Unsupervised"]


def _check(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} is {value!r}, must be an integer in {low}..{high}")


class Bound(enum.Enum):
    """How a change depends on the weight ``w``; WMAX is the largest weight."""

    #: w * (2^WB - w) >> WB, rounded up: slow at both ends, and 0 stays 0.
    SOFT = "soft"
    #: What is left on the way: WMAX - w upwards, w downwards.
    ROOM = "room"
    #: The same for every weight.
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Which synapses an update removes for good.

    Parameters
    ----------
    below : int
        A synapse whose new weight is less is removed, 1..2^weight_bits - 1.
    after : int
        But not before this many stimuli were seen with learning on, the present one among them.
    min_fan_in : int
        And not if its neuron has only so many left, 1..8192.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    below: int
    after: int = 0
    min_fan_in: int = 16

    def __post_init__(self) -> None:
        _check("below", self.below, 1, 255)
        _check("after", self.after, 0, (1 << 24) - 1)
        _check("min_fan_in", self.min_fan_in, 1, 8192)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What both rules have; docs/semantics.md, sections 7 to 10.

    Parameters
    ----------
    weight_bits : int
        Weights are unsigned, of this many bits, 2..8.
    time_bits : int
        A stimulus lasts ``2 ** time_bits`` steps, 3..8.
    intensity_min : int
        A pixel below it never spikes, 1..255.
    off : bool
        Whether each pixel also drives an OFF input.
    potentiate, depress : int
        AP and AM: 256ths of the bound that a weight goes up or down, 0..16383.
    bound : Bound
        What AP and AM are multiplied with.
    homeostasis : int
        dn: what thresholds fall by at a stimulus; the winner's rises by that times the number of
        neurons that fall. 0..255.
    pruning : Pruning or None
        None: no synapse is ever removed.

    Raises
    ------
    InputError
        If a value is out of its range, or an entry of the tables has more than 14 bits.
    """

    weight_bits: int = 8
    time_bits: int = 4
    intensity_min: int = 1
    off: bool = False
    potentiate: int = 8
    depress: int = 4
    bound: Bound = Bound.SOFT
    homeostasis: int = 2
    pruning: Pruning | None = None

    def __post_init__(self) -> None:
        _check("weight_bits", self.weight_bits, 2, 8)
        _check("time_bits", self.time_bits, TIME_BITS_MIN, TIME_BITS_MAX)
        _check("intensity_min", self.intensity_min, 1, INTENSITY_MAX)
        _check("homeostasis", self.homeostasis, 0, 255)
        for name in ("depress", "potentiate"):
            _check(name, getattr(self, name), 0, (1 << AMOUNT_BITS) - 1)
        for name, entries in zip(("depress", "potentiate"), self.tables(), strict=True):
            if entries.max() >= 1 << AMOUNT_BITS:
                raise InputError(
                    f"{name} is {getattr(self, name)}: times a {self.bound.value} bound of "
                    f"{entries.max() // getattr(self, name)} it must be below {1 << AMOUNT_BITS}"
                )
        if self.pruning is not None:
            _check("below", self.pruning.below, 1, self.weight_max)

    @property
    def weight_max(self) -> int:
        """Largest weight, WMAX."""
        return (1 << self.weight_bits) - 1

    @property
    def fraction_bits(self) -> int:
        """F: bits of a threshold that are finer than a weight."""
        return 8 - self.weight_bits

    @property
    def steps(self) -> int:
        """Time steps of a stimulus, T; as a spike time it means "never"."""
        return 1 << self.time_bits

    def without_pruning(self) -> Self:
        """Return the same rule that removes nothing."""
        return replace(self, pruning=None)

    def tables(self) -> np.ndarray:
        """Return what is added to a random byte before it is shifted into a change.

        Returns
        -------
        ndarray of int64, shape (2, 2 ** weight_bits)
            By direction (0 down, 1 up) and weight; each below ``2 ** AMOUNT_BITS``.
        """
        most = self.weight_max
        weight = np.arange(most + 1)
        if self.bound is Bound.SOFT:
            down = up = (weight * (most + 1 - weight) + most) >> self.weight_bits
        elif self.bound is Bound.ROOM:
            down, up = weight, most - weight
        else:
            down = up = np.ones_like(weight)
        return np.stack([self.depress * down, self.potentiate * up])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupervised(Rule):
    """STDP of the winner, whoever that is; all thresholds fall together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised(Rule):
    """Each neuron has a class, and the label's class should win.

    Parameters
    ----------
    own, other : int
        Handicap of the neurons of the label's class, and of all others, 0..2^18.
    reward : bool
        Whether a winner of the label's class learns.
    error_step : int
        e: what the threshold of a wrong winner rises by, and that of the best neuron of the
        label's class falls by. 0..65535.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    own: int = 0
    other: int = 0
    reward: bool = False
    error_step: int = 0

    def __post_init__(self) -> None:
        # A plain super() knows the class before dataclass gave it slots.
        super(Supervised, self).__post_init__()
        _check("own", self.own, 0, HANDICAP_MAX)
        _check("other", self.other, 0, HANDICAP_MAX)
        _check("error_step", self.error_step, 0, 65535)
