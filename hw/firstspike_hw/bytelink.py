"""The byte protocol of `firstspike.bytelink` in hardware."""

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.bytelink import (
    MAX_INDEX_BITS,
    RESULT_BYTES,
    RESULT_COUNTERS,
    Command,
    Reply,
    encode_identity,
    max_words,
)
from firstspike.spec import CoreSpec, bits_for
from firstspike_hw.layouts import pixels_layout, record_layout, request_layout

__all__ = ["ByteLink", "CommandParser", "ReplyEncoder"]


class CommandParser(wiring.Component):
    """Turns bytes of the host into requests and pixels.

    A run of `firstspike.bytelink.resync_bytes` zero bytes ends any command.

    Timing: one byte a cycle; a request or a word of pixels is valid in the cycle after its last
    byte, and no byte is taken until it is.

    Parameters
    ----------
    spec : CoreSpec
        Uses pixels, max_inputs.

    Members
    -------
    bytes : In(stream.Signature(8))
        What the host sends.
    requests : Out(stream.Signature(request_layout(spec)))
        Its reads and writes.
    pixels : Out(stream.Signature(pixels_layout(spec)))
        Its stimuli.
    identify : Out(1)
        High in the cycle in which the host asks who is there.
    restart : Out(1)
        High in the cycle in which the host asks for a restart.
    """

    bytes: stream.Interface
    requests: stream.Interface
    pixels: stream.Interface
    identify: Signal
    restart: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "requests": Out(stream.Signature(request_layout(spec))),
                "pixels": Out(stream.Signature(pixels_layout(spec))),
                "identify": Out(1),
                "restart": Out(1),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        byte = self.bytes.payload
        write = Signal()
        space_address = Signal(32)
        # A word of pixels, or the data of a write in its upper end: the last bytes that came.
        latest = Signal(8 * spec.pixels)
        n_bytes = Signal(range(max(4, spec.pixels)))
        n_words = Signal(max_words(spec).bit_length())
        m.d.comb += [
            self.requests.p.write.eq(write),
            self.requests.p.space.eq(space_address[:8]),
            self.requests.p.address.eq(space_address[8:]),
            self.requests.p.data.eq(latest[-32:]),
            self.pixels.payload.eq(latest),
        ]

        def last_byte(length: int) -> Value:
            """Count a byte; return whether it is the last one of ``length``."""
            last = n_bytes == length - 1
            m.d.sync += n_bytes.eq(Mux(last, 0, n_bytes + 1))
            return last

        with m.FSM():
            with m.State("COMMAND"):
                m.d.comb += self.bytes.ready.eq(1)
                m.d.sync += write.eq(byte == Command.WRITE)
                with m.If(self.bytes.valid), m.Switch(byte):
                    with m.Case(Command.WRITE, Command.READ):
                        m.next = "ADDRESS"
                    with m.Case(Command.STIMULUS):
                        m.next = "COUNT_LOW"
                    with m.Case(Command.IDENTIFY):
                        m.d.comb += self.identify.eq(1)
                    with m.Case(Command.RESTART):
                        m.d.comb += self.restart.eq(1)
            with m.State("ADDRESS"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    m.d.sync += space_address.eq(Cat(space_address[8:], byte))
                    with m.If(last_byte(4)):
                        with m.If(write):
                            m.next = "DATA"
                        with m.Else():
                            m.next = "REQUEST"
            with m.State("DATA"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    m.d.sync += latest.eq(Cat(latest[8:], byte))
                    with m.If(last_byte(4)):
                        m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += self.requests.valid.eq(1)
                with m.If(self.requests.ready):
                    m.next = "COMMAND"
            with m.State("COUNT_LOW"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    m.d.sync += n_words.eq(byte)
                    m.next = "COUNT_HIGH"
            with m.State("COUNT_HIGH"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    count = Signal.like(n_words)
                    m.d.comb += count.eq(Cat(n_words[:8], byte))
                    m.d.sync += n_words.eq(count)
                    with m.If(count == 0):
                        m.next = "COMMAND"
                    with m.Else():
                        m.next = "PIXELS"
            with m.State("PIXELS"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    m.d.sync += latest.eq(Cat(latest[8:], byte))
                    with m.If(last_byte(spec.pixels)):
                        m.d.sync += n_words.eq(n_words - 1)
                        m.next = "WORD"
            with m.State("WORD"):
                m.d.comb += self.pixels.valid.eq(1)
                with m.If(self.pixels.ready):
                    with m.If(n_words == 0):
                        m.next = "COMMAND"
                    with m.Else():
                        m.next = "PIXELS"
        return m


class _Sending(enum.Enum):
    """What a `ReplyEncoder` sends."""

    DATA = 0
    RESULT = 1
    IDENTITY = 2


class ReplyEncoder(wiring.Component):
    """Turns what the core answers into bytes, one reply after the other.

    Timing: one byte a cycle, and one cycle between replies. A reply or a result is taken with its
    last byte.

    Parameters
    ----------
    spec : CoreSpec
        Whose identity is sent.

    Members
    -------
    replies : In(stream.Signature(32))
        Data that the host read.
    results : In(stream.Signature(record_layout(spec)))
        Results of stimuli.
    identify : In(1)
        High for a cycle: send the identity. Asked again before that is done, it is sent once.
    bytes : Out(stream.Signature(8))
        For the host.

    Raises
    ------
    ValueError
        If an index of ``spec`` has more bits than the protocol.
    """

    replies: stream.Interface
    results: stream.Interface
    identify: Signal
    bytes: stream.Interface

    def __init__(self, spec: CoreSpec):
        if spec.index_bits > MAX_INDEX_BITS:
            raise ValueError(
                f"max_inputs and max_neurons need {spec.index_bits} bits, the byte link has "
                f"{MAX_INDEX_BITS}"
            )
        self._spec = spec
        super().__init__(
            {
                "replies": In(stream.Signature(32)),
                "results": In(stream.Signature(record_layout(spec))),
                "identify": In(1),
                "bytes": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        record = self.results.p
        step = Signal(16)
        m.d.comb += step.eq(Cat(record.step, C(0, 15 - len(record.step)), record.forced))
        winner, last = Signal(16), Signal(16)
        m.d.comb += [winner.eq(record.winner), last.eq(record.last)]
        result = Cat(winner, last, step, *(record[name] for name in RESULT_COUNTERS))
        assert len(result) == 8 * RESULT_BYTES
        identity = encode_identity(self._spec)
        contents = {
            _Sending.DATA: (Reply.DATA, self.replies.payload),
            _Sending.RESULT: (Reply.RESULT, result),
            _Sending.IDENTITY: (Reply.IDENTITY, C(int.from_bytes(identity, "little"), 128)),
        }

        sending = Signal(_Sending)
        asked = Signal()
        index = Signal(bits_for(1 + RESULT_BYTES))
        at_last = Signal()
        done = Signal()
        busy = Signal()
        m.d.comb += self.bytes.valid.eq(busy)
        m.d.comb += done.eq(busy & self.bytes.ready & at_last)
        with m.Switch(sending):
            for what, (marker, content) in contents.items():
                with m.Case(what):
                    reply = Cat(C(marker, 8), content)
                    m.d.comb += [
                        at_last.eq(index == len(reply) // 8 - 1),
                        self.bytes.payload.eq(reply.word_select(index, 8)),
                    ]
        with m.If(busy):
            with m.If(self.bytes.ready):
                m.d.sync += index.eq(index + 1)
            with m.If(done):
                m.d.sync += busy.eq(0)
        with m.Else():
            m.d.sync += [index.eq(0), busy.eq(1)]
            with m.If(self.replies.valid):
                m.d.sync += sending.eq(_Sending.DATA)
            with m.Elif(self.results.valid):
                m.d.sync += sending.eq(_Sending.RESULT)
            with m.Elif(asked):
                m.d.sync += sending.eq(_Sending.IDENTITY)
            with m.Else():
                m.d.sync += busy.eq(0)
        m.d.comb += [
            self.replies.ready.eq(done & (sending == _Sending.DATA)),
            self.results.ready.eq(done & (sending == _Sending.RESULT)),
        ]
        with m.If(self.identify):
            m.d.sync += asked.eq(1)
        with m.Elif(done & (sending == _Sending.IDENTITY)):
            m.d.sync += asked.eq(0)
        return m


class ByteLink(wiring.Component):
    """What stands between bytes and a core's host port.

    A link with frames and checks would have the same members.

    Parameters
    ----------
    spec : CoreSpec
        Core at the other side.

    Members
    -------
    received : In(stream.Signature(8)), sent : Out(stream.Signature(8))
        Bytes from and to the host.
    pixels, requests : Out(stream.Signature(...))
        To the core.
    replies, results : In(stream.Signature(...))
        From the core.
    restart : Out(1)
        High for a cycle in which the core should be reset.
    """

    received: stream.Interface
    sent: stream.Interface
    pixels: stream.Interface
    requests: stream.Interface
    replies: stream.Interface
    results: stream.Interface
    restart: Signal

    def __init__(self, spec: CoreSpec):
        self._parser = CommandParser(spec)
        self._encoder = ReplyEncoder(spec)
        super().__init__(
            {
                "received": In(stream.Signature(8)),
                "sent": Out(stream.Signature(8)),
                "pixels": Out(stream.Signature(pixels_layout(spec))),
                "requests": Out(stream.Signature(request_layout(spec))),
                "replies": In(stream.Signature(32)),
                "results": In(stream.Signature(record_layout(spec))),
                "restart": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.parser = parser = self._parser
        m.submodules.encoder = encoder = self._encoder
        wiring.connect(m, wiring.flipped(self.received), parser.bytes)
        wiring.connect(m, parser.requests, wiring.flipped(self.requests))
        wiring.connect(m, parser.pixels, wiring.flipped(self.pixels))
        wiring.connect(m, wiring.flipped(self.replies), encoder.replies)
        wiring.connect(m, wiring.flipped(self.results), encoder.results)
        wiring.connect(m, encoder.bytes, wiring.flipped(self.sent))
        m.d.comb += [encoder.identify.eq(parser.identify), self.restart.eq(parser.restart)]
        return m
