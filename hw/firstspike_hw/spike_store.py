"""Spikes of neurons, kept for those layers that take them as events."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import event_layout, multispike_only
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["SpikeStore"]


class SpikeStore(wiring.Component):
    """A log of all spikes of a stimulus; what a layer sent in a step stands in one piece of it.

    A reader follows the writer, so that the next layer begins while spikes are still being found,
    unless it is told to wait for the whole piece.
    Nothing is overwritten before the next stimulus: other readers may come back to a piece by its
    start and length.

    In a core with multi-spike neurons, the pieces of a step may be read again, by their layers.

    Timing: a spike is offered to the reader two cycles after it was written, or after ``again``;
    one a cycle.
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
    layer : In(bits_for(max_layers))
        Whose piece begins with ``start``, or is read with ``again`` (multi-spike).
    again : In(1)
        Read a complete piece once more; only while ``done`` (multi-spike).
    drop : In(1)
        Nobody wants the spikes: take them from the reader (multi-spike).
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
    layer: Signal
    again: Signal
    drop: Signal
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
                "layer": In(bits_for(spec.max_layers)),
                "again": In(1),
                "drop": In(1),
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
        #: Where the piece that is read ends, as far as it is written.
        limit = Signal.like(length)
        open_ = Signal()
        valid = Signal()
        moves = Signal()
        drop = multispike_only(spec, self.drop)
        m.d.comb += [
            write.addr.eq(length),
            write.data.eq(self.spike),
            write.en.eq(self.write),
            moves.eq(~valid | (self.events.valid & self.events.ready) | drop),
            read.addr.eq(position),
            read.en.eq(moves),
            self.events.valid.eq(valid & ~(self.whole & open_) & ~drop),
            self.events.payload.eq(read.data),
            self.done.eq(~open_ & ~valid & (position == limit)),
            limit.eq(length),
        ]
        with m.If(self.write):
            m.d.sync += length.eq(length + 1)
        with m.If(moves):
            m.d.sync += valid.eq(position != limit)
            with m.If(position != limit):
                m.d.sync += position.eq(position + 1)
        with m.If(self.start):
            m.d.sync += open_.eq(1)
        with m.Elif(self.end):
            m.d.sync += open_.eq(0)
        if spec.multispike:
            self._pieces(m, length, position, limit, open_)
        with m.If(self.clear):
            m.d.sync += [length.eq(0), position.eq(0)]
        return m

    def _pieces(self, m, length, position, limit, open_):
        """Keep where the piece of each layer begins and ends, and go back to one."""
        layers = range(self._spec.max_layers)
        firsts = Array(Signal.like(length, name=f"first_{n}") for n in layers)
        ends = Array(Signal.like(length, name=f"end_{n}") for n in layers)
        written, piece = Signal.like(self.layer), Signal.like(self.layer)
        back = Signal()
        with m.If(back):
            m.d.comb += limit.eq(ends[piece])
        with m.If(self.end & open_):
            m.d.sync += ends[written].eq(length + self.write)
        with m.If(self.start):
            m.d.sync += [
                written.eq(self.layer),
                firsts[self.layer].eq(length),
                position.eq(length),
                back.eq(0),
            ]
        with m.If(self.again):
            m.d.sync += [piece.eq(self.layer), position.eq(firsts[self.layer]), back.eq(1)]
        with m.If(self.clear):
            m.d.sync += back.eq(0)
