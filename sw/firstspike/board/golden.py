"""A board without a board: bytes in, frames out, and the golden model behind them.

It takes, drops and answers commands as the hardware does, so it is what a `Link` is tested with,
and what the hardware is tested against.
"""

from __future__ import annotations

from firstspike.board import protocol
from firstspike.board.framing import CRC_BYTES, FLAG, Deframer, frame
from firstspike.board.golden_core import GoldenCore, Stimulus
from firstspike.board.protocol import (
    HEAD_BYTES,
    LINK_SPACE,
    SEQUENCES,
    WIDE,
    Command,
    Label,
    Reason,
    Reply,
    Status,
)
from firstspike.spec import CoreSpec

__all__ = ["GoldenBoard"]


class GoldenBoard:
    """A port with a core behind it.

    Commands wait until somebody reads, so that a host which sends too many learns of it.

    Parameters
    ----------
    spec : CoreSpec
        The core.

    Attributes
    ----------
    core : GoldenCore
        Its registers and memories.
    loaded : int
        What the host says is loaded.
    """

    def __init__(self, spec: CoreSpec) -> None:
        self.core = GoldenCore(spec)
        self.loaded = 0
        self._spec = spec
        self._room = protocol.buffer_bytes(spec) - 1
        self._deframer = Deframer(1 << 17)
        self._commands = bytearray()
        # Of a stimulus whose last part has not come.
        self._part = bytearray()
        self._out = bytearray()
        self._expected = self._replying = self._sync = 0
        # A stimulus with too few pixels leaves the core waiting for more.
        self._stuck = False

    def write(self, data: bytes, /) -> int:
        """Take bytes from the host."""
        start = 0
        while start < len(data):
            # Frame by frame, so that what is damaged is noticed between what is not.
            end = data.find(FLAG, start) + 1 or len(data)
            piece, start = data[start:end], end
            damaged = self._deframer.damaged
            for contents in self._deframer.feed(piece):
                self._judge(contents)
            if self._deframer.damaged > damaged:
                self._tell(Reason.DAMAGED)
        return len(data)

    def read(self, size: int, /) -> bytes:
        """Return bytes for the host, up to ``size``."""
        self._work()
        data = bytes(self._out[:size])
        del self._out[:size]
        return data

    def close(self) -> None:
        """Nothing is to be given back."""

    # --- frames

    def _judge(self, contents: bytes) -> None:
        """Take a frame whose CRC is right, or drop it."""
        if len(contents) < HEAD_BYTES:
            self._tell(Reason.DAMAGED)
            return
        sequence, kind = contents[:2]
        if kind == Command.SYNC:
            self._sync = sequence
            self._tell(Reason.NONE)
        elif kind == Command.RESTART:
            self._restart(sequence)
        elif len(self._commands) + len(contents) + CRC_BYTES > self._room:
            self._tell(Reason.FULL)
        elif sequence == self._expected or kind == Command.HELLO:
            self._commands += contents + bytes(CRC_BYTES)
            self._expected = (sequence + 1) % SEQUENCES
        else:
            self._tell(Reason.ORDER)

    def _tell(self, reason: Reason) -> None:
        status = Status(self._sync, reason, self._expected, self._replying)
        self._out += frame(protocol.encode_status(status))

    def _restart(self, sequence: int) -> None:
        self._commands.clear()
        self._part.clear()
        self.core.restart()
        self.loaded = 0
        self._stuck = False
        self._expected = (sequence + 1) % SEQUENCES
        self._replying = sequence
        self._reply(Reply.IDENTITY, protocol.encode_identity(self._spec))

    # --- commands

    def _work(self) -> None:
        """Carry out the commands that wait."""
        stimuli: list[Stimulus] = []
        while not self._stuck and len(self._commands) >= HEAD_BYTES:
            sequence, kind, *size = self._commands[:HEAD_BYTES]
            end = HEAD_BYTES + int.from_bytes(size, "little")
            if len(self._commands) < end + CRC_BYTES:
                break
            body = bytes(self._commands[HEAD_BYTES:end])
            del self._commands[: end + CRC_BYTES]
            if self._is_stimulus(kind) and self.loaded and body:
                if body[0] & Label.MORE:
                    self._part += body[1:]
                    self._run(stimuli)
                    self._reply(Reply.DONE)
                    continue
                stimulus = self._stimulus(kind, body[:1] + self._part + body[1:])
                self._part.clear()
                self._stuck = not self.core.takes(stimulus)
                if not self._stuck:
                    stimuli.append(stimulus)
                continue
            self._run(stimuli)
            self._carry_out(sequence, kind, body)
        self._run(stimuli)

    def _is_stimulus(self, kind: int) -> bool:
        return kind == Command.PIXELS or (
            kind == Command.EVENTS and protocol.takes_events(self._spec)
        )

    def _stimulus(self, kind: int, body: bytes) -> Stimulus:
        head, content = body[0], body[1:]
        label = head & Label.THERE - 1 if head & Label.THERE else -1
        if kind == Command.EVENTS:
            return Stimulus(label, None, tuple(self._events(content)))
        return Stimulus(label, self._pixels(content))

    def _pixels(self, content: bytes) -> bytes:
        pixels = protocol.decode_groups(content)
        return pixels[: len(pixels) // self._spec.pixels * self._spec.pixels]

    def _events(self, content: bytes) -> list[tuple[int, int]]:
        spec, size = self._spec, protocol.event_bytes(self._spec)
        packed = [
            int.from_bytes(content[i : i + size], "little")
            for i in range(0, len(content) - size + 1, size)
        ]
        bits, steps = spec.index_bits, 1 << spec.time_bits
        return [(event & (1 << bits) - 1, event >> bits & steps - 1) for event in packed]

    def _run(self, stimuli: list[Stimulus]) -> None:
        """Run stimuli that follow each other."""
        if stimuli:
            for result in self.core.run(stimuli):
                self._reply(Reply.RESULT, protocol.encode_result(result))
            stimuli.clear()

    def _carry_out(self, sequence: int, kind: int, body: bytes) -> None:
        if kind == Command.HELLO and self._part:
            self._restart(sequence)
        elif kind == Command.HELLO:
            self._replying = sequence
            self._reply(Reply.IDENTITY, protocol.encode_identity(self._spec))
        elif kind == Command.WRITE and len(body) >= 4:
            self._write(body[0], int.from_bytes(body[1:4], "little"), body[4:])
            self._reply(Reply.DONE)
        elif kind == Command.READ and len(body) > 4:
            data = self._read(body[0], int.from_bytes(body[1:4], "little"), len(body) - 4)
            self._reply(Reply.DATA, data)
        elif self._is_stimulus(kind) and not self.loaded:
            self._reply(Reply.REFUSED, bytes([Reason.NOT_LOADED]))
        else:
            self._reply(Reply.REFUSED, bytes([Reason.UNKNOWN]))

    def _write(self, space: int, address: int, content: bytes) -> None:
        size = 4 if space & WIDE else 2
        for i in range(0, len(content) - size + 1, size):
            word = int.from_bytes(content[i : i + size], "little")
            if space & LINK_SPACE:
                self.loaded = word & 0xFFFF
            else:
                self.core.write(self._space(space), address, word)
            address += 1

    def _read(self, space: int, address: int, words: int) -> bytes:
        size = 4 if space & WIDE else 2
        data = bytearray()
        for place in range(address, address + words):
            if not space & LINK_SPACE:
                word = self.core.read(self._space(space), place)
            else:
                word = self.loaded
            data += (word & (1 << 8 * size) - 1).to_bytes(size, "little")
        return bytes(data)

    def _space(self, space: int) -> int:
        return space & (1 << self._spec.space_bits) - 1

    def _reply(self, kind: Reply, body: bytes = b"") -> None:
        self._out += frame(bytes([self._replying, kind]) + body)
        self._replying = (self._replying + 1) % SEQUENCES
