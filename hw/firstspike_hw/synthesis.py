"""What Yosys does with a design: one text for bitstreams and for netlists that are simulated."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]

from firstspike.boards import Board
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.boards import open_platform
from firstspike_hw.make import make_core
from firstspike_hw.rtlil import relax
from firstspike_hw.spram import SPRAM_DEVICE
from firstspike_hw.tools import run_tool

__all__ = ["check_memory", "core_netlist", "core_rtlil", "synthesis_script"]

#: What is said to Yosys before LUTs are made: two cells in a hundred less than without.
_MAPPING = {"ice40": "scratchpad -copy abc9.script.flow2 abc9.script\n", "ecp5": ""}

#: What Yosys calls memories without block RAMs.
_LOGIC_STYLES = {"ice40": "logic", "ecp5": "distributed"}


def synthesis_script(board: Board, top: str) -> str:
    """Return the script that makes ``<top>.json``, cells of the board's family, of ``<top>.il``.

    Parameters
    ----------
    board : Board
        Uses family, logic_memories.
    top : str
        Module at the top.
    """
    synthesise = f"synth_{board.family}"
    in_logic = "".join(
        f'setattr -set ram_style "{_LOGIC_STYLES[board.family]}" *{name}\n'
        for name in board.logic_memories
    )
    # Without splitnets, the pass after it can trip over a name (Yosys issue 4349).
    return (
        f"read_rtlil {top}.il\n{in_logic}"
        f"{synthesise} -top {top} -run begin:map_luts\nsplitnets\n"
        f"{_MAPPING[board.family]}{synthesise} -run map_luts:\nwrite_json {top}.json\n"
    )


def check_memory(core: CoreSpec, board: Board, platform: Any) -> None:
    """Refuse a core with SPRAM for a board that has none.

    Raises
    ------
    InputError
        If it is so.
    """
    if core.memory == "spram" and getattr(platform, "device", None) != SPRAM_DEVICE:
        raise InputError(f"board {board.name} has no SPRAM: the core's memory must be 'block'")


def core_rtlil(core: CoreSpec, board: Board) -> str:
    """Return the RTLIL of a core alone, module ``core``, as it is made for ``board``.

    Raises
    ------
    InputError
        If the core does not suit the board.
    """
    platform = open_platform(board)
    check_memory(core, board, platform)
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    return relax(rtlil.convert(make_core(core), name="core", platform=platform, emit_src=False))


def core_netlist(core: CoreSpec, board: Board) -> dict[str, Any]:
    """Return the netlist of a core alone, module ``core``, as Yosys writes it in JSON.

    The steps are those of a bitstream for ``board``; the core's ports are the module's.

    Raises
    ------
    InputError
        If the core does not suit the board, or Yosys is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="firstspike-") as name:
        work = Path(name)
        (work / "core.il").write_text(core_rtlil(core, board))
        (work / "core.ys").write_text(synthesis_script(board, "core"))
        run_tool("yosys", ["-q", "core.ys"], work)
        return json.loads((work / "core.json").read_text())
