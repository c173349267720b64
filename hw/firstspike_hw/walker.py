"""From events to items: which rows of the memories an event touches."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import Operation, event_layout, item_layout

__all__ = ["DenseWalker", "layer_signature"]


def layer_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what is known of the layer at work; `firstspike.spec.LAYER_REGISTERS`."""
    return wiring.Signature(
        {
            "signed": Out(1),
            "neurons": Out(spec.index_bits + 1),
            "words": Out(bits_for(spec.state_rows)),
            "weight_row": Out(bits_for(spec.weight_rows)),
            "state_row": Out(bits_for(spec.state_rows)),
            "scale": Out(spec.potential_bits - 1),
        }
    )


class DenseWalker(wiring.Component):
    """Makes one item of every event: the weight row of a presynaptic index, and its layer's rows.

    Commands (start, tick, read) become items too, behind the events that came before them.

    Timing: two stages, one item a cycle; an item is valid two cycles after its event was taken.

    Parameters
    ----------
    spec : CoreSpec
        Sizes.

    Members
    -------
    layer : In(layer_signature(spec))
        Postsynaptic layer; may change when the event or command that belongs to it was taken.
    events : In(stream.Signature(event_layout(spec)))
        Presynaptic index and magnitude.
    commands : In(stream.Signature(Operation))
        Taken when no event is offered. START goes through all rows, any other through those of
        the layer.
    all_rows : In(bits_for(spec.state_rows))
        State rows of all layers, less one.
    items : Out(stream.Signature(item_layout(spec)))
        For the banks.
    """

    layer: Any
    events: Any
    commands: Any
    all_rows: Signal
    items: stream.Interface

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "layer": In(layer_signature(spec)),
                "events": In(stream.Signature(event_layout(spec))),
                "commands": In(stream.Signature(Operation)),
                "all_rows": In(bits_for(spec.state_rows)),
                "items": Out(stream.Signature(item_layout(spec))),
            }
        )

    def elaborate(self, platform):
        spec, layer = self._spec, self.layer
        m = Module()

        moves = Signal()
        s1_valid = Signal()
        s1_item = Signal(item_layout(spec))
        s1_offset = Signal(bits_for(spec.weight_rows))
        m.d.comb += [
            moves.eq(~self.items.valid | self.items.ready),
            self.events.ready.eq(moves),
            self.commands.ready.eq(moves & ~self.events.valid),
        ]
        with m.If(moves):
            # Stage 1: where the row stands in its layer.
            m.d.sync += [
                s1_valid.eq(self.events.valid | self.commands.valid),
                s1_item.signed.eq(layer.signed),
                s1_item.weight_row.eq(layer.weight_row),
                s1_item.state_row.eq(layer.state_row),
                s1_item.words.eq(layer.words),
                s1_item.magnitude.eq(self.events.p.magnitude),
                s1_offset.eq(self.events.p.index * (layer.words + 1)),
            ]
            with m.If(self.events.valid):
                m.d.sync += s1_item.operation.eq(Operation.ADD)
            with m.Else():
                m.d.sync += s1_item.operation.eq(self.commands.payload)
                with m.If(self.commands.payload == Operation.START):
                    m.d.sync += [s1_item.state_row.eq(0), s1_item.words.eq(self.all_rows)]
            # Stage 2: where it stands in the memory.
            m.d.sync += [
                self.items.valid.eq(s1_valid),
                self.items.payload.eq(s1_item),
                self.items.p.weight_row.eq(s1_item.weight_row + s1_offset),
            ]
        return m
