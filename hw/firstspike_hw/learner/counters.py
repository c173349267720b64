"""What a stimulus cost in a learning core."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import COUNTER_BITS, CoreSpec

__all__ = ["COUNTED", "LearnerCounters"]

#: Fields of the result record that are counted, and how much one may grow by in a cycle: once, or
#: once and more in every bank.
COUNTED = {
    "events": 1,
    "operations": "banks",
    "weight_reads": "banks",
    "weight_writes": 1,
    "mask_reads": "banks",
    "state_reads": "banks",
    "state_writes": "banks",
    "stdp_visits": 1,
    "stdp_changes": 1,
    "pruned": 1,
    "cycles": 1,
}


class LearnerCounters(wiring.Component):
    """Counts one stimulus.

    Parameters
    ----------
    spec : CoreSpec
        Uses banks.

    Members
    -------
    clear : In(1)
        Set all to 0.
    add_NAME : In, for each name of `COUNTED`
        How often it happened in this cycle.
    NAME : Out(COUNTER_BITS)
        The count.
    """

    clear: Signal

    def __init__(self, spec: CoreSpec):
        self._widths = {
            name: 1 if most == 1 else (spec.banks + 2).bit_length()
            for name, most in COUNTED.items()
        }
        super().__init__(
            {
                "clear": In(1),
                **{f"add_{name}": In(width) for name, width in self._widths.items()},
                **{name: Out(COUNTER_BITS) for name in COUNTED},
            }
        )

    def elaborate(self, platform):
        m = Module()
        for name in COUNTED:
            counter, increment = getattr(self, name), getattr(self, f"add_{name}")
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            with m.Else():
                m.d.sync += counter.eq(counter + increment)
        return m
