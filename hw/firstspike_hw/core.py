"""The core: all components, and the wires between them."""

from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.spec import CoreSpec
from firstspike_hw.bank import Bank
from firstspike_hw.counters import Counters
from firstspike_hw.host_port import HostPort
from firstspike_hw.inputs import Inputs
from firstspike_hw.issue import Issue
from firstspike_hw.layouts import (
    Operation,
    dynamics_layout,
    input_event_layout,
    multispike_only,
    pixels_layout,
    potential_layout,
    record_layout,
    request_layout,
    spike_layout,
)
from firstspike_hw.ramp import RampUnit
from firstspike_hw.readout import Readout
from firstspike_hw.registers import Registers
from firstspike_hw.sequencer import Sequencer
from firstspike_hw.serializer import Serializer
from firstspike_hw.spike_store import SpikeStore
from firstspike_hw.walker import Walker

__all__ = ["Core", "tap_signature"]


def tap_signature(shape) -> wiring.Signature:
    """Return a stream that nobody can hold up: a payload, and when it counts."""
    return wiring.Signature({"payload": Out(shape), "valid": Out(1)})


class Core(wiring.Component):
    """Classifies stimuli with the loaded network.

    docs/architecture.md has the block diagram and the cycles. A stimulus is either a run of words
    of pixels, of which the next may come while one is at work, or a run of pre-sorted events. The
    host loads registers and memories before, through `requests`; it must not change registers
    while pixels of a stimulus are on their way.

    Parameters
    ----------
    spec : CoreSpec
        What the hardware is made for.

    Members
    -------
    pixels : In(stream.Signature(pixels_layout(spec)))
        Raw pixels, row by row, the first one lowest.
    events : In(stream.Signature(input_event_layout(spec)))
        Pre-sorted events, each stimulus closed by ``end``.
    requests : In(stream.Signature(request_layout(spec)))
        Reads and writes of the host; taken between stimuli.
    replies : Out(stream.Signature(32))
        Data of each read.
    results : Out(stream.Signature(record_layout(spec)))
        A record a stimulus.
    spikes : Out(tap_signature(spike_layout(spec)))
        Every spike of a neuron, as it happens; ``time`` is T less the magnitude for RAMP layers.
    potentials : Out(tap_signature(potential_layout(spec)))
        Potentials of the output layer, each time that they are read; the last reading counts.
    """

    pixels: Any
    events: Any
    requests: Any
    replies: stream.Interface
    results: stream.Interface
    spikes: Any
    potentials: Any

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        #: Banks, for a bench to look into.
        self.banks = [Bank(spec) for _ in range(spec.banks)]
        super().__init__(
            {
                "pixels": In(stream.Signature(pixels_layout(spec))),
                "events": In(stream.Signature(input_event_layout(spec))),
                "requests": In(stream.Signature(request_layout(spec))),
                "replies": Out(stream.Signature(32)),
                "results": Out(stream.Signature(record_layout(spec))),
                "spikes": Out(tap_signature(spike_layout(spec))),
                "potentials": Out(tap_signature(potential_layout(spec))),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        m.submodules.sequencer = sequencer = Sequencer(spec)
        m.submodules.registers = registers = Registers(spec)
        m.submodules.host = host = HostPort(spec)
        m.submodules.counters = counters = Counters(spec)

        last_step = Signal(spec.time_bits)
        m.d.comb += [
            last_step.eq((spec.steps - 1) >> registers.coding.time_shift),
            registers.next_layer.eq(sequencer.next_layer),
            sequencer.ramp.eq(registers.coding.ramp),
            sequencer.early_exit.eq(registers.early_exit),
            sequencer.last_layer.eq(registers.last_layer),
            sequencer.last_step.eq(last_step),
            sequencer.multispike.eq(registers.multispike),
            sequencer.last_moment.eq(registers.last_moment),
            sequencer.biases.eq(Mux(registers.multispike, registers.layer.dynamics.biases, 0)),
            registers.write.eq(host.register_write),
            registers.address.eq(self.requests.p.address),
            registers.value.eq(self.requests.p.data),
            host.idle.eq(sequencer.idle),
            sequencer.hold.eq(host.busy),
        ]
        connect(m, flipped(self.requests), host.requests)
        connect(m, flipped(self.replies), host.replies)

        serializer = self._banks(m, registers, sequencer, host, counters)
        self._inputs(m, registers, sequencer, last_step)
        self._neurons(m, registers, sequencer, serializer, last_step)

        m.d.comb += [
            counters.clear.eq(sequencer.begin),
            counters.running.eq(~sequencer.idle & ~sequencer.finished),
            self.results.valid.eq(sequencer.finished),
            sequencer.taken.eq(self.results.ready),
            self.results.p.forced.eq(
                ~sequencer.decided & ~sequencer.ramp & ~multispike_only(spec, sequencer.multispike)
            ),
            self.results.p.step.eq(Mux(sequencer.decided, sequencer.decision_step, last_step + 1)),
            self.results.p.events.eq(counters.events),
            self.results.p.operations.eq(counters.operations),
            self.results.p.weight_reads.eq(counters.weight_reads),
            self.results.p.state_reads.eq(counters.state_reads),
            self.results.p.state_writes.eq(counters.state_writes),
            self.results.p.cycles.eq(counters.cycles),
        ]
        return m

    def _inputs(self, m, registers, sequencer, last_step):
        """Wire what brings input events, and choose between them and the spikes of a layer."""
        m.submodules.inputs = inputs = Inputs(self._spec)
        walker, store = m.submodules.walker, m.submodules.store
        connect(m, flipped(self.pixels), inputs.pixels)
        connect(m, flipped(self.events), inputs.presorted)
        connect(m, registers.coding, inputs.coding)
        m.d.comb += [
            sequencer.waiting.eq(inputs.waiting),
            inputs.begin.eq(sequencer.begin),
            inputs.end.eq(sequencer.finished & self.results.ready),
            inputs.start.eq(sequencer.input_start),
            inputs.time.eq(sequencer.step),
            # T - t; a STEP event counts once.
            inputs.magnitude.eq(Mux(sequencer.ramp, last_step + 1 - sequencer.step, 1)),
            sequencer.input_done.eq(inputs.done),
        ]
        rule = registers.layer.dynamics
        if self._spec.multispike:
            m.d.comb += sequencer.bias_taken.eq(sequencer.bias & walker.events.ready)
        m.d.comb += walker.bias.eq(sequencer.bias)
        with m.If(multispike_only(self._spec, sequencer.bias)):
            m.d.comb += [
                walker.events.valid.eq(1),
                walker.events.p.index.eq(
                    rule.bias_row + (sequencer.moment << (rule.biases == 2)) + sequencer.bias_number
                ),
                walker.events.p.magnitude.eq(Mux(sequencer.bias_number, self._spec.coarse, 1)),
            ]
        with m.Elif(sequencer.from_input):
            connect_events(m, inputs.events, walker.events)
        with m.Else():
            connect_events(m, store.events, walker.events)

    def _banks(self, m, registers, sequencer, host, counters):
        """Wire the way from events to what a tick found; return the serializer at its end."""
        spec = self._spec
        m.submodules.walker = walker = Walker(spec)
        m.submodules.store = SpikeStore(spec)
        m.submodules.issue = issue = Issue(spec)
        m.submodules.serializer = serializer = Serializer(spec)
        connect(m, registers.layer, walker.layer)
        connect(m, sequencer.commands, walker.commands)
        connect(m, walker.items, issue.items)
        m.d.comb += [
            walker.all_rows.eq(registers.state_rows),
            sequencer.event.eq(walker.events.valid & walker.events.ready),
            counters.event.eq(sequencer.event & ~multispike_only(spec, sequencer.bias)),
            counters.neurons.eq(registers.layer.neurons),
            issue.advance.eq(~serializer.tick.valid | serializer.ready),
            serializer.neurons.eq(registers.layer.neurons),
            serializer.select.eq(host.select),
            serializer.select_lane.eq(host.lane),
        ]
        if spec.sparse:
            m.d.comb += [
                walker.list_write.eq(host.list_write),
                walker.list_address.eq(self.requests.p.address),
                Value.cast(walker.list_data).eq(self.requests.p.data),
            ]
        for number, bank in enumerate(self.banks):
            m.submodules[f"bank_{number}"] = bank
            connect(m, host.banks[number], bank.host)
            m.d.comb += [
                getattr(bank.word, name).eq(getattr(issue.word, name))
                for name in issue.word.signature.members
            ]
            m.d.comb += [
                bank.advance.eq(issue.advance),
                host.weights[number].eq(bank.weights),
            ]
            for lane in range(spec.word):
                place = lane * spec.banks + number
                m.d.comb += [
                    serializer.tick.mask[place].eq(bank.tick.mask[lane]),
                    serializer.latest[place].eq(bank.latest[lane]),
                ]
        # Banks that get the same rows are in step.
        first = self.banks[0]
        m.d.comb += [
            serializer.tick.valid.eq(first.tick.valid),
            serializer.tick.operation.eq(first.tick.operation),
            serializer.tick.last.eq(first.tick.last),
            counters.weight_read.eq(first.weight_read),
            counters.state_read.eq(first.state_read),
            counters.state_write.eq(first.state_write),
        ]
        return serializer

    def _neurons(self, m, registers, sequencer, serializer, last_step):
        """Wire what a tick found: spikes to the store, potentials to the readout."""
        spec, neuron, host = self._spec, serializer.neuron, m.submodules.host
        store = m.submodules.store
        m.submodules.readout = readout = Readout(spec)
        is_spike, is_ramp, is_read = (
            neuron.operation == operation
            for operation in (Operation.TICK, Operation.RAMP, Operation.READ)
        )
        # The layer that ticks; the sequencer may be at the next one.
        ticking = Signal.like(sequencer.layer)
        ticking_scale = Signal.like(registers.layer.scale)
        ticking_dynamics = Signal(dynamics_layout(spec))
        ticking_base = Signal.like(registers.layer.wiring.base)
        with m.If(sequencer.commands.valid & sequencer.commands.ready):
            m.d.sync += [
                ticking.eq(sequencer.layer),
                ticking_scale.eq(registers.layer.scale),
                ticking_dynamics.eq(registers.layer.dynamics),
                ticking_base.eq(registers.layer.wiring.base),
            ]
        if spec.multispike:
            for bank in self.banks:
                m.d.comb += [
                    bank.multispike.eq(registers.multispike),
                    bank.threshold.eq(ticking_scale),
                    bank.dynamics.eq(ticking_dynamics),
                ]
        hidden = Signal()
        m.d.comb += [
            hidden.eq(ticking != registers.last_layer),
            sequencer.spike.eq(neuron.valid & is_spike),
            sequencer.tick_end.eq(neuron.end & is_spike),
            store.clear.eq(sequencer.begin | multispike_only(spec, sequencer.next_moment)),
            store.start.eq(sequencer.store_start),
            # The banks are held while RAMP neurons are named, and could not take events; those of
            # multi-spike neurons still write what their tick left.
            store.whole.eq(sequencer.ramp | multispike_only(spec, sequencer.multispike)),
            sequencer.store_done.eq(store.done),
            sequencer.sources.eq(registers.layer.wiring.sources),
            store.layer.eq(sequencer.store_layer),
            store.again.eq(sequencer.store_again),
            store.drop.eq(sequencer.store_drop),
            host.potential.eq(neuron.potential),
        ]
        # Spikes of the output layer are only told, not kept.
        m.d.comb += [
            self.spikes.payload.layer.eq(ticking),
        ]
        step_write = neuron.valid & is_spike
        with m.If(step_write):
            m.d.comb += [
                store.write.eq(hidden),
                store.spike.index.eq(neuron.index + ticking_base),
                store.spike.magnitude.eq(1),
                self.spikes.valid.eq(1),
                self.spikes.payload.index.eq(neuron.index),
                self.spikes.payload.time.eq(sequencer.step),
            ]
        m.d.comb += store.end.eq(neuron.end & is_spike)
        if spec.ramp:
            m.submodules.ramp = ramp = RampUnit(spec)
            m.d.comb += [
                ramp.scale.eq(ticking_scale),
                ramp.last_step.eq(last_step),
                ramp.valid.eq(neuron.valid & is_ramp),
                ramp.index.eq(neuron.index),
                ramp.potential.eq(neuron.potential[:-1]),
                ramp.end.eq(neuron.end & is_ramp),
            ]
            with m.If(ramp.write):
                m.d.comb += [
                    store.write.eq(1),
                    store.spike.eq(ramp.spike),
                    self.spikes.valid.eq(1),
                    self.spikes.payload.index.eq(ramp.spike.index),
                    self.spikes.payload.time.eq(last_step + 1 - ramp.spike.magnitude),
                ]
            with m.If(ramp.ended):
                m.d.comb += store.end.eq(1)

        m.d.comb += [
            readout.valid.eq(neuron.valid & is_read),
            readout.index.eq(neuron.index),
            readout.potential.eq(neuron.potential),
            readout.end.eq(neuron.end & is_read),
            sequencer.read_done.eq(readout.done),
            self.potentials.valid.eq(readout.valid),
            self.potentials.payload.index.eq(neuron.index),
            self.potentials.payload.potential.eq(neuron.potential),
        ]
        result = self.results.p
        m.d.comb += [
            readout.decided.eq(sequencer.decided),
            result.winner.eq(readout.winner),
            result.ties.eq(readout.ties),
            result.over_threshold.eq(readout.over_threshold),
            result.last.eq(readout.last),
        ]


def connect_events(m, source, sink):
    """Connect two streams of events inside a condition."""
    m.d.comb += [
        sink.valid.eq(source.valid),
        sink.payload.eq(source.payload),
        source.ready.eq(sink.ready),
    ]
