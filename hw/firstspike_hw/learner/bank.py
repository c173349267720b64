"""A bank of a learning core: live synapses of events, and the lane that adds them up."""

from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.lane import Lane, best_layout
from firstspike_hw.learner.layouts import (
    Operation,
    row_signature,
    tap_signature,
)
from firstspike_hw.learner.spram_feed import SpramFeed

__all__ = ["LearnerBank"]


class LearnerBank(wiring.Component):
    """Walks the live synapses of events, on its own, and adds them to its neurons' potentials.

    What the memories of synapses and row masks are is up to `BlockBank` and `SpramBank`.

    Timing: see the feed and `Lane`. ``port`` must be quiet while the bank is busy.
    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Widths.
    feed : Feed or SpramFeed
        Walks the live synapses.
    port : wiring.Signature
        Of the port to the memories.

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
    port : In(port)
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

    def __init__(self, spec: CoreSpec, feed: Feed | SpramFeed, port: wiring.Signature):
        self._spec = spec
        self._feed = feed
        #: The lane, for a bench to look into.
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
                "port": In(port),
                "weight_read": Out(1),
                "mask_read": Out(1),
                "state_read": Out(1),
                "state_write": Out(1),
                "tap": Out(tap_signature(spec)),
            }
        )

    def elaborate(self, platform):
        feed, lane = self._feed, self.lane
        m = Module()
        m.submodules.feed = feed
        m.submodules.lane = lane
        m.d.comb += [
            feed.push.eq(self.push),
            feed.index.eq(self.index),
            self.full.eq(feed.full),
            feed.present.eq(self.present),
            feed.hold.eq(self.hold),
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
        return m
