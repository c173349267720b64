"""Learning rules: every integer that learning depends on, beside the state itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from firstspike.errors import InputError
from firstspike.spec import AMOUNT_BITS, HANDICAP_MAX, INTENSITY_MAX, TIME_BITS_MAX, TIME_BITS_MIN

__all__ = ["Pruning", "Rule", "Supervised", "Unsupervised"]


def _check(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} is {value!r}, must be an integer in {low}..{high}")


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
    up, down : tuple of int
        What a weight changes by, in 256ths: an entry for each weight, 0..16383. See
        `firstspike.learning.tables.table`.
    homeostasis : int
        dn: what thresholds fall by at a stimulus; the winner's rises by that times the number of
        neurons that fall. 0..255.
    pruning : Pruning or None
        None: no synapse is ever removed.

    Raises
    ------
    InputError
        If a value is out of its range, or a table has not an entry for each weight.
    """

    weight_bits: int = 8
    time_bits: int = 4
    intensity_min: int = 1
    off: bool = False
    up: tuple[int, ...]
    down: tuple[int, ...]
    homeostasis: int = 0
    pruning: Pruning | None = None

    def __post_init__(self) -> None:
        _check("weight_bits", self.weight_bits, 2, 8)
        _check("time_bits", self.time_bits, TIME_BITS_MIN, TIME_BITS_MAX)
        _check("intensity_min", self.intensity_min, 1, INTENSITY_MAX)
        _check("homeostasis", self.homeostasis, 0, 255)
        for name in ("up", "down"):
            entries = getattr(self, name)
            if len(entries) != self.weight_max + 1:
                raise InputError(f"{name}: {len(entries)} entries, must be {self.weight_max + 1}")
            for weight, entry in enumerate(entries):
                _check(f"{name}[{weight}]", entry, 0, (1 << AMOUNT_BITS) - 1)
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
        """Return both tables: what is added to a random byte before it is shifted.

        Returns
        -------
        ndarray of int64, shape (2, 2 ** weight_bits)
            By direction (0 down, 1 up) and weight; each below ``2 ** AMOUNT_BITS``.
        """
        return np.array([self.down, self.up])


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
