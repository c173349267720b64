"""From what the sequencer does to rows to what the lanes are told."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import HANDICAP_MAX, CoreSpec, bits_for
from firstspike_hw.learner.layouts import Operation
from firstspike_hw.learner.sequencer import Sweep, Touch

__all__ = ["Order"]


class Order(wiring.Component):
    """Makes operations of sweeps and touches, once the class of the row is known.

    Timing: an order follows its row by a cycle, its amount by three: when a lane wants it.

    Parameters
    ----------
    spec : CoreSpec
        Uses state_rows, potential_bits.

    Members
    -------
    sweeps : In(1), sweep : In(Sweep), touched : In(1), touch : In(Touch)
        What happens to the row.
    row : In(bits_for(spec.state_rows))
        The row.
    mine : In(1), value : In(16)
        A cycle later: its class is the label's; two cycles later: the class' offset, or its rise
        for a touch.
    own, other : In(range(HANDICAP_MAX + 1)), error_step : In(16)
        Handicaps and step.
    valid : Out(1), touches : Out(1), operation : Out(Operation), target : Out(...)
        The order; ``touches`` means the winner's bank alone.
    amount : Out(signed(spec.potential_bits))
        Two cycles after its order.
    """

    sweeps: Signal
    sweep: Signal
    touched: Signal
    touch: Signal
    row: Signal
    mine: Signal
    value: Signal
    own: Signal
    other: Signal
    error_step: Signal
    valid: Signal
    touches: Signal
    operation: Signal
    target: Signal
    amount: Signal

    def __init__(self, spec: CoreSpec):
        row = bits_for(spec.state_rows)
        super().__init__(
            {
                "sweeps": In(1),
                "sweep": In(Sweep),
                "touched": In(1),
                "touch": In(Touch),
                "row": In(row),
                "mine": In(1),
                "value": In(16),
                "own": In(range(HANDICAP_MAX + 1)),
                "other": In(range(HANDICAP_MAX + 1)),
                "error_step": In(16),
                "valid": Out(1),
                "touches": Out(1),
                "operation": Out(Operation),
                "target": Out(row),
                "amount": Out(signed(spec.potential_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sweeps = Signal()
        sweep = Signal(Sweep)
        touch = Signal(Touch)
        m.d.sync += [
            sweeps.eq(self.sweeps),
            sweep.eq(self.sweep),
            self.touches.eq(self.touched),
            touch.eq(self.touch),
            self.target.eq(self.row),
        ]
        m.d.comb += [
            self.valid.eq(self.touches | (sweeps & (self.mine | (sweep == Sweep.START)))),
            self.operation.eq(Operation.CHANGE),
        ]
        with m.If(sweeps & (sweep == Sweep.START)):
            m.d.comb += self.operation.eq(Operation.START)
        with m.If(sweeps & (sweep == Sweep.SCAN)):
            m.d.comb += self.operation.eq(Operation.SCAN)

        # The cycle after the order: offset or rise are there.
        starts = Signal()
        settles = Signal()
        rises = Signal()
        raised = Signal()
        handicap = Signal.like(self.own)
        m.d.sync += [
            starts.eq(sweeps & (sweep == Sweep.START)),
            settles.eq(sweeps & (sweep == Sweep.SETTLE)),
            rises.eq(self.touches & (touch == Touch.RISE)),
            raised.eq(touch == Touch.RAISE),
            handicap.eq(Mux(self.mine, self.own, self.other)),
        ]
        with m.If(starts):
            m.d.sync += self.amount.eq(self.value - handicap)
        with m.Elif(settles):
            m.d.sync += self.amount.eq(self.value)
        with m.Elif(rises):
            m.d.sync += self.amount.eq(-self.value)
        with m.Elif(raised):
            m.d.sync += self.amount.eq(-self.error_step)
        with m.Else():
            m.d.sync += self.amount.eq(self.error_step)
        return m
