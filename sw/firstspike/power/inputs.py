"""What the power model reads: the JSON file of a build, and that of an activity."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstspike.board.protocol import core_digest
from firstspike.boards import Board, find_board
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec

__all__ = ["Activity", "Built", "core_name", "load_activity", "load_build"]

_MHZ = 1e6
#: More than any count is.
_MOST = 10**12


@dataclass(frozen=True, slots=True)
class Built:
    """What a build says.

    Parameters
    ----------
    path : Path
        Its file.
    board : Board
        Where the core was placed.
    core : CoreSpec
        The core.
    digest : str
        Of the core.
    clock_hz : int
        It runs at.
    cells : dict of str to int
        By nextpnr's kind: used, link included.
    luts : int
        In the netlist of all of it.
    origin : dict
        Its provenance, or what stands for it.
    """

    path: Path
    board: Board
    core: CoreSpec
    digest: str
    clock_hz: int
    cells: dict[str, int]
    luts: int
    origin: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Activity:
    """How often the nets of a core's netlist switch.

    Parameters
    ----------
    path : Path
        Its file.
    origin : dict
        Its provenance.
    images, after : int
        Stimuli that were simulated, and how many came before them.
    cycles : int
        Clock cycles of them.
    cells : dict of str to int
        Cells of the netlist, by kind.
    toggles : dict of str to float
        Transitions a cycle, by class: ``lut``, ``ff``, ``carry``, ``ram``, ``spram``, ``dsp``.
    accesses : dict of str to float
        Reads and writes a cycle, by kind of memory, of all cells of it.
    always : dict of str to int
        Cells of it that are read in every cycle, so while the core waits, too.
    """

    path: Path
    origin: dict[str, Any]
    images: int
    after: int
    cycles: int
    cells: dict[str, int]
    toggles: dict[str, float]
    accesses: dict[str, float]
    always: dict[str, int]


def core_name(digest: str) -> str:
    """Return the name of the core of that digest, or the digest in words."""
    names = (name for name, core in PRESETS.items() if core_digest(core).hex() == digest)
    return next(names, f"of digest {digest}")


def _finite(text: str) -> float:
    """Return the number that ``text`` is; JSON has no others."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number of JSON")
    return value


def _count(value: Any, low: int = 0) -> int:
    """Return an integer from a file that is at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= _MOST:
        raise ValueError(f"{value!r} must be an integer in {low}..{_MOST}")
    return value


def _amount(value: Any) -> float:
    """Return a number from a file that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        raise ValueError(f"{value!r} must be a number in 0..{_MOST}")
    return float(value)


def _read_json(path: Path, maker: str) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}; this makes it: {maker}"
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: is not JSON; this makes such a file: {maker}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must hold an object; this makes such a file: {maker}")
    return content


def load_build(path: Path) -> Built:
    """Return what the JSON file of ``firstspike build`` says.

    Raises
    ------
    InputError
        If it is no such file, or of a build that failed: no seed reached the board's clock.
    """
    maker = "firstspike build --board BOARD --core CORE"
    facts = _read_json(path, maker)
    try:
        board = find_board(facts["board"])
        core = CoreSpec(**facts["core"])
        built = Built(
            path=path,
            board=board,
            core=core,
            digest=facts["core_digest"],
            clock_hz=_count(facts["clock_hz"], 1),
            cells={kind: _count(count["used"]) for kind, count in facts["cells"].items()},
            luts=_count(facts["flat"]["lut"]),
            origin=facts.get("provenance") or {"kind": "build", "tools": facts["tools"]},
        )
        fastest = max(map(_amount, facts["fmax_mhz"].values()))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: is not the file of a build ({error!r}); this makes one: {maker}"
        ) from error
    if fastest * _MHZ < built.clock_hz:
        raise InputError(
            f"{path}: the build failed: {fastest:g} MHz, must reach {built.clock_hz / _MHZ:g} MHz; "
            f"another try: {maker} --seeds 8"
        )
    if core_digest(core).hex() != built.digest:
        raise InputError(
            f"{path}: core_digest is {built.digest}, and its core's is {core_digest(core).hex()}: "
            f"of another version; again: {maker}"
        )
    return built


def load_activity(path: Path, built: Built, what: str) -> Activity:
    """Return what the file of ``firstspike activity`` says of the core of ``built``.

    Parameters
    ----------
    path : Path
        The file.
    built : Built
        What it is used with.
    what : str
        ``inference`` or ``learning``.

    Raises
    ------
    InputError
        If it is no such file, or of another core, family, or kind of work.
    """
    work = "--learn RECIPE" if what == "learning" else "NET --data DATA"
    maker = f"firstspike activity {work} --core {core_name(built.digest)} -o {path.name}"
    facts = _read_json(path, maker)
    try:
        origin = dict(facts["provenance"])
        accesses: dict[str, float] = {}
        always: dict[str, int] = {}
        for memory in facts["memories"]:
            kind = memory["cell"]
            always[kind] = always.get(kind, 0) + (memory["reads"] >= 1)
            accesses[kind] = (
                accesses.get(kind, 0.0) + _amount(memory["reads"]) + _amount(memory["writes"])
            )
        activity = Activity(
            path=path,
            origin=origin,
            images=_count(origin["images"], 1),
            after=_count(origin.get("after", 0)),
            cycles=_count(facts["cycles"], 1),
            cells={kind: _count(count) for kind, count in facts["cells"].items()},
            toggles={kind: _amount(count) for kind, count in facts["toggles"].items()},
            accesses=accesses,
            always=always,
        )
        family, learning, digest = origin["family"], origin["learning"], origin["core_digest"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: is not the file of an activity ({error!r}); this makes one: {maker}"
        ) from error
    if digest != built.digest:
        raise InputError(
            f"{path}: is of the core {core_name(digest)}, and {built.path} of "
            f"{core_name(built.digest)}; this makes the right one: {maker}"
        )
    if family != built.board.family:
        raise InputError(
            f"{path}: is of the family {family}, and board {built.board.name} is of "
            f"{built.board.family}; this makes the right one: {maker} --family {built.board.family}"
        )
    if learning != (what == "learning"):
        raise InputError(
            f"{path}: its stimuli were {'learned from' if learning else 'inferred'}, must be of "
            f"{what}; this makes the right one: {maker}"
        )
    return activity
