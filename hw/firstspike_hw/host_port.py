"""The host's way to registers and memories."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, Space, bits_for
from firstspike_hw.layouts import request_layout

__all__ = ["HostPort", "bank_access_signature"]


def bank_access_signature(spec: CoreSpec) -> wiring.Signature:
    """Return how the host reaches a bank, seen from the host; see `firstspike_hw.bank.Bank`."""
    return wiring.Signature(
        {
            "weight_enable": Out(1),
            "weight_write": Out(1),
            "row": Out(max(bits_for(spec.weight_rows), bits_for(spec.state_rows))),
            "part": Out(bits_for(spec.parts)),
            "data": Out(max(spec.part_bits, spec.potential_bits)),
            "start": Out(1),
            "load": Out(1),
            "load_lanes": Out(spec.word),
            "fetch": Out(1),
        }
    )


class HostPort(wiring.Component):
    """Serves one request at a time, between stimuli.

    Addresses are made by `CoreSpec.address`. Registers and lists are write only; reading one
    gives 0.

    Timing: a write takes two cycles, or three to the state memory; a read five.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    requests : In(stream.Signature(request_layout(spec)))
        Taken only while ``idle``.
    replies : Out(stream.Signature(32))
        Data of each read, in order.
    idle : In(1)
        The core is between stimuli.
    busy : Out(1)
        A request is waiting or being served.
    register_write : Out(1)
        Write the request's data to the register at its address.
    list_write : Out(1)
        Write the request's data to the list at its address (sparse).
    banks : Out(bank_access_signature(spec)).array(spec.banks)
        To the banks.
    weights : In(spec.word_bits).array(spec.banks)
        From the banks' synapse memories.
    select : Out(1), lane : Out(bits_for(spec.lanes))
        Lane whose potential is asked for, and
    potential : In(signed(spec.potential_bits))
        the potential.
    """

    requests: Any
    replies: stream.Interface
    idle: Signal
    busy: Signal
    register_write: Signal
    list_write: Signal
    banks: Any
    weights: Any
    select: Signal
    lane: Signal
    potential: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "requests": In(stream.Signature(request_layout(spec))),
                "replies": Out(stream.Signature(32)),
                "idle": In(1),
                "busy": Out(1),
                "register_write": Out(1),
                "banks": Out(bank_access_signature(spec)).array(spec.banks),
                "weights": In(spec.word_bits).array(spec.banks),
                "select": Out(1),
                "lane": Out(bits_for(spec.lanes)),
                "potential": In(signed(spec.potential_bits)),
            }
            | ({"list_write": Out(1)} if spec.sparse else {})
        )

    def elaborate(self, platform):
        spec, request = self._spec, self.requests.p
        m = Module()

        # Fields of the address, from its low end.
        weights = Signal()
        part = request.address[: spec.part_address_bits]
        weight_row = request.address[spec.part_address_bits :]
        lane = request.address[: spec.lane_address_bits]
        state_row = request.address[spec.lane_address_bits :]
        row = Signal(max(bits_for(spec.weight_rows), bits_for(spec.state_rows)))
        bank = Signal(bits_for(spec.banks))
        m.d.comb += weights.eq(request.space == Space.WEIGHTS)
        with m.If(weights):
            m.d.comb += [
                row.eq(weight_row[: bits_for(spec.weight_rows)]),
                bank.eq(weight_row[bits_for(spec.weight_rows) :]),
            ]
        with m.Else():
            m.d.comb += [
                row.eq(state_row[: bits_for(spec.state_rows)]),
                bank.eq(state_row[bits_for(spec.state_rows) :]),
            ]

        # All lanes get it, so that it comes from a register.
        data = Signal(max(spec.part_bits, spec.potential_bits))
        m.d.sync += data.eq(Mux(self.idle & request.write, request.data, 0))
        weight_enable = Signal()
        load = Signal()
        load_lanes = Signal()
        fetch = Signal()
        for number, port in enumerate(self.banks):
            here = Signal(name=f"bank_{number}")
            m.d.comb += [
                here.eq(bank == number),
                port.weight_enable.eq(weight_enable & here),
                port.weight_write.eq(request.write),
                port.row.eq(row),
                port.part.eq(part),
                port.data.eq(data),
                port.start.eq(request.space == Space.START),
                port.load.eq(load),
                port.load_lanes.eq(Mux(load_lanes & here, 1 << lane, 0)),
                port.fetch.eq(fetch),
            ]

        m.d.comb += [
            self.busy.eq(self.requests.valid | self.replies.valid),
            self.select.eq(self.idle),
            self.lane.eq(Cat(bank, lane) if spec.banks > 1 else lane),
        ]
        # Words are wide and memories slow, so the choice of a part has a cycle of its own, and
        # that of a bank another one.
        word = Signal(spec.parts * spec.part_bits)
        picked = Signal(spec.part_bits)
        if spec.parts > 1:
            m.d.sync += word.eq(Array(self.weights)[bank])
        else:
            m.d.comb += word.eq(Array(self.weights)[bank])
        m.d.sync += picked.eq(word.word_select(part, spec.part_bits))

        writes_only = request.space == Space.REGISTERS
        if spec.sparse:
            writes_only |= request.space == Space.LISTS
        waited = Signal(2)
        with m.If(self.replies.valid & self.replies.ready):
            m.d.sync += self.replies.valid.eq(0)
        with m.FSM():
            with m.State("REQUEST"):
                m.d.sync += waited.eq(0)
                with m.If(self.requests.valid & self.idle & ~self.replies.valid):
                    m.next = "SERVE"
            with m.State("SERVE"):
                m.next = "REQUEST"
                with m.If(request.write & (request.space == Space.REGISTERS)):
                    m.d.comb += [self.register_write.eq(1), self.requests.ready.eq(1)]
                if spec.sparse:
                    with m.Elif(request.write & (request.space == Space.LISTS)):
                        m.d.comb += [self.list_write.eq(1), self.requests.ready.eq(1)]
                with m.Elif(request.write & weights):
                    m.d.comb += [weight_enable.eq(1), self.requests.ready.eq(1)]
                with m.Elif(request.write):
                    m.d.comb += load.eq(1)
                    m.next = "LOAD"
                with m.Else():
                    m.d.comb += [weight_enable.eq(weights), fetch.eq(~weights)]
                    m.next = "READ"
            with m.State("LOAD"):
                m.d.comb += [load_lanes.eq(1), self.requests.ready.eq(1)]
                m.next = "REQUEST"
            with m.State("READ"):
                m.d.sync += waited.eq(waited + 1)
                with m.If(waited == 2):
                    m.d.comb += self.requests.ready.eq(1)
                    m.d.sync += self.replies.valid.eq(1)
                    with m.If(weights):
                        m.d.sync += self.replies.payload.eq(picked)
                    with m.Elif(writes_only):
                        m.d.sync += self.replies.payload.eq(0)
                    with m.Else():
                        # Sign extended.
                        m.d.sync += self.replies.payload.as_signed().eq(self.potential)
                    m.next = "REQUEST"
        return m
