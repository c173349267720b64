"""The learning core: all components, and the wires between them."""

from typing import Any

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import CLASSES_MAX, LEARNING_ARRAYS, OFFSET_LIMIT, CoreSpec, bits_for
from firstspike_hw.inputs import Inputs
from firstspike_hw.layouts import (
    input_event_layout,
    pixels_layout,
    record_layout,
    request_layout,
)
from firstspike_hw.learner.block_bank import BlockBank
from firstspike_hw.learner.column_walk import ColumnWalk
from firstspike_hw.learner.counters import COUNTED, LearnerCounters
from firstspike_hw.learner.decision import Decision
from firstspike_hw.learner.groups import Groups
from firstspike_hw.learner.host_port import LearnerHostPort
from firstspike_hw.learner.layouts import tap_signature
from firstspike_hw.learner.order import Order
from firstspike_hw.learner.random_bytes import RandomBytes
from firstspike_hw.learner.registers import LearnerRegisters
from firstspike_hw.learner.sequencer import LearnerSequencer
from firstspike_hw.learner.spike_times import SpikeTimes
from firstspike_hw.learner.spram_bank import SpramBank
from firstspike_hw.learner.spram_walk import SpramWalk
from firstspike_hw.learner.updater import Updater
from firstspike_hw.learner.word_access import WordAccess

__all__ = ["LearningCore", "label_layout"]


def label_layout() -> data.StructLayout:
    """Return the shape of a label: a class, if it is known."""
    return data.StructLayout({"there": 1, "group": bits_for(CLASSES_MAX)})


class LearningCore(wiring.Component):
    """Classifies stimuli with one layer of neurons, and learns from them.

    docs/architecture.md has the block diagram and the cycles. Stimuli come as words of pixels or
    as pre-sorted events; only pixels are learned from. The host loads registers and memories
    through `requests`, between stimuli; it must not change registers of the coding while pixels of
    a stimulus are on their way.

    Parameters
    ----------
    spec : CoreSpec
        What the hardware is made for; ``spec.learning`` is true.

    Members
    -------
    pixels : In(stream.Signature(pixels_layout(spec)))
        Raw pixels, row by row, the first one lowest.
    events : In(stream.Signature(input_event_layout(spec)))
        Pre-sorted events, each stimulus closed by ``end``.
    labels : In(stream.Signature(label_layout()))
        With supervised learning, one for each stimulus: no class, or one that has neurons.
    requests : In(stream.Signature(request_layout(spec)))
        Reads and writes of the host; taken between stimuli.
    replies : Out(stream.Signature(32))
        Data of each read.
    results : Out(stream.Signature(record_layout(spec)))
        A record a stimulus.
    taps : Out(tap_signature(spec)).array(spec.banks)
        Every potential of a bank as it is written, for a bench; spikes are where it ``fires``.
    tap_step : Out(spec.time_bits)
        The step at work.
    """

    pixels: Any
    events: Any
    labels: Any
    requests: Any
    replies: stream.Interface
    results: stream.Interface
    taps: Any
    tap_step: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        #: Components with memories, for a bench to look into.
        single = spec.memory == "spram"
        bank = SpramBank if single else BlockBank
        self.banks: list[Any] = [bank(spec) for _ in range(spec.banks)]
        self.walk: Any = SpramWalk(spec) if single else ColumnWalk(spec)
        self.updater = Updater(spec)
        self.groups = Groups(spec)
        self.random = RandomBytes(spec)
        super().__init__(
            {
                "pixels": In(stream.Signature(pixels_layout(spec))),
                "events": In(stream.Signature(input_event_layout(spec))),
                "labels": In(stream.Signature(label_layout())),
                "requests": In(stream.Signature(request_layout(spec))),
                "replies": Out(stream.Signature(32)),
                "results": Out(stream.Signature(record_layout(spec))),
                "taps": Out(tap_signature(spec)).array(spec.banks),
                "tap_step": Out(spec.time_bits),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.sequencer = sequencer = LearnerSequencer(spec)
        m.submodules.registers = registers = LearnerRegisters(spec)
        m.submodules.host = host = LearnerHostPort(spec)
        m.submodules.counters = LearnerCounters(spec)
        m.submodules.inputs = inputs = Inputs(spec)
        m.submodules.decision = decision = Decision(spec)
        connect(m, flipped(self.requests), host.requests)
        connect(m, flipped(self.replies), host.replies)
        connect(m, flipped(self.pixels), inputs.pixels)
        connect(m, flipped(self.events), inputs.presorted)
        connect(m, registers.coding, inputs.coding)

        last_step = Signal(spec.time_bits)
        label = Signal(label_layout())
        teaches = Signal()
        m.d.comb += [
            last_step.eq((spec.steps - 1) >> registers.coding.time_shift),
            registers.write.eq(host.register_write),
            registers.address.eq(self.requests.p.address),
            registers.value.eq(self.requests.p.data),
            # A short stimulus may end before the random numbers have moved on.
            host.idle.eq(sequencer.idle & self.random.ready),
            sequencer.hold.eq(host.busy | (teaches & ~self.labels.valid) | ~self.random.ready),
            teaches.eq(registers.learn & registers.supervised),
            self.labels.ready.eq(sequencer.begin),
            sequencer.learn.eq(
                registers.learn & inputs.encoded & (label.there | ~registers.supervised)
            ),
            sequencer.supervised.eq(registers.supervised),
            sequencer.reward.eq(registers.reward),
            sequencer.early_exit.eq(registers.early_exit),
            sequencer.last_step.eq(last_step),
            sequencer.last_row.eq(registers.state_rows),
            sequencer.waiting.eq(inputs.waiting),
            sequencer.input_done.eq(inputs.done),
            inputs.begin.eq(sequencer.begin),
            inputs.end.eq(sequencer.finished & self.results.ready),
            inputs.start.eq(sequencer.input_start),
            inputs.time.eq(sequencer.input_time),
            decision.start.eq(sequencer.compare),
            sequencer.compared.eq(decision.done),
            registers.settle.eq(sequencer.settle),
            self.tap_step.eq(sequencer.step),
        ]
        with m.If(sequencer.begin):
            # Without supervision all neurons are of class 0.
            m.d.sync += label.eq(Mux(teaches, self.labels.payload, 0))
        self._orders(m, label)
        self._banks(m)
        self._update(m)
        self._record(m, last_step)
        return m

    def _orders(self, m, label):
        """Turn what the sequencer does to rows into orders, two cycles behind it."""
        spec, sub = self._spec, m.submodules
        sequencer, registers, host, row = sub.sequencer, sub.registers, sub.host, sub.decision.row
        m.submodules.groups = groups = self.groups
        m.submodules.order = order = Order(spec)
        settled = Signal(len(groups.value) + 1)
        m.d.comb += [
            groups.write.eq(host.register_write),
            groups.address.eq(self.requests.p.address),
            groups.data.eq(host.data),
            groups.peek.eq(sequencer.idle),
            groups.row.eq(Mux(sequencer.sweeps, sequencer.row, row)),
            groups.rise.eq(order.touches),
            groups.store.eq((sequencer.settle & sequencer.grows) | sequencer.settled),
            groups.target.eq(label.group),
            settled.eq(groups.value + registers.offset_step),
            groups.offset.eq(Mux(sequencer.settled, 0, settled)),
            sequencer.offset_full.eq(settled >= OFFSET_LIMIT),
            sequencer.right.eq(groups.group == label.group),
            host.register.eq(
                Mux(
                    self.requests.p.address[:8] >= LEARNING_ARRAYS[0][1],
                    groups.value,
                    registers.shown,
                )
            ),
            order.sweeps.eq(sequencer.sweeps),
            order.sweep.eq(sequencer.sweep),
            order.touched.eq(sequencer.touches),
            order.touch.eq(sequencer.touch),
            order.row.eq(Mux(sequencer.sweeps, sequencer.row, row)),
            order.mine.eq(groups.group == label.group),
            order.value.eq(groups.value),
            order.own.eq(Mux(label.there, registers.own, 0)),
            order.other.eq(Mux(label.there, registers.other, 0)),
            order.error_step.eq(registers.error_step),
        ]

    def _banks(self, m):
        """Wire events and orders to the banks."""
        spec, sub = self._spec, m.submodules
        sequencer, registers, host, inputs = sub.sequencer, sub.registers, sub.host, sub.inputs
        order = sub.order
        push = Signal()
        m.d.comb += [
            push.eq(inputs.events.valid & inputs.events.ready),
            inputs.events.ready.eq(sequencer.taking & ~Cat(bank.full for bank in self.banks).any()),
            sequencer.busy.eq(order.valid | Cat(bank.busy for bank in self.banks).any()),
            sequencer.crossed.eq(
                Cat(bank.best.there & ~bank.best.potential[-1] for bank in self.banks).any()
            ),
            sub.counters.add_events.eq(push),
        ]
        for number, bank in enumerate(self.banks):
            m.submodules[f"bank_{number}"] = bank
            here = Signal(name=f"bank_{number}_has_last")
            m.d.comb += [
                here.eq(number <= registers.last_bank),
                bank.push.eq(push),
                bank.index.eq(inputs.events.p.index),
                bank.hold.eq(sequencer.sweeps | order.valid),
                bank.clear.eq(sequencer.clear),
                sub.decision.best[number].eq(bank.best),
            ]
            for row in range(spec.state_rows):
                m.d.comb += bank.present[row].eq(
                    (registers.state_rows > row) | ((registers.state_rows == row) & here)
                )
            connect(m, bank.tap, flipped(self.taps[number]))
            with m.If(sequencer.idle):
                m.d.comb += [
                    bank.order.valid.eq(host.order & (host.bank == number)),
                    bank.order.operation.eq(host.operation),
                    bank.order.row.eq(host.row),
                    # Something to write, or nothing to change.
                    bank.order.amount.eq(Mux(self.requests.p.write, host.data, 0)),
                ]
            with m.Else():
                m.d.comb += [
                    bank.order.operation.eq(order.operation),
                    bank.order.row.eq(order.target),
                    bank.order.amount.eq(order.amount),
                ]
                with m.If(order.touches):
                    m.d.comb += bank.order.valid.eq(sub.decision.bank == number)
                with m.Else():
                    m.d.comb += bank.order.valid.eq(
                        order.valid & (here | (order.target != registers.state_rows))
                    )

    def _update(self, m):
        """Wire the update of the winner."""
        spec, sub = self._spec, m.submodules
        sequencer, registers, host, inputs = sub.sequencer, sub.registers, sub.host, sub.inputs
        m.submodules.walk = walk = self.walk
        m.submodules.updater = updater = self.updater
        m.submodules.times = times = SpikeTimes(spec)
        m.submodules.random = random = self.random
        bank, row = sub.decision.bank, sub.decision.row
        m.d.comb += [
            walk.words.eq(registers.column_words),
            walk.last_inputs.eq(registers.last_inputs),
            walk.start.eq(sequencer.update),
            walk.advance.eq(updater.advance),
            updater.start.eq(sequencer.update),
            updater.neuron.eq(Cat(bank, row)),
            updater.row.eq(row),
            updater.wrong.eq(sequencer.wrong),
            updater.prunes.eq(registers.prunes),
            updater.below.eq(registers.below),
            updater.min_fan_in.eq(registers.min_fan_in),
            updater.valid.eq(walk.valid),
            updater.input.eq(walk.input),
            updater.last.eq(walk.last),
            updater.spiked.eq(times.spiked),
            updater.byte.eq(random.byte),
            updater.finish.eq(sequencer.updated),
            updater.host_row.eq(host.row),
            updater.host_data.eq(host.data),
            updater.table_write.eq(host.table_write),
            updater.fan_in_write.eq(host.fan_in_write),
            updater.fan_in_read.eq(host.fan_in_read),
            host.fan_in.eq(updater.fan_in),
            sequencer.updating.eq(~walk.done | updater.busy),
            times.half.eq(inputs.half),
            times.advance.eq(updater.advance),
            times.index.eq(walk.input),
            times.until.eq(sequencer.decision_step),
            random.load.eq(registers.random_load),
            random.value.eq(registers.value),
            random.step.eq(sequencer.begun & sequencer.learn),
            random.advance.eq(updater.advance),
            random.index.eq(updater.byte_input),
            registers.random.eq(random.state),
            sequencer.random_ready.eq(random.ready),
        ]
        connect(m, inputs.inserted, times.inserted)
        chosen = Signal.like(bank)
        m.d.comb += [
            chosen.eq(Mux(sequencer.idle, host.bank, bank)),
            host.kept.eq(Array(place.kept for place in self.banks)[chosen]),
        ]
        if spec.memory == "spram":
            self._words(m, chosen)
        else:
            self._blocks(m, chosen)

    def _blocks(self, m, chosen):
        """Wire updates, and the host, to memories with a port to read and a port to write."""
        spec, sub = self._spec, m.submodules
        sequencer, host, walk, updater = sub.sequencer, sub.host, self.walk, self.updater
        m.d.comb += [
            walk.neuron.eq(updater.neuron),
            walk.write.eq(updater.mask_write),
            walk.word.eq(updater.mask_word),
            walk.mask.eq(updater.mask),
            walk.access_read.eq(host.column_read),
            walk.access_write.eq(host.column_write),
            walk.access_row.eq(host.row),
            walk.access_data.eq(host.data),
            host.column.eq(walk.access_mask),
        ]
        port = updater.port
        for number, place in enumerate(self.banks):
            here = Signal(name=f"bank_{number}_chosen")
            m.d.comb += here.eq(chosen == number)
            with m.If(sequencer.idle):
                m.d.comb += [
                    place.port.weight_row.eq(host.row),
                    place.port.weight_write_row.eq(host.row),
                    place.port.weight_data.eq(host.data),
                    place.port.mask_row.eq(host.row),
                    place.port.mask_data.eq(host.data[:16].replicate(spec.mask_parts)),
                    place.port.weight_read.eq(here & host.weight_read),
                    place.port.weight_write.eq(here & host.weight_write),
                    place.port.mask_read.eq(here & host.mask_read),
                    place.port.mask_write.eq(Mux(here & host.mask_write, 1 << host.part, 0)),
                ]
            with m.Else():
                m.d.comb += [
                    place.port.weight_row.eq(port.weight_row),
                    place.port.weight_write_row.eq(port.weight_write_row),
                    place.port.weight_data.eq(port.weight_data),
                    place.port.mask_row.eq(port.mask_row),
                    place.port.mask_data.eq(port.mask_data),
                    place.port.weight_read.eq(here & port.weight_read),
                    place.port.weight_write.eq(here & port.weight_write),
                    place.port.mask_read.eq(here & port.mask_read),
                    place.port.mask_write.eq(Mux(here, port.mask_write, 0)),
                ]
        m.d.comb += [
            port.weight.eq(Array(place.port.weight for place in self.banks)[chosen]),
            port.mask.eq(Array(place.port.mask for place in self.banks)[chosen]),
            host.weight.eq(port.weight),
            host.mask.eq(port.mask.word_select(host.part, 16)),
        ]

    def _words(self, m, chosen):
        """Wire updates, and the host, to memories with a single port."""
        spec, sub = self._spec, m.submodules
        sequencer, host, walk, updater = sub.sequencer, sub.host, self.walk, self.updater
        m.submodules.access = access = WordAccess(spec)
        connect(m, updater.port, access.synapses)
        words = access.words
        m.d.comb += [
            access.row.eq(updater.row),
            access.read.eq(walk.read),
            access.write.eq(updater.mask_write),
            access.number.eq(Mux(updater.mask_write, updater.mask_word, walk.number)),
            access.mask.eq(updater.mask),
            walk.word.eq(words.word),
            words.word.eq(Array(place.port.word for place in self.banks)[chosen]),
            host.weight.eq(words.word),
        ]
        for number, place in enumerate(self.banks):
            here = Signal(name=f"bank_{number}_chosen")
            m.d.comb += here.eq(chosen == number)
            with m.If(sequencer.idle):
                m.d.comb += [
                    place.port.enable.eq(here & (host.weight_read | host.weight_write)),
                    place.port.write.eq(host.weight_write),
                    place.port.address.eq(host.row),
                    place.port.bytes.eq(0b11),
                    place.port.data.eq(host.data),
                ]
            with m.Else():
                m.d.comb += [
                    place.port.enable.eq(here & words.enable),
                    place.port.write.eq(words.write),
                    place.port.address.eq(words.address),
                    place.port.bytes.eq(words.bytes),
                    place.port.data.eq(words.data),
                ]

    def _record(self, m, last_step):
        """Wire the result, and what is counted."""
        sub, result = m.submodules, self.results.p
        sequencer, decision, counters = sub.sequencer, sub.decision, sub.counters
        winner = Signal.like(result.winner)
        ties = Signal.like(decision.ties)
        over = Signal.like(decision.over)
        # Not the comparison at the end of a decided stimulus, nor the one for the right neuron.
        with m.If(decision.done & ~sequencer.decided & ~sequencer.seeking):
            m.d.sync += [
                winner.eq(Cat(decision.bank, decision.row)),
                ties.eq(decision.ties),
                over.eq(decision.over),
            ]
        m.d.comb += [
            self.results.valid.eq(sequencer.finished),
            sequencer.taken.eq(self.results.ready),
            result.winner.eq(winner),
            result.last.eq(Cat(decision.bank, decision.row)),
            result.step.eq(Mux(sequencer.decided, sequencer.decision_step, last_step + 1)),
            result.forced.eq(~sequencer.decided),
            result.over_threshold.eq(over),
            result.ties.eq(ties),
            *(result[name].eq(getattr(counters, name)) for name in COUNTED),
        ]

        def banks(name):
            return sum((getattr(bank, name) for bank in self.banks), C(0))

        updater = self.updater
        walk = self.walk
        word_read = walk.read if self._spec.memory == "spram" else walk.word_read
        m.d.comb += [
            counters.clear.eq(sequencer.begin),
            counters.add_operations.eq(banks("weight_read")),
            counters.add_weight_reads.eq(banks("weight_read") + updater.visit),
            counters.add_weight_writes.eq(updater.change),
            counters.add_mask_reads.eq(banks("mask_read") + word_read + updater.pruned),
            counters.add_state_reads.eq(banks("state_read")),
            counters.add_state_writes.eq(banks("state_write")),
            counters.add_stdp_visits.eq(updater.visit),
            counters.add_stdp_changes.eq(updater.change),
            counters.add_pruned.eq(updater.pruned),
            counters.add_cycles.eq(~sequencer.idle & ~sequencer.finished),
        ]
