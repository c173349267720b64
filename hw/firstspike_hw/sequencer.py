"""The loop over time steps and layers."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import Operation, multispike_only

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Runs a stimulus: which events go to which layer, when neurons tick, and when it ends.

    STEP networks go step by step and in each step layer by layer, and end with the first output
    spike if asked to; RAMP networks go layer by layer. A layer that took no event in a step does
    not tick. Multi-spike networks take their numbers first, or the spikes of each step, and all of
    their layers tick in all steps. docs/architecture.md has the cycles of each state.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_layers, time_bits.

    Members
    -------
    ramp, early_exit : In(1), last_layer : In(bits_for(max_layers)), last_step : In(time_bits)
        The network.
    multispike : In(1), last_moment : In(moment_bits)
        The same, of a multi-spike network, whose ``last_step`` is that of its numbers.
    biases : In(2)
        Rows of weights that the layer adds in every step.
    bias : Out(1), bias_number : Out(1), bias_taken : In(1)
        Add one of them, and which.
    moment : Out(moment_bits)
        Step of a multi-spike network.
    next_moment : Out(1)
        It ends in this cycle.
    waiting : In(1)
        A stimulus is there.
    hold : In(1)
        Do not begin.
    idle : Out(1)
        Between stimuli.
    begin : Out(1)
        High in the last cycle before a stimulus.
    layer : Out(bits_for(max_layers)), step : Out(time_bits)
        At work.
    next_layer : Out(bits_for(max_layers))
        What ``layer`` will be in the next cycle.
    input_start : Out(1), input_done : In(1)
        To and from the reader of input events.
    store_start : Out(1), store_done : In(1)
        To and from the store of spikes.
    sources : In(max_layers)
        Layers whose spikes the layer takes (multi-spike).
    store_again : Out(1), store_drop : Out(1), store_layer : Out(bits_for(max_layers))
        To the store: read a layer's spikes once more; drop those that come; which layer.
    from_input : Out(1)
        Events of the input, not of the store, go to the walker.
    event : In(1)
        An event moves to the walker.
    commands : Out(stream.Signature(Operation))
        To the walker.
    spike : In(1), tick_end : In(1)
        Output spikes, and the end of a tick.
    read_done : In(1)
        The potentials of the output layer were read.
    decided : Out(1), decision_step : Out(time_bits)
        A decision was made by a spike, and when.
    finished : Out(1), taken : In(1)
        The result is complete, and was handed on.
    """

    ramp: Signal
    early_exit: Signal
    last_layer: Signal
    last_step: Signal
    multispike: Signal
    last_moment: Signal
    biases: Signal
    bias: Signal
    bias_number: Signal
    bias_taken: Signal
    moment: Signal
    next_moment: Signal
    waiting: Signal
    hold: Signal
    idle: Signal
    begin: Signal
    layer: Signal
    next_layer: Signal
    step: Signal
    input_start: Signal
    input_done: Signal
    store_start: Signal
    store_done: Signal
    sources: Signal
    store_again: Signal
    store_drop: Signal
    store_layer: Signal
    from_input: Signal
    event: Signal
    commands: stream.Interface
    spike: Signal
    tick_end: Signal
    read_done: Signal
    decided: Signal
    decision_step: Signal
    finished: Signal
    taken: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        layer = bits_for(spec.max_layers)
        super().__init__(
            {
                "ramp": In(1),
                "early_exit": In(1),
                "last_layer": In(layer),
                "last_step": In(spec.time_bits),
                "multispike": In(1),
                "last_moment": In(spec.moment_bits),
                "biases": In(2),
                "bias": Out(1),
                "bias_number": Out(1),
                "bias_taken": In(1),
                "moment": Out(spec.moment_bits),
                "next_moment": Out(1),
                "waiting": In(1),
                "hold": In(1),
                "idle": Out(1),
                "begin": Out(1),
                "layer": Out(layer),
                "next_layer": Out(layer),
                "step": Out(spec.time_bits),
                "input_start": Out(1),
                "input_done": In(1),
                "store_start": Out(1),
                "store_done": In(1),
                "sources": In(spec.max_layers),
                "store_again": Out(1),
                "store_drop": Out(1),
                "store_layer": Out(layer),
                "from_input": Out(1),
                "event": In(1),
                "commands": Out(stream.Signature(Operation)),
                "spike": In(1),
                "tick_end": In(1),
                "read_done": In(1),
                "decided": Out(1),
                "decision_step": Out(spec.time_bits),
                "finished": Out(1),
                "taken": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        multispike = multispike_only(self._spec, self.multispike)
        biases = multispike_only(self._spec, self.biases)
        touched = Signal()
        fired = Signal()
        final = Signal()
        is_last_layer = Signal()
        is_last_step = Signal()
        m.d.comb += [
            is_last_layer.eq(self.layer == self.last_layer),
            is_last_step.eq(self.step == self.last_step),
            self.next_layer.eq(self.layer),
        ]
        m.d.sync += self.layer.eq(self.next_layer)
        with m.If(self.event):
            m.d.sync += touched.eq(1)

        def next_step():
            with m.If(is_last_step):
                m.d.sync += final.eq(1)
                m.d.comb += self.next_layer.eq(self.last_layer)
                m.next = "READ"
            with m.Else():
                m.d.sync += self.step.eq(self.step + 1)
                m.next = "INPUT"

        def next_moment():
            m.d.comb += self.next_moment.eq(1)
            m.d.sync += self.moment.eq(self.moment + 1)
            with m.If(self.moment == self.last_moment):
                m.d.sync += final.eq(1)
                m.next = "READ"
            with m.Elif(self.ramp):
                m.d.comb += self.next_layer.eq(0)
                m.next = "TICK"
            with m.Else():
                m.d.sync += self.step.eq(self.step + 1)
                m.next = "INPUT"

        biases_done = Signal(2)
        bias_due = Signal()
        m.d.comb += [
            bias_due.eq(biases_done < biases),
            self.bias_number.eq(biases_done),
        ]

        # Sources of the layer other than the one right before it, whose spikes come as it ticks.
        before = Signal.like(self.layer)
        left = Signal.like(self.sources)
        lowest = Signal.like(self.layer)
        served = Signal.like(self.sources)
        m.d.comb += self.store_layer.eq(self.layer)
        if self._spec.multispike:
            m.d.comb += [
                before.eq(self.layer - 1),
                left.eq(self.sources & ~served & ~(1 << before)),
            ]
            for number in reversed(range(self._spec.max_layers)):
                with m.If(left[number]):
                    m.d.comb += lowest.eq(number)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    self.idle.eq(1),
                    self.begin.eq(self.waiting & ~self.hold),
                    self.next_layer.eq(0),
                ]
                m.d.sync += [
                    # A RAMP neuron of the input layer never spikes at 0.
                    self.step.eq(self.ramp),
                    self.decided.eq(0),
                    final.eq(0),
                    self.moment.eq(0),
                ]
                with m.If(self.begin):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += [
                    self.commands.valid.eq(1),
                    self.commands.payload.eq(Operation.START),
                ]
                with m.If(self.commands.ready):
                    m.next = "INPUT"
            with m.State("INPUT"):
                m.d.comb += [
                    self.input_start.eq(1),
                    self.from_input.eq(1),
                    self.next_layer.eq(0),
                ]
                m.next = "INPUT-EVENTS"
            with m.State("INPUT-EVENTS"):
                m.d.comb += self.from_input.eq(1)
                with m.If(self.input_done):
                    with m.If(self.ramp):
                        with m.If(is_last_step):
                            m.next = "TICK"
                        with m.Else():
                            m.d.sync += self.step.eq(self.step + 1)
                            m.next = "INPUT"
                    with m.Elif(touched | multispike):
                        m.next = "TICK"
                    with m.Else():
                        next_step()
            with m.State("TICK"):
                m.d.comb += [self.bias.eq(bias_due), self.commands.valid.eq(~bias_due)]
                with m.If(self.bias_taken):
                    m.d.sync += biases_done.eq(biases_done + 1)
                with m.If(~self.ramp | multispike):
                    m.d.comb += self.commands.payload.eq(Operation.TICK)
                with m.Elif(is_last_layer):
                    m.d.comb += self.commands.payload.eq(Operation.READ)
                with m.Else():
                    m.d.comb += self.commands.payload.eq(Operation.RAMP)
                m.d.sync += [touched.eq(0), fired.eq(0)]
                with m.If(self.commands.valid & self.commands.ready):
                    m.d.sync += biases_done.eq(0)
                    with m.If(~is_last_layer):
                        m.d.comb += self.store_start.eq(1)
                        m.next = "CLIMB"
                    with m.Elif(self.ramp & ~multispike):
                        m.d.sync += final.eq(1)
                        m.next = "READING"
                    with m.Else():
                        m.next = "DECIDE"
            with m.State("CLIMB"):
                # Registers of a layer are slow, and so is the answer to a command. Spikes are not
                # here yet.
                m.d.comb += self.next_layer.eq(self.layer + 1)
                m.d.sync += served.eq(0)
                m.next = "SPIKES"
            with m.State("SPIKES"):
                if self._spec.multispike:
                    m.d.comb += self.store_drop.eq(multispike & ~self.sources.bit_select(before, 1))
                with m.If(self.store_done):
                    with m.If(touched | self.ramp | multispike):
                        m.next = "TICK"
                        if self._spec.multispike:
                            with m.If(multispike & left.any()):
                                m.next = "SOURCES"
                    with m.Else():
                        next_step()
            if self._spec.multispike:
                with m.State("SOURCES"):
                    m.d.comb += [self.store_layer.eq(lowest), self.store_again.eq(left.any())]
                    m.d.sync += served.eq(served | (1 << lowest))
                    m.next = "AGAIN"
                    with m.If(~left.any()):
                        m.next = "TICK"
                with m.State("AGAIN"):
                    with m.If(self.store_done):
                        m.next = "SOURCES"
            with m.State("DECIDE"):
                with m.If(self.spike):
                    m.d.sync += fired.eq(1)
                with m.If(self.tick_end):
                    with m.If(multispike):
                        next_moment()
                    with m.Elif((fired | self.spike) & ~self.decided):
                        m.next = "READ"
                    with m.Else():
                        next_step()
            with m.State("READ"):
                m.d.comb += [
                    self.commands.valid.eq(1),
                    self.commands.payload.eq(Operation.READ),
                ]
                with m.If(self.commands.ready):
                    m.next = "READING"
            with m.State("READING"):
                with m.If(self.read_done):
                    with m.If(final):
                        m.next = "FINISHED"
                    with m.Else():
                        m.d.sync += [self.decided.eq(1), self.decision_step.eq(self.step)]
                        with m.If(self.early_exit):
                            m.next = "FINISHED"
                        with m.Else():
                            next_step()
            with m.State("FINISHED"):
                m.d.comb += self.finished.eq(1)
                with m.If(self.taken):
                    m.next = "IDLE"
        return m
