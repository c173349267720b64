"""Random bytes by position; docs/semantics.md has the rule."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import RANDOM_FEEDBACK, RANDOM_SHIFTS, RANDOM_SPREAD, CoreSpec, bits_for

__all__ = ["RandomBytes"]


class RandomBytes(wiring.Component):
    """A shift register that moves on by 32 with each stimulus, and a byte of it for each input.

    Timing: after ``step`` the register is at rest 32 cycles later, which ``ready`` says;
    ``byte`` follows ``index`` by two cycles in which ``advance`` is high.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs.

    Members
    -------
    load : In(1), value : In(32)
        Set the register.
    state : Out(32)
        The register.
    step : In(1)
        Move on.
    ready : Out(1)
        The register is at rest.
    advance : In(1)
        Move the stages.
    index : In(bits_for(spec.max_inputs))
        Input that a byte is asked for.
    byte : Out(8)
        The byte.
    """

    load: Signal
    value: Signal
    state: Signal
    step: Signal
    ready: Signal
    advance: Signal
    index: Signal
    byte: Signal

    def __init__(self, spec: CoreSpec):
        super().__init__(
            {
                "load": In(1),
                "value": In(32),
                "state": Out(32),
                "step": In(1),
                "ready": Out(1),
                "advance": In(1),
                "index": In(bits_for(spec.max_inputs)),
                "byte": Out(8),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left = Signal(6)
        m.d.comb += self.ready.eq(left == 0)
        with m.If(self.load):
            m.d.sync += self.state.eq(self.value)
        with m.Elif(~self.ready):
            m.d.sync += [
                left.eq(left - 1),
                self.state.eq((self.state >> 1) ^ Mux(self.state[0], RANDOM_FEEDBACK, 0)),
            ]
        with m.If(self.step):
            m.d.sync += left.eq(RANDOM_SHIFTS)

        # The register, rotated right by the index: first by whole bytes, then within them.
        window = Signal(15)
        place = Signal(3)
        spread = Signal(8)
        quarter = self.index[3:5]
        with m.If(self.advance):
            m.d.sync += [
                window.eq(Cat(self.state, self.state[:15]).bit_select(Cat(C(0, 3), quarter), 15)),
                place.eq(self.index[:3]),
                spread.eq(self.index * RANDOM_SPREAD),
                self.byte.eq((window >> place) ^ spread),
            ]
        return m
