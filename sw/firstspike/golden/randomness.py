"""Random bytes that depend on a register and a position alone; docs/semantics.md, section 7.2."""

from __future__ import annotations

from firstspike.spec import RANDOM_FEEDBACK, RANDOM_SHIFTS, RANDOM_SPREAD

__all__ = ["advance", "random_byte"]


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
