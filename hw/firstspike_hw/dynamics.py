"""What becomes of a multi-spike neuron in a tick: fire, reset, leak."""

from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import dynamics_layout

__all__ = ["Dynamics", "dynamics_signature"]


def dynamics_signature(spec: CoreSpec) -> wiring.Signature:
    """Return the members of `Dynamics`; a bank that has none keeps them, at 0."""
    row = bits_for(spec.state_rows)
    words = data.ArrayLayout(signed(spec.potential_bits), spec.word)
    return wiring.Signature(
        {
            "advance": In(1),
            "valid": In(1),
            "picks": In(1),
            "row": In(row),
            "last": In(1),
            "totals": In(words),
            "before": In(spec.word),
            "threshold": In(spec.potential_bits - 1),
            "dynamics": In(dynamics_layout(spec)),
            "fires": Out(1),
            "mask": Out(spec.word),
            "fires_last": Out(1),
            "write": Out(1),
            "write_row": Out(row),
            "potentials": Out(words),
            "fired": Out(spec.word),
        }
    )


class Dynamics(wiring.Component):
    """Two stages behind a bank's adders, for ticks of multi-spike networks.

    Stage D compares potentials with the threshold and resets those that fire; stage E takes off
    the leak. Currents (``picks``) do not fire, and have a leak of their own.
    The rule is in docs/semantics.md, section 11.2.

    Timing: ``fires`` and its members are valid one cycle after ``valid``, ``write`` and its own
    two cycles after, counting cycles in which ``advance`` is high.

    Parameters
    ----------
    spec : CoreSpec
        Uses word, potential_bits, state_rows, multispike.

    Members
    -------
    advance : In(1)
        Move both stages.
    valid : In(1), picks : In(1), row : In(bits_for(state_rows)), last : In(1)
        A word, whether it holds currents, its row, and the last of an item.
    totals : In(ArrayLayout(signed(potential_bits), word)), before : In(word)
        Sums, and which neurons fired before.
    threshold : In(potential_bits - 1), dynamics : In(dynamics_layout(spec))
        Of the layer.
    fires : Out(1), mask : Out(word), fires_last : Out(1)
        A word of potentials, who fires in it, and whether it is the last one of an item.
    write : Out(1), write_row : Out(...), potentials : Out(...), fired : Out(word)
        What is to be written back.
    """

    advance: Signal
    valid: Signal
    picks: Signal
    row: Signal
    last: Signal
    totals: data.View
    before: Signal
    threshold: Signal
    dynamics: Any
    fires: Signal
    mask: Signal
    fires_last: Signal
    write: Signal
    write_row: Signal
    potentials: data.View
    fired: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(dynamics_signature(spec))

    def elaborate(self, platform):
        spec, rule = self._spec, self.dynamics
        m = Module()

        # Stage D: fire and reset.
        d_valid, d_picks = Signal(), Signal()
        d_row = Signal.like(self.row)
        totals = Signal.like(self.totals)
        before = Signal.like(self.before)
        e_valid, e_picks = Signal(), Signal()
        e_row = Signal.like(self.row)
        rests = Signal.like(self.totals)
        with m.If(self.advance):
            m.d.sync += [
                d_valid.eq(self.valid),
                d_picks.eq(self.picks),
                d_row.eq(self.row),
                self.fires_last.eq(self.last),
                totals.eq(self.totals),
                before.eq(self.before),
                e_valid.eq(d_valid),
                e_picks.eq(d_picks),
                e_row.eq(d_row),
                self.fired.eq(before | Mux(d_picks, 0, self.mask)),
            ]
        m.d.comb += self.fires.eq(d_valid & ~d_picks)
        for lane in range(spec.word):
            over = Signal(signed(spec.potential_bits + 1), name="over")
            m.d.comb += [
                over.eq(totals[lane] - self.threshold),
                self.mask[lane].eq(~over[-1] & ~(rule.once & before[lane])),
            ]
            with m.If(self.advance):
                with m.If(d_picks | ~self.mask[lane]):
                    m.d.sync += rests[lane].eq(totals[lane])
                with m.Elif(rule.hard):
                    m.d.sync += rests[lane].eq(0)
                with m.Else():
                    m.d.sync += rests[lane].eq(over)

        # Stage E: leak.
        leaks = Signal()
        leak = Signal(3)
        m.d.comb += [
            leaks.eq(Mux(e_picks, rule.current_leaks, rule.leaks)),
            leak.eq(Mux(e_picks, rule.current_leak, rule.leak)),
            # A current that loses nothing is as it was.
            self.write.eq(e_valid & (~e_picks | rule.current_leaks)),
            self.write_row.eq(e_row),
        ]
        for lane in range(spec.word):
            part = Signal(signed(spec.potential_bits), name="part")
            m.d.comb += [
                part.eq(Mux(leaks, rests[lane].as_signed() >> leak, 0)),
                self.potentials[lane].eq(rests[lane] - part),
            ]
        return m
