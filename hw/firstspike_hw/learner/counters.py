"""What a stimulus cost in a learning core."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import COUNTER_BITS, CoreSpec, bits_for

__all__ = ["COUNTED", "LearnerCounters"]

#: Fields of the result record that are counted, and whether that happens in all banks at once.
COUNTED = {
    "events": False,
    "operations": True,
    "weight_reads": True,
    "weight_writes": False,
    "mask_reads": True,
    "state_reads": True,
    "state_writes": True,
    "stdp_visits": False,
    "stdp_changes": False,
    "pruned": False,
    "cycles": False,
}
#: Those that count synapses of at most two neurons, or inputs.
_SMALL = ("events", "weight_writes", "stdp_visits", "stdp_changes", "pruned")


class LearnerCounters(wiring.Component):
    """Counts one stimulus.

    A counter is as wide as the largest stimulus needs: every input reaches every neuron, its mask
    is read, and two neurons are updated.

    Parameters
    ----------
    spec : CoreSpec
        Uses banks, max_inputs, max_neurons, time_bits.

    Members
    -------
    clear : In(1)
        Set all to 0.
    add_NAME : In, for each name of `COUNTED`
        How often it happened in this cycle.
    NAME : Out
        The count, COUNTER_BITS wide at most.
    """

    clear: Signal

    def __init__(self, spec: CoreSpec):
        most = 2 * spec.max_inputs * (spec.max_neurons + 16) + 256 * spec.steps
        widths = {
            name: bits_for(2 * spec.max_inputs + 1 if name in _SMALL else most) for name in COUNTED
        }
        super().__init__(
            {
                "clear": In(1),
                **{
                    f"add_{name}": In((spec.banks + 2).bit_length() if everywhere else 1)
                    for name, everywhere in COUNTED.items()
                },
                **{name: Out(min(width, COUNTER_BITS)) for name, width in widths.items()},
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
