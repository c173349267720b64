"""Tables of changes: how far a weight goes up or down, by the weight itself."""

from __future__ import annotations

import enum

import numpy as np

from firstspike.errors import InputError
from firstspike.spec import AMOUNT_BITS

__all__ = ["Bound", "table"]


class Bound(enum.Enum):
    """How a change depends on the weight ``w``; WMAX = 2^b - 1 is the largest weight."""

    #: (w * (2^b - w) + WMAX) >> b: slow at both ends, and 0 stays 0.
    SOFT = "soft"
    #: What is left on the way: WMAX - w upwards, w downwards.
    ROOM = "room"
    #: The mean of both.
    MIXED = "mixed"
    #: The same for every weight, 1.
    HARD = "hard"


def table(bound: Bound, amount: float, weight_bits: int, *, up: bool) -> tuple[int, ...]:
    """Return the entries of a table: ``amount`` times the bound, rounded to the nearest.

    Parameters
    ----------
    bound : Bound
        How the change depends on the weight.
    amount : float
        256ths of a weight by which the change grows with the bound, 0 or more.
    weight_bits : int
        Bits of a weight, 2..8.
    up : bool
        Whether weights rise.

    Returns
    -------
    tuple of int
        One entry for each weight, in 256ths of a weight.

    Raises
    ------
    InputError
        If an entry has more than `firstspike.spec.AMOUNT_BITS` bits.
    """
    most = (1 << weight_bits) - 1
    weight = np.arange(most + 1)
    soft = (weight * (most + 1 - weight) + most) >> weight_bits
    room = most - weight if up else weight
    values = {
        Bound.SOFT: soft,
        Bound.ROOM: room,
        Bound.MIXED: (soft + room) / 2,
        Bound.HARD: np.ones_like(weight),
    }[bound]
    entries = np.floor(amount * values + 0.5).astype(np.int64)
    if entries.max() >= 1 << AMOUNT_BITS:
        raise InputError(
            f"{amount:g} times a {bound.value} bound of {values.max():g} is {entries.max()}, must "
            f"be below {1 << AMOUNT_BITS}"
        )
    return tuple(entries.tolist())
