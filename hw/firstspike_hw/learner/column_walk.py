"""The live inputs of one neuron, one after the other."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import MASK_BITS, CoreSpec, bits_for
from firstspike_hw.learner.layouts import mask_position
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["ColumnWalk"]


class ColumnWalk(wiring.Component):
    """Keeps a mask of live inputs for each neuron, and walks it in ascending order.

    Without pruning there is no memory and every input is live.

    Timing: the first word is there three cycles after ``start``; then a live input a cycle, and a
    cycle for a word without any. Nothing moves while ``advance`` is low.
    Reset: the memory keeps its contents.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs, state_rows, banks, pruning.

    Members
    -------
    words : In(bits_for(spec.max_inputs // MASK_BITS))
        Words of a mask, less one.
    last_inputs : In(MASK_BITS)
        Which inputs of the last word there are; used without pruning.
    start : In(1), neuron : In(bits_for(spec.max_neurons))
        Begin with a neuron.
    advance : In(1)
        Move.
    valid : Out(1), input : Out(bits_for(spec.max_inputs)), last : Out(1)
        A live input; ``last`` with the last one of its word.
    done : Out(1)
        No input is left.
    word_read : Out(1)
        High in a cycle in which a word is fetched for the walk.
    write : In(1), word : In(bits_for(spec.max_inputs // MASK_BITS)), mask : In(MASK_BITS)
        Replace a word of the neuron at work, one that was walked.
    access_read : In(1), access_write : In(1), access_row : In(...), access_data : In(MASK_BITS)
        Access of the host, only while ``done``.
    access_mask : Out(MASK_BITS)
        What it read in the cycle before.
    """

    words: Signal
    last_inputs: Signal
    start: Signal
    neuron: Signal
    advance: Signal
    valid: Signal
    input: Signal
    last: Signal
    done: Signal
    word_read: Signal
    write: Signal
    word: Signal
    mask: Signal
    access_read: Signal
    access_write: Signal
    access_row: Signal
    access_data: Signal
    access_mask: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        self._stride = spec.max_inputs // MASK_BITS
        depth = self._stride * spec.max_neurons
        #: Masks, word by word and neuron by neuron, for a bench to look into.
        self.masks = MemoryData(shape=MASK_BITS, depth=depth, init=[])
        word = bits_for(self._stride)
        super().__init__(
            {
                "words": In(word),
                "last_inputs": In(MASK_BITS),
                "start": In(1),
                "neuron": In(bits_for(spec.max_neurons)),
                "advance": In(1),
                "valid": Out(1),
                "input": Out(bits_for(spec.max_inputs)),
                "last": Out(1),
                "done": Out(1),
                "word_read": Out(1),
                "write": In(1),
                "word": In(word),
                "mask": In(MASK_BITS),
                "access_read": In(1),
                "access_write": In(1),
                "access_row": In(bits_for(depth)),
                "access_data": In(MASK_BITS),
                "access_mask": Out(MASK_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Words: the next one to fetch, the one that was fetched, the one that is walked.
        row = Signal.like(self.access_row)
        fetching = Signal()
        number = Signal.like(self.word)
        fetched = Signal()
        fetched_number = Signal.like(self.word)
        fetched_mask = Signal(MASK_BITS)
        walked = Signal()
        walked_number = Signal.like(self.word)
        left = Signal(MASK_BITS)
        moves = Signal()
        takes = Signal()
        lowest, rest = mask_position(left)
        m.d.comb += [
            self.valid.eq(walked & (left != 0)),
            self.input.eq(Cat(lowest, walked_number)),
            self.last.eq(rest == 0),
            takes.eq(self.advance & (~walked | (rest == 0))),
            moves.eq(~fetched | takes),
            self.word_read.eq(fetching & moves & bool(self._spec.pruning)),
            self.done.eq(~fetching & ~fetched & ~walked),
        ]
        with m.If(self.start):
            m.d.sync += [row.eq(self.neuron * self._stride), number.eq(0), fetching.eq(1)]
        with m.Elif(moves & fetching):
            m.d.sync += [number.eq(number + 1), fetching.eq(number != self.words)]
        with m.If(moves):
            m.d.sync += [fetched.eq(fetching), fetched_number.eq(number)]
        with m.If(takes):
            m.d.sync += [
                walked.eq(fetched),
                walked_number.eq(fetched_number),
                left.eq(fetched_mask),
            ]
        with m.Elif(self.advance):
            m.d.sync += left.eq(rest)

        if not self._spec.pruning:
            m.d.comb += fetched_mask.eq(
                Mux(fetched_number == self.words, self.last_inputs, (1 << MASK_BITS) - 1)
            )
            return m
        m.submodules.masks = masks = memory.Memory(self.masks, attrs=NO_COLLISION)
        read: Any = masks.read_port()
        write: Any = masks.write_port()
        m.d.comb += [
            fetched_mask.eq(read.data),
            self.access_mask.eq(read.data),
            read.en.eq(self.word_read | self.access_read),
            read.addr.eq(Mux(self.access_read, self.access_row, row + number)),
            write.en.eq(self.write | self.access_write),
            write.addr.eq(Mux(self.access_write, self.access_row, row + self.word)),
            write.data.eq(Mux(self.access_write, self.access_data, self.mask)),
        ]
        return m
