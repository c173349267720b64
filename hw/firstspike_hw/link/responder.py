"""Replies, byte by byte."""

from typing import Any

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.board.protocol import MAX_INDEX_BITS, Reply, encode_identity, result_counters
from firstspike.spec import COUNTER_BITS, CoreSpec
from firstspike_hw.layouts import record_layout
from firstspike_hw.link.interpreter import answer_layout, word_layout
from firstspike_hw.link.sender import content_layout

__all__ = ["Responder"]


class _Body(enum.Enum):
    """What stands behind the kind of a reply."""

    STATUS = 0
    RESULT = 1
    #: Of an answer, as its kind says.
    ANSWER = 2


class Responder(wiring.Component):
    """Puts together the contents of replies: a status first, then a result, then an answer.

    Timing: a byte a cycle at most, and one cycle between replies. What a status says should not
    change while it is sent: a change spoils its CRC, and the host asks again.

    Parameters
    ----------
    spec : CoreSpec
        Whose identity is sent.

    Members
    -------
    ask : In(1)
        High for a cycle: send a status. Asked again before it is begun, it is sent once.
    reason : In(3), expected : In(8), sync : In(8)
        What a status says.
    number : In(8)
        Sequence number of a reply.
    results : In(stream.Signature(record_layout(spec)))
        Results of stimuli, each taken with its last byte.
    answers : In(stream.Signature(answer_layout()))
        Other replies, each taken with its last byte.
    words : In(stream.Signature(word_layout()))
        What `Reply.DATA` holds.
    contents : Out(stream.Signature(content_layout()))
        Less the CRC.

    Raises
    ------
    ValueError
        If an index of ``spec`` has more bits than the protocol.
    """

    ask: Signal
    reason: Signal
    expected: Signal
    sync: Signal
    number: Signal
    results: Any
    answers: Any
    words: Any
    contents: Any

    def __init__(self, spec: CoreSpec):
        if spec.index_bits > MAX_INDEX_BITS:
            raise ValueError(
                f"max_inputs and max_neurons need {spec.index_bits} bits, the link has "
                f"{MAX_INDEX_BITS}"
            )
        self._spec = spec
        super().__init__(
            {
                "ask": In(1),
                "reason": In(3),
                "expected": In(8),
                "sync": In(8),
                "number": In(8),
                "results": In(stream.Signature(record_layout(spec))),
                "answers": In(stream.Signature(answer_layout())),
                "words": In(stream.Signature(word_layout())),
                "contents": Out(stream.Signature(content_layout())),
            }
        )

    def elaborate(self, platform):
        m = Module()
        identity = encode_identity(self._spec)
        record = self.results.p
        step = Signal(16)
        m.d.comb += step.eq(Cat(record.step, C(0, 15 - len(record.step)), record.forced))
        winner, last = Signal(16), Signal(16)
        m.d.comb += [winner.eq(record.winner), last.eq(record.last)]
        counters = [record[name] for name in result_counters(self._spec)]
        assert all(len(counter) == COUNTER_BITS for counter in counters)
        bodies = {
            Reply.STATUS: Cat(self.reason, C(0, 5), self.expected, self.number),
            Reply.RESULT: Cat(winner, last, step, *counters),
            Reply.IDENTITY: C(int.from_bytes(identity, "little"), 8 * len(identity)),
            Reply.REFUSED: Cat(self.answers.p.reason, C(0, 5)),
            Reply.DATA: self.words.p.word,
        }
        kind = Signal(3)
        index = Signal(range(max(len(body) // 8 for body in bodies.values())))
        at_last = Signal()
        byte, ends = self.contents.p.byte, self.contents.p.last
        sent, done = Signal(), Signal()
        is_status, is_result, is_data = (
            kind == reply & 7 for reply in (Reply.STATUS, Reply.RESULT, Reply.DATA)
        )
        m.d.comb += [
            sent.eq(self.contents.valid & self.contents.ready),
            done.eq(sent & ends),
            self.results.ready.eq(done & is_result),
            self.answers.ready.eq(done & ~is_result & ~is_status),
        ]
        asked = Signal()
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += index.eq(0)
                with m.If(asked):
                    m.d.sync += [kind.eq(Reply.STATUS & 7), asked.eq(0)]
                with m.Elif(self.results.valid):
                    m.d.sync += kind.eq(Reply.RESULT & 7)
                with m.Else():
                    m.d.sync += kind.eq(self.answers.p.kind)
                with m.If(asked | self.results.valid | self.answers.valid):
                    m.next = "NUMBER"
            with m.State("NUMBER"):
                m.d.comb += [
                    byte.eq(Mux(is_status, self.sync, self.number)),
                    self.contents.valid.eq(1),
                ]
                with m.If(sent):
                    m.next = "KIND"
            with m.State("KIND"):
                m.d.comb += [
                    byte.eq(0x80 | kind),
                    self.contents.valid.eq(1),
                    ends.eq(kind == Reply.DONE & 7),
                ]
                with m.If(sent):
                    m.next = "BODY"
                with m.If(done):
                    m.next = "IDLE"
            with m.State("BODY"):
                m.d.comb += self.contents.valid.eq(~is_data | self.words.valid)
                with m.Switch(kind):
                    for reply, body in bodies.items():
                        with m.Case(reply & 7):
                            m.d.comb += [
                                at_last.eq(index == len(body) // 8 - 1),
                                byte.eq(body.word_select(index, 8)),
                            ]
                with m.If(is_data & ~self.words.p.wide):
                    m.d.comb += at_last.eq(index[0])
                m.d.comb += ends.eq(at_last & (~is_data | self.words.p.last))
                with m.If(sent):
                    m.d.sync += index.eq(index + 1)
                    with m.If(is_data & at_last):
                        m.d.comb += self.words.ready.eq(1)
                        m.d.sync += index.eq(0)
                with m.If(done):
                    m.next = "IDLE"
        with m.If(self.ask):
            m.d.sync += asked.eq(1)
        return m
