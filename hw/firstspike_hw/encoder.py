"""From raw pixels to spike times: one pass, several pixels a cycle."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import INTENSITY_BITS, TIME_BITS_MIN, CoreSpec, bits_for
from firstspike_hw.buckets import insertion_signature, word_bits
from firstspike_hw.layouts import pixels_layout

__all__ = ["Encoder", "coding_signature"]


def coding_signature(spec: CoreSpec) -> wiring.Signature:
    """Return how stimuli are encoded; `firstspike.spec.GLOBAL_REGISTERS`."""
    return wiring.Signature(
        {
            "ramp": Out(1 if spec.magnitude_bits else 0),
            "time_shift": Out(bits_for(spec.time_bits - TIME_BITS_MIN + 1)),
            "intensity_min": Out(INTENSITY_BITS),
            "off": Out(1),
            "input_words": Out(word_bits(spec)),
            "last_mask": Out(spec.pixels),
        }
    )


class Encoder(wiring.Component):
    """Turns each pixel into at most one spike time, and sorts it into the lists of a stimulus.

    The rule is in docs/semantics.md, section 1. Two stimuli are on hand: the one that is read and
    the one that is being encoded. A RAMP input that spikes at ``t`` goes to the list of ``t - 1``,
    which is where a STEP input of that intensity would go: none of them spikes at 0.

    Timing: emptying the lists takes one cycle a time step; then one word of pixels a cycle, two
    with the OFF channel; two cycles later the stimulus is ``full``.

    Parameters
    ----------
    spec : CoreSpec
        Uses pixels, time_bits, max_inputs.

    Members
    -------
    coding : In(coding_signature(spec))
        How; must not change while a stimulus is on its way.
    pixels : In(stream.Signature(pixels_layout(spec)))
        Raw pixels; a stimulus starts where the one before has ended.
    insertion : Out(insertion_signature(spec))
        To the lists.
    full : Out(1)
        A stimulus is ready to be read, in ``half``.
    half : Out(1)
        Half that holds the oldest stimulus.
    free : In(1)
        Done with that stimulus.
    """

    coding: Any
    pixels: Any
    insertion: Any
    full: Signal
    half: Signal
    free: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "coding": In(coding_signature(spec)),
                "pixels": In(stream.Signature(pixels_layout(spec))),
                "insertion": Out(insertion_signature(spec)),
                "full": Out(1),
                "half": Out(1),
                "free": In(1),
            }
        )

    def elaborate(self, platform):
        spec, coding, insertion = self._spec, self.coding, self.insertion
        m = Module()

        last_time = Signal(spec.time_bits)
        m.d.comb += last_time.eq((spec.steps - 1) >> coding.time_shift)

        # Which halves hold a stimulus.
        filled = Signal(2)
        writing = Signal()
        completes = Signal()
        m.d.comb += self.full.eq(filled.bit_select(self.half, 1))
        with m.If(completes):
            m.d.sync += [filled.bit_select(writing, 1).eq(1), writing.eq(~writing)]
        with m.If(self.free):
            m.d.sync += [filled.bit_select(self.half, 1).eq(0), self.half.eq(~self.half)]

        # Spike times of the word on offer.
        off = Signal()
        number = Signal(word_bits(spec))
        last = Signal()
        m.d.comb += last.eq(number == coding.input_words)
        spikes = Signal(spec.pixels)
        times = Signal.like(insertion.times)
        # A spike is a carry of ``pixel + ~intensity_min + 1``. In the OFF channel it is none of
        # ``pixel + intensity_min``, which is 255 or less where 255 - pixel is high enough: so what
        # is inverted is the threshold, once, and not each pixel.
        reach = Signal(INTENSITY_BITS)
        m.d.comb += reach.eq(Mux(off, coding.intensity_min, ~coding.intensity_min))
        for k in range(spec.pixels):
            there = Signal(name="there")
            m.d.comb += there.eq(~last | coding.last_mask[k])
            pixel = self.pixels.payload[k]
            darkness = Signal(INTENSITY_BITS, name="darkness")
            total = Signal(INTENSITY_BITS + 1, name="total")
            m.d.comb += [
                # 255 - intensity
                darkness.eq(Mux(off, pixel, ~pixel)),
                total.eq(pixel + reach + ~off),
                # T - 1 - a, which is one less than the spike time of a RAMP input.
                times[k].eq(darkness[INTENSITY_BITS - spec.time_bits :] >> coding.time_shift),
            ]
            with m.If(coding.ramp):
                m.d.comb += spikes[k].eq(there & (times[k] != last_time))
            with m.Else():
                m.d.comb += spikes[k].eq(there & (total[-1] ^ off))

        time = Signal(spec.time_bits)
        m.d.comb += [insertion.half.eq(writing), insertion.word.eq(number)]
        with m.FSM():
            with m.State("CLEAR"):
                # Not before the half is free, whose lists are still read, and not before there is
                # a stimulus, since the coding may change until then.
                m.d.comb += [
                    insertion.valid.eq(self.pixels.valid & ~filled.bit_select(writing, 1)),
                    insertion.clear.eq(1),
                    insertion.times[0].eq(time),
                ]
                with m.If(insertion.valid & insertion.ready):
                    m.d.sync += time.eq(time + 1)
                    with m.If(time == last_time):
                        m.d.sync += [time.eq(0), number.eq(0)]
                        m.next = "CLEARED"
            with m.State("CLEARED"):
                # The last lists are being emptied; a head read now would be the old one.
                m.next = "WORDS"
            with m.State("WORDS"):
                m.d.comb += [
                    insertion.valid.eq(self.pixels.valid),
                    insertion.spikes.eq(spikes),
                    insertion.times.eq(times),
                    self.pixels.ready.eq(insertion.ready & (off | ~coding.off)),
                ]
                with m.If(off):
                    m.d.comb += insertion.word.eq(number + coding.input_words + 1)
                with m.If(insertion.valid & insertion.ready):
                    with m.If(coding.off & ~off):
                        m.d.sync += off.eq(1)
                    with m.Else():
                        m.d.sync += [off.eq(0), number.eq(number + 1)]
                        with m.If(last):
                            m.next = "COMPLETE"
            with m.State("COMPLETE"):
                # The last insertion is being written.
                m.d.comb += completes.eq(1)
                m.next = "CLEAR"
        return m
