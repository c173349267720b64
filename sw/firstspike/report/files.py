"""Files of figures, read with what they say of their origin."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.errors import InputError

__all__ = ["KINDS", "Source", "read_folder"]

#: Kinds of files that a report rests on.
KINDS = ("build", "run", "learn", "activity", "bench")
#: What every provenance has, and of which type.
_ALWAYS = ("kind", "command", "firstspike", "commit")
#: What a kind must hold besides: keys of an object, or names of arrays.
_HOLDS = {
    "build": ("board", "clock_hz", "cells", "fmax_mhz", "seed", "tools", "blocks", "flat"),
    "run": ("label", "predicted", "decision_step", "forced", "counters", "counter_names"),
    "learn": ("winner", "counters", "counter_names", "phases", "weights.output", "alive.output"),
    "activity": ("cycles", "cells", "toggles", "outputs", "memories"),
    "bench": ("machine", "figures"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file of figures.

    Parameters
    ----------
    path : Path
        Where it is.
    sha256 : str
        Of its bytes, in hexadecimal.
    origin : dict
        Its ``provenance``; docs/evidence.md.
    content : dict
        The whole object of a JSON file; empty for an .npz file.
    arrays : dict of str to ndarray
        Of an .npz file, without the provenance; empty for a JSON file.
    """

    path: Path
    sha256: str
    origin: dict[str, Any]
    content: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the file holds, of `KINDS`."""
        return self.origin["kind"]

    def counters(self) -> dict[str, np.ndarray]:
        """Return the counters of an .npz file by name, each of shape (stimuli,)."""
        names = self.arrays["counter_names"].tolist()
        return dict(zip(names, self.arrays["counters"].T, strict=True))


def read_folder(folder: Path) -> list[Source]:
    """Return the files of figures in ``folder``, by name; other files are left alone.

    A file belongs to them if it is .json or .npz and has a provenance of a kind in `KINDS`.

    Raises
    ------
    InputError
        If the folder is missing, or one of these files is damaged or lacks a part.
    """
    if not folder.is_dir():
        raise InputError(f"--from {folder}: no such folder, must hold what build and run wrote")
    readers = {".json": _read_json, ".npz": _read_arrays}
    paths = sorted(path for path in folder.iterdir() if path.suffix in readers)
    return [source for path in paths if (source := readers[path.suffix](path)) is not None]


def _bytes(path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    return content, hashlib.sha256(content).hexdigest()


def _read_json(path: Path) -> Source | None:
    content, digest = _bytes(path)
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged, or not JSON: {error}") from error
    if not isinstance(facts, dict):
        return None
    origin = _origin(path, facts.get("provenance"))
    if origin is None:
        return None
    _complete(path, origin["kind"], facts)
    return Source(path, digest, origin, content=facts)


def _read_arrays(path: Path) -> Source | None:
    content, digest = _bytes(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
        text = str(arrays.pop("provenance")) if "provenance" in arrays else "null"
        origin = _origin(path, json.loads(text))
    except (ValueError, EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged, or not an .npz archive: {error}") from error
    if origin is None:
        return None
    _complete(path, origin["kind"], arrays)
    return Source(path, digest, origin, arrays=arrays)


def _origin(path: Path, origin: Any) -> dict[str, Any] | None:
    """Return a provenance if it is one of a kind that reports rest on."""
    if not isinstance(origin, dict) or origin.get("kind") not in KINDS:
        return None
    for key in _ALWAYS:
        if not isinstance(origin.get(key), str):
            raise InputError(f"{path}: provenance.{key}: is missing, must be a text")
    return origin


def _complete(path: Path, kind: str, content: dict[str, Any]) -> None:
    missing = [name for name in _HOLDS[kind] if name not in content]
    if missing:
        raise InputError(f"{path}: {missing[0]}: is missing, must be in a file of kind {kind!r}")
