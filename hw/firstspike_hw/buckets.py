"""Input spikes by time step: lists that are made in one pass over the pixels."""

from typing import Any

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import event_layout
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Buckets", "insertion_signature", "link_layout", "word_bits"]


def word_bits(spec: CoreSpec) -> int:
    """Return how many bits number the words of pixels of a stimulus."""
    return bits_for(-(-spec.max_inputs // spec.pixels))


def link_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a link of a list: a word, if there is one.

    Where a number of a word is left over, all of its bits say that there is none: that can save a
    block RAM. It takes more cells, of which a learning core has none to spare.
    """
    bits = word_bits(spec)
    over = -(-spec.max_inputs // spec.pixels) < 1 << bits and not spec.learning
    return data.StructLayout({"word": bits} if over else {"there": 1, "word": bits})


def _is_there(link: Any) -> Value:
    """Return whether a link leads to a word."""
    return link.there if "there" in link.shape().members else ~link.word.all()


def _assign_link(link: Any, word: Value, there: Any) -> list[Any]:
    """Return the statements that make a link lead to ``word`` if that is ``there``."""
    if "there" in link.shape().members:
        return [link.word.eq(word), link.there.eq(there)]
    return [link.word.eq(word | (~Value.cast(there)).replicate(len(word)))]


def insertion_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what the encoder says in a cycle, seen from the encoder."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "word": Out(word_bits(spec)),
            "spikes": Out(spec.pixels),
            "times": Out(data.ArrayLayout(spec.time_bits, spec.pixels)),
            "clear": Out(1),
            "half": Out(1),
            "ready": In(1),
        }
    )


class Buckets(wiring.Component):
    """One list of inputs for each time step and each position in a word, for two stimuli.

    While one half is filled, the other is read. A list is a chain through ``links``, from the head
    kept for its step; each position of a word has chains of its own, so that a whole word is
    inserted in one cycle, whatever its pixels' times are.

    Timing: an insertion a cycle, except in a cycle with ``start``; a list is read at one event a
    cycle, the first one two cycles after ``start``.
    Reset: the memories keep their contents; ``clear`` empties the lists of a step.

    Parameters
    ----------
    spec : CoreSpec
        Uses pixels, max_inputs, time_bits, magnitude_bits.

    Members
    -------
    insertion : In(insertion_signature(spec))
        With ``clear``, empties the lists of step ``times[0]``; else appends input ``word * pixels
        + k`` to the list of ``times[k]``, for each k in ``spikes``.
    half : In(1)
        Half to read.
    start : In(1), time : In(spec.time_bits)
        Begin with the lists of a step; events that are left of the last one are dropped.
    magnitude : In(spec.magnitude_bits)
        Of the events of this step.
    events : Out(stream.Signature(event_layout(spec)))
        Inputs that spike at the step.
    done : Out(1)
        No event is left and none is on its way.
    """

    insertion: Any
    half: Signal
    start: Signal
    time: Signal
    magnitude: Signal
    events: stream.Interface
    done: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "insertion": In(insertion_signature(spec)),
                "half": In(1),
                "start": In(1),
                "time": In(spec.time_bits),
                "magnitude": In(spec.magnitude_bits),
                "events": Out(stream.Signature(event_layout(spec))),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        spec, insertion = self._spec, self.insertion
        slots = range(spec.pixels)
        words = word_bits(spec)
        link = link_layout(spec)
        m = Module()

        slot_bits = bits_for(spec.pixels)
        # The links of a word are written all at once, and one is read. Synthesis makes one wide
        # port of those that write, so that the memory itself chooses among the links of a word.
        m.submodules.links = links = memory.Memory(
            shape=link, depth=2 * spec.pixels << words, init=[], attrs=NO_COLLISION
        )
        links_write = [links.write_port() for _ in slots]
        links_read = links.read_port()
        heads = []
        for _ in slots:
            head = memory.Memory(shape=link, depth=2 * spec.steps, init=[], attrs=NO_COLLISION)
            m.submodules += head
            heads.append((head.read_port(), head.write_port()))

        # Insertion, stage 1: read the heads. A read for the other half goes first.
        m.d.comb += insertion.ready.eq(~self.start)
        i_valid = Signal()
        i_clear = Signal()
        i_half = Signal()
        i_word = Signal(words)
        i_spikes = Signal(spec.pixels)
        i_times = Signal.like(insertion.times)
        m.d.sync += [
            i_valid.eq(insertion.valid & insertion.ready),
            i_clear.eq(insertion.clear),
            i_half.eq(insertion.half),
            i_word.eq(insertion.word),
            i_spikes.eq(insertion.spikes),
            i_times.eq(insertion.times),
        ]
        for k, (read, _) in enumerate(heads):
            m.d.comb += [
                read.en.eq(1),
                read.addr.eq(
                    Mux(
                        self.start,
                        Cat(self.time, self.half),
                        Cat(insertion.times[k], insertion.half),
                    )
                ),
            ]

        # Stage 2: the word becomes the head, and links to what was the head before. A head that
        # was written in the cycle in which it was read is the word before.
        again = Signal(spec.pixels)
        word_before = Signal(words)
        for k in slots:
            m.d.sync += again[k].eq(
                i_valid & ~i_clear & i_spikes[k] & (insertion.times[k] == i_times[k])
            )
        m.d.sync += word_before.eq(i_word)
        for k, (read, write) in enumerate(heads):
            with m.If(again[k]):
                m.d.comb += _assign_link(links_write[k].data, word_before, C(1))
            with m.Else():
                m.d.comb += links_write[k].data.eq(read.data)
            m.d.comb += [
                links_write[k].addr.eq(Cat(C(k, slot_bits), i_word, i_half)),
                links_write[k].en.eq(i_valid & ~i_clear),
                write.addr.eq(Cat(Mux(i_clear, i_times[0], i_times[k]), i_half)),
                *_assign_link(write.data, i_word, ~i_clear),
                write.en.eq(i_valid & (i_clear | i_spikes[k])),
            ]

        # Reading: the word and position of the event on offer, and the heads still to be followed.
        opening = Signal()
        left = Signal(spec.pixels)
        head_words = Signal(data.ArrayLayout(words, spec.pixels))
        slot = Signal(slot_bits)
        word = Signal(words)
        valid = Signal()
        m.d.sync += opening.eq(self.start)

        # The list to open next: of those just read, or of those that are left. Both are ready
        # before the link of the current one is.
        opened = Signal(spec.pixels)
        m.d.comb += opened.eq(Cat(_is_there(read.data) for read, _ in heads))
        open_slot, open_word = self._lowest(m, opened, [read.data.word for read, _ in heads])
        left_slot, left_word = self._lowest(m, left, [head_words[k] for k in slots])
        follows = Signal()
        list_word = Signal(words)
        list_slot = Signal(slot_bits)
        stays = Signal()
        next_word = Signal(words)
        next_slot = Signal(slot_bits)
        moves = Signal()
        m.d.comb += [
            follows.eq(_is_there(links_read.data)),
            moves.eq(opening | (valid & self.events.ready)),
            # The link comes late; all but one choice is made before.
            list_word.eq(Mux(opening, open_word, left_word)),
            list_slot.eq(Mux(opening, open_slot, left_slot)),
            stays.eq(follows & ~opening),
            next_word.eq(Mux(stays, links_read.data.word, list_word)),
            next_slot.eq(Mux(stays, slot, list_slot)),
            links_read.addr.eq(Cat(next_slot, next_word, self.half)),
            links_read.en.eq(moves),
            self.events.valid.eq(valid),
            self.events.p.index.eq(Cat(slot, word)),
            self.events.p.magnitude.eq(self.magnitude),
            self.done.eq(~opening & ~valid),
        ]
        with m.If(moves):
            m.d.sync += [word.eq(next_word), slot.eq(next_slot)]
        with m.If(self.start):
            m.d.sync += valid.eq(0)
        with m.If(opening):
            m.d.sync += [
                valid.eq(opened != 0),
                left.eq(opened & (opened - 1)),
                Cat(head_words).eq(Cat(read.data.word for read, _ in heads)),
            ]
        with m.Elif(moves & ~follows):
            m.d.sync += [valid.eq(left != 0), left.eq(left & (left - 1))]
        return m

    def _lowest(self, m: Module, there: Signal, values: list[Any]) -> tuple[Signal, Signal]:
        """Return the lowest position in ``there``, and its value."""
        position = Signal(bits_for(self._spec.pixels), name="lowest")
        value = Signal(word_bits(self._spec), name="lowest_value")
        for k in reversed(range(self._spec.pixels)):
            with m.If(there[k]):
                m.d.comb += [position.eq(k), value.eq(values[k])]
        return position, value
