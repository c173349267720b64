"""Colorlight i5 v7.0, a module for receivers of LED walls, on Muse Lab's extension board.

Pins as documented in the project Colorlight-FPGA-Projects.
"""

from amaranth.build import *
from amaranth.vendor import LatticeECP5Platform

__all__ = ["ColorlightI5Platform"]


class ColorlightI5Platform(LatticeECP5Platform):
    """The module's oscillator and LED, and the extension board's serial port."""

    device = "LFE5U-25F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = [
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource("led", 0, PinsN("U16", dir="o"), Attrs(IO_TYPE="LVCMOS33")),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("H18", dir="i")),
            Subsignal("tx", Pins("J17", dir="o")),
            Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP"),
        ),
    ]
    connectors = []
