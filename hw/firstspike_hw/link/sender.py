"""From contents to frames on the wire."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.board.framing import CRC_BYTES, ESCAPE, FLAG, FLIP
from firstspike_hw.link.crc import FrameCrc

__all__ = ["Sender", "content_layout"]


def content_layout() -> data.StructLayout:
    """Return the shape of a byte of a frame's contents, and whether it is the last one."""
    return data.StructLayout({"byte": 8, "last": 1})


class Sender(wiring.Component):
    """Puts contents between flags, with their CRC, and stuffs them.

    Timing: as fast as a UART takes bytes; at least ten cycles each.

    Members
    -------
    contents : In(stream.Signature(content_layout()))
        Of frame after frame.
    bytes : Out(stream.Signature(8))
        For the wire.
    """

    contents: stream.Interface
    bytes: stream.Interface

    def __init__(self):
        super().__init__(
            {
                "contents": In(stream.Signature(content_layout())),
                "bytes": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = FrameCrc()
        checking = Signal()
        escaped = Signal()
        special = Signal()
        n_checked = Signal(range(CRC_BYTES))
        # Contents come through long chains of logic, so that they have a cycle of their own.
        byte = Signal(8)
        last = Signal()
        m.d.comb += [
            special.eq((byte == FLAG) | (byte == ESCAPE)),
            crc.bytes.payload.eq(byte),
            crc.drain.eq(checking),
        ]
        with m.FSM():
            with m.State("OPEN"):
                m.d.comb += [
                    self.bytes.payload.eq(FLAG),
                    self.bytes.valid.eq(self.contents.valid),
                    crc.clear.eq(1),
                ]
                m.d.sync += checking.eq(0)
                with m.If(self.bytes.valid & self.bytes.ready):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.sync += [
                    byte.eq(Mux(checking, crc.crc, self.contents.p.byte)),
                    last.eq(self.contents.p.last),
                ]
                with m.If(checking | self.contents.valid):
                    m.next = "BYTES"
            with m.State("BYTES"):
                m.d.comb += [
                    self.bytes.payload.eq(byte ^ Mux(escaped, FLIP, 0)),
                    self.bytes.valid.eq(1),
                ]
                with m.If(special & ~escaped):
                    m.d.comb += self.bytes.payload.eq(ESCAPE)
                with m.If(self.bytes.valid & self.bytes.ready):
                    m.d.sync += escaped.eq(special & ~escaped)
                    with m.If(escaped | ~special):
                        m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += crc.bytes.valid.eq(1)
                with m.If(crc.bytes.ready):
                    m.next = "LOAD"
                    with m.If(checking):
                        m.d.sync += n_checked.eq(n_checked + 1)
                        with m.If(n_checked == CRC_BYTES - 1):
                            m.next = "CLOSE"
                    with m.Else():
                        m.d.comb += self.contents.ready.eq(1)
                        m.d.sync += checking.eq(last)
            with m.State("CLOSE"):
                m.d.comb += [self.bytes.payload.eq(FLAG), self.bytes.valid.eq(1)]
                with m.If(self.bytes.ready):
                    m.next = "OPEN"
        return m
