"""RAMP neurons: when a falling threshold meets a potential."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec
from firstspike_hw.layouts import event_layout

__all__ = ["RampUnit"]


class RampUnit(wiring.Component):
    """Turns potentials into magnitudes: ``min(potential // scale, T - 1)``.

    The threshold ``scale * (T - t)`` falls with every step t, so a neuron fires at ``T - a`` where
    ``a`` is the quotient; docs/semantics.md, section 3. Restoring division, a bit a stage.

    Timing: a potential a cycle; results ``time_bits + 1`` cycles later. Zeros are left out.

    Parameters
    ----------
    spec : CoreSpec
        Uses time_bits, potential_bits, index_bits.

    Members
    -------
    scale : In(spec.potential_bits - 1)
        Divisor, at least 1; must not change while potentials are on their way.
    last_step : In(spec.time_bits)
        T - 1.
    valid : In(1), index : In(spec.index_bits), potential : In(spec.potential_bits - 1)
        A potential that is not negative.
    end : In(1)
        With or after the last one of a layer.
    write : Out(1), spike : Out(event_layout(spec))
        The same, with the magnitude.
    ended : Out(1)
        One cycle after the last one of a layer.
    """

    scale: Signal
    last_step: Signal
    valid: Signal
    index: Signal
    potential: Signal
    end: Signal
    write: Signal
    spike: data.View
    ended: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "scale": In(spec.potential_bits - 1),
                "last_step": In(spec.time_bits),
                "valid": In(1),
                "index": In(spec.index_bits),
                "potential": In(spec.potential_bits - 1),
                "end": In(1),
                "write": Out(1),
                "spike": Out(event_layout(spec)),
                "ended": Out(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        valid, index, end = self.valid, self.index, self.end
        rest, quotient = self.potential, Const(0, 0)
        overflow = Const(0, 1)
        # The first stage, at bit time_bits, only finds quotients that are too large.
        for bit in reversed(range(spec.time_bits + 1)):
            difference = Signal(signed(spec.potential_bits + bit), name=f"difference_{bit}")
            fits = Signal(name=f"fits_{bit}")
            m.d.comb += [
                difference.eq(rest - (self.scale << bit)),
                fits.eq(~difference[-1]),
            ]
            next_valid = Signal(name=f"s{bit}_valid")
            next_index = Signal.like(self.index, name=f"s{bit}_index")
            next_end = Signal(name=f"s{bit}_end")
            next_rest = Signal.like(self.potential, name=f"s{bit}_rest")
            m.d.sync += [
                next_valid.eq(valid),
                next_index.eq(index),
                next_end.eq(end),
                next_rest.eq(Mux(fits, difference, rest)),
            ]
            if bit == spec.time_bits:
                next_overflow = Signal(name=f"s{bit}_overflow")
                m.d.sync += next_overflow.eq(fits)
                next_quotient = quotient
            else:
                next_overflow = Signal(name=f"s{bit}_overflow")
                next_quotient = Signal(spec.time_bits - bit, name=f"s{bit}_quotient")
                m.d.sync += [
                    next_overflow.eq(overflow),
                    next_quotient.eq(Cat(fits, quotient)),
                ]
            valid, index, end, rest = next_valid, next_index, next_end, next_rest
            overflow, quotient = next_overflow, next_quotient
        magnitude = Signal(spec.time_bits)
        m.d.comb += [
            magnitude.eq(Mux(overflow | (quotient > self.last_step), self.last_step, quotient)),
            self.write.eq(valid & (magnitude != 0)),
            self.spike.index.eq(index),
            self.spike.magnitude.eq(magnitude),
        ]
        m.d.sync += self.ended.eq(end)
        return m
