"""From items to words: one row of the memories a cycle."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import Operation, item_layout

__all__ = ["Issue", "word_signature"]


def word_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what the banks are told in a cycle, seen from the one who tells."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "operation": Out(Operation),
            "signed": Out(1),
            "weight_row": Out(bits_for(spec.weight_rows)),
            "state_row": Out(bits_for(spec.state_rows)),
            "magnitude": Out(spec.magnitude_bits),
            "last": Out(1),
        }
    )


class Issue(wiring.Component):
    """Goes through the rows of each item, in order and without a gap between items.

    Every bank gets the same rows, so one `Issue` drives all banks; in a sparse core, what a bank
    finds in its row says which state row it adds to. An empty item takes a cycle. Where rows of
    currents and of potentials take turns, a tick goes through all of them, a PICK before each TICK,
    and any other item through every second one.

    Timing: the first word of an item is offered one cycle after the item is taken; a word moves
    in every cycle in which ``advance`` is high. The next item is taken with an item's last word.

    Parameters
    ----------
    spec : CoreSpec
        Sizes of the rows.

    Members
    -------
    items : In(stream.Signature(item_layout(spec)))
        Rows to go through.
    word : Out(word_signature(spec))
        The row of this cycle; ``last`` marks the last one of an item.
    advance : In(1)
        Whether the banks take the word.
    """

    items: Any
    word: Any
    advance: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "items": In(stream.Signature(item_layout(spec))),
                "word": Out(word_signature(spec)),
                "advance": In(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        item, word = self.items.p, self.word

        left = Signal.like(item.words)
        stride = Signal.like(item.stride)
        # Of rows that take turns: the next is one of potentials; or every second one is left out.
        picks = Signal()
        skips = Signal()
        m.d.comb += [
            word.last.eq((left == 0) & ~picks),
            self.items.ready.eq(~word.valid | (self.advance & word.last)),
        ]
        with m.If(self.items.ready):
            m.d.sync += [
                word.valid.eq(self.items.valid & ~item.empty if spec.sparse else self.items.valid),
                word.operation.eq(item.operation),
                word.signed.eq(item.signed),
                word.weight_row.eq(item.weight_row),
                word.state_row.eq(item.state_row),
                word.magnitude.eq(item.magnitude),
                left.eq(item.words),
                stride.eq(item.stride),
            ]
        with m.Elif(self.advance):
            m.d.sync += [
                word.weight_row.eq(word.weight_row + stride),
                word.state_row.eq(word.state_row + 1 + skips),
                left.eq(left - ~picks),
            ]
        if spec.multispike:
            ticks = item.operation == Operation.TICK
            turns = Signal()
            m.d.comb += picks.eq(word.operation == Operation.PICK)
            with m.If(self.items.ready):
                m.d.sync += [turns.eq(item.pairs & ticks), skips.eq(item.pairs & ~ticks)]
                with m.If(item.pairs & ticks):
                    m.d.sync += word.operation.eq(Operation.PICK)
            with m.Elif(self.advance & turns):
                m.d.sync += word.operation.eq(Mux(picks, Operation.TICK, Operation.PICK))
        return m
