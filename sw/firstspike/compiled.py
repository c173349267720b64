"""Compile inner loops with Numba, once for each version of their sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config

from firstspike.paths import cache_folder

__all__ = ["compiler"]


_FOLDER = "CACHE_DIR"


def compiler(*sources: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that compiles a function, or takes what was compiled before.

    Parameters
    ----------
    *sources : str
        Files with all code that goes into the function. Numba itself looks at one file only, and
        would go on with an old version of what is called from another.
    """
    digest = hashlib.blake2s(digest_size=8)
    for source in sources:
        digest.update(Path(source).read_bytes())
    folder = cache_folder() / "numba" / digest.hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = True
    except OSError:
        kept = False

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        # Numba takes the folder from its settings at the moment of decoration.
        before = getattr(config, _FOLDER)
        setattr(config, _FOLDER, str(folder))
        try:
            return numba.njit(function, nogil=True, cache=kept)
        finally:
            setattr(config, _FOLDER, before)

    return compiled
