"""The winner: the largest potential of all lanes."""

from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.learner.lane import best_layout

__all__ = ["Decision"]


class Decision(wiring.Component):
    """Compares the lanes' largest potentials, one lane a cycle.

    Neuron ``row * banks + bank`` is in row ``row`` of bank ``bank``; of equals the lowest neuron
    wins.

    Timing: ``done`` is high in the cycle after the last lane; the result stands until ``start``.

    Parameters
    ----------
    spec : CoreSpec
        Uses banks, state_rows.

    Members
    -------
    best : In(best_layout(spec)).array(spec.banks)
        From the lanes; must not change meanwhile.
    start : In(1)
        Begin.
    done : Out(1)
        High for a cycle when the result is complete.
    row : Out(bits_for(spec.state_rows)), bank : Out(bits_for(spec.banks))
        The winner.
    ties : Out(...), over : Out(...)
        How many other neurons have the same potential, and how many are not below 0.
    """

    best: Any
    start: Signal
    done: Signal
    row: Signal
    bank: Signal
    ties: Signal
    over: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        neurons = bits_for(spec.state_rows * spec.banks + 1)
        super().__init__(
            {
                "best": In(best_layout(spec)).array(spec.banks),
                "start": In(1),
                "done": Out(1),
                "row": Out(bits_for(spec.state_rows)),
                "bank": Out(bits_for(spec.banks)),
                "ties": Out(neurons),
                "over": Out(neurons),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        bank = Signal.like(self.bank)
        running = Signal()
        there = Signal()
        largest = Signal(signed(spec.potential_bits))
        lane = Signal(best_layout(spec))
        m.d.comb += lane.eq(Array(self.best)[bank])
        m.d.sync += self.done.eq(running & (bank == spec.banks - 1))
        with m.If(self.start):
            m.d.sync += [running.eq(1), bank.eq(0), there.eq(0), self.over.eq(0)]
        with m.Elif(running):
            m.d.sync += [
                bank.eq(bank + 1),
                running.eq(bank != spec.banks - 1),
                self.over.eq(self.over + lane.over),
            ]
            with m.If(lane.there):
                m.d.sync += there.eq(1)
                with m.If(~there | (lane.potential > largest)):
                    m.d.sync += [
                        largest.eq(lane.potential),
                        self.row.eq(lane.row),
                        self.bank.eq(bank),
                        self.ties.eq(lane.ties),
                    ]
                with m.Elif(lane.potential == largest):
                    m.d.sync += self.ties.eq(self.ties + lane.ties + 1)
                    with m.If(lane.row < self.row):
                        m.d.sync += [self.row.eq(lane.row), self.bank.eq(bank)]
        return m
