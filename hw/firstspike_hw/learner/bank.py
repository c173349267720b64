"""A bank of a learning core: synapses, row masks, and the lane that adds them up."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.lane import Lane, best_layout
from firstspike_hw.learner.layouts import (
    Operation,
    row_signature,
    synapse_port_signature,
    synapse_row,
    tap_signature,
)
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["LearnerBank"]


class LearnerBank(wiring.Component):
    """Walks the live synapses of events, on its own, and adds them to its neurons' potentials.

    Synapses and row masks are block RAMs with a port to read and a port to write.

    Timing: see `Feed` and `Lane`. ``port`` must be quiet while the bank is busy.
    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    push : In(1), index : In(bits_for(spec.max_inputs)), full : Out(1)
        Queue an event.
    present : In(spec.state_rows)
        Rows that have a neuron.
    hold : In(1)
        Walk nothing in this cycle.
    order : In(row_signature(spec))
        Operation on a row; only while ``hold``, or while the bank is not busy.
    clear : In(1), best : Out(best_layout(spec)), kept : Out(signed(spec.potential_bits))
        See `Lane`.
    busy : Out(1)
        Something is queued or under way.
    port : In(synapse_port_signature(spec))
        To the memories, for updates and for the host.
    weight_read, mask_read, state_read, state_write : Out(1)
        A memory was accessed for an event or an order.
    tap : Out(tap_signature(spec))
        Potentials as they are written.
    """

    push: Signal
    index: Signal
    full: Signal
    present: Signal
    hold: Signal
    order: Any
    clear: Signal
    best: data.View
    kept: Signal
    busy: Signal
    port: Any
    weight_read: Signal
    mask_read: Signal
    state_read: Signal
    state_write: Signal
    tap: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        #: Synapses and row masks, for a bench to look into.
        self.weights = MemoryData(shape=spec.weight_bits, depth=spec.weight_rows, init=[])
        self.masks = MemoryData(shape=16 * spec.mask_parts, depth=spec.max_inputs, init=[])
        #: The lane, for the same.
        self.lane = Lane(spec)
        super().__init__(
            {
                "push": In(1),
                "index": In(bits_for(spec.max_inputs)),
                "full": Out(1),
                "present": In(spec.state_rows),
                "hold": In(1),
                "order": In(row_signature(spec)),
                "clear": In(1),
                "best": Out(best_layout(spec)),
                "kept": Out(signed(spec.potential_bits)),
                "busy": Out(1),
                "port": In(synapse_port_signature(spec)),
                "weight_read": Out(1),
                "mask_read": Out(1),
                "state_read": Out(1),
                "state_write": Out(1),
                "tap": Out(tap_signature(spec)),
            }
        )

    def elaborate(self, platform):
        spec, port = self._spec, self.port
        m = Module()
        m.submodules.feed = feed = Feed(spec)
        m.submodules.lane = lane = self.lane
        m.submodules.weights = weights = memory.Memory(self.weights, attrs=NO_COLLISION)
        weight_read: Any = weights.read_port()
        weight_write: Any = weights.write_port()

        m.d.comb += [
            feed.push.eq(self.push),
            feed.index.eq(self.index),
            self.full.eq(feed.full),
            feed.present.eq(self.present),
            feed.hold.eq(self.hold),
            lane.clear.eq(self.clear),
            lane.weight.eq(weight_read.data),
            self.best.eq(lane.best),
            self.kept.eq(lane.kept),
            self.busy.eq(feed.busy | lane.busy),
            self.weight_read.eq(lane.reads),
            self.mask_read.eq(feed.mask_read),
            self.state_read.eq(lane.state_read),
            self.state_write.eq(lane.state_write),
        ]
        connect(m, lane.tap, flipped(self.tap))
        with m.If(feed.valid):
            m.d.comb += [
                lane.order.valid.eq(1),
                lane.order.operation.eq(Operation.ADD),
                lane.order.row.eq(feed.row),
            ]
        with m.Else():
            m.d.comb += [
                lane.order.valid.eq(self.order.valid),
                lane.order.operation.eq(self.order.operation),
                lane.order.row.eq(self.order.row),
            ]
        m.d.comb += lane.order.amount.eq(self.order.amount)

        synapse = Signal(spec.synapse_bits)
        m.d.sync += synapse.eq(synapse_row(spec, feed.input, feed.row))
        m.d.comb += [
            weight_read.en.eq(lane.reads | port.weight_read),
            weight_read.addr.eq(Mux(lane.reads, synapse, port.weight_row)),
            port.weight.eq(weight_read.data),
            weight_write.en.eq(port.weight_write),
            weight_write.addr.eq(port.weight_write_row),
            weight_write.data.eq(port.weight_data),
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
