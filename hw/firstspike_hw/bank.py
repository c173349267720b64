"""A bank: a synapse memory, a state memory, and the lanes between them."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.dynamics import Dynamics, dynamics_signature
from firstspike_hw.host_port import bank_access_signature
from firstspike_hw.issue import word_signature
from firstspike_hw.layouts import Operation, dynamics_layout, state_layout
from firstspike_hw.multiply import Products
from firstspike_hw.rtlil import NO_COLLISION
from firstspike_hw.synapses import SynapseMemory

__all__ = ["Bank"]


class Bank(wiring.Component):
    """Adds a word of synapses to a word of membrane potentials in every cycle.

    Four stages, which all move when ``advance`` is high: A reads the synapses; W takes them from
    the memory; B multiplies them by the event's magnitude and reads the state; C adds, compares
    and writes back. In a sparse core, the word that W takes says which state row it is added to. A
    word may touch the row of the word right before it: what was just written
    is kept in ``latest`` and taken from there. The potentials are stored less the threshold, so a
    neuron is at its threshold when its potential is not negative.

    The state memory has two halves: what a stimulus starts with (`Operation.START` copies it), and
    the state now.

    In a multi-spike network two more stages follow a TICK or a PICK: D compares with the threshold
    and resets, E leaks and writes back. What a PICK read is added to the word right behind it. The
    row of either must not be asked for before it is written.

    Timing: ``tick`` is valid four cycles after its word was offered, five in a multi-spike
    network, if nothing stalls.
    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Uses word, weight_bits, magnitude_bits, potential_bits, weight_rows, state_rows.

    Members
    -------
    word : In(word_signature(spec))
        Row of this cycle.
    advance : In(1)
        Move all stages.
    tick : Out(Signature(valid, operation, last, mask))
        Result of a TICK, RAMP or READ word; ``mask`` has a bit for each lane that has something to
        hand on. Registered; stands until ``advance``.
    multispike : In(1), threshold : In(potential_bits - 1), dynamics : In(dynamics_layout(spec))
        Of the layer that ticks; must stand until its words are written.
    latest : Out(ArrayLayout(signed(potential_bits), word))
        Potentials of the word in ``tick``.
    weight_read, state_read, state_write : Out(1)
        High in a cycle in which the memory is accessed for a word.
    host : In(bank_access_signature(spec))
        Access while no word is under way; ``data`` is 0 otherwise. ``weight_enable``,
        ``weight_write``, ``part`` and ``data`` go to the synapse memory, at ``row``. ``load``
        clears ``latest``; ``load_lanes`` in the next cycle writes ``data`` to those lanes of state
        row ``row``, of the half ``start``. ``fetch`` reads a state row into ``latest``, two
        cycles later.
    weights : Out(spec.word_bits)
        What the synapse memory read last.
    """

    word: Any
    advance: Signal
    tick: Any
    multispike: Signal
    threshold: Signal
    dynamics: Any
    latest: data.View
    weight_read: Signal
    state_read: Signal
    state_write: Signal
    host: Any
    weights: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        #: State rows, for a bench to read: first the state now, then what a stimulus starts with.
        self.rows = MemoryData(
            shape=data.ArrayLayout(state_layout(spec), spec.word),
            depth=2 * spec.state_rows,
            init=[],
        )
        super().__init__(
            {
                "word": In(word_signature(spec)),
                "advance": In(1),
                "tick": Out(
                    wiring.Signature(
                        {
                            "valid": Out(1),
                            "operation": Out(Operation),
                            "last": Out(1),
                            "mask": Out(spec.word),
                        }
                    )
                ),
                "multispike": In(int(spec.multispike)),
                "threshold": In(spec.potential_bits - 1 if spec.multispike else 0),
                "dynamics": In(dynamics_layout(spec)),
                "latest": Out(data.ArrayLayout(signed(spec.potential_bits), spec.word)),
                "weight_read": Out(1),
                "state_read": Out(1),
                "state_write": Out(1),
                "host": In(bank_access_signature(spec)),
                "weights": Out(spec.word_bits),
            }
        )

    def elaborate(self, platform):
        spec, word, host = self._spec, self.word, self.host
        m = Module()

        m.submodules.synapses = synapses = SynapseMemory(spec)
        # A row that is read while it is written is taken from ``latest``.
        m.submodules.rows = rows = memory.Memory(self.rows, attrs=NO_COLLISION)
        read: Any = rows.read_port()
        write: Any = rows.write_port(granularity=1)
        state_row_bits = bits_for(spec.state_rows)

        # Stage A: read the synapses.
        host_weights = host.weight_enable
        m.d.comb += [
            self.weight_read.eq(self.advance & word.valid & (word.operation == Operation.ADD)),
            synapses.enable.eq(self.weight_read | host_weights),
            synapses.write.eq(host_weights & host.weight_write),
            synapses.address.eq(Mux(word.valid, word.weight_row, host.row)),
            synapses.part.eq(host.part),
            synapses.write_data.eq(host.data),
            self.weights.eq(synapses.read_data),
        ]
        # What goes with a word, stage by stage.
        moving = data.StructLayout(
            {
                "valid": 1,
                "operation": Operation,
                "row": state_row_bits,
                "last": 1,
            }
        )
        w, b, c = (Signal(moving, name=f"{stage}_word") for stage in "wbc")
        w_signed = Signal()
        w_magnitude = Signal(spec.magnitude_bits)
        with m.If(self.advance):
            m.d.sync += [
                w.valid.eq(word.valid),
                w.operation.eq(word.operation),
                w.row.eq(word.state_row),
                w.last.eq(word.last),
                w_signed.eq(word.signed),
                w_magnitude.eq(word.magnitude),
                b.eq(w),
                c.eq(b),
            ]
            if spec.sparse:
                with m.If(w.operation == Operation.ADD):
                    m.d.sync += b.row.eq(synapses.read_data[spec.synapses_bits :])

        # Stage W: the synapses are there.
        m.submodules.products = products = Products(spec)
        m.d.comb += [
            products.advance.eq(self.advance),
            products.add.eq(w.valid & (w.operation == Operation.ADD)),
            products.synapses.eq(synapses.read_data[: spec.synapses_bits]),
            products.signed.eq(w_signed),
            products.magnitude.eq(w_magnitude),
        ]

        # Stage B: multiply, and read the state.
        b_start = Signal()
        m.d.comb += [
            b_start.eq(b.operation == Operation.START),
            read.addr.eq(
                Mux(
                    host.fetch,
                    Cat(host.row[:state_row_bits], host.start),
                    Cat(b.row, b_start),
                )
            ),
            read.en.eq(self.advance | host.fetch),
        ]

        # Stage C: add, compare, write back.
        c_fetched = Signal()
        m.d.sync += c_fetched.eq(host.fetch)
        latest_fired = Signal(spec.word)
        # Whether ``latest`` takes the place of what was read: known a cycle ahead, since every lane
        # waits for it. A START word reads the other half of the memory. Without a word, the host
        # loads.
        forward = Signal()
        with m.If(self.advance):
            m.d.sync += forward.eq(Mux(b.valid, c.valid & (b.row == c.row) & ~b_start, ~host.fetch))
        keeps = Signal()
        # A word whose state stages D and E make.
        ticks = Signal()
        picked = Signal()
        if spec.multispike:
            m.d.comb += ticks.eq(
                self.multispike
                & c.valid
                & ((c.operation == Operation.TICK) | (c.operation == Operation.PICK))
            )
        tail: Any = dynamics_signature(spec).create()
        if spec.multispike:
            m.submodules.tail = tail = Dynamics(spec)
            with m.If(self.advance):
                m.d.sync += picked.eq(ticks & (c.operation == Operation.PICK))
            m.d.comb += [
                tail.advance.eq(self.advance),
                tail.valid.eq(ticks),
                tail.picks.eq(c.operation == Operation.PICK),
                tail.row.eq(c.row),
                tail.last.eq(c.last),
                tail.threshold.eq(self.threshold),
                tail.dynamics.eq(self.dynamics),
            ]
        m.d.comb += [
            keeps.eq((self.advance & c.valid) | c_fetched),
            self.state_read.eq(self.advance & c.valid),
            self.state_write.eq(
                self.advance
                & (
                    c.valid
                    & (c.operation != Operation.RAMP)
                    & (c.operation != Operation.READ)
                    & ~ticks
                    | tail.write
                )
            ),
            write.addr.eq(
                Mux(
                    tail.write,
                    tail.write_row,
                    Mux(c.valid, c.row, Cat(host.row[:state_row_bits], host.start)),
                )
            ),
        ]
        with m.If(self.advance):
            m.d.sync += [
                self.tick.valid.eq(
                    c.valid
                    & (c.operation != Operation.ADD)
                    & (c.operation != Operation.START)
                    & ~ticks
                    | tail.fires
                ),
                self.tick.operation.eq(Mux(tail.fires, Operation.TICK, c.operation)),
                self.tick.last.eq(Mux(tail.fires, tail.fires_last, c.last)),
            ]

        for lane in range(spec.word):
            kept = self.latest[lane]
            state = read.data[lane]
            base = Signal(signed(spec.potential_bits), name="base")
            total = Signal(signed(spec.potential_bits), name="total")
            fired = Signal(name="fired")
            fires = Signal(name="fires")
            m.d.comb += [
                # What the host loads is or-ed in, with ``latest`` cleared before: that costs
                # nothing, where a multiplexer would cost a cell a bit.
                base.eq(Mux(forward, kept, state.potential) | host.data[: spec.potential_bits]),
                total.eq(base + (products.products[lane] | Mux(picked, kept, 0))),
                fired.eq(
                    Mux(forward, latest_fired[lane], state.fired)
                    & (c.operation != Operation.START)
                    & c.valid
                ),
                fires.eq(~fired & ~total[-1]),
                write.data[lane].potential.eq(Mux(tail.write, tail.potentials[lane], total)),
                write.data[lane].fired.eq(
                    Mux(
                        tail.write,
                        tail.fired[lane],
                        fired | (fires & (c.operation == Operation.TICK)),
                    )
                ),
                write.en[lane].eq(self.state_write | host.load_lanes[lane]),
            ]
            with m.If(host.load):
                m.d.sync += kept.eq(0)
            with m.Elif(keeps):
                m.d.sync += [
                    kept.eq(total),
                    latest_fired[lane].eq(write.data[lane].fired),
                ]
            m.d.comb += [tail.totals[lane].eq(total), tail.before[lane].eq(fired)]
            with m.If(self.advance):
                with m.Switch(c.operation):
                    with m.Case(Operation.TICK):
                        m.d.sync += self.tick.mask[lane].eq(fires)
                    with m.Case(Operation.RAMP):
                        m.d.sync += self.tick.mask[lane].eq(~total[-1])
                    with m.Default():
                        m.d.sync += self.tick.mask[lane].eq(1)
                with m.If(tail.fires):
                    m.d.sync += self.tick.mask[lane].eq(tail.mask[lane])
        return m
