"""When the inputs of a stimulus spike, looked up one at a time."""

from typing import Any

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.buckets import word_bits
from firstspike_hw.inputs import inserted_signature
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["SpikeTimes"]


class SpikeTimes(wiring.Component):
    """Keeps what the encoder found, for the stimulus at work and for the next one.

    Timing: ``spiked`` follows ``index`` by two cycles in which ``advance`` is high.
    Reset: the memory keeps its contents; every word of a stimulus is written before it is at work.

    Parameters
    ----------
    spec : CoreSpec
        Uses pixels, max_inputs, time_bits.

    Members
    -------
    inserted : In(inserted_signature(spec))
        From the encoder.
    half : In(1)
        Half that holds the stimulus at work.
    advance : In(1)
        Move.
    index : In(bits_for(spec.max_inputs))
        Input asked for.
    until : In(spec.time_bits)
        A step; must not change while the answer is on its way.
    spiked : Out(1)
        That input spikes at that step or before.
    """

    inserted: Any
    half: Signal
    advance: Signal
    index: Signal
    until: Signal
    spiked: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "inserted": In(inserted_signature(spec)),
                "half": In(1),
                "advance": In(1),
                "index": In(bits_for(spec.max_inputs)),
                "until": In(spec.time_bits),
                "spiked": Out(1),
            }
        )

    def elaborate(self, platform):
        spec, inserted = self._spec, self.inserted
        m = Module()
        spike = data.StructLayout({"there": 1, "time": spec.time_bits})
        m.submodules.words = words = memory.Memory(
            shape=data.ArrayLayout(spike, spec.pixels),
            depth=2 << word_bits(spec),
            init=[],
            attrs=NO_COLLISION,
        )
        read: Any = words.read_port()
        write: Any = words.write_port()
        m.d.comb += [
            write.en.eq(inserted.valid & ~inserted.clear),
            write.addr.eq(Cat(inserted.word, inserted.half)),
        ]
        for k in range(spec.pixels):
            m.d.comb += [
                write.data[k].there.eq(inserted.spikes[k]),
                write.data[k].time.eq(inserted.times[k]),
            ]

        slots = bits_for(spec.pixels)
        slot = Signal(slots)
        word = Signal(word_bits(spec))
        m.d.comb += [
            word.eq(self.index >> slots),
            read.en.eq(self.advance),
            read.addr.eq(Cat(word, self.half)),
        ]
        found = read.data[slot]
        with m.If(self.advance):
            m.d.sync += [
                slot.eq(self.index),
                self.spiked.eq(found.there & (found.time <= self.until)),
            ]
        return m
