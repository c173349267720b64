"""Where figures come from: command, commit and digests, kept beside them in their file."""

from __future__ import annotations

import functools
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firstspike import __version__
from firstspike.board.protocol import core_digest
from firstspike.spec import CoreSpec

__all__ = ["commit", "provenance"]


@functools.cache
def commit() -> str:
    """Return the commit of the source that runs, 12 digits; "" if it is no checkout.

    ``-changed`` follows if files that belong to the commit differ from it.
    """
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        # A package that was installed below somebody else's repository is not part of it.
        if not git("ls-files", __file__):
            return ""
        return git("describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=-changed")
    except FileNotFoundError:
        return ""


def provenance(
    kind: str, words: Sequence[str], core: CoreSpec | None, **facts: Any
) -> dict[str, Any]:
    """Return what a file of figures says of its origin, ready for JSON.

    Parameters
    ----------
    kind : str
        What the file holds: ``build``, ``run``, ``learn``, ``activity`` or ``bench``.
    words : sequence of str
        The command line, without the program's name.
    core : CoreSpec or None
        What ran or was built; None where nothing depends on one.
    **facts
        What else identifies it: a network's name and digest, data, split, seed, ...

    Returns
    -------
    dict
        ``kind``, ``command``, ``firstspike`` (version), ``commit``, ``core`` (parameters),
        ``core_digest`` (both None without a core), and the facts.
    """
    return {
        "kind": kind,
        "command": shlex.join(["firstspike", *words]),
        "firstspike": __version__,
        "commit": commit(),
        "core": None if core is None else asdict(core),
        "core_digest": None if core is None else core_digest(core).hex(),
        **facts,
    }
