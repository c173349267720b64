"""From events to items: which rows of the memories an event touches."""

from typing import Any

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import (
    Operation,
    dynamics_layout,
    event_layout,
    item_layout,
    list_layout,
    wiring_layout,
)
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Walker", "layer_signature"]


def layer_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what is known of the layer at work; `firstspike.spec.LAYER_REGISTERS`."""
    return wiring.Signature(
        {
            "signed": Out(1),
            "neurons": Out(spec.index_bits + 1),
            "words": Out(bits_for(spec.state_rows)),
            "weight_row": Out(spec.first_row_bits),
            "state_row": Out(bits_for(spec.state_rows)),
            "stride": Out(spec.index_bits + 1),
            "scale": Out(spec.potential_bits - 1 if spec.ramp or spec.multispike else 0),
            "dynamics": Out(dynamics_layout(spec)),
            "wiring": Out(wiring_layout(spec)),
        }
    )


class Walker(wiring.Component):
    """Makes one item of every event: the weight row of a presynaptic index, and its layer's rows.

    In a sparse core, these are the words of the index' list instead.
    Commands (start, tick, read) become items too, behind the events that came before them.

    Timing: one item a cycle; an item is valid one cycle after its event was taken.

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
    bias : In(1)
        The event on offer is a row of biases, which never go to currents (multi-spike).
    commands : In(stream.Signature(Operation))
        Taken when no event is offered. START goes through all rows, any other through those of
        the layer.
    all_rows : In(bits_for(spec.state_rows))
        State rows of all layers, less one.
    items : Out(stream.Signature(item_layout(spec)))
        For the banks.
    list_write : In(1), list_address : In(spec.first_row_bits), list_data : In(list_layout(spec))
        Write a list (sparse).
    """

    layer: Any
    events: Any
    bias: Signal
    commands: Any
    all_rows: Signal
    items: stream.Interface
    list_write: Signal
    list_address: Signal
    list_data: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        lists = {
            "list_write": In(1),
            "list_address": In(spec.first_row_bits),
            "list_data": In(list_layout(spec)),
        }
        super().__init__(
            {
                "layer": In(layer_signature(spec)),
                "events": In(stream.Signature(event_layout(spec))),
                "bias": In(1),
                "commands": In(stream.Signature(Operation)),
                "all_rows": In(bits_for(spec.state_rows)),
                "items": Out(stream.Signature(item_layout(spec))),
            }
            | (lists if spec.sparse else {})
        )

    def elaborate(self, platform):
        spec, layer = self._spec, self.layer
        m = Module()

        # Rows of currents and of potentials take turns, currents first.
        to_potentials = Signal()
        if spec.multispike:
            adds, reads = self.events.valid, self.commands.payload == Operation.READ
            m.d.comb += to_potentials.eq(
                layer.dynamics.pairs & Mux(adds, self.bias | ~layer.dynamics.to_current, reads)
            )

        moves = Signal()
        if spec.sparse:
            item = Signal(item_layout(spec))
            self._lists(m, moves, item)
        else:
            item = self.items.p
        m.d.comb += [
            moves.eq(~self.items.valid | self.items.ready),
            self.events.ready.eq(moves),
            self.commands.ready.eq(moves & ~self.events.valid),
        ]
        with m.If(moves):
            m.d.sync += [
                self.items.valid.eq(self.events.valid | self.commands.valid),
                item.signed.eq(layer.signed),
                item.weight_row.eq(layer.weight_row + self.events.p.index),
                item.stride.eq(1 if spec.sparse else layer.stride),
                item.state_row.eq(layer.state_row + to_potentials),
                item.pairs.eq(layer.dynamics.pairs),
                item.words.eq(layer.words),
                item.magnitude.eq(self.events.p.magnitude),
            ]
            with m.If(self.events.valid):
                m.d.sync += item.operation.eq(Operation.ADD)
            with m.Else():
                m.d.sync += item.operation.eq(self.commands.payload)
                with m.If(self.commands.payload == Operation.START):
                    m.d.sync += [
                        item.state_row.eq(0),
                        item.words.eq(self.all_rows),
                        item.pairs.eq(0),
                    ]
        return m

    def _lists(self, m: Module, moves: Signal, item: Any) -> None:
        """Read the list of each event along with the making of its item."""
        spec = self._spec
        m.submodules.lists = lists = memory.Memory(
            shape=list_layout(spec), depth=spec.list_rows, init=[], attrs=NO_COLLISION
        )
        read, write = lists.read_port(), lists.write_port()
        m.d.comb += [
            read.addr.eq(self.layer.weight_row + self.events.p.index),
            read.en.eq(moves),
            write.addr.eq(self.list_address),
            write.data.eq(self.list_data),
            write.en.eq(self.list_write),
            self.items.p.eq(item),
        ]
        with m.If(item.operation == Operation.ADD):
            m.d.comb += [
                self.items.p.weight_row.eq(read.data.first),
                self.items.p.words.eq(read.data.last),
                self.items.p.empty.eq(read.data.empty),
            ]
