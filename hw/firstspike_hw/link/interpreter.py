"""What commands ask for."""

from typing import Any

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.board.framing import CRC_BYTES
from firstspike.board.protocol import (
    HEAD_BYTES,
    LINK_SPACE,
    WIDE,
    Command,
    Label,
    Reason,
    Reply,
    buffer_bytes,
    event_bytes,
    takes_events,
)
from firstspike.spec import CLASSES_MAX, MASK_BITS, CoreSpec, Space, bits_for
from firstspike_hw.layouts import input_event_layout, pixels_layout, request_layout
from firstspike_hw.learner.core import label_layout

__all__ = ["Interpreter", "answer_layout", "word_layout"]


def answer_layout() -> data.StructLayout:
    """Return the shape of an answer: the low bits of a `Reply`, and a `Reason`."""
    return data.StructLayout({"kind": 3, "reason": 3})


def word_layout() -> data.StructLayout:
    """Return the shape of a word that was read: all four bytes are wanted if ``wide``, or two."""
    return data.StructLayout({"word": 32, "wide": 1, "last": 1})


def _highest_address(spec: CoreSpec) -> int:
    """Return the highest address of any space of a core."""
    highest = [
        spec.address(Space.REGISTERS, 0, 0) + 255,
        spec.address(Space.WEIGHTS, spec.banks - 1, spec.weight_rows - 1, spec.parts - 1),
        spec.address(Space.START, spec.banks - 1, spec.state_rows - 1, spec.word - 1),
    ]
    if spec.sparse:
        highest.append(spec.list_rows - 1)
    if spec.learning:
        highest += [
            spec.address(Space.ROW_MASKS, spec.banks - 1, spec.max_inputs - 1, spec.mask_parts - 1),
            spec.max_neurons * (spec.max_inputs // MASK_BITS) - 1,
            (2 << spec.weight_bits) - 1,
        ]
    return max(highest)


class Interpreter(wiring.Component):
    """Carries out commands, one after the other.

    Stimuli follow each other without a pause. Any other command waits until those before it have
    given their results, so that it finds the core between stimuli.

    Timing: two cycles a byte of a command, one a zero of a run, and what the core takes.

    Parameters
    ----------
    spec : CoreSpec
        Of the core at the other side.

    Members
    -------
    bytes : In(stream.Signature(8))
        Contents of good frames, CRC included.
    restarted : In(1), first : In(8)
        High for a cycle after a reset: answer with an identity of that number.
    abort : Out(1)
        A host comes in the middle of a stimulus: all must be reset.
    requests : Out(stream.Signature(request_layout(spec))), replies : In(stream.Signature(32))
        To and from the core's host port.
    pixels : Out(...), events : Out(...), labels : Out(stream.Signature(label_layout()))
        Stimuli; a label for each, before it.
    answers : Out(stream.Signature(answer_layout()))
        A reply that is no result; taken when it has been sent.
    words : Out(stream.Signature(word_layout()))
        What `Reply.DATA` holds.
    result : In(1)
        High for a cycle: a result has been sent.
    number : Out(8)
        Sequence number of the next reply.
    """

    bytes: stream.Interface
    restarted: Signal
    first: Signal
    abort: Signal
    requests: Any
    replies: stream.Interface
    pixels: Any
    events: Any
    labels: Any
    answers: Any
    words: Any
    result: Signal
    number: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "restarted": In(1),
                "first": In(8),
                "abort": Out(1),
                "requests": Out(stream.Signature(request_layout(spec))),
                "replies": In(stream.Signature(32)),
                "pixels": Out(stream.Signature(pixels_layout(spec))),
                "events": Out(stream.Signature(input_event_layout(spec))),
                "labels": Out(stream.Signature(label_layout())),
                "answers": Out(stream.Signature(answer_layout())),
                "words": Out(stream.Signature(word_layout())),
                "result": In(1),
                "number": Out(8),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        # The latest bytes, the last one highest: a word of pixels, or of anything at the upper end.
        latest = Signal(8 * max(4, spec.pixels))
        n_bytes = Signal(range(max(4, spec.pixels)))
        # Bytes of the body that have not been taken.
        left = Signal(bits_for(buffer_bytes(spec)))
        space = Signal(8)
        address = Signal(bits_for(1 + _highest_address(spec)))
        loaded = Signal(16)
        # Of a stimulus: it is of events, it goes on, pixels of the group that are not 0, groups of
        # zeros that follow.
        events, goes_on = Signal(), Signal()
        mask, zeros = Signal(4), Signal(4)
        under_way = Signal(2)
        part = Signal()
        has_events = takes_events(spec)
        empty, quiet = Signal(), Signal()
        wide, in_link = space[WIDE.bit_length() - 1], space[LINK_SPACE.bit_length() - 1]
        event = latest[-8 * event_bytes(spec) :]
        byte = self.bytes.payload
        m.d.comb += [
            empty.eq(left == 0),
            quiet.eq(under_way == 0),
            self.requests.p.space.eq(space),
            self.requests.p.address.eq(address),
            self.requests.p.data.eq(latest[-32:]),
            self.pixels.payload.eq(latest[-8 * spec.pixels :]),
            self.events.p.index.eq(event),
            self.events.p.time.eq(event[spec.index_bits :]),
            self.words.p.wide.eq(wide),
            self.words.p.last.eq(empty),
            self.words.p.word.eq(self.replies.payload),
        ]
        with m.If(in_link):
            m.d.comb += self.words.p.word[:16].eq(loaded)

        # A byte of a command moves in, or a pixel that is 0.
        take, pixel = Signal(), Signal()
        count, narrow = Signal(), Signal()
        last = Signal.like(n_bytes)
        whole = Signal()
        m.d.comb += [
            take.eq(self.bytes.valid & self.bytes.ready),
            whole.eq(count & (n_bytes == last)),
            last.eq(3),
        ]
        with m.If(take):
            m.d.sync += left.eq(left - 1)
        with m.If(count):
            m.d.sync += [
                n_bytes.eq(Mux(whole, 0, n_bytes + 1)),
                latest.eq(Cat(latest[8:], Mux(pixel & ~mask[0], 0, byte))),
            ]
            # Both bytes of a narrow word end in the low half.
            with m.If(narrow):
                m.d.sync += latest[-24:-16].eq(byte)

        def collect(n: int, there: Any = 1):
            """Move a byte in if it is there; `whole` tells that it is the last of ``n``."""
            m.d.comb += [self.bytes.ready.eq(there), count.eq(take), last.eq(n - 1)]

        begin, answered = Signal(), Signal()
        m.d.comb += answered.eq(self.answers.valid & self.answers.ready)
        with m.If(begin & ~self.result):
            m.d.sync += under_way.eq(under_way + 1)
        with m.Elif(self.result & ~begin):
            m.d.sync += under_way.eq(under_way - 1)
        with m.If(self.result | answered):
            m.d.sync += self.number.eq(self.number + 1)
        with m.If(self.labels.ready):
            m.d.sync += self.labels.valid.eq(0)

        # The core is asked from a register: a request holds up its next stimulus, a long way on.
        request, requested = Signal(), Signal()
        m.d.comb += requested.eq(self.requests.valid & self.requests.ready)
        m.d.sync += self.requests.valid.eq(request & ~requested)

        answer = Signal(3)
        reading, understood = Signal(), Signal()
        m.d.comb += [
            self.answers.p.kind.eq(answer),
            self.answers.p.reason.eq(Mux(understood, Reason.NOT_LOADED, Reason.UNKNOWN)),
        ]
        stimuli = (Command.PIXELS, Command.EVENTS) if has_events else (Command.PIXELS,)
        with m.FSM():
            with m.State("HEAD"):
                collect(HEAD_BYTES)
                with m.If(self.restarted):
                    m.d.sync += [self.number.eq(self.first), answer.eq(Reply.IDENTITY & 7)]
                    m.next = "GREET"
                with m.Elif(whole):
                    m.next = "KIND"
            with m.State("GREET"):
                m.d.comb += self.answers.valid.eq(1)
                with m.If(answered):
                    m.next = "HEAD"
            with m.State("KIND"):
                number, kind, size = latest[-32:-24], latest[-24:-16], latest[-16:]
                m.d.sync += [
                    left.eq(size),
                    events.eq((kind == Command.EVENTS) & has_events),
                    reading.eq(kind == Command.READ),
                    answer.eq(Reply.REFUSED & 7),
                    understood.eq(0),
                ]
                with m.Switch(kind):
                    with m.Case(*stimuli):
                        with m.If(loaded != 0):
                            m.next = "LABEL"
                        with m.Else():
                            m.d.sync += understood.eq(1)
                            m.next = "ANSWER"
                    with m.Case(Command.WRITE, Command.READ):
                        with m.If(quiet):
                            m.next = "PLACE"
                    with m.Case(Command.HELLO):
                        m.d.comb += self.abort.eq(part)
                        with m.If(quiet):
                            m.d.sync += [answer.eq(Reply.IDENTITY & 7), self.number.eq(number)]
                            m.next = "ANSWER"
                    with m.Default():
                        m.next = "ANSWER"

            with m.State("PLACE"):
                collect(4, ~empty)
                with m.If(empty):
                    m.next = "ANSWER"
                with m.Elif(whole):
                    m.next = "SPACE"
            with m.State("SPACE"):
                m.d.sync += [space.eq(latest[-32:]), address.eq(latest[-24:])]
                with m.If(reading):
                    m.next = "FETCH"
                with m.Else():
                    m.d.sync += answer.eq(Reply.DONE & 7)
                    m.next = "WORD"
            with m.State("WORD"):
                collect(2, ~empty)
                m.d.comb += narrow.eq(~wide)
                with m.If(wide):
                    m.d.comb += last.eq(3)
                with m.If(empty):
                    m.next = "ANSWER"
                with m.Elif(whole):
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += [request.eq(~in_link), self.requests.p.write.eq(1)]
                with m.If(in_link):
                    m.d.sync += loaded.eq(latest[-32:])
                with m.If(in_link | requested):
                    m.d.sync += address.eq(address + 1)
                    m.next = "WORD"
            with m.State("FETCH"):
                # From the second word on, the answer is on its way.
                m.d.comb += self.answers.valid.eq(answer == Reply.DATA & 7)
                with m.If(empty):
                    m.next = "ANSWER"
                with m.Elif(self.bytes.valid):
                    m.d.comb += request.eq(~in_link)
                    with m.If(in_link | requested):
                        m.d.comb += self.bytes.ready.eq(1)
                        m.d.sync += answer.eq(Reply.DATA & 7)
                        m.next = "FETCHED"
            with m.State("FETCHED"):
                m.d.comb += [
                    self.answers.valid.eq(1),
                    self.words.valid.eq(in_link | self.replies.valid),
                    self.replies.ready.eq(self.words.ready & ~in_link),
                ]
                with m.If(self.words.valid & self.words.ready):
                    m.d.sync += address.eq(address + 1)
                    with m.If(empty):
                        m.next = "SKIP"
                    with m.Else():
                        m.next = "FETCH"

            with m.State("LABEL"):
                # The slot of the label is free as soon as the stimulus before it is at work.
                m.d.comb += self.bytes.ready.eq(~self.labels.valid & ~empty)
                m.d.sync += answer.eq(Reply.DONE & 7)
                with m.If(empty):
                    m.d.sync += answer.eq(Reply.REFUSED & 7)
                    m.next = "ANSWER"
                with m.Elif(take):
                    more = byte[int(Label.MORE).bit_length() - 1]
                    m.d.comb += begin.eq(~more)
                    m.d.sync += [
                        goes_on.eq(more),
                        part.eq(more),
                        self.labels.valid.eq(~more),
                        self.labels.p.group.eq(byte),
                        self.labels.p.there.eq(byte[bits_for(CLASSES_MAX)]),
                        zeros.eq(0),
                    ]
                    m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += self.bytes.ready.eq(~empty & (zeros == 0) & ~events)
                with m.If(events):
                    m.next = "EVENTS" if has_events else "PART"
                with m.Elif(zeros != 0):
                    m.d.sync += zeros.eq(zeros - 1)
                    m.next = "GROUP"
                with m.Elif(empty):
                    m.next = "PART"
                with m.Elif(take):
                    m.d.sync += [mask.eq(byte), zeros.eq(byte[4:])]
                    m.next = "GROUP"
            with m.State("GROUP"):
                m.d.comb += [
                    pixel.eq(1),
                    self.bytes.ready.eq(mask[0] & ~empty),
                    count.eq(take | ~mask[0]),
                    last.eq(spec.pixels - 1),
                ]
                with m.If(count):
                    m.d.sync += mask.eq(mask >> 1)
                with m.If(whole):
                    m.next = "PIXELS"
                with m.Elif(count & (n_bytes[:2] == 3)):
                    m.next = "CODE"
                with m.If(mask[0] & empty):
                    m.next = "PART"
            with m.State("PIXELS"):
                m.d.comb += self.pixels.valid.eq(1)
                with m.If(self.pixels.ready):
                    m.next = "CODE"
            if has_events:
                with m.State("EVENTS"):
                    collect(event_bytes(spec), ~empty)
                    with m.If(whole):
                        m.next = "EVENT"
                    with m.Elif(empty):
                        m.next = "PART"
                with m.State("EVENT"):
                    m.d.comb += self.events.valid.eq(1)
                    with m.If(self.events.ready):
                        m.next = "EVENTS"

            with m.State("PART"):
                m.d.comb += [self.events.valid.eq(events & ~goes_on), self.events.p.end.eq(1)]
                with m.If(goes_on):
                    m.next = "ANSWER"
                with m.Elif(~events | self.events.ready):
                    m.next = "SKIP"

            with m.State("ANSWER"):
                m.d.comb += self.answers.valid.eq(quiet)
                with m.If(answered):
                    m.next = "SKIP"
            with m.State("SKIP"):
                m.d.comb += self.bytes.ready.eq(~empty)
                m.d.sync += n_bytes.eq(0)
                with m.If(empty):
                    m.next = "CRC"
            with m.State("CRC"):
                collect(CRC_BYTES)
                with m.If(whole):
                    m.next = "HEAD"
        return m
