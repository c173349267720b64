"""Runs `firstspike_sim.harness` to its end; the files do the rest."""

from __future__ import annotations

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge


@cocotb.test()
async def batch(dut) -> None:
    """Reset for two cycles, then wait until the harness is done."""
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.done)
