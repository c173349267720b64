"""Runs `firstspike_sim.harness` to its end; the files do the rest."""

from __future__ import annotations

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test()
async def batch(dut) -> None:
    """Wait until the harness is done."""
    await RisingEdge(dut.done)
