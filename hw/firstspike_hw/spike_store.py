"""Spikes of neurons, kept for those layers that take them as events."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec
from firstspike_hw.layouts import event_layout
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["SpikeStore"]


class SpikeStore(wiring.Component):
    """A log of all spikes of a stimulus; what a layer sent in a step stands in one piece of it.

    A reader follows the writer, so that the next layer begins while spikes are still being found,
    unless it is told to wait for the whole piece.
    Nothing is overwritten before the next stimulus: other readers may come back to a piece by its
    start and length.

    Timing: a spike is offered to the reader two cycles after it was written; one a cycle.
    Reset: the log keeps its contents.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_neurons, index_bits, magnitude_bits.

    Members
    -------
    clear : In(1)
        A stimulus begins.
    write : In(1), spike : In(event_layout(spec))
        Append.
    end : In(1)
        With or after the last spike of a piece.
    start : In(1)
        Begin to read the piece that is about to be written.
    whole : In(1)
        Offer nothing before the piece is complete.
    events : Out(stream.Signature(event_layout(spec)))
        The spikes of the piece.
    done : Out(1)
        The piece is complete and all of it was taken.
    """

    clear: Signal
    write: Signal
    spike: data.View
    end: Signal
    start: Signal
    whole: Signal
    events: stream.Interface
    done: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "clear": In(1),
                "write": In(1),
                "spike": In(event_layout(spec)),
                "end": In(1),
                "start": In(1),
                "whole": In(1),
                "events": Out(stream.Signature(event_layout(spec))),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.log = log = memory.Memory(
            shape=event_layout(spec), depth=spec.max_neurons, init=[], attrs=NO_COLLISION
        )
        write = log.write_port()
        read = log.read_port()

        length = Signal(range(spec.max_neurons + 1))
        position = Signal.like(length)
        open_ = Signal()
        valid = Signal()
        moves = Signal()
        m.d.comb += [
            write.addr.eq(length),
            write.data.eq(self.spike),
            write.en.eq(self.write),
            moves.eq(~valid | (self.events.valid & self.events.ready)),
            read.addr.eq(position),
            read.en.eq(moves),
            self.events.valid.eq(valid & ~(self.whole & open_)),
            self.events.payload.eq(read.data),
            self.done.eq(~open_ & ~valid & (position == length)),
        ]
        with m.If(self.write):
            m.d.sync += length.eq(length + 1)
        with m.If(moves):
            m.d.sync += valid.eq(position != length)
            with m.If(position != length):
                m.d.sync += position.eq(position + 1)
        with m.If(self.start):
            m.d.sync += open_.eq(1)
        with m.Elif(self.end):
            m.d.sync += open_.eq(0)
        with m.If(self.clear):
            m.d.sync += [length.eq(0), position.eq(0)]
        return m
