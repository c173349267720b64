"""From words to neurons: what a tick found, one neuron a cycle."""

from typing import Any

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import Operation
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Serializer"]


class Serializer(wiring.Component):
    """Names the neurons of each word of a tick, lowest index first.

    Masks of STEP words wait in a queue, so that the banks go on while neurons are named. RAMP and
    READ words are held in the banks, since their potentials are needed until the last is named.

    Timing: a word takes as many cycles as it has neurons to name, at least one. ``neuron`` is
    valid from three (STEP) or two cycles after ``tick``, and ``potential`` comes with it.

    Parameters
    ----------
    spec : CoreSpec
        Uses lanes, state_rows, potential_bits.

    Members
    -------
    tick : In(Signature(valid, operation, last, mask))
        As the banks give it; bit ``lane * banks + bank`` of the mask is neuron
        ``word * lanes + lane * banks + bank`` of the layer.
    ready : Out(1)
        Whether the banks may go on.
    neurons : In(spec.index_bits + 1)
        Neurons of the layer that is read, from a cycle before its first word; lanes behind them
        are left out. (Such a lane never has
        anything to hand on in a TICK or RAMP word, since it starts below its threshold.)
    latest : In(ArrayLayout(signed(potential_bits), lanes))
        Potentials of the word in ``tick``, in the order of the mask.
    select : In(1), select_lane : In(bits_for(lanes))
        Show this lane in ``potential``, one cycle later; for the host.
    neuron : Out(Signature(valid, operation, index, potential, end))
        ``end`` is high for one cycle with or after the last neuron of an item.
    """

    tick: Any
    ready: Signal
    neurons: Signal
    latest: data.View
    select: Signal
    select_lane: Signal
    neuron: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "tick": In(
                    wiring.Signature(
                        {
                            "valid": Out(1),
                            "operation": Out(Operation),
                            "last": Out(1),
                            "mask": Out(spec.lanes),
                        }
                    )
                ),
                "ready": Out(1),
                "neurons": In(spec.index_bits + 1),
                "latest": In(data.ArrayLayout(signed(spec.potential_bits), spec.lanes)),
                "select": In(1),
                "select_lane": In(bits_for(spec.lanes)),
                "neuron": Out(
                    wiring.Signature(
                        {
                            "valid": Out(1),
                            "operation": Out(Operation),
                            "index": Out(spec.index_bits),
                            "potential": Out(signed(spec.potential_bits)),
                            "end": Out(1),
                        }
                    )
                ),
            }
        )

    def elaborate(self, platform):
        spec, tick = self._spec, self.tick
        lane_bits = bits_for(spec.lanes)
        m = Module()

        # The word whose neurons are being named.
        busy = Signal()
        operation = Signal(Operation)
        mask = Signal(spec.lanes)
        last = Signal()
        number = Signal(bits_for(spec.state_rows))
        rest = Signal(spec.lanes)
        ends_word = Signal()
        # The lowest bit alone, and its number: short ways, where a priority chain is a long one.
        lowest = Signal(spec.lanes)
        lane = Signal(lane_bits)
        m.d.comb += [
            rest.eq(mask & (mask - 1)),
            lowest.eq(mask ^ rest),
            ends_word.eq(busy & (rest == 0)),
        ]
        for bit in range(lane_bits):
            m.d.comb += lane[bit].eq(
                Cat(lowest[i] for i in range(spec.lanes) if i >> bit & 1).any()
            )
        # Lanes with a neuron in the last word of the layer that is read. Its number of neurons is
        # known long before: it was at work until now.
        lane_last = Signal(lane_bits)
        m.d.sync += lane_last.eq(self.neurons - 1)
        lane_limit = Signal(lane_bits)
        with m.If(tick.last & (tick.operation == Operation.READ)):
            m.d.comb += lane_limit.eq(lane_last)
        with m.Else():
            m.d.comb += lane_limit.eq(-1)
        lanes_used = Signal(spec.lanes)
        for i in range(spec.lanes):
            m.d.comb += lanes_used[i].eq(i <= lane_limit)

        m.submodules.queue = queue = _Queue(spec)
        direct = Signal()
        held = Signal()
        finishing = Signal()
        m.d.comb += [
            direct.eq(tick.operation != Operation.TICK),
            queue.w_data.eq(tick.mask),
            queue.w_last.eq(tick.last),
            queue.w_en.eq(tick.valid & ~direct),
            queue.r_en.eq(~busy | ends_word),
            self.ready.eq(~direct | finishing),
        ]
        # Nothing is left of a word when the next one comes.
        loaded = Signal(spec.lanes)
        m.d.sync += mask.eq(rest | loaded)
        with m.If(~busy | ends_word):
            m.d.sync += busy.eq(0)
            with m.If(busy):
                m.d.sync += number.eq(Mux(last, 0, number + 1))
            with m.If(queue.r_rdy):
                m.d.comb += loaded.eq(queue.r_data)
                m.d.sync += [
                    busy.eq(1),
                    operation.eq(Operation.TICK),
                    last.eq(queue.r_last),
                ]
            with m.Elif(tick.valid & direct & ~held):
                m.d.comb += loaded.eq(tick.mask & lanes_used)
                m.d.sync += [
                    busy.eq(1),
                    held.eq(1),
                    operation.eq(tick.operation),
                    last.eq(tick.last),
                ]

        # Stage 1: which lane. Stage 2: its potential.
        s1_valid = Signal()
        s1_lane = Signal(lane_bits)
        s1_number = Signal.like(number)
        s1_operation = Signal(Operation)
        s1_end = Signal()
        s1_ends_word = Signal()
        m.d.sync += [
            s1_valid.eq(busy & (mask != 0)),
            s1_lane.eq(Mux(self.select, self.select_lane, lane)),
            s1_number.eq(number),
            s1_operation.eq(operation),
            s1_end.eq(ends_word & last),
            s1_ends_word.eq(ends_word),
        ]
        m.d.comb += finishing.eq(held & s1_ends_word)
        with m.If(finishing):
            m.d.sync += held.eq(0)
        m.d.sync += [
            self.neuron.valid.eq(s1_valid),
            self.neuron.operation.eq(s1_operation),
            self.neuron.index.eq(Cat(s1_lane, s1_number)),
            self.neuron.potential.eq(self.latest[s1_lane]),
            self.neuron.end.eq(s1_end),
        ]
        return m


class _Queue(wiring.Component):
    """Masks of one tick, in a memory with a word for each, so that there is always room.

    The next tick must not begin before the last word of this one was taken.

    Timing: a word that is written can be read two cycles later; one a cycle.
    """

    w_data: Signal
    w_last: Signal
    w_en: Signal
    r_data: Signal
    r_last: Signal
    r_rdy: Signal
    r_en: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "w_data": In(spec.lanes),
                "w_last": In(1),
                "w_en": In(1),
                "r_data": Out(spec.lanes),
                "r_last": Out(1),
                "r_rdy": Out(1),
                "r_en": In(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.words = words = memory.Memory(
            shape=spec.lanes, depth=spec.state_rows, init=[], attrs=NO_COLLISION
        )
        write, read = words.write_port(), words.read_port()
        # Words do not wait for all: the first one is taken before the last one is written, so that
        # equal counts always mean that nothing is left.
        written = Signal(bits_for(spec.state_rows))
        taken = Signal.like(written)
        left = Signal()
        complete = Signal()
        m.d.comb += [
            left.eq(taken != written),
            write.addr.eq(written),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en),
            read.addr.eq(taken),
            read.en.eq(~self.r_rdy | self.r_en),
            self.r_data.eq(read.data),
            self.r_last.eq(complete & ~left),
        ]
        with m.If(self.w_en):
            m.d.sync += [written.eq(written + 1), complete.eq(self.w_last)]
        with m.If(read.en):
            m.d.sync += self.r_rdy.eq(left)
            with m.If(left):
                m.d.sync += taken.eq(taken + 1)
        return m
