"""What the power model reads: dumps of runs and of learning, with the core's own counters."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.errors import InputError
from firstspike.power.inputs import Built, core_name

__all__ = ["Dump", "load_dump"]


@dataclass(frozen=True, slots=True)
class Dump:
    """What ran, stimulus by stimulus.

    Parameters
    ----------
    path : Path
        Its file.
    what : str
        ``inference`` or ``learning``.
    origin : dict
        Its provenance.
    images : int
        Stimuli.
    total_cycles : int
        Of the whole run, from the first pixel to the last result.
    counters : dict of str to ndarray of int64, shape (images,)
        The core's own.
    """

    path: Path
    what: str
    origin: dict[str, Any]
    images: int
    total_cycles: int
    counters: dict[str, np.ndarray]


def load_dump(path: Path, built: Built, what: str) -> Dump:
    """Return what ``run --dump`` or ``learn --dump`` wrote on the core of ``built``.

    Raises
    ------
    InputError
        If it is no such file, of another core, or without cycles.
    """
    kind = {"inference": "run", "learning": "learn"}[what]
    work = {"run": "run NET --data DATA", "learn": "learn RECIPE -o NET"}[kind]
    maker = f"firstspike {work} --core {core_name(built.digest)} --dump {path.name}"
    try:
        # np.load leaves a file open that is a broken archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            origin = json.loads(str(arrays["provenance"]))
            names = [str(name) for name in arrays["counter_names"]]
            counters = {
                name: arrays["counters"][:, i].astype(np.int64) for i, name in enumerate(names)
            }
            total = int(arrays["total_cycles"]) if "total_cycles" in arrays else None
            images = len(arrays["counters"])
        found, digest = origin["kind"], origin["core_digest"]
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror or error}; this makes it: {maker}"
        ) from error
    except (KeyError, ValueError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: is not a dump with its provenance ({error}); this makes one: {maker}"
        ) from error
    if found != kind:
        raise InputError(f"{path}: is a dump of {found}, must be of {kind}: {maker}")
    if digest != built.digest:
        raise InputError(
            f"{path}: its counters are of the core {core_name(digest)}, and {built.path} of "
            f"{core_name(built.digest)}; this makes the right one: {maker}"
        )
    if total is None or total <= 0 or not images:
        raise InputError(f"{path}: has no cycles of a whole run; this makes one that has: {maker}")
    return Dump(path, what, origin, images, total, counters)
