"""The link: frames on one side, the core's streams on the other."""

from typing import Any

from amaranth import *
from amaranth.hdl import ResetInserter
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from firstspike.board.protocol import buffer_bytes
from firstspike.spec import CoreSpec
from firstspike_hw.layouts import (
    input_event_layout,
    pixels_layout,
    record_layout,
    request_layout,
)
from firstspike_hw.learner.core import label_layout
from firstspike_hw.link.buffer import CommandBuffer
from firstspike_hw.link.interpreter import Interpreter
from firstspike_hw.link.receiver import Receiver
from firstspike_hw.link.responder import Responder
from firstspike_hw.link.sender import Sender

__all__ = ["FrameLink"]


class FrameLink(wiring.Component):
    """What stands between bytes and a core; docs/board.md has the protocol.

    Parameters
    ----------
    spec : CoreSpec
        Core at the other side.

    Members
    -------
    received : In(stream.Signature(8)), sent : Out(stream.Signature(8))
        Bytes from and to the host.
    lost : In(1)
        High for a cycle: a byte came that could not be read.
    patient : In(1)
        Received bytes wait while there is no room for them; otherwise their frame is dropped.
    pixels, events, labels, requests : Out(stream.Signature(...))
        To the core; a label comes before its stimulus.
    replies, results : In(stream.Signature(...))
        From the core.
    restart : Out(1)
        High for a cycle in which the core must be reset.
    """

    received: stream.Interface
    sent: stream.Interface
    lost: Signal
    patient: Signal
    pixels: Any
    events: Any
    labels: Any
    requests: Any
    replies: stream.Interface
    results: Any
    restart: Signal

    def __init__(self, spec: CoreSpec):
        self._receiver = Receiver()
        self._buffer = CommandBuffer(buffer_bytes(spec))
        self._interpreter = Interpreter(spec)
        self._responder = Responder(spec)
        self._sender = Sender()
        super().__init__(
            {
                "received": In(stream.Signature(8)),
                "sent": Out(stream.Signature(8)),
                "lost": In(1),
                "patient": In(1),
                "pixels": Out(stream.Signature(pixels_layout(spec))),
                "events": Out(stream.Signature(input_event_layout(spec))),
                "labels": Out(stream.Signature(label_layout())),
                "requests": Out(stream.Signature(request_layout(spec))),
                "replies": In(stream.Signature(32)),
                "results": In(stream.Signature(record_layout(spec))),
                "restart": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        receiver, buffer, sender = self._receiver, self._buffer, self._sender
        interpreter, responder = self._interpreter, self._responder
        m.submodules.receiver = receiver
        for name, part in (
            ("buffer", buffer),
            ("interpreter", interpreter),
            ("responder", responder),
            ("sender", sender),
        ):
            m.submodules[name] = ResetInserter(self.restart)(part)
        connect(m, flipped(self.received), receiver.bytes)
        connect(m, buffer.bytes, interpreter.bytes)
        for name in ("pixels", "events", "labels", "requests"):
            connect(m, getattr(interpreter, name), flipped(getattr(self, name)))
        connect(m, flipped(self.replies), interpreter.replies)
        connect(m, flipped(self.results), responder.results)
        connect(m, interpreter.answers, responder.answers)
        connect(m, interpreter.words, responder.words)
        connect(m, responder.contents, sender.contents)
        connect(m, sender.bytes, flipped(self.sent))

        # All of the core waits for it, so that it comes from a register.
        restarted = Signal()
        m.d.sync += [
            self.restart.eq(receiver.restart | interpreter.abort),
            restarted.eq(self.restart),
            interpreter.result.eq(self.results.valid & self.results.ready),
        ]
        m.d.comb += [
            receiver.lost.eq(self.lost),
            receiver.patient.eq(self.patient),
            receiver.room.eq(buffer.room),
            buffer.put.eq(receiver.put),
            buffer.data.eq(receiver.data),
            buffer.commit.eq(receiver.commit),
            buffer.rewind.eq(receiver.rewind),
            interpreter.restarted.eq(restarted),
            interpreter.first.eq(receiver.number),
            responder.ask.eq(receiver.ask),
            responder.reason.eq(receiver.reason),
            responder.expected.eq(receiver.expected),
            responder.sync.eq(receiver.sync),
            responder.number.eq(interpreter.number),
        ]
        return m
