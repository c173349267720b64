"""The host's way to registers and memories of a learning core."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import AMOUNT_BITS, CoreSpec, Space, bits_for
from firstspike_hw.layouts import request_layout
from firstspike_hw.learner.layouts import Operation

__all__ = ["LearnerHostPort"]


class LearnerHostPort(wiring.Component):
    """Serves one request at a time, between stimuli.

    Addresses are made by `CoreSpec.address`. Registers that cannot be read give 0, or another one.

    Timing: a write to a register takes one cycle, anything else five.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    requests : In(stream.Signature(request_layout(spec))), replies : Out(stream.Signature(32))
        Taken only while ``idle``; data of each read, in order.
    idle : In(1), busy : Out(1)
        The core is between stimuli; a request is waiting or being served.
    register_write : Out(1), register : In(32)
        Write the request's data to the register at its address; what is there.
    bank : Out(bits_for(spec.banks)), row : Out(...), part : Out(...), data : Out(32)
        Place in the memories, and what is written there.
    order : Out(1), operation : Out(Operation)
        Operation on state row ``row`` of the bank.
    kept : In(signed(spec.potential_bits))
        Its result.
    weight_read, weight_write, mask_read, mask_write, column_read, column_write : Out(1)
        Access to the bank's synapses and row masks, and to the column masks.
    table_write, fan_in_read, fan_in_write : Out(1)
        Access to the memories of the update.
    weight : In(...), mask : In(16), column : In(16), fan_in : In(...)
        What was read two cycles before.
    """

    requests: Any
    replies: stream.Interface
    idle: Signal
    busy: Signal
    register_write: Signal
    register: Signal
    bank: Signal
    row: Signal
    part: Signal
    data: Signal
    order: Signal
    operation: Signal
    kept: Signal
    weight_read: Signal
    weight_write: Signal
    mask_read: Signal
    mask_write: Signal
    column_read: Signal
    column_write: Signal
    table_write: Signal
    fan_in_read: Signal
    fan_in_write: Signal
    weight: Signal
    mask: Signal
    column: Signal
    fan_in: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        strobes = (
            "weight_read",
            "weight_write",
            "mask_read",
            "mask_write",
            "column_read",
            "column_write",
            "table_write",
            "fan_in_read",
            "fan_in_write",
        )
        super().__init__(
            {
                "requests": In(stream.Signature(request_layout(spec))),
                "replies": Out(stream.Signature(32)),
                "idle": In(1),
                "busy": Out(1),
                "register_write": Out(1),
                "register": In(32),
                "bank": Out(bits_for(spec.banks)),
                "row": Out(24),
                "part": Out(bits_for(spec.mask_parts)),
                "data": Out(32),
                "order": Out(1),
                "operation": Out(Operation),
                "kept": In(signed(spec.potential_bits)),
                **{name: Out(1) for name in strobes},
                # A synapse, or a word of what lies in an SPRAM.
                "weight": In(16 if spec.memory == "spram" else spec.weight_bits),
                "mask": In(16),
                "column": In(16),
                "fan_in": In(AMOUNT_BITS),
            }
        )

    def elaborate(self, platform):
        spec, request = self._spec, self.requests.p
        m = Module()

        def split(space, rows):
            """Take an address of a space apart: part, row, bank."""
            low = (spec.mask_parts - 1).bit_length() if space == Space.ROW_MASKS else 0
            high = low + bits_for(rows)
            m.d.comb += [
                self.part.eq(request.address[:low]),
                self.row.eq(request.address[low:high]),
                self.bank.eq(request.address[high:]),
            ]

        strobes: dict[Space, tuple] = {
            Space.WEIGHTS: (self.weight_read, self.weight_write, self.weight),
            Space.ROW_MASKS: (self.mask_read, self.mask_write, self.mask),
            Space.COLUMN_MASKS: (self.column_read, self.column_write, self.column),
            Space.UPDATES: (Signal(), self.table_write, C(0)),
            Space.FAN_IN: (self.fan_in_read, self.fan_in_write, self.fan_in),
        }
        fetch = Signal()
        store = Signal()
        found = Signal(32)
        m.d.comb += [self.row.eq(request.address), self.data.eq(request.data)]
        with m.Switch(request.space):
            with m.Case(Space.REGISTERS):
                m.d.comb += [self.register_write.eq(store), found.eq(self.register)]
            with m.Case(Space.START, Space.STATE):
                split(Space.START, spec.state_rows)
                m.d.comb += [self.order.eq(fetch | store), found.as_signed().eq(self.kept)]
                with m.If(request.write):
                    m.d.comb += self.operation.eq(Operation.LOAD)
                with m.Elif(request.space == Space.START):
                    # Changing it by 0 tells what it is.
                    m.d.comb += self.operation.eq(Operation.CHANGE)
                with m.Else():
                    m.d.comb += self.operation.eq(Operation.SCAN)
            for space, (read, write, value) in strobes.items():
                with m.Case(space):
                    m.d.comb += [read.eq(fetch), write.eq(store), found.eq(value)]
                    if space == Space.WEIGHTS:
                        split(space, spec.weight_rows)
                    if space == Space.ROW_MASKS:
                        split(space, spec.max_inputs)

        m.d.comb += self.busy.eq(self.requests.valid | self.replies.valid)
        with m.If(self.replies.valid & self.replies.ready):
            m.d.sync += self.replies.valid.eq(0)
        waited = Signal(range(4))
        with m.FSM():
            with m.State("REQUEST"):
                m.d.sync += waited.eq(0)
                with m.If(self.requests.valid & self.idle & ~self.replies.valid):
                    m.d.comb += [store.eq(request.write), fetch.eq(~request.write)]
                    with m.If(request.write & (request.space == Space.REGISTERS)):
                        m.d.comb += self.requests.ready.eq(1)
                    with m.Else():
                        m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += waited.eq(waited + 1)
                with m.If(waited == 3):
                    m.d.comb += self.requests.ready.eq(1)
                    m.d.sync += [
                        self.replies.payload.eq(found),
                        self.replies.valid.eq(~request.write),
                    ]
                    m.next = "REQUEST"
        return m
