"""From bytes to commands that may be carried out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.board.framing import CRC_BYTES, ESCAPE, FLAG, FLIP
from firstspike.board.protocol import HEAD_BYTES, Command, Reason
from firstspike_hw.link.crc import FrameCrc

__all__ = ["Receiver"]


class Receiver(wiring.Component):
    """Takes frames apart, and decides at the end of each whether it counts.

    A frame counts if its CRC is right, none of its bytes was lost, and it has the sequence number
    that is due. Until that is known, its bytes wait in a `CommandBuffer` for ``commit``; with the
    next frame, those of one that did not count are overwritten.

    Timing: eight cycles a byte, and one more before a flag; a frame is decided on in the cycle that
    takes its closing flag.

    Members
    -------
    bytes : In(stream.Signature(8))
        From the wire.
    lost : In(1)
        High for a cycle: a byte came that could not be read.
    patient : In(1)
        Bytes wait while there is no room for them.
    room : In(1)
        There is room for a byte.
    put : Out(1), data : Out(8)
        A byte of the contents, CRC included.
    commit : Out(1)
        The frame counts.
    rewind : Out(1)
        It does not: forget what was put since the last one that did.
    restart : Out(1)
        It asks for a restart, and nothing of it was put for good.
    number : Out(8)
        Sequence number of the latest frame.
    expected : Out(8)
        Sequence number that is due.
    ask : Out(1)
        High for a cycle in which a status is due.
    reason : Out(3), sync : Out(8)
        Why the latest frame was dropped, a `Reason`; sequence number of the latest `Command.SYNC`.
    """

    bytes: stream.Interface
    lost: Signal
    patient: Signal
    room: Signal
    put: Signal
    data: Signal
    commit: Signal
    rewind: Signal
    restart: Signal
    number: Signal
    expected: Signal
    ask: Signal
    reason: Signal
    sync: Signal

    def __init__(self):
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "lost": In(1),
                "patient": In(1),
                "room": In(1),
                "put": Out(1),
                "data": Out(8),
                "commit": Out(1),
                "rewind": Out(1),
                "restart": Out(1),
                "number": Out(8),
                "expected": Out(8),
                "ask": Out(1),
                "reason": Out(3),
                "sync": Out(8),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = FrameCrc()
        byte = self.bytes.payload
        taken = Signal()
        flag = Signal()
        escaped = Signal()
        is_content = Signal()
        content = Signal()
        may = Signal()
        # The check is one cycle behind: a flag right after a byte waits for it.
        checked = Signal(init=1)
        m.d.sync += checked.eq(~content)
        m.d.comb += [
            flag.eq(byte == FLAG),
            is_content.eq(~flag & ((byte != ESCAPE) | escaped)),
            may.eq(self.room | ~self.patient),
            self.bytes.ready.eq(Mux(is_content, crc.bytes.ready & may, checked)),
            taken.eq(self.bytes.valid & self.bytes.ready),
            content.eq(taken & is_content),
            self.data.eq(byte ^ Mux(escaped, FLIP, 0)),
            self.put.eq(content & self.room),
            crc.bytes.valid.eq(self.bytes.valid & is_content & may),
            crc.bytes.payload.eq(self.data),
            crc.clear.eq(taken & flag),
        ]
        with m.If(taken):
            m.d.sync += escaped.eq(~flag & ~content)

        # Counts up to the fewest that a frame has.
        fewest = HEAD_BYTES + CRC_BYTES
        n_bytes = Signal(range(fewest + 1))
        kind = Signal(3)
        damaged, full = Signal(), Signal()
        with m.If(content):
            with m.If(n_bytes != fewest):
                m.d.sync += n_bytes.eq(n_bytes + 1)
            with m.If(n_bytes == 0):
                m.d.sync += self.number.eq(self.data)
            with m.If(n_bytes == 1):
                # Kinds from 8 on are no kinds; 0 is none either.
                m.d.sync += kind.eq(Mux(self.data[3:] == 0, self.data[:3], 0))
        with m.If(taken & flag):
            m.d.sync += [n_bytes.eq(0), damaged.eq(0), full.eq(0)]
        with m.Else():
            with m.If(self.lost):
                m.d.sync += damaged.eq(1)
            with m.If(content & ~self.room):
                m.d.sync += full.eq(1)

        # Two flags in a row, or a byte that was lost between two frames, are nothing.
        ends = Signal()
        whole = Signal()
        m.d.comb += [
            ends.eq(taken & flag & ((n_bytes != 0) | escaped)),
            whole.eq(crc.good & (n_bytes == fewest) & ~escaped & ~damaged),
        ]
        reason = Signal(3)
        due = Signal()
        with m.If(~whole):
            m.d.comb += reason.eq(Reason.DAMAGED)
        with m.Elif(kind == Command.SYNC):
            m.d.comb += reason.eq(Reason.NONE)
        with m.Elif(kind == Command.RESTART):
            m.d.comb += self.restart.eq(ends)
        with m.Elif(full):
            m.d.comb += reason.eq(Reason.FULL)
        with m.Elif((self.number == self.expected) | (kind == Command.HELLO)):
            m.d.comb += due.eq(1)
        with m.Else():
            m.d.comb += reason.eq(Reason.ORDER)
        m.d.comb += [
            self.commit.eq(ends & due),
            self.rewind.eq(ends & ~due),
            self.ask.eq(ends & ~due & ~self.restart),
        ]
        with m.If(self.commit | self.restart):
            m.d.sync += self.expected.eq(self.number + 1)
        with m.If(self.ask):
            m.d.sync += self.reason.eq(reason)
            with m.If(reason == Reason.NONE):
                m.d.sync += self.sync.eq(self.number)
        return m
