"""A bank of a learning core with block RAMs for synapses and row masks."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory

from firstspike.spec import CoreSpec
from firstspike_hw.learner.bank import LearnerBank
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.layouts import synapse_port_signature, synapse_row
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["BlockBank"]


class BlockBank(LearnerBank):
    """Keeps synapses and row masks in memories with a port to read and a port to write.

    Members, timing and reset are those of `LearnerBank`; ``port`` is a
    `firstspike_hw.learner.layouts.synapse_port_signature`.

    Parameters
    ----------
    spec : CoreSpec
        Widths.
    """

    def __init__(self, spec: CoreSpec):
        #: Synapses and row masks, for a bench to look into.
        self.weights = MemoryData(shape=spec.weight_bits, depth=spec.weight_rows, init=[])
        self.masks = MemoryData(shape=16 * spec.mask_parts, depth=spec.max_inputs, init=[])
        self._walk = Feed(spec)
        super().__init__(spec, self._walk, synapse_port_signature(spec))

    def elaborate(self, platform):
        spec, port, feed, lane = self._spec, self.port, self._walk, self.lane
        m = super().elaborate(platform)
        m.submodules.weights = weights = memory.Memory(self.weights, attrs=NO_COLLISION)
        weight_read: Any = weights.read_port()
        weight_write: Any = weights.write_port()
        synapse = Signal(spec.synapse_bits)
        m.d.sync += synapse.eq(synapse_row(spec, feed.input, feed.row))
        m.d.comb += [
            lane.weight.eq(weight_read.data),
            weight_read.en.eq(lane.reads | port.weight_read),
            weight_read.addr.eq(Mux(lane.reads, synapse, port.weight_row)),
            port.weight.eq(weight_read.data),
            weight_write.en.eq(port.weight_write),
            weight_write.addr.eq(port.weight_write_row),
            weight_write.data.eq(port.weight_data),
            self.mask_read.eq(feed.mask_read),
        ]
        if spec.pruning:
            m.submodules.masks = masks = memory.Memory(self.masks, attrs=NO_COLLISION)
            mask_read: Any = masks.read_port()
            mask_write: Any = masks.write_port(granularity=16)
            m.d.comb += [
                mask_read.en.eq(feed.mask_read | port.mask_read),
                mask_read.addr.eq(Mux(port.mask_read, port.mask_row, feed.mask_index)),
                feed.mask.eq(mask_read.data),
                port.mask.eq(mask_read.data),
                mask_write.en.eq(port.mask_write),
                mask_write.addr.eq(port.mask_row),
                mask_write.data.eq(port.mask_data),
            ]
        return m
