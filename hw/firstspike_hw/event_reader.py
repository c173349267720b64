"""Pre-sorted input events, for those who encode elsewhere."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec
from firstspike_hw.layouts import event_layout, input_event_layout

__all__ = ["EventReader"]


class EventReader(wiring.Component):
    """Hands on the events of one step at a time, straight from its input.

    Timing: no stage; an event may move in the cycle after ``start``.

    Parameters
    ----------
    spec : CoreSpec
        Uses index_bits, time_bits, magnitude_bits.

    Members
    -------
    source : In(stream.Signature(input_event_layout(spec)))
        Events, times never falling, then one with ``end``.
    start : In(1), time : In(spec.time_bits)
        Begin with a step; only while no event is taken.
    magnitude : In(spec.magnitude_bits)
        Of the events of this step.
    flush : In(1)
        Take and drop everything up to and including ``end``.
    flushed : Out(1)
        High in the cycle in which ``end`` is dropped.
    events : Out(stream.Signature(event_layout(spec)))
        Inputs that spike at the step.
    done : Out(1)
        The next event belongs to a later step.
    """

    source: Any
    start: Signal
    time: Signal
    magnitude: Signal
    flush: Signal
    flushed: Signal
    events: stream.Interface
    done: Signal

    def __init__(self, spec: CoreSpec):
        super().__init__(
            {
                "source": In(stream.Signature(input_event_layout(spec))),
                "start": In(1),
                "time": In(spec.time_bits),
                "magnitude": In(spec.magnitude_bits),
                "flush": In(1),
                "flushed": Out(1),
                "events": Out(stream.Signature(event_layout(spec))),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        source = self.source
        reading = Signal()
        now = Signal()
        m.d.comb += [
            now.eq(~source.p.end & (source.p.time == self.time)),
            self.events.valid.eq(reading & source.valid & now),
            self.events.p.index.eq(source.p.index),
            self.events.p.magnitude.eq(self.magnitude),
            source.ready.eq((self.events.valid & self.events.ready) | self.flush),
            self.flushed.eq(self.flush & source.valid & source.p.end),
            self.done.eq(~reading),
        ]
        with m.If(self.start):
            m.d.sync += reading.eq(1)
        with m.Elif(reading & source.valid & ~now):
            m.d.sync += reading.eq(0)
        return m
