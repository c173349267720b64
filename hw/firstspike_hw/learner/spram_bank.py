"""A bank of a learning core whose memory has a single port."""

from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import SPRAM_MASK_ROW, CoreSpec, bits_for
from firstspike_hw.learner.lane import Lane, best_layout
from firstspike_hw.learner.layouts import (
    Operation,
    row_signature,
    synapse_row,
    tap_signature,
    word_port_signature,
)
from firstspike_hw.learner.spram_feed import SpramFeed
from firstspike_hw.learner.word_ram import WordRam

__all__ = ["SpramBank"]


class SpramBank(wiring.Component):
    """Walks the live synapses of events, on its own, and adds them to its neurons' potentials.

    Synapses, row masks and column masks lie in one SPRAM, two synapses a word; elsewhere, in
    simulators above all, in a memory that behaves the same.

    Timing: see `SpramFeed` and `Lane`. ``port`` must be quiet while the bank is busy.
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
    port : In(word_port_signature())
        To the memory, for updates and for the host.
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
        #: The memory, for a bench to look into.
        self.ram = WordRam(spec)
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
                "port": In(word_port_signature()),
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
        m.submodules.feed = feed = SpramFeed(spec)
        m.submodules.lane = lane = self.lane
        m.d.comb += [
            feed.push.eq(self.push),
            feed.index.eq(self.index),
            self.full.eq(feed.full),
            feed.present.eq(self.present),
            feed.hold.eq(self.hold),
            feed.word.eq(port.word),
            lane.clear.eq(self.clear),
            lane.order.amount.eq(self.order.amount),
            self.best.eq(lane.best),
            self.kept.eq(lane.kept),
            self.busy.eq(feed.busy | lane.busy),
            self.weight_read.eq(lane.reads),
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
        m.d.comb += lane.weight.eq(port.word.word_select(byte[1], 8))

        mine = lane.reads | self.mask_read
        m.submodules.ram = ram = self.ram
        m.d.comb += [
            ram.enable.eq(mine | port.enable),
            ram.write.eq(port.enable & port.write),
            ram.address.eq(Mux(mine, address, port.address)),
            ram.bytes.eq(port.bytes),
            ram.write_data.eq(port.data),
            port.word.eq(ram.read_data),
        ]
        return m
