"""Seeds as a command line has them."""

from __future__ import annotations

from firstspike.errors import InputError

__all__ = ["seeds_of"]


def seeds_of(text: str) -> list[int]:
    """Return the seeds in ``text``, which has commas between them.

    Raises
    ------
    InputError
        If one is no integer.
    """
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError:
        raise InputError(f"--seeds is {text!r}, must be integers with commas between") from None
