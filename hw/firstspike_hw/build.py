"""From a core to a bitstream for a board."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from firstspike import __version__
from firstspike.board.protocol import core_digest
from firstspike.boards import Board
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.progress import waiting
from firstspike.provenance import provenance
from firstspike.spec import CoreSpec
from firstspike_hw.blocks import count_blocks, count_flat
from firstspike_hw.boards import BoardTop, open_platform
from firstspike_hw.rtlil import relax
from firstspike_hw.synthesis import check_memory, synthesis_script
from firstspike_hw.tools import run_tool, tool_version

__all__ = ["Build", "build"]

_MHZ = 1_000_000


@dataclass(frozen=True, slots=True)
class _Family:
    """Names of what a family's tools want and give."""

    place: str
    pack: str
    constraints: str
    constraints_option: str
    placed: str
    placed_option: str
    bitstream: str


_FAMILIES = {
    "ice40": _Family("nextpnr-ice40", "icepack", ".pcf", "--pcf", ".asc", "--asc", ".bin"),
    "ecp5": _Family("nextpnr-ecp5", "ecppack", ".lpf", "--lpf", ".config", "--textcfg", ".bit"),
}


@dataclass(frozen=True, slots=True)
class Build:
    """What a build gave.

    Parameters
    ----------
    bitstream : Path
        For the board; the same name with ``.json`` has all that is here, and more.
    cells : dict of str to (int, int)
        By kind: used, and there.
    fmax : dict of int to float
        By seed: the highest clock, in MHz.
    seed : int
        The one that was packed.
    """

    bitstream: Path
    cells: dict[str, tuple[int, int]]
    fmax: dict[int, float]
    seed: int


def build(
    core: CoreSpec, board: Board, folder: Path, *, seeds: int = 3, words: Sequence[str] = ()
) -> Build:
    """Synthesise ``core``, place it on ``board`` once a seed, pack the fastest.

    The files are ``folder/<board>-<digest>.bin`` or ``.bit``, and ``.json``. The digest is of the
    design and of the tools.

    Parameters
    ----------
    core : CoreSpec
        Any network that fits it runs with this bitstream.
    board : Board
        One of `firstspike.boards.BOARDS`.
    folder : Path
        Made if missing.
    seeds : int
        How often to place and route, seeds 1 and up.
    words : sequence of str
        The command line that asks for it, which the JSON file tells.

    Raises
    ------
    InputError
        If a tool is missing or fails, the core does not fit the board, or no seed meets the
        board's clock. No file is written then.
    """
    family = _FAMILIES[board.family]
    clock = board.clock_of(core)
    tools = {name: tool_version(name) for name in ("yosys", family.place)}
    tools["amaranth"] = version("amaranth")
    with tempfile.TemporaryDirectory(prefix="firstspike-") as name:
        work = Path(name)
        with waiting(f"{board.name}: elaborate"):
            digest = _prepare(core, board, work, tools)
        with waiting(f"{board.name}: synthesise"):
            run_tool("yosys", ["-q", "top.ys"], work)
        with waiting(f"{board.name}: count the cells of blocks"):
            flat = count_flat(json.loads((work / "top.json").read_text()))
            blocks = count_blocks(board, work)
        fmax: dict[int, float] = {}
        cells: dict[str, tuple[int, int]] = {}
        best = 0
        for seed in range(1, seeds + 1):
            with waiting(f"{board.name}: place and route, seed {seed} of {seeds}"):
                cells, fmax[seed] = _place(board, family, work, seed)
            if fmax[seed] > fmax.get(best, 0):
                best = seed
                placed = work / f"top{family.placed}"
                placed.replace(work / f"best{family.placed}")
        if fmax[best] * _MHZ < clock:
            reached = ", ".join(f"{value:.1f}" for value in fmax.values())
            raise InputError(
                f"board {board.name}: the core must run at {clock / _MHZ:g} MHz and reaches "
                f"{reached} MHz with seeds 1..{seeds}: a smaller core, or more seeds, may"
            )
        run_tool(family.pack, [f"best{family.placed}", f"best{family.bitstream}"], work)
        content = (work / f"best{family.bitstream}").read_bytes()

    bitstream = folder / f"{board.name}-{digest}{family.bitstream}"
    facts = {
        "firstspike": __version__,
        "board": board.name,
        "core": asdict(core),
        "core_digest": core_digest(core).hex(),
        "clock_hz": clock,
        "baud": board.baud,
        "tools": tools,
        "blocks": blocks,
        "flat": flat,
        "cells": {kind: {"used": used, "there": there} for kind, (used, there) in cells.items()},
        "fmax_mhz": {str(seed): round(value, 2) for seed, value in fmax.items()},
        "seed": best,
        "bitstream_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "provenance": provenance("build", words, core, board=board.name),
    }
    write_file(bitstream, content)
    write_file(bitstream.with_suffix(".json"), (json.dumps(facts, indent=2) + "\n").encode())
    return Build(bitstream, cells, fmax, best)


def _prepare(core: CoreSpec, board: Board, work: Path, tools: dict[str, str]) -> str:
    """Write what the tools read to ``work``; return the digest."""
    platform = open_platform(board)
    check_memory(core, board, platform)
    try:
        top = BoardTop(core, board)
    except ValueError as error:
        raise InputError(f"board {board.name}: {error}") from error
    files: dict[str, Any] = platform.prepare(top, "top", emit_src=False).files
    constraints = f"top{_FAMILIES[board.family].constraints}"
    design = {
        "top.il": relax(files["top.il"]),
        constraints: files[constraints],
        "top.ys": synthesis_script(board, "top"),
    }
    digest = hashlib.blake2s(repr(sorted(tools.items())).encode(), digest_size=4)
    for name, content in design.items():
        text = content if isinstance(content, str) else content.decode()
        (work / name).write_text(text)
        digest.update(text.encode())
    digest.update(repr(board).encode())
    return digest.hexdigest()


def _place(
    board: Board, family: _Family, work: Path, seed: int
) -> tuple[dict[str, tuple[int, int]], float]:
    """Place and route; return the cells, and the highest clock of the core in MHz."""
    constraints = f"top{family.constraints}"
    arguments = [
        *board.place_options,
        *("--json", "top.json"),
        *(family.constraints_option, constraints),
        *(family.placed_option, f"top{family.placed}"),
        *("--report", "report.json"),
        *("--seed", str(seed)),
        # Too slow is for us to say, with the figures of all seeds.
        "--timing-allow-fail",
        "--quiet",
    ]
    run_tool(family.place, arguments, work)
    report = json.loads((work / "report.json").read_text())
    cells = {
        kind: (count["used"], count["available"])
        for kind, count in report["utilization"].items()
        if count["used"]
    }
    clocks = [clock["achieved"] for clock in report["fmax"].values()]
    return cells, min(clocks)
