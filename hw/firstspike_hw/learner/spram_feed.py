"""From events to the live synapses of a bank whose memory has a single port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.learner.event_queue import EventQueue
from firstspike_hw.learner.layouts import mask_position

__all__ = ["SpramFeed"]


class SpramFeed(wiring.Component):
    """Queues events, fetches their row masks, and walks the rows that are alive.

    As `firstspike_hw.learner.feed.Feed`, but the masks lie beside the synapses: while a word of a
    mask is asked for, no synapse is. The mask of the next event is fetched while one is walked.

    Timing: the mask is known five cycles after its event was taken from the queue, four where it
    has one word; then a synapse a cycle.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs, state_rows, pruning.

    Members
    -------
    push : In(1), index : In(bits_for(spec.max_inputs)), full : Out(1)
        Queue an event; only while not ``full``.
    present : In(spec.state_rows)
        Rows that have a neuron.
    fetch : Out(1), high : Out(1), fetch_index : Out(bits_for(spec.max_inputs))
        Ask for a word of the row mask of an input, the second one if ``high``.
    word : In(16)
        What was asked for two cycles before.
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
    fetch: Signal
    high: Signal
    fetch_index: Signal
    word: Signal
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
                "fetch": Out(1),
                "high": Out(1),
                "fetch_index": Out(index),
                "word": In(16),
                "hold": In(1),
                "valid": Out(1),
                "input": Out(index),
                "row": Out(bits_for(spec.state_rows)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        wide = spec.mask_parts > 1
        m = Module()
        m.submodules.queue = queue = EventQueue(spec)
        m.d.comb += [
            queue.push.eq(self.push),
            queue.index.eq(self.index),
            self.full.eq(queue.full),
            self.fetch_index.eq(queue.taken),
        ]

        left = Signal(spec.state_rows)
        lowest, rest = mask_position(left)
        free = Signal()
        m.d.comb += [
            self.valid.eq((left != 0) & ~self.hold & ~self.fetch),
            self.row.eq(lowest),
            free.eq(Mux(self.valid, rest == 0, left == 0)),
        ]
        with m.If(self.valid):
            m.d.sync += left.eq(rest)

        words = Signal(32)
        mask = Signal(spec.state_rows)
        m.d.comb += mask.eq(words if spec.pruning else self.present)
        idle = Signal()
        m.d.comb += self.busy.eq(queue.queued | ~idle | (left != 0))
        first = "LOW" if spec.pruning else "AHEAD"
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [idle.eq(1), queue.take.eq(1)]
                with m.If(queue.queued):
                    m.next = first
            if spec.pruning:
                with m.State("LOW"):
                    m.d.comb += self.fetch.eq(1)
                    m.next = "HIGH" if wide else "WAIT"
                if wide:
                    with m.State("HIGH"):
                        m.d.comb += [self.fetch.eq(1), self.high.eq(1)]
                        m.next = "WAIT"
                with m.State("WAIT"):
                    m.d.sync += words[:16].eq(self.word)
                    m.next = "LAST"
                with m.State("LAST"):
                    m.d.sync += words[16 if wide else 0 :][:16].eq(self.word)
                    m.next = "AHEAD"
            with m.State("AHEAD"):
                with m.If(free | (mask == 0)):
                    m.d.comb += queue.take.eq(1)
                    m.next = "IDLE"
                    with m.If(queue.queued):
                        m.next = first
                with m.If(free):
                    m.d.sync += [left.eq(mask), self.input.eq(queue.taken)]
        return m
