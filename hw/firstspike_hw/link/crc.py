"""The check of a frame, one bit a cycle."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FrameCrc"]

_POLYNOMIAL = 0xEDB88320
#: What is left in the register after contents and their CRC.
_RESIDUE = 0xDEBB20E3


class FrameCrc(wiring.Component):
    """CRC-32 of bytes, as `zlib.crc32`; it also gives back what it found, a byte at a time.

    A UART leaves tens of cycles a byte, so a bit a cycle is enough and takes a third of the cells
    of `amaranth.lib.crc` at a byte a cycle.

    Timing: a byte is taken in the eighth cycle; ``crc`` counts from the cycle after, ``good`` from
    the one after that.

    Members
    -------
    clear : In(1)
        Begin a frame; only while no byte is there.
    drain : In(1)
        High with a byte: do not add it, but move on to the next byte of the CRC.
    bytes : In(stream.Signature(8))
        Contents, then their CRC where that is checked.
    good : Out(1)
        What came so far ends with its own CRC.
    crc : Out(8)
        The next byte of the CRC to send.
    """

    clear: Signal
    drain: Signal
    bytes: stream.Interface
    good: Signal
    crc: Signal

    def __init__(self):
        super().__init__(
            {
                "clear": In(1),
                "drain": In(1),
                "bytes": In(stream.Signature(8)),
                "good": Out(1),
                "crc": Out(8),
            }
        )

    def elaborate(self, platform):
        m = Module()
        register = Signal(32, init=0xFFFFFFFF)
        index = Signal(3)
        feedback = Signal()
        m.d.comb += [
            self.bytes.ready.eq(index == 7),
            self.crc.eq(~register[:8]),
            feedback.eq(~self.drain & (register[0] ^ self.bytes.payload.bit_select(index, 1))),
        ]
        m.d.sync += self.good.eq(register == _RESIDUE)
        with m.If(self.bytes.valid):
            m.d.sync += [
                index.eq(index + 1),
                register.eq((register >> 1) ^ (feedback.replicate(32) & _POLYNOMIAL)),
            ]
        with m.Elif(self.clear):
            m.d.sync += register.eq(0xFFFFFFFF)
        return m
