"""Runs in the simulator: cocotbext-uart is the far end of a simulated board's wires.

The file FIRSTSPIKE_SEND is sent; what comes goes into the file FIRSTSPIKE_HEARD, as many bytes as
FIRSTSPIKE_BYTES says and those that come in the time of twenty bytes after them.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cocotb
from cocotb.triggers import Timer, with_timeout
from cocotbext.uart import UartSink, UartSource

CLOCK_NS = 10


@cocotb.test()
async def exchange(dut) -> None:
    """Send, and hear."""
    bit_ns = CLOCK_NS * int(os.environ["FIRSTSPIKE_DIVISOR"])
    # A line for every byte is of no use here.
    for name in ("other_rx", "tx"):
        logging.getLogger(f"cocotb.{dut[name]._path}").setLevel(logging.WARNING)
    source = UartSource(dut.other_rx, baud=10**9 // bit_ns)
    sink = UartSink(dut.tx, baud=10**9 // bit_ns)
    await Timer(20 * bit_ns, "ns")
    await source.write(Path(os.environ["FIRSTSPIKE_SEND"]).read_bytes())
    heard = b""
    while len(heard) < int(os.environ["FIRSTSPIKE_BYTES"]):
        heard += bytes(await with_timeout(sink.read(), 100_000 * CLOCK_NS, "ns"))
    await Timer(200 * bit_ns, "ns")
    heard += bytes(sink.read_nowait())
    Path(os.environ["FIRSTSPIKE_HEARD"]).write_bytes(heard)
