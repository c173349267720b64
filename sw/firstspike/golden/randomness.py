"""Random bytes that depend on a register and a position alone; docs/semantics.md, section 7.2."""

from __future__ import annotations

import numpy as np

from firstspike.spec import RANDOM_FEEDBACK, RANDOM_SHIFTS, RANDOM_SPREAD

__all__ = ["advance", "random_byte", "random_bytes"]


def advance(register: int, shifts: int = RANDOM_SHIFTS) -> int:
    """Return the random register after ``shifts`` single shifts to the right (Galois form)."""
    for _ in range(shifts):
        register = (register >> 1) ^ (RANDOM_FEEDBACK if register & 1 else 0)
    return register


def random_byte(register: int, i: int) -> int:
    """Return the random byte of input ``i``, which depends on the position alone."""
    k = i % 32
    turned = (register >> k | register << (32 - k)) & 0xFFFFFFFF
    return (turned ^ (RANDOM_SPREAD * i)) & 255


def random_bytes(seed: int, steps: int, inputs: int) -> np.ndarray:
    """Return the bytes of each step and input, int64 of shape (steps, inputs).

    The register moves before every step (docs/semantics.md, section 11.1).
    """
    register, rows = seed, []
    for _ in range(steps):
        register = advance(register)
        rows.append([random_byte(register, i) for i in range(inputs)])
    return np.array(rows)
