"""What a stimulus cost."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import COUNTER_BITS, CoreSpec

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counts events, additions, accesses and cycles of one stimulus.

    Parameters
    ----------
    spec : CoreSpec
        Uses banks, index_bits.

    Members
    -------
    clear : In(1)
        Set all to 0.
    event : In(1), neurons : In(spec.index_bits + 1)
        An event goes to a layer of that many neurons.
    weight_read, state_read, state_write : In(1)
        Every bank is accessed in this cycle.
    running : In(1)
        Count this cycle.
    events, operations, weight_reads, state_reads, state_writes, cycles : Out(COUNTER_BITS)
        The counts.
    """

    clear: Signal
    event: Signal
    neurons: Signal
    running: Signal
    weight_read: Signal
    state_read: Signal
    state_write: Signal
    events: Signal
    weight_reads: Signal
    state_reads: Signal
    state_writes: Signal
    cycles: Signal
    operations: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        accesses = ("weight_read", "state_read", "state_write")
        super().__init__(
            {
                "clear": In(1),
                "event": In(1),
                "neurons": In(spec.index_bits + 1),
                "running": In(1),
                **{name: In(1) for name in accesses},
                **{f"{name}s": Out(COUNTER_BITS) for name in ("event", *accesses, "cycle")},
                "operations": Out(COUNTER_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        banks = self._spec.banks
        for counter, counts, increment in (
            (self.events, self.event, 1),
            (self.operations, self.event, self.neurons),
            (self.weight_reads, self.weight_read, banks),
            (self.state_reads, self.state_read, banks),
            (self.state_writes, self.state_write, banks),
            (self.cycles, self.running, 1),
        ):
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            with m.Elif(counts):
                m.d.sync += counter.eq(counter + increment)
        return m
