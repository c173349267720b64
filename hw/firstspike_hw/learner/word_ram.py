"""A memory of words of two bytes behind one port."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec
from firstspike_hw.rtlil import NO_COLLISION
from firstspike_hw.spram import SPRAM_DEVICE, Spram

__all__ = ["WordRam"]


class WordRam(wiring.Component):
    """An SPRAM where there is one; elsewhere a memory that behaves the same.

    Timing and reset: see `firstspike_hw.spram.Spram`.

    Parameters
    ----------
    spec : CoreSpec
        Uses weight_rows.

    Members
    -------
    enable : In(1), write : In(1), address : In(14), bytes : In(2), write_data : In(16)
        See `firstspike_hw.spram.Spram`.
    read_data : Out(16)
        Word read last.

    Attributes
    ----------
    data : MemoryData
        The words, for a test bench; not there in an SPRAM.
    """

    enable: Signal
    write: Signal
    address: Signal
    bytes: Signal
    write_data: Signal
    read_data: Signal

    def __init__(self, spec: CoreSpec):
        self.data = MemoryData(shape=16, depth=spec.weight_rows, init=[])
        super().__init__(
            {
                "enable": In(1),
                "write": In(1),
                "address": In(14),
                "bytes": In(2),
                "write_data": In(16),
                "read_data": Out(16),
            }
        )

    def elaborate(self, platform):
        m = Module()
        if getattr(platform, "device", None) == SPRAM_DEVICE:
            m.submodules.spram = spram = Spram()
            m.d.comb += [
                spram.address.eq(self.address),
                spram.enable.eq(self.enable),
                spram.write.eq(self.write),
                spram.bytes.eq(self.bytes),
                spram.write_data.eq(self.write_data),
                self.read_data.eq(spram.read_data),
            ]
            return m
        m.submodules.words = words = memory.Memory(self.data, attrs=NO_COLLISION)
        read: Any = words.read_port()
        write: Any = words.write_port(granularity=8)
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.enable & ~self.write),
            self.read_data.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.write_data),
            write.en.eq(Mux(self.enable & self.write, self.bytes, 0)),
        ]
        return m
