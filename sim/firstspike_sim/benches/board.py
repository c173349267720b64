"""Runs `firstspike_sim.board_verilog` to its end; the pipes do the rest."""

from __future__ import annotations

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test()
async def board(dut) -> None:
    """Wait until the far end is done."""
    await RisingEdge(dut.done)
