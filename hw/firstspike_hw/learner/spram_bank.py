"""A bank of a learning core whose memory has a single port."""

from amaranth import *

from firstspike.spec import SPRAM_MASK_ROW, CoreSpec
from firstspike_hw.learner.bank import LearnerBank
from firstspike_hw.learner.layouts import synapse_row, word_port_signature
from firstspike_hw.learner.spram_feed import SpramFeed
from firstspike_hw.learner.word_ram import WordRam

__all__ = ["SpramBank"]


class SpramBank(LearnerBank):
    """Keeps synapses, row masks and column masks in one SPRAM, two synapses a word.

    Members, timing and reset are those of `LearnerBank`; ``port`` is a
    `firstspike_hw.learner.layouts.word_port_signature`.

    Parameters
    ----------
    spec : CoreSpec
        Widths.
    """

    def __init__(self, spec: CoreSpec):
        #: The memory, for a bench to look into.
        self.ram = WordRam(spec)
        self._walk = SpramFeed(spec)
        super().__init__(spec, self._walk, word_port_signature())

    def elaborate(self, platform):
        spec, port, feed, lane = self._spec, self.port, self._walk, self.lane
        m = super().elaborate(platform)
        m.submodules.ram = ram = self.ram

        # An address is kept for a cycle on its way to the memory.
        synapse = synapse_row(spec, feed.input, feed.row)
        mask = (feed.fetch_index << 1 | feed.high) | SPRAM_MASK_ROW
        address = Signal(14)
        byte = Signal(2)
        m.d.sync += [
            self.mask_read.eq(feed.fetch),
            address.eq(Mux(feed.fetch, mask, synapse[1:])),
            byte.eq(Cat(synapse[0], byte)),
        ]
        mine = lane.reads | self.mask_read
        m.d.comb += [
            ram.enable.eq(mine | port.enable),
            ram.write.eq(port.enable & port.write),
            ram.address.eq(Mux(mine, address, port.address)),
            ram.bytes.eq(port.bytes),
            ram.write_data.eq(port.data),
            port.word.eq(ram.read_data),
            feed.word.eq(ram.read_data),
            lane.weight.eq(ram.read_data.word_select(byte[1], 8)),
        ]
        return m
