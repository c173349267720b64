"""The single-port memory of iCE40 UltraPlus."""

from amaranth import *
from amaranth.hdl import Instance
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SPRAM_DEVICE", "Spram"]

#: The only iCE40 that has it, as Amaranth's platforms name it.
SPRAM_DEVICE = "iCE40UP5K"


class Spram(wiring.Component):
    """One ``SB_SPRAM256KA``: 16384 words of 16 bits, one read or one write a cycle.

    Timing: ``read_data`` follows an enabled read by one cycle, and stays until the next access;
    after a write it is unspecified.
    Reset: none; the contents at power-up are unspecified.

    Members
    -------
    address : In(14)
        Word that is read or written.
    enable : In(1)
        Whether anything happens in this cycle.
    write : In(1)
        With ``enable``: 1 writes, 0 reads.
    bytes : In(2)
        Which bytes of it are written.
    write_data : In(16)
        Word to write.
    read_data : Out(16)
        Word read last.
    """

    address: Signal
    enable: Signal
    write: Signal
    bytes: Signal
    write_data: Signal
    read_data: Signal

    def __init__(self):
        super().__init__(
            {
                "address": In(14),
                "enable": In(1),
                "write": In(1),
                "bytes": In(2),
                "write_data": In(16),
                "read_data": Out(16),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = Instance(
            "SB_SPRAM256KA",
            i_CLOCK=ClockSignal(),
            i_ADDRESS=self.address,
            i_DATAIN=self.write_data,
            i_MASKWREN=Cat(byte.replicate(2) for byte in self.bytes),
            i_WREN=self.write,
            i_CHIPSELECT=self.enable,
            # Powered and awake: POWEROFF is active low.
            i_STANDBY=Const(0, 1),
            i_SLEEP=Const(0, 1),
            i_POWEROFF=Const(1, 1),
            o_DATAOUT=self.read_data,
        )
        return m
