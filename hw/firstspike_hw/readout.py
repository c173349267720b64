"""The decision: the output neuron with the largest potential."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec

__all__ = ["Readout"]


class Readout(wiring.Component):
    """Finds the largest potential, the lowest index of equals, and counts ties.

    Timing: a potential a cycle, in rising order of index; ``done`` one cycle after the last one.

    Parameters
    ----------
    spec : CoreSpec
        Uses index_bits, potential_bits.

    Members
    -------
    valid : In(1), index : In(spec.index_bits), potential : In(signed(spec.potential_bits))
        A potential, less its threshold (STEP).
    end : In(1)
        With the last one.
    decided : In(1)
        The decision was made before: only ``last`` follows.
    last : Out(spec.index_bits)
        Index of the largest one so far.
    winner : Out(spec.index_bits)
        The same, until the decision.
    ties : Out(spec.index_bits)
        How many others equal it.
    over_threshold : Out(spec.index_bits + 1)
        How many are not negative.
    done : Out(1)
        The members above hold the result, until the next potential.
    """

    valid: Signal
    index: Signal
    potential: Signal
    end: Signal
    decided: Signal
    last: Signal
    winner: Signal
    ties: Signal
    over_threshold: Signal
    done: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "valid": In(1),
                "index": In(spec.index_bits),
                "potential": In(signed(spec.potential_bits)),
                "end": In(1),
                "decided": In(1),
                "last": Out(spec.index_bits),
                "winner": Out(spec.index_bits),
                "ties": Out(spec.index_bits),
                "over_threshold": Out(spec.index_bits + 1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        best = Signal.like(self.potential)
        first = Signal(init=1)
        better = Signal()
        difference = Signal(signed(self._spec.potential_bits + 1))
        m.d.comb += [
            difference.eq(best - self.potential),
            better.eq(first | difference[-1]),
        ]
        m.d.sync += self.done.eq(self.end)
        with m.If(self.valid):
            m.d.sync += first.eq(0)
            with m.If(better):
                m.d.sync += [best.eq(self.potential), self.last.eq(self.index)]
            with m.If(~self.decided):
                with m.If(better):
                    m.d.sync += [self.winner.eq(self.index), self.ties.eq(0)]
                with m.Elif(difference == 0):
                    m.d.sync += self.ties.eq(self.ties + 1)
                m.d.sync += self.over_threshold.eq(
                    Mux(first, 0, self.over_threshold) + ~self.potential[-1]
                )
        with m.If(self.end):
            m.d.sync += first.eq(1)
        return m
