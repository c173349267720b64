"""Cells by block: the design synthesised once more, with the borders of its blocks kept.

A bitstream is made of a flattened design, in which no cell belongs to anybody. For the account
alone, each block is flattened in itself only, so nothing is optimised across a border: the sum of
the blocks is a little more than the flattened design, which is counted beside them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from firstspike.boards import Board
from firstspike_hw.synthesis import synthesis_script
from firstspike_hw.tools import run_tool

__all__ = ["CLASSES", "block_of", "classes", "count_blocks", "count_flat"]

#: Classes of cells, and how the kinds of each begin in Yosys' words, of both families.
CLASSES = {
    "lut": ("SB_LUT4", "LUT4"),
    "ff": ("SB_DFF", "TRELLIS_FF"),
    "carry": ("SB_CARRY", "CCU2C"),
    "lutram": ("TRELLIS_DPR16X4",),
    "ram": ("SB_RAM40_4K", "DP16KD"),
    "spram": ("SB_SPRAM256KA",),
    "dsp": ("SB_MAC16", "MULT18X18D", "ALU54B"),
}

#: Where blocks are: the parts of the system, of its core, and of the core's inputs.
_BORDER = re.compile(r"top\.system\.(?!core\b)\w+|top\.system\.core\.(?:inputs\.)?(?!inputs\b)\w+")
#: Modules whose name says little, and what is told instead.
_NAMES = {
    "host": "host port",
    "inputs": "inputs",
    "store": "spike store",
    "boot": "flash boot",
    "walk": "column walk",
    "times": "spike times",
    "random": "random bytes",
    "access": "memory access",
    "uart_rx": "UART",
    "uart_tx": "UART",
    "bank": "banks",
}
_REST = "clock, pins, wiring"


def block_of(module: str) -> str:
    """Return the block that ``module`` is, in words; blocks with a number are one."""
    name = module.partition("$")[0].rpartition(".")[2]
    name = re.sub(r"_\d+$", "", name)
    return _NAMES.get(name, name.replace("_", " "))


def classes(kinds: Mapping[str, int]) -> dict[str, int]:
    """Return how many cells of each class there are, given how many of each kind; none is 0."""
    found = Counter[str]()
    for kind, count in kinds.items():
        for name, begins in CLASSES.items():
            if kind.startswith(begins):
                found[name] += count
    return {name: found[name] for name in CLASSES if found[name]}


def count_flat(netlist: Mapping[str, Any]) -> dict[str, int]:
    """Return the cells by class of a flattened design, given what Yosys wrote of it in JSON."""
    cells = netlist["modules"]["top"]["cells"].values()
    return classes(Counter(cell["type"] for cell in cells))


def count_blocks(board: Board, work: Path) -> list[dict[str, Any]]:
    """Synthesise ``work/top.il`` with its blocks kept apart; return the cells of each.

    Parameters
    ----------
    board : Board
        What it is made for.
    work : Path
        Folder with the design; further files are left there.

    Returns
    -------
    list of dict
        ``name``, and how many cells of each class of `CLASSES` the block has, where it has some;
        the largest block first.

    Raises
    ------
    InputError
        If Yosys is missing or fails.
    """
    modules = re.findall(r"^module \\(\S+)$", (work / "top.il").read_text(), re.MULTILINE)
    borders = [name for name in modules if _BORDER.fullmatch(name.partition("$")[0])]
    script = synthesis_script(board, "top")
    read, written = "read_rtlil top.il\n", "write_json top.json\n"
    kept = "".join(f"setattr -mod -set keep_hierarchy 1 {name}\n" for name in borders)
    (work / "blocks.ys").write_text(
        script.replace(read, read + kept).replace(written, "tee -q -o blocks.json stat -json\n")
    )
    run_tool("yosys", ["-q", "blocks.ys"], work)
    return _sums(json.loads((work / "blocks.json").read_text())["modules"].items())


def _sums(modules: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the cells by block, given what Yosys counted in each module."""
    found: dict[str, Counter[str]] = {}
    for module, counted in modules:
        name = module.removeprefix("\\")
        block = block_of(name) if _BORDER.fullmatch(name.partition("$")[0]) else _REST
        found.setdefault(block, Counter()).update(classes(counted["num_cells_by_type"]))
    blocks = [
        {"name": name} | {kind: cells[kind] for kind in CLASSES if cells[kind]}
        for name, cells in found.items()
    ]
    return sorted(blocks, key=lambda block: (-block.get("lut", 0), block["name"]))
