"""A bitstream of an iCE40, unpacked to the cells that it sets up.

Project IceStorm does the unpacking: its icepack backwards, and its ``icebox_vlog``, which knows
neither SPRAM nor multiplier blocks. So this is for boards with an HX8K.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firstspike.boards import BOARDS, Board
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.tools import run_tool
from firstspike_sim.netlist_cells import cell_models

__all__ = ["Chip", "icebox_vlog", "unpack"]

_BOARD = "hx8k"
#: Where the oscillator is.
_OSCILLATOR = "pin_J3"
_HEAD = re.compile(r"module chip \((.*)\);")
_PORT = re.compile(r"(input|output) (pin_\w+)")
_DIVIDER = re.compile(r"\.(DIV[RFQ])\(\d+'b([01]+)\)")

#: The clock of whoever simulates is that behind the loop; `unpack` looks at the loop's dividers.
#: At the pins that nobody drives, such as the flash's, the pull-up is felt.
_AROUND = """\
/* verilator lint_off PINMISSING */
/* verilator lint_off UNDRIVEN */
module SB_PLL40_CORE(
  input REFERENCECLK, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
  input [7:0] DYNAMICDELAY,
  output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO
);
  parameter FEEDBACK_PATH = "", PLLOUT_SELECT = "";
  parameter DELAY_ADJUSTMENT_MODE_FEEDBACK = "", DELAY_ADJUSTMENT_MODE_RELATIVE = "";
  parameter SHIFTREG_DIV_MODE = 0, FDA_FEEDBACK = 0, FDA_RELATIVE = 0, DIVR = 0, DIVF = 0;
  parameter DIVQ = 0, FILTER_RANGE = 0, ENABLE_ICEGATE = 0, TEST_MODE = 0;
  reg [3:0] age;
  initial age = 0;
  always @(posedge REFERENCECLK) if (!LOCK) age <= age + 1;
  assign LOCK = age[3] & RESETB;
  assign PLLOUTGLOBAL = REFERENCECLK;
  assign PLLOUTCORE = REFERENCECLK;
  assign SDO = 0;
endmodule
module system(input clk, input rst, input rx, output tx);
  chip chip({connections});
endmodule
"""


@dataclass(frozen=True, slots=True)
class Chip:
    """What a bitstream makes of a chip.

    Attributes
    ----------
    verilog : str
        Its cells, in a module ``system`` with ports clk (the core's clock), rst (unused), rx, tx.
    core : CoreSpec
        The core, as the file beside the bitstream has it.
    divisor : int
        Clock cycles a bit of its UART.
    """

    verilog: str
    core: CoreSpec
    divisor: int


def icebox_vlog() -> Path:
    """Return the program ``icebox_vlog``: what ``ICEBOX_VLOG`` names, or what is on PATH.

    Raises
    ------
    InputError
        If it is not there.
    """
    found = os.environ.get("ICEBOX_VLOG") or shutil.which("icebox_vlog")
    if found is None or not Path(found).is_file():
        raise InputError(
            "icebox_vlog is missing: apt install fpga-icestorm, or set ICEBOX_VLOG to where it is"
        )
    return Path(found)


def unpack(bitstream: Path) -> Chip:
    """Return the cells of a bitstream that `firstspike build` has made for the HX8K board.

    Parameters
    ----------
    bitstream : Path
        The .bin; the .json must be beside it.

    Raises
    ------
    InputError
        If a file is missing or for another board, or a tool is missing or fails.
    """
    program = icebox_vlog()
    record = bitstream.with_suffix(".json")
    try:
        facts = json.loads(record.read_text())
        content = bitstream.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{record}: is not the record of a build: {error}") from error
    if facts.get("board") != _BOARD:
        raise InputError(f"{record}: board is {facts.get('board')!r}, must be {_BOARD!r}")
    board = BOARDS[_BOARD]
    with tempfile.TemporaryDirectory(prefix="firstspike-") as name:
        work = Path(name)
        (work / "chip.bin").write_bytes(content)
        run_tool("iceunpack", ["chip.bin", "chip.asc"], work)
        done = subprocess.run(
            # -s: no comments; -l: ports are called by their pins.
            [sys.executable, str(program.resolve()), "-s", "-l", "chip.asc"],
            cwd=work,
            text=True,
            capture_output=True,
        )
    if done.returncode:
        lines = done.stderr.splitlines() or ["no reason given"]
        raise InputError(f"{bitstream}: icebox_vlog failed: {lines[-1]}")
    text = _HEAD.sub(_old_head, done.stdout, count=1)
    clock = _clock(bitstream, text, board)
    if clock != facts["clock_hz"]:
        raise InputError(f"{record}: clock_hz is {facts['clock_hz']}, the bitstream's is {clock:g}")
    models, _ = cell_models("ice40", {"SB_RAM40_4K"})
    around = _AROUND.replace("{connections}", _connections(bitstream, text, board))
    divisor = round(facts["clock_hz"] / facts["baud"])
    return Chip(f"{around}{models}{text}", CoreSpec(**facts["core"]), divisor)


def _old_head(head: re.Match[str]) -> str:
    """Return the head of a module whose ports may be declared again, as wires."""
    ports = _PORT.findall(head[1])
    names = ", ".join(name for _, name in ports)
    return "\n".join([f"module chip ({names});", *(f"  {way} {name};" for way, name in ports)])


def _clock(bitstream: Path, text: str, board: Board) -> float:
    """Return the Hz that the chip's loop makes out of the board's oscillator."""
    divider = {name: int(bits, 2) for name, bits in _DIVIDER.findall(text)}
    if set(divider) != {"DIVR", "DIVF", "DIVQ"}:
        raise InputError(f"{bitstream}: has no phase-locked loop")
    return board.oscillator / (divider["DIVR"] + 1) * (divider["DIVF"] + 1) / 2 ** divider["DIVQ"]


def _connections(bitstream: Path, text: str, board: Board) -> str:
    """Return what stands at each port of the chip."""
    wires = {
        _OSCILLATOR: "clk",
        f"pin_{board.uart.rx}": "rx",
        f"pin_{board.uart.tx}": "tx",
    }
    ports: dict[str, str] = {name: way for way, name in _PORT.findall(text)}
    missing = wires.keys() - ports.keys()
    if missing:
        raise InputError(f"{bitstream}: nothing is connected to {min(missing)}")
    others = {name: "1'b1" if way == "input" else "" for name, way in ports.items()}
    return ", ".join(f".{name}({wire})" for name, wire in (others | wires).items())
