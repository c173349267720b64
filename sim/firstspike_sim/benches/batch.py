"""Runs `firstspike_sim.harness` to its end; the files do the rest."""

from __future__ import annotations

import cocotb
from cocotb.triggers import RisingEdge, Timer


@cocotb.test()
async def batch(dut) -> None:
    """Reset for two cycles, then wait until the harness is done."""
    dut.rst.value = 1
    await Timer(20, "ns")
    dut.rst.value = 0
    await RisingEdge(dut.done)
