"""The course of a stimulus in a learning core."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for

__all__ = ["LearnerSequencer", "Sweep", "Touch"]


class Sweep(enum.Enum, shape=2):
    """What happens to the rows, one after the other."""

    #: Potentials are set, of all rows.
    START = 0
    #: Potentials of the rows of the label's class are compared.
    SCAN = 1
    #: The offset is taken off the thresholds of the label's class.
    SETTLE = 2


class Touch(enum.Enum, shape=2):
    """What happens to the threshold of the winner."""

    #: It rises because it won.
    RISE = 0
    #: It rises because it should not have won.
    RAISE = 1
    #: It falls because it should have won.
    LOWER = 2


class LearnerSequencer(wiring.Component):
    """Sweeps, takes events step by step, compares, and has neurons updated.

    The lists of the next step are opened while the banks finish the present one.
    docs/architecture.md has the cycles of each state.

    Parameters
    ----------
    spec : CoreSpec
        Uses time_bits, state_rows.

    Members
    -------
    learn : In(1), supervised : In(1), reward : In(1), early_exit : In(1)
        What to do. Learning ends a stimulus with its first spike.
    last_step : In(time_bits), last_row : In(bits_for(state_rows))
        How long a stimulus is, and where the last neuron is.
    waiting : In(1), hold : In(1)
        A stimulus is there; do not begin.
    idle : Out(1), begin : Out(1), begun : Out(1)
        Between stimuli; the last cycle before one; the first cycle of one.
    step : Out(time_bits)
        At work.
    input_start : Out(1), input_time : Out(time_bits), input_done : In(1)
        To and from the reader of events.
    taking : Out(1)
        Events of the step are taken.
    busy : In(1), crossed : In(1)
        Something is under way in a bank; a potential came to 0.
    sweeps : Out(1), sweep : Out(Sweep), row : Out(bits_for(state_rows))
        A row, and what happens to it.
    clear : Out(1)
        Forget the largest potentials.
    compare : Out(1), compared : In(1)
        To and from the comparison of the lanes.
    right : In(1)
        The winner has the label's class; valid two cycles after ``compared``.
    decided : Out(1), decision_step : Out(time_bits)
        There is a winner, and since when; the last step if there is none.
    seeking : Out(1)
        The right neuron of a stimulus whose winner was wrong is sought, or was found.
    touches : Out(1), touch : Out(Touch)
        The winner's threshold changes.
    random_ready : In(1), update : Out(1), wrong : Out(1), updating : In(1), updated : Out(1)
        Update of the winner: may begin, begins, against it, goes on, is complete.
    settle : Out(1), grows : Out(1), offset_full : In(1), settled : Out(1)
        A stimulus was learned from, and its class' offset grows; that is so large that it is taken
        off the thresholds; that was done.
    finished : Out(1), taken : In(1)
        The result is complete, and was handed on.
    """

    learn: Signal
    supervised: Signal
    reward: Signal
    early_exit: Signal
    last_step: Signal
    last_row: Signal
    waiting: Signal
    hold: Signal
    idle: Signal
    begin: Signal
    begun: Signal
    step: Signal
    input_start: Signal
    input_time: Signal
    input_done: Signal
    taking: Signal
    busy: Signal
    crossed: Signal
    sweeps: Signal
    sweep: Signal
    row: Signal
    clear: Signal
    compare: Signal
    compared: Signal
    right: Signal
    decided: Signal
    decision_step: Signal
    seeking: Signal
    touches: Signal
    touch: Signal
    random_ready: Signal
    update: Signal
    wrong: Signal
    updating: Signal
    updated: Signal
    settle: Signal
    grows: Signal
    offset_full: Signal
    settled: Signal
    finished: Signal
    taken: Signal

    def __init__(self, spec: CoreSpec):
        row = bits_for(spec.state_rows)
        super().__init__(
            {
                "learn": In(1),
                "supervised": In(1),
                "reward": In(1),
                "early_exit": In(1),
                "last_step": In(spec.time_bits),
                "last_row": In(row),
                "waiting": In(1),
                "hold": In(1),
                "idle": Out(1),
                "begin": Out(1),
                "begun": Out(1),
                "step": Out(spec.time_bits),
                "input_start": Out(1),
                "input_time": Out(spec.time_bits),
                "input_done": In(1),
                "taking": Out(1),
                "busy": In(1),
                "crossed": In(1),
                "sweeps": Out(1),
                "sweep": Out(Sweep),
                "row": Out(row),
                "clear": Out(1),
                "compare": Out(1),
                "compared": In(1),
                "right": In(1),
                "decided": Out(1),
                "decision_step": Out(spec.time_bits),
                "seeking": Out(1),
                "touches": Out(1),
                "touch": Out(Touch),
                "random_ready": In(1),
                "update": Out(1),
                "wrong": Out(1),
                "updating": In(1),
                "updated": Out(1),
                "settle": Out(1),
                "grows": Out(1),
                "offset_full": In(1),
                "settled": Out(1),
                "finished": Out(1),
                "taken": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        is_last_step = Signal()
        is_last_row = Signal()
        following = Signal.like(self.step)
        m.d.comb += [
            is_last_step.eq(self.step == self.last_step),
            is_last_row.eq(self.row == self.last_row),
            following.eq(self.step + 1),
        ]
        reading = Signal.like(self.step)
        m.d.comb += self.input_time.eq(reading)

        def open_lists(time):
            m.d.comb += [self.input_start.eq(1), self.input_time.eq(time)]
            m.d.sync += reading.eq(time)

        def sweep(kind):
            m.d.comb += [self.sweeps.eq(1), self.sweep.eq(kind)]
            m.d.sync += self.row.eq(Mux(is_last_row, 0, self.row + 1))

        seeking = self.seeking
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    self.idle.eq(1),
                    self.begin.eq(self.waiting & ~self.hold),
                    self.clear.eq(1),
                ]
                m.d.sync += [self.row.eq(0), self.step.eq(0), self.decided.eq(0)]
                m.d.sync += [self.wrong.eq(0), seeking.eq(0)]
                with m.If(self.begin):
                    m.next = "START"
            with m.State("START"):
                # Events are queued meanwhile.
                sweep(Sweep.START)
                m.d.comb += [self.begun.eq(self.row == 0), self.taking.eq(self.row != 0)]
                with m.If(self.begun):
                    open_lists(0)
                with m.If(is_last_row):
                    m.next = "EVENTS"
            with m.State("EVENTS"):
                m.d.comb += self.taking.eq(1)
                with m.If(self.input_done):
                    with m.If(~is_last_step):
                        open_lists(following)
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                with m.If(~self.busy):
                    with m.If(is_last_step | (self.crossed & ~self.decided)):
                        m.d.comb += self.compare.eq(1)
                        m.next = "COMPARE"
                    with m.Else():
                        m.d.sync += self.step.eq(following)
                        m.next = "EVENTS"
            with m.State("COMPARE"):
                with m.If(self.compared):
                    m.next = "FINISHED"
                    with m.If(~self.decided):
                        m.d.sync += [
                            self.decided.eq(self.crossed),
                            self.decision_step.eq(self.step),
                        ]
                        with m.If(self.learn):
                            m.next = "JUDGE"
                        with m.Elif(~is_last_step & ~self.early_exit):
                            m.d.sync += self.step.eq(following)
                            m.next = "EVENTS"
            with m.State("JUDGE"):
                # The class of the winner is looked up.
                m.next = "TOUCH"
                with m.If(~self.supervised & ~self.decided):
                    m.next = "SETTLE"
            with m.State("TOUCH"):
                m.d.comb += self.touches.eq(1)
                m.next = "UPDATE"
                with m.If(seeking):
                    m.d.comb += self.touch.eq(Touch.LOWER)
                with m.Elif(self.supervised & ~self.right):
                    m.d.comb += self.touch.eq(Touch.RAISE)
                    m.d.sync += self.wrong.eq(1)
                with m.Elif(self.supervised & ~self.reward):
                    m.next = "TOUCHED"
            with m.State("TOUCHED"):
                # The rise is looked up.
                m.next = "SETTLE"
            with m.State("UPDATE"):
                m.d.comb += self.update.eq(self.random_ready)
                with m.If(self.random_ready):
                    m.next = "UPDATING"
            with m.State("UPDATING"):
                with m.If(~self.updating):
                    m.d.comb += self.updated.eq(1)
                    m.next = "SETTLE"
                    with m.If(self.wrong):
                        m.d.comb += self.clear.eq(1)
                        m.d.sync += [self.wrong.eq(0), seeking.eq(1)]
                        m.next = "SCAN"
            with m.State("SCAN"):
                sweep(Sweep.SCAN)
                with m.If(is_last_row):
                    m.next = "SCANNING"
            with m.State("SCANNING"):
                with m.If(~self.busy):
                    m.d.comb += self.compare.eq(1)
                    m.next = "SEEK"
            with m.State("SEEK"):
                with m.If(self.compared):
                    m.next = "TOUCH"
            with m.State("SETTLE"):
                # The offset is looked up.
                m.next = "GROW"
            with m.State("GROW"):
                m.d.comb += [self.settle.eq(1), self.grows.eq(~seeking)]
                m.next = "FINISHED"
                with m.If(self.grows & self.offset_full):
                    m.next = "RENEW"
            with m.State("RENEW"):
                sweep(Sweep.SETTLE)
                with m.If(is_last_row):
                    m.next = "RENEWING"
            with m.State("RENEWING"):
                with m.If(~self.busy):
                    m.d.comb += self.settled.eq(1)
                    m.next = "FINISHED"
            with m.State("FINISHED"):
                m.d.comb += self.finished.eq(1)
                with m.If(self.taken):
                    m.next = "IDLE"
        return m
