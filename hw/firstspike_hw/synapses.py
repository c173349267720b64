"""The synapse memory of a bank."""

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.rtlil import NO_COLLISION
from firstspike_hw.spram import SPRAM_DEVICE, Spram

__all__ = ["SynapseMemory"]


class SynapseMemory(wiring.Component):
    """Words of synapses behind one port: one read or one write a cycle.

    Block RAM, or one SPRAM if ``spec.memory`` says so and the platform has it. Elsewhere, in
    simulators above all, a core with SPRAM gets a memory that behaves the same.

    Timing: ``read_data`` follows an enabled read by one cycle, and stays while ``enable`` is low;
    after a write it is unspecified.
    Reset: none; the contents at power-up are unspecified.

    Parameters
    ----------
    spec : CoreSpec
        Uses weight_rows, word_bits, part_bits, parts, memory.

    Members
    -------
    address : In(bits_for(spec.weight_rows))
        Word that is read or written; a write past the last one may go anywhere.
    enable : In(1)
        Whether anything happens in this cycle.
    write : In(1)
        With ``enable``: 1 writes, 0 reads.
    part : In(bits_for(spec.parts))
        Which part of the word is written.
    write_data : In(spec.part_bits)
        What is written there.
    read_data : Out(spec.word_bits)
        Word read last.

    Attributes
    ----------
    data : MemoryData, shape spec.parts * spec.part_bits, depth spec.weight_rows
        The words, for a test bench to set and to read; not there in an SPRAM.
    """

    address: Signal
    enable: Signal
    write: Signal
    part: Signal
    write_data: Signal
    read_data: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        self.data = MemoryData(
            shape=unsigned(spec.parts * spec.part_bits), depth=spec.weight_rows, init=[]
        )
        super().__init__(
            {
                "address": In(bits_for(spec.weight_rows)),
                "enable": In(1),
                "write": In(1),
                "part": In(bits_for(spec.parts)),
                "write_data": In(spec.part_bits),
                "read_data": Out(spec.word_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        if self._spec.memory == "spram" and getattr(platform, "device", None) == SPRAM_DEVICE:
            m.submodules.spram = spram = Spram()
            m.d.comb += [
                spram.address.eq(self.address),
                spram.enable.eq(self.enable),
                spram.write.eq(self.write),
                spram.bytes.eq(0b11),
                spram.write_data.eq(self.write_data),
                self.read_data.eq(spram.read_data),
            ]
            return m

        spec = self._spec
        m.submodules.rows = rows = memory.Memory(self.data, attrs=NO_COLLISION)
        read = rows.read_port()
        write = rows.write_port(granularity=spec.part_bits)
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.enable & ~self.write),
            self.read_data.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.write_data.replicate(spec.parts)),
        ]
        with m.If(self.enable & self.write):
            m.d.comb += write.en.eq(1 << self.part if spec.parts > 1 else 1)
        return m
