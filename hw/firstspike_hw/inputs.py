"""What brings input events, and which of the two ways a stimulus takes."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import CoreSpec
from firstspike_hw.buckets import Buckets, insertion_signature
from firstspike_hw.encoder import Encoder, coding_signature
from firstspike_hw.event_reader import EventReader
from firstspike_hw.layouts import event_layout, input_event_layout, pixels_layout

__all__ = ["Inputs", "inserted_signature"]


def inserted_signature(spec: CoreSpec) -> wiring.Signature:
    """Return how to listen to what the encoder puts into the lists."""
    members = dict(insertion_signature(spec).members)
    del members["ready"]
    return wiring.Signature(members)


class Inputs(wiring.Component):
    """Hands on the input events of one step at a time, of encoded pixels or of pre-sorted events.

    Pixels go first if both are waiting. What is left of pre-sorted events when a stimulus ends is
    dropped.

    Timing: as `firstspike_hw.buckets.Buckets` and `firstspike_hw.event_reader.EventReader`.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    pixels : In(stream.Signature(pixels_layout(spec)))
        Raw pixels, row by row, the first one lowest.
    presorted : In(stream.Signature(input_event_layout(spec)))
        Pre-sorted events, each stimulus closed by ``end``.
    coding : In(coding_signature(spec))
        How pixels become spike times.
    waiting : Out(1)
        A stimulus is there.
    begin : In(1)
        High in the last cycle before a stimulus.
    encoded : Out(1)
        The stimulus at work came as pixels.
    half : Out(1)
        Half of the encoder's memories that holds it.
    inserted : Out(inserted_signature(spec))
        What the encoder puts into the lists.
    start : In(1), time : In(spec.time_bits)
        Begin with a step; only while ``done``, or while no event is taken.
    magnitude : In(spec.magnitude_bits)
        Of the events of this step.
    events : Out(stream.Signature(event_layout(spec)))
        Inputs that spike at the step.
    done : Out(1)
        No event of the step is left.
    end : In(1)
        High in the last cycle of a stimulus.
    """

    pixels: Any
    presorted: Any
    coding: Any
    waiting: Signal
    begin: Signal
    encoded: Signal
    half: Signal
    inserted: Any
    start: Signal
    time: Signal
    magnitude: Signal
    events: stream.Interface
    done: Signal
    end: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "pixels": In(stream.Signature(pixels_layout(spec))),
                "presorted": In(stream.Signature(input_event_layout(spec))),
                "coding": In(coding_signature(spec)),
                "waiting": Out(1),
                "begin": In(1),
                "encoded": Out(1),
                "half": Out(1),
                "inserted": Out(inserted_signature(spec)),
                "start": In(1),
                "time": In(spec.time_bits),
                "magnitude": In(spec.magnitude_bits),
                "events": Out(stream.Signature(event_layout(spec))),
                "done": Out(1),
                "end": In(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.encoder = encoder = Encoder(spec)
        m.submodules.buckets = buckets = Buckets(spec)
        m.submodules.event_reader = event_reader = EventReader(spec)
        connect(m, flipped(self.pixels), encoder.pixels)
        connect(m, encoder.insertion, buckets.insertion)
        connect(m, flipped(self.presorted), event_reader.source)
        connect(m, flipped(self.coding), encoder.coding)
        for name in inserted_signature(spec).members:
            m.d.comb += getattr(self.inserted, name).eq(getattr(encoder.insertion, name))
        with m.If(~encoder.insertion.ready):
            m.d.comb += self.inserted.valid.eq(0)

        flushing = Signal()
        m.d.comb += [
            self.waiting.eq(encoder.full | (self.presorted.valid & ~flushing)),
            self.half.eq(encoder.half),
            event_reader.flush.eq(flushing),
            encoder.free.eq(self.end & self.encoded),
            buckets.half.eq(encoder.half),
        ]
        with m.If(self.begin):
            m.d.sync += self.encoded.eq(encoder.full)
        with m.If(self.end & ~self.encoded):
            m.d.sync += flushing.eq(1)
        with m.Elif(event_reader.flushed):
            m.d.sync += flushing.eq(0)
        for reader, chosen, time in (
            # A RAMP input is in the list of the step before; see the encoder.
            (buckets, self.encoded, self.time - self.coding.ramp),
            (event_reader, ~self.encoded, self.time),
        ):
            m.d.comb += [
                reader.start.eq(self.start & chosen),
                reader.time.eq(time),
                reader.magnitude.eq(self.magnitude),
            ]
            with m.If(chosen):
                m.d.comb += [
                    self.done.eq(reader.done),
                    self.events.valid.eq(reader.events.valid),
                    self.events.payload.eq(reader.events.payload),
                    reader.events.ready.eq(self.events.ready),
                ]
        return m
