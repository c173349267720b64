"""The engine on the netlist: the cells that synthesis makes of the core, under Verilator."""

from __future__ import annotations

from typing import Any

from firstspike.boards import BOARDS, Board
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_sim.batch import Design
from firstspike_sim.netlist_cells import cell_models
from firstspike_sim.netlist_verilog import cell_counts, netlist_verilog
from firstspike_sim.rtl import RtlEngine
from firstspike_sim.translation import core_netlist

__all__ = ["FAMILIES", "NetlistEngine", "board_for", "netlist_design"]

#: Families of FPGAs, and the board whose rules a core goes by that no board has.
FAMILIES = {"ice40": "hx8k", "ecp5": "ulx3s-25f"}
_SPRAM_BOARD = "icebreaker"

#: Bits that synthesis leaves open are random. All small cells go into the module that they are
#: in. Some hundreds of stimuli take less time than a compiler that optimises so much code.
_ARGUMENTS = ("-Wno-PINMISSING", "--inline-mult", "-1", "--x-assign", "unique", "-CFLAGS", "-O0")


def board_for(core: CoreSpec, family: str | None) -> Board:
    """Return the board for which ``core`` is synthesised.

    It is the first one of the family that has the core. For a core that none has: with SPRAM, the
    iCEBreaker; else a board named in `FAMILIES`, of ECP5 if no family is asked for.

    Parameters
    ----------
    core : CoreSpec
        The core.
    family : str or None
        ``ice40``, ``ecp5``, or None: any.

    Raises
    ------
    InputError
        If there is no such family, or it cannot have the core.
    """
    if family is not None and family not in FAMILIES:
        raise InputError(f"family is {family!r}, must be one of {', '.join(FAMILIES)}")
    if core.memory == "spram" and family not in (None, "ice40"):
        raise InputError(f"family {family} has no SPRAM: the core's memory must be 'block'")
    for board in BOARDS.values():
        if family in (None, board.family) and core in (PRESETS[name] for name in board.cores):
            return board
    if core.memory == "spram":
        return BOARDS[_SPRAM_BOARD]
    return BOARDS[FAMILIES[family or "ecp5"]]


def netlist_design(netlist: dict[str, Any], family: str, more: str = "") -> Design:
    """Return what is simulated of a netlist, with the models of its cells.

    Parameters
    ----------
    netlist : dict
        As Yosys writes it in JSON, with a module ``core``.
    family : str
        ``ice40`` or ``ecp5``.
    more : str
        What else is to stand in the module.

    Raises
    ------
    InputError
        If a cell has no model.
    """
    models, _ = cell_models(family, cell_counts(netlist["modules"]["core"]))
    files = {"cells.v": models, "core.v": netlist_verilog(netlist, "core", more)}
    return Design(files, _ARGUMENTS)


class NetlistEngine(RtlEngine):
    """Runs the core's netlist.

    Parameters
    ----------
    family : str or None
        ``ice40`` or ``ecp5``; None: what suits the core.
    pause, seed : int
        See `firstspike_sim.rtl.RtlEngine`.
    """

    def __init__(self, *, family: str | None = None, pause: int = 0, seed: int = 1) -> None:
        super().__init__(pause=pause, seed=seed)
        self._family = family

    def design(self, core: CoreSpec) -> Design:
        """Return what is simulated as ``core``."""
        board = board_for(core, self._family)
        return netlist_design(core_netlist(core, board), board.family)

    def describe(self, core: CoreSpec) -> dict[str, Any]:
        """Return facts about the netlist of ``core``, ready for JSON.

        Returns
        -------
        dict
            ``family``; ``synthesised_for``: the board by whose rules; ``cells``: how many of each
            kind; ``own_models``: kinds whose models are this project's, not Yosys'.
        """
        board = board_for(core, self._family)
        cells = cell_counts(core_netlist(core, board)["modules"]["core"])
        _, ours = cell_models(board.family, cells)
        return {
            "family": board.family,
            "synthesised_for": board.name,
            "cells": cells,
            "own_models": list(ours),
        }
