"""Events that wait for a bank."""

from typing import Any

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import QUEUE_DEPTH, CoreSpec, bits_for
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["EventQueue"]


class EventQueue(wiring.Component):
    """Keeps indices of inputs in a memory with one port to write and one to read.

    Timing: an index can be taken in the cycle after ``push``; it is ``taken`` in the cycle after
    ``take``, until the next one.
    Reset: empty.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs.

    Members
    -------
    push : In(1), index : In(bits_for(spec.max_inputs))
        Queue an index; only while not ``full``.
    full : Out(1)
        There is no room.
    queued : Out(1)
        There is an index.
    take : In(1)
        Take it, if there is one.
    taken : Out(bits_for(spec.max_inputs))
        The index that was taken last.
    """

    push: Signal
    index: Signal
    full: Signal
    queued: Signal
    take: Signal
    taken: Signal

    def __init__(self, spec: CoreSpec):
        index = bits_for(spec.max_inputs)
        super().__init__(
            {
                "push": In(1),
                "index": In(index),
                "full": Out(1),
                "queued": Out(1),
                "take": In(1),
                "taken": Out(index),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.indices = indices = memory.Memory(
            shape=len(self.index), depth=QUEUE_DEPTH, init=[], attrs=NO_COLLISION
        )
        read: Any = indices.read_port()
        write: Any = indices.write_port()
        end = Signal(bits_for(QUEUE_DEPTH) + 1)
        first = Signal.like(end)
        m.d.comb += [
            self.queued.eq(end != first),
            self.full.eq((end - first)[bits_for(QUEUE_DEPTH)]),
            write.en.eq(self.push),
            write.addr.eq(end),
            write.data.eq(self.index),
            read.en.eq(self.take),
            read.addr.eq(first),
            self.taken.eq(read.data),
        ]
        with m.If(self.push):
            m.d.sync += end.eq(end + 1)
        with m.If(self.take & self.queued):
            m.d.sync += first.eq(first + 1)
        return m
