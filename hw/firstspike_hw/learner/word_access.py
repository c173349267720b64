"""From the updates of a neuron to the words of its bank, where those have one port."""

from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import (
    MASK_BITS,
    SPRAM_COLUMN_ROW,
    SPRAM_MASK_ROW,
    CoreSpec,
    bits_for,
)
from firstspike_hw.learner.layouts import synapse_port_signature, word_port_signature

__all__ = ["WordAccess"]


class WordAccess(wiring.Component):
    """Finds the word that a synapse, a row mask or a column mask lies in.

    At most one thing is asked for in a cycle.

    Timing: what was read is there in the next cycle.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    synapses : In(synapse_port_signature(spec))
        From the update.
    row : In(bits_for(spec.state_rows))
        Row of the neuron.
    read : In(1), write : In(1), number : In(...), mask : In(MASK_BITS)
        A word of the neuron's mask.
    words : Out(word_port_signature())
        To the memory of the neuron's bank; ``words.word`` is a word of the mask, too.
    """

    synapses: Any
    row: Signal
    read: Signal
    write: Signal
    number: Signal
    mask: Signal
    words: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "synapses": In(synapse_port_signature(spec)),
                "row": In(bits_for(spec.state_rows)),
                "read": In(1),
                "write": In(1),
                "number": In(bits_for(spec.max_inputs // MASK_BITS)),
                "mask": In(MASK_BITS),
                "words": Out(word_port_signature()),
            }
        )

    def elaborate(self, platform):
        spec, words, synapses = self._spec, self.words, self.synapses
        m = Module()
        high = self.row[4] if spec.mask_parts > 1 else C(0)
        column = self.read | self.write
        row_mask = synapses.mask_read | synapses.mask_write.any()
        synapse = Mux(synapses.weight_read, synapses.weight_row, synapses.weight_write_row)
        m.d.comb += [
            words.enable.eq(column | row_mask | synapses.weight_read | synapses.weight_write),
            words.write.eq(self.write | synapses.mask_write.any() | synapses.weight_write),
            words.bytes.eq(0b11),
            words.data.eq(self.mask),
            words.address.eq((self.row << 9) | SPRAM_COLUMN_ROW | self.number),
        ]
        with m.If(row_mask):
            m.d.comb += [
                words.address.eq(SPRAM_MASK_ROW | (synapses.mask_row << 1) | high),
                words.data.eq(synapses.mask_data >> (high << 4)),
            ]
        with m.Elif(~column):
            m.d.comb += [
                words.address.eq(synapse >> 1),
                words.bytes.eq(Mux(synapse[0], 0b10, 0b01)),
                words.data.eq(synapses.weight_data << (synapse[0] << 3)),
            ]
        byte = Signal()
        m.d.sync += byte.eq(synapse[0])
        m.d.comb += [
            synapses.weight.eq(words.word.word_select(byte, 8)),
            synapses.mask.eq(words.word.replicate(spec.mask_parts)),
        ]
        return m
