"""From events to the live synapses of a bank, one a cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.learner.event_queue import EventQueue
from firstspike_hw.learner.layouts import mask_position

__all__ = ["Feed"]


class Feed(wiring.Component):
    """Queues events, fetches their row masks, and walks the rows that are alive.

    A bank that finds nothing alive drops an event while it walks another. Without pruning the
    mask is ``present`` for every event, and nothing is fetched.

    Timing: the first synapse of an event is offered four cycles after ``push`` at the earliest;
    then one a cycle, without a gap between events if their masks are not empty. An event whose
    mask is empty takes one cycle of the fetch, none of the walk.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs, state_rows, pruning.

    Members
    -------
    push : In(1), index : In(bits_for(spec.max_inputs))
        Queue an event; only while not ``full``.
    full : Out(1)
        There is no room.
    present : In(spec.state_rows)
        Rows that have a neuron.
    mask_read : Out(1), mask_index : Out(bits_for(spec.max_inputs)), mask : In(spec.state_rows)
        Fetch the row mask of an input; it is there one cycle later, until the next fetch.
    hold : In(1)
        Offer nothing in this cycle.
    valid : Out(1), input : Out(bits_for(spec.max_inputs)), row : Out(bits_for(spec.state_rows))
        A live synapse. It must be taken.
    busy : Out(1)
        An event is queued or under way.
    """

    push: Signal
    index: Signal
    full: Signal
    present: Signal
    mask_read: Signal
    mask_index: Signal
    mask: Signal
    hold: Signal
    valid: Signal
    input: Signal
    row: Signal
    busy: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        index = bits_for(spec.max_inputs)
        super().__init__(
            {
                "push": In(1),
                "index": In(index),
                "full": Out(1),
                "present": In(spec.state_rows),
                "mask_read": Out(1),
                "mask_index": Out(index),
                "mask": In(spec.state_rows),
                "hold": In(1),
                "valid": Out(1),
                "input": Out(index),
                "row": Out(bits_for(spec.state_rows)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.queue = queue = EventQueue(spec)
        m.d.comb += [
            queue.push.eq(self.push),
            queue.index.eq(self.index),
            self.full.eq(queue.full),
        ]

        # An event from the queue, whose mask is being fetched; then one with its mask.
        fetching = Signal()
        fetched = Signal()
        fetch_moves = Signal()
        queue_moves = Signal()
        fetched_index = Signal.like(self.index)
        mask = Signal(spec.state_rows)
        m.d.comb += [
            fetch_moves.eq(~fetching | queue_moves),
            queue.take.eq(fetch_moves),
            self.mask_index.eq(queue.taken),
            self.mask_read.eq(fetching & queue_moves & spec.pruning),
            mask.eq(self.mask if spec.pruning else self.present),
        ]
        with m.If(fetch_moves):
            m.d.sync += fetching.eq(queue.queued)
        with m.If(queue_moves):
            m.d.sync += [fetched.eq(fetching), fetched_index.eq(queue.taken)]

        # The event that is walked.
        left = Signal(spec.state_rows)
        lowest, rest = mask_position(left)
        free = Signal()
        m.d.comb += [
            self.valid.eq((left != 0) & ~self.hold),
            self.row.eq(lowest),
            free.eq(Mux(self.valid, rest == 0, left == 0)),
            queue_moves.eq(~fetched | free | (mask == 0)),
            self.busy.eq(queue.queued | fetching | fetched | (left != 0)),
        ]
        with m.If(free):
            m.d.sync += [left.eq(Mux(fetched, mask, 0)), self.input.eq(fetched_index)]
        with m.Elif(self.valid):
            m.d.sync += left.eq(rest)
        return m
