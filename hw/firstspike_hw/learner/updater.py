"""STDP: what becomes of the synapses of one neuron, and which of them are pruned."""

from itertools import pairwise
from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import AMOUNT_BITS, MASK_BITS, CoreSpec, bits_for
from firstspike_hw.learner.layouts import synapse_port_signature, synapse_row
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Updater"]


class Updater(wiring.Component):
    """Moves synapses of a neuron up or down, and prunes those that fall too low.

    The amount comes from a table that the host loads, one half for synapses whose input had
    spiked, one for the others; docs/semantics.md has the rule.

    Timing: seven stages, which move when ``advance`` is high: always, but for a cycle with each
    synapse that is pruned, in which its word of the row mask is fetched. Where all lies behind a
    single port, a synapse is visited in every other cycle and written back between two others; one
    that is pruned takes two cycles more, and so does a word of the neuron's mask that changes.
    ``spiked`` and ``byte`` belong to the input of stages 2 and 4. ``fan_in`` is known two cycles
    after ``start``.
    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    start : In(1), neuron : In(bits_for(spec.max_neurons)), row : In(bits_for(spec.state_rows))
        Begin with a neuron, and its row in its bank; both stand until ``busy`` falls.
    wrong : In(1)
        The neuron should not have won: only synapses whose input had spiked move, downwards, by
        what they would have moved up. Stands until ``busy`` falls.
    prunes : In(1), below : In(spec.weight_bits + 1), min_fan_in : In(bits_for(spec.max_inputs + 1))
        Whether and when a synapse is pruned.
    valid : In(1), input : In(bits_for(spec.max_inputs)), last : In(1)
        A live input of the neuron; ``last`` with the last one of a word of its mask.
    advance : Out(1)
        It was taken.
    spiked : In(1)
        The input in stage 2 had spiked.
    byte_input : Out(bits_for(spec.max_inputs)), byte : In(8)
        Input in stage 2; random byte of the one in stage 4.
    busy : Out(1)
        Something is under way.
    port : Out(synapse_port_signature(spec))
        To the memories of the neuron's bank.
    mask_write : Out(1), mask_word : Out(...), mask : Out(MASK_BITS)
        Replace a word of the neuron's mask.
    visit, change, pruned : Out(1)
        A synapse was visited, written, pruned.
    finish : In(1)
        Keep the fan-in.
    host_row : In(...), host_data : In(AMOUNT_BITS)
        Access of the host, while nothing else happens.
    table_write, fan_in_write, fan_in_read : In(1)
        What it does.
    fan_in : Out(bits_for(spec.max_inputs + 1))
        Live inputs of the neuron; two cycles after ``fan_in_read`` those of ``host_row``.
    """

    start: Signal
    neuron: Signal
    row: Signal
    wrong: Signal
    prunes: Signal
    below: Signal
    min_fan_in: Signal
    valid: Signal
    input: Signal
    last: Signal
    advance: Signal
    spiked: Signal
    byte_input: Signal
    byte: Signal
    busy: Signal
    port: Any
    mask_write: Signal
    mask_word: Signal
    mask: Signal
    visit: Signal
    change: Signal
    pruned: Signal
    finish: Signal
    host_row: Signal
    host_data: Signal
    table_write: Signal
    fan_in_write: Signal
    fan_in_read: Signal
    fan_in: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        fan_in = bits_for(spec.max_inputs + 1)
        neuron = bits_for(spec.max_neurons)
        #: Live inputs of each neuron, for a bench to look into.
        self.fan_ins = MemoryData(shape=fan_in, depth=spec.max_neurons, init=[])
        super().__init__(
            {
                "start": In(1),
                "neuron": In(neuron),
                "row": In(bits_for(spec.state_rows)),
                "wrong": In(1),
                "prunes": In(1),
                "below": In(spec.weight_bits + 1),
                "min_fan_in": In(fan_in),
                "valid": In(1),
                "input": In(bits_for(spec.max_inputs)),
                "last": In(1),
                "advance": Out(1),
                "spiked": In(1),
                "byte_input": Out(bits_for(spec.max_inputs)),
                "byte": In(8),
                "busy": Out(1),
                "port": Out(synapse_port_signature(spec)),
                "mask_write": Out(1),
                "mask_word": Out(bits_for(spec.max_inputs // MASK_BITS)),
                "mask": Out(MASK_BITS),
                "visit": Out(1),
                "change": Out(1),
                "pruned": Out(1),
                "finish": In(1),
                "host_row": In(max(neuron, spec.weight_bits + 1)),
                "host_data": In(AMOUNT_BITS),
                "table_write": In(1),
                "fan_in_write": In(1),
                "fan_in_read": In(1),
                "fan_in": Out(fan_in),
            }
        )

    def elaborate(self, platform):
        spec, port = self._spec, self.port
        single = spec.memory == "spram"
        m = Module()
        m.submodules.table = table = memory.Memory(
            shape=AMOUNT_BITS, depth=2 << spec.weight_bits, init=[], attrs=NO_COLLISION
        )
        table_read: Any = table.read_port()
        table_write: Any = table.write_port()

        stage = data.StructLayout({"valid": 1, "input": bits_for(spec.max_inputs), "last": 1})
        first = Signal(stage)
        m.d.comb += [first.valid.eq(self.valid), first.input.eq(self.input)]
        m.d.comb += first.last.eq(self.last)
        stages = [first, *(Signal(stage, name=f"stage_{k}") for k in range(1, 7))]
        weights = {k: Signal(spec.weight_bits, name=f"weight_{k}") for k in range(3, 7)}
        ups = {k: Signal(name=f"up_{k}") for k in range(3, 6)}
        with m.If(self.advance):
            for chain in (stages, weights.values(), ups.values()):
                m.d.sync += [new.eq(old) for old, new in pairwise(chain)]

        # Stage 1: fetch the synapse. Stage 2: it is there, and whether its input had spiked.
        weight = Signal(spec.weight_bits)
        m.d.comb += weight.eq(port.weight)
        if single:
            # While a later stage waits, something else may be fetched.
            came = Signal()
            kept = Signal(spec.weight_bits)
            m.d.sync += came.eq(port.weight_read)
            with m.If(came):
                m.d.sync += kept.eq(port.weight)
            with m.Else():
                m.d.comb += weight.eq(kept)
        synapse = Signal(spec.synapse_bits)
        m.d.comb += self.byte_input.eq(stages[2].input)
        with m.If(self.advance):
            m.d.sync += [
                synapse.eq(synapse_row(spec, self.input, self.row)),
                weights[3].eq(weight),
                ups[3].eq(self.spiked),
            ]

        # Stage 3: look the amount up. Stage 4: round it.
        delta = Signal(AMOUNT_BITS + 1 - 8)
        m.d.comb += [
            table_read.en.eq(self.advance),
            table_read.addr.eq(Cat(weights[3], ups[3])),
            table_write.en.eq(self.table_write),
            table_write.addr.eq(self.host_row),
            table_write.data.eq(self.host_data),
        ]
        with m.If(self.advance):
            m.d.sync += delta.eq((table_read.data + self.byte) >> 8)
            with m.If(self.wrong & ~ups[4]):
                m.d.sync += delta.eq(0)

        # Stage 5: move the synapse, and decide whether it stays.
        top = (1 << spec.weight_bits) - 1
        total = Signal(signed(max(spec.weight_bits, len(delta)) + 2))
        moved = Signal(spec.weight_bits)
        dies = Signal()
        dead = Signal()
        written = Signal(spec.weight_bits)
        m.d.comb += [
            total.eq(Mux(ups[5] & ~self.wrong, weights[5] + delta, weights[5] - delta)),
            moved.eq(Mux(total < 0, 0, Mux(total > top, top, total))),
        ]
        if spec.pruning:
            m.d.comb += dies.eq(
                self.prunes & (moved < self.below) & (self.fan_in > self.min_fan_in)
            )
        target = Signal(spec.synapse_bits)
        with m.If(self.advance):
            m.d.sync += [
                dead.eq(stages[5].valid & dies),
                written.eq(Mux(dies, 0, moved)),
                target.eq(synapse_row(spec, stages[5].input, self.row)),
            ]

        # Stage 6: write back. For a synapse that dies its bit in the row mask is fetched first.
        final = stages[6]
        waited = Signal(range(5))
        waits = Signal.like(waited)
        shrinks = Signal()
        if single:
            m.d.comb += waits.eq((dead + shrinks) << 1)
        else:
            m.d.comb += waits.eq(dead)
        m.d.sync += waited.eq(Mux(self.advance, 0, waited + 1))
        m.d.comb += [
            self.advance.eq(waited == waits),
            self.visit.eq(final.valid & self.advance),
            self.change.eq(self.visit & (written != weights[6])),
            self.pruned.eq(self.visit & dead),
            self.busy.eq(Cat(s.valid for s in stages).any()),
            port.weight_read.eq(stages[1].valid & self.advance),
            port.weight_row.eq(synapse),
            port.weight_write.eq(self.change),
            port.weight_write_row.eq(target),
            port.weight_data.eq(written),
            port.mask_read.eq(dead & (waited == 0)),
            port.mask_write.eq((dead & (waited == 1)).replicate(spec.mask_parts)),
            port.mask_row.eq(final.input),
            port.mask_data.eq(port.mask & ~(1 << self.row)),
            # Behind a single port in the last cycle that is waited for.
            self.mask_write.eq(shrinks & ((waited + 1 == waits) if single else self.advance)),
        ]
        if spec.pruning:
            self._masks(m, final, dead, stages[5].valid & dies, shrinks)
        return m

    def _masks(self, m: Module, final, dead: Signal, dying: Value, shrinks: Signal):
        """Keep the fan-in, and put the words of the neuron's mask together from what stays."""
        m.submodules.fan_ins = fan_ins = memory.Memory(self.fan_ins, attrs=NO_COLLISION)
        read: Any = fan_ins.read_port()
        write: Any = fan_ins.write_port()
        loaded = Signal()
        m.d.sync += loaded.eq(self.start | self.fan_in_read)
        m.d.comb += [
            read.en.eq(self.start | self.fan_in_read),
            read.addr.eq(Mux(self.fan_in_read, self.host_row, self.neuron)),
            write.en.eq(self.finish | self.fan_in_write),
            write.addr.eq(Mux(self.fan_in_write, self.host_row, self.neuron)),
            write.data.eq(Mux(self.fan_in_write, self.host_data, self.fan_in)),
        ]
        with m.If(loaded):
            m.d.sync += self.fan_in.eq(read.data)
        with m.Elif(self.advance & dying):
            m.d.sync += self.fan_in.eq(self.fan_in - 1)

        kept = Signal(MASK_BITS)
        stays = Signal(MASK_BITS)
        loses = Signal()
        m.d.comb += [
            stays.eq(kept | Mux(dead, 0, 1 << final.input[: bits_for(MASK_BITS)])),
            shrinks.eq(final.valid & final.last & (loses | dead)),
            self.mask_word.eq(final.input >> bits_for(MASK_BITS)),
            self.mask.eq(stays),
        ]
        with m.If(self.visit):
            m.d.sync += [
                kept.eq(Mux(final.last, 0, stays)),
                loses.eq(~final.last & (loses | dead)),
            ]
