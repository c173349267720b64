"""The live inputs of one neuron, whose mask lies beside its synapses behind a single port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import MASK_BITS, CoreSpec, bits_for
from firstspike_hw.learner.layouts import mask_position

__all__ = ["SpramWalk"]


class SpramWalk(wiring.Component):
    """Walks the mask of a neuron in ascending order, in every other cycle.

    A synapse that is visited is written back in the cycle between two others. As
    `firstspike_hw.learner.column_walk.ColumnWalk`, but a word of the mask takes the place of a
    visit, and the next one is fetched as early as can be.

    Timing: something happens in every second cycle in which ``advance`` is high.

    Parameters
    ----------
    spec : CoreSpec
        Uses max_inputs, pruning.

    Members
    -------
    words : In(bits_for(spec.max_inputs // MASK_BITS)), last_inputs : In(MASK_BITS)
        Words of a mask, less one; inputs of the last one, used without pruning.
    start : In(1)
        Begin.
    advance : In(1)
        Move.
    valid : Out(1), input : Out(bits_for(spec.max_inputs)), last : Out(1)
        A live input; ``last`` with the last one of its word.
    done : Out(1)
        No input is left.
    read : Out(1), number : Out(bits_for(spec.max_inputs // MASK_BITS))
        Fetch a word of the mask.
    word : In(MASK_BITS)
        The word, in the cycle after.
    """

    words: Signal
    last_inputs: Signal
    start: Signal
    advance: Signal
    valid: Signal
    input: Signal
    last: Signal
    done: Signal
    read: Signal
    number: Signal
    word: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        word = bits_for(spec.max_inputs // MASK_BITS)
        super().__init__(
            {
                "words": In(word),
                "last_inputs": In(MASK_BITS),
                "start": In(1),
                "advance": In(1),
                "valid": Out(1),
                "input": Out(bits_for(spec.max_inputs)),
                "last": Out(1),
                "done": Out(1),
                "read": Out(1),
                "number": Out(word),
                "word": In(MASK_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # Whether this is a cycle for something new.
        turn = Signal()
        # Words are left to ask for; one is asked for; one came.
        asking = Signal()
        asked = Signal()
        arrives = Signal()
        fetched = Signal()
        mask = Signal(MASK_BITS)
        number = Signal.like(self.number)
        fetched_number = Signal.like(number)
        left = Signal(MASK_BITS)
        walked = Signal()
        walked_number = Signal.like(number)
        lowest, rest = mask_position(left)
        asks = Signal()
        m.d.comb += [
            asks.eq(turn & asking & ~asked & ~arrives & ~fetched),
            self.valid.eq(turn & ~asks & (left != 0)),
            self.input.eq(Cat(lowest, walked_number)),
            self.last.eq(rest == 0),
            self.read.eq(asked & self.advance & bool(self._spec.pruning)),
            self.number.eq(fetched_number),
            self.done.eq(~asking & ~asked & ~arrives & ~fetched & ~walked),
        ]
        came = Signal()
        m.d.sync += came.eq(self.read)
        with m.If(came):
            m.d.sync += mask.eq(self.word)
        with m.If(self.advance):
            m.d.sync += [turn.eq(~turn), asked.eq(asks), arrives.eq(asked)]
            with m.If(asks):
                m.d.sync += [
                    fetched_number.eq(number),
                    number.eq(number + 1),
                    asking.eq(number != self.words),
                ]
            with m.If(arrives):
                m.d.sync += fetched.eq(1)
                if not self._spec.pruning:
                    m.d.sync += mask.eq(
                        Mux(fetched_number == self.words, self.last_inputs, (1 << MASK_BITS) - 1)
                    )
            with m.If(self.valid):
                m.d.sync += left.eq(rest)
        takes = Signal()
        m.d.comb += takes.eq(
            fetched & self.advance & (~walked | Mux(self.valid, rest == 0, left == 0))
        )
        with m.If(takes):
            m.d.sync += [
                fetched.eq(0),
                walked.eq(1),
                walked_number.eq(fetched_number),
                left.eq(mask),
            ]
        with m.Elif(self.advance & walked & Mux(self.valid, rest == 0, left == 0)):
            m.d.sync += walked.eq(0)
        with m.If(self.start):
            m.d.sync += [number.eq(0), asking.eq(1), turn.eq(1)]
        return m
