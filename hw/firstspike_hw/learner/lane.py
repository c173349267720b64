"""A lane: membrane potentials, the adder, and the largest potential so far."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import LEARNED_THRESHOLD_MAX, CoreSpec, bits_for
from firstspike_hw.learner.layouts import Operation, row_signature, tap_signature
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Lane", "best_layout"]

#: A negative number is less than minus the largest threshold if a bit from here on is 0.
_CEILING = LEARNED_THRESHOLD_MAX.bit_length() - 1


def best_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of what a lane knows of its largest potential.

    ``there``: it has seen one. ``row``: the lowest row that has it. ``ties``: how many others
    have it. ``over``: how many potentials have come to 0 or more.
    """
    rows = bits_for(spec.state_rows + 1)
    return data.StructLayout(
        {
            "there": 1,
            "potential": signed(spec.potential_bits),
            "row": bits_for(spec.state_rows),
            "ties": rows,
            "over": rows,
        }
    )


class Lane(wiring.Component):
    """Does one operation a cycle on the rows of a bank's neurons.

    Weights are unsigned, so a potential only rises while a stimulus lasts, and the largest value
    ever written is the largest potential: nobody needs to look for the winner. Potentials are
    stored less the threshold in force, `CoreSpec.fraction_bits` bits finer than weights.

    Four stages: read the synapse; read the state; add and write back; compare. A row that is read
    while it is written is taken from what was written.

    Timing: ``weight`` and ``order.amount`` belong to the order of two cycles before; ``kept`` shows
    the value of an order four cycles after it, ``best`` five.
    Reset: the memory keeps its contents.

    Parameters
    ----------
    spec : CoreSpec
        Uses state_rows, weight_bits, potential_bits.

    Members
    -------
    order : In(row_signature(spec))
        What to do.
    weight : In(spec.weight_bits)
        Synapse to ADD.
    reads : Out(1)
        High one cycle after an ADD, when its synapse must be read.
    clear : In(1)
        Forget the largest potential.
    best : Out(best_layout(spec))
        The largest potential.
    kept : Out(signed(spec.potential_bits))
        What the last order wrote, or SCAN read.
    busy : Out(1)
        An order is under way.
    state_read, state_write : Out(1)
        High in a cycle in which the memory is read, and in the one before it is written.
    tap : Out(tap_signature(spec))
        Potentials as they are written.
    """

    order: Any
    weight: Signal
    reads: Signal
    clear: Signal
    best: data.View
    kept: Signal
    busy: Signal
    state_read: Signal
    state_write: Signal
    tap: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        self._half = 1 << bits_for(spec.state_rows)
        #: Potentials, and from half of the depth on what a stimulus starts with, for a bench.
        self.rows = MemoryData(shape=signed(spec.potential_bits), depth=2 * self._half, init=[])
        super().__init__(
            {
                "order": In(row_signature(spec)),
                "weight": In(spec.weight_bits),
                "reads": Out(1),
                "clear": In(1),
                "best": Out(best_layout(spec)),
                "kept": Out(signed(spec.potential_bits)),
                "busy": Out(1),
                "state_read": Out(1),
                "state_write": Out(1),
                "tap": Out(tap_signature(spec)),
            }
        )

    def elaborate(self, platform):
        spec, order, best = self._spec, self.order, self.best
        m = Module()
        m.submodules.rows = rows = memory.Memory(self.rows, attrs=NO_COLLISION)
        read: Any = rows.read_port()
        write: Any = rows.write_port()

        moving = data.StructLayout(
            {"valid": 1, "operation": Operation, "row": bits_for(spec.state_rows)}
        )
        first, second, third = (Signal(moving, name=f"stage_{k}") for k in (1, 2, 3))
        m.d.sync += [
            first.valid.eq(order.valid),
            first.operation.eq(order.operation),
            first.row.eq(order.row),
            second.eq(first),
            third.eq(second),
        ]

        # Stage 1: the synapse is read.
        m.d.comb += self.reads.eq(first.valid & (first.operation == Operation.ADD))

        # Stage 2: read the state; keep what to add to it.
        amount = Signal(signed(spec.potential_bits))
        grows = Signal()
        forward = Signal()
        m.d.comb += [
            self.state_read.eq(second.valid & (second.operation != Operation.LOAD)),
            # Written in the next cycle.
            self.state_write.eq(second.valid & (second.operation != Operation.SCAN)),
            read.en.eq(second.valid),
            read.addr.eq(
                Cat(
                    second.row,
                    (second.operation != Operation.ADD) & (second.operation != Operation.SCAN),
                )
            ),
        ]
        m.d.sync += [
            amount.eq(order.amount),
            # A synapse of 0 changes nothing, so it makes no new tie.
            grows.eq(self.weight != 0),
            forward.eq(write.en & (write.addr == read.addr)),
        ]
        with m.If(second.operation == Operation.ADD):
            m.d.sync += amount.eq(self.weight << spec.fraction_bits)
        with m.Elif(second.operation == Operation.SCAN):
            m.d.sync += amount.eq(0)

        # Stage 3: add, write back.
        base = Signal(signed(spec.potential_bits))
        total = Signal(signed(spec.potential_bits))
        value = Signal(signed(spec.potential_bits))
        adds = Signal()
        crosses = Signal()
        m.d.comb += [
            adds.eq(third.operation == Operation.ADD),
            base.eq(Mux(forward, self.kept, read.data)),
            total.eq(base + amount),
            value.eq(total),
            crosses.eq(adds & base[-1] & ~total[-1]),
            write.en.eq(third.valid & (third.operation != Operation.SCAN)),
            write.addr.eq(
                Cat(
                    third.row,
                    (third.operation == Operation.CHANGE) | (third.operation == Operation.LOAD),
                )
            ),
            write.data.eq(value),
        ]
        with m.Switch(third.operation):
            with m.Case(Operation.LOAD):
                m.d.comb += base.eq(0)
            with m.Case(Operation.START, Operation.CHANGE):
                # A threshold is at least 1.
                with m.If(~total[-1]):
                    m.d.comb += value.eq(-1)
        with m.If((third.operation == Operation.CHANGE) & total[-1] & ~total[_CEILING:].all()):
            m.d.comb += value.eq(-LEARNED_THRESHOLD_MAX)
        with m.If(third.valid):
            m.d.sync += self.kept.eq(value)

        # Stage 4: compare.
        fourth = Signal()
        compares = Signal()
        row = Signal.like(third.row)
        fires = Signal()
        better = Signal()
        m.d.sync += [
            fourth.eq(third.valid),
            compares.eq(
                third.valid
                & (
                    (third.operation == Operation.START)
                    | (third.operation == Operation.SCAN)
                    | (adds & grows)
                )
            ),
            row.eq(third.row),
            fires.eq(third.valid & crosses),
        ]
        m.d.comb += better.eq(~best.there | (self.kept > best.potential))
        with m.If(compares):
            with m.If(better):
                m.d.sync += [
                    best.there.eq(1),
                    best.potential.eq(self.kept),
                    best.row.eq(row),
                    best.ties.eq(0),
                ]
            with m.Elif(self.kept == best.potential):
                m.d.sync += best.ties.eq(best.ties + 1)
                with m.If(row < best.row):
                    m.d.sync += best.row.eq(row)
        with m.If(fires):
            m.d.sync += best.over.eq(best.over + 1)
        with m.If(self.clear):
            m.d.sync += best.eq(0)

        m.d.comb += [
            self.busy.eq(first.valid | second.valid | third.valid | fourth),
            self.tap.valid.eq(third.valid & (adds | (third.operation == Operation.START))),
            self.tap.row.eq(third.row),
            self.tap.potential.eq(value),
            self.tap.fires.eq(crosses),
        ]
        return m
