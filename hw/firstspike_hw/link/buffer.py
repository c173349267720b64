"""Commands that wait to be carried out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["CommandBuffer"]


class CommandBuffer(wiring.Component):
    """A ring of bytes that gives out only what was committed.

    Timing: a byte every two cycles.

    Parameters
    ----------
    depth : int
        Bytes, a power of two; one less can wait.

    Members
    -------
    put : In(1), data : In(8)
        Add a byte; only if there is ``room``.
    room : Out(1)
        There is room for one.
    commit : In(1)
        All that was put may go out.
    rewind : In(1)
        All that was put since the last commit is forgotten.
    bytes : Out(stream.Signature(8))
        What was committed, in order.
    """

    put: Signal
    data: Signal
    room: Signal
    commit: Signal
    rewind: Signal
    bytes: stream.Interface

    def __init__(self, depth: int):
        self._depth = depth
        super().__init__(
            {
                "put": In(1),
                "data": In(8),
                "room": Out(1),
                "commit": In(1),
                "rewind": In(1),
                "bytes": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=8, depth=self._depth, init=[], attrs=NO_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        # Next to write, first that is not committed, next to read.
        first, committed, next_ = (Signal(range(self._depth)) for _ in range(3))
        after = Signal.like(first)
        m.d.comb += [
            after.eq(first + 1),
            self.room.eq(after != next_),
            write.addr.eq(first),
            write.data.eq(self.data),
            write.en.eq(self.put),
            read.addr.eq(next_),
            read.en.eq(1),
            self.bytes.payload.eq(read.data),
        ]
        with m.If(self.put):
            m.d.sync += first.eq(after)
        with m.If(self.commit):
            m.d.sync += committed.eq(first)
        with m.If(self.rewind):
            m.d.sync += first.eq(committed)

        # The memory is a cycle behind its address; what is being written is not read yet.
        pop = Signal()
        m.d.comb += pop.eq(self.bytes.valid & self.bytes.ready)
        with m.If(~self.bytes.valid):
            m.d.sync += self.bytes.valid.eq(next_ != committed)
        with m.If(pop):
            m.d.sync += [next_.eq(next_ + 1), self.bytes.valid.eq(0)]
        return m
