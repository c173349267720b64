"""The host's end of a link: commands out, replies in, and what is done when bytes are lost.

Every command is numbered, so the core takes it once and in order or not at all, whatever happens to
the bytes; docs/board.md has the rules. A reply can be lost: who sent the command learns of that,
and knows whether it may be sent again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from firstspike.board import protocol
from firstspike.board.framing import CRC_BYTES, Deframer, frame
from firstspike.board.protocol import (
    HEAD_BYTES,
    SEQUENCES,
    VERSION,
    WINDOW,
    Command,
    Identity,
    Reason,
    Reply,
    Status,
)
from firstspike.errors import InputError
from firstspike.spec import CoreSpec

__all__ = ["Answer", "Connection", "Counts", "Link", "Order", "Port"]

#: Bytes that are asked of a port at once.
_READ = 4096
#: Replies that are under way have fewer bytes together: no more than any driver keeps.
_REPLY_BYTES = 4096
_REPLIES = frozenset(Reply)
#: A frame with more bytes is none of ours; the longest reply is that to a long read.
_LONGEST = 1 << 13
#: Recoveries in a row that bring nothing forward.
_PATIENCE = 64
#: Bytes of others that can come before an answer.
_BACKLOG = 1 << 18
#: A reply without data: its head, and the check.
_SMALL = 2 + CRC_BYTES


class Port(Protocol):
    """What a link needs of a serial port."""

    def write(self, data: bytes, /) -> int | None:
        """Send ``data``, all of it."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes as soon as there are some; none if none come for a moment."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """A command that waits to be sent.

    Parameters
    ----------
    kind : Command
        Write, read, pixels or events.
    body : bytes
        As `firstspike.board.protocol` encodes it.
    reply_bytes : int
        Bytes in the body of its reply.
    """

    kind: Command
    body: bytes
    reply_bytes: int = 0

    @property
    def contents(self) -> int:
        """Bytes that it takes in the core's buffer."""
        return HEAD_BYTES + len(self.body) + CRC_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: its kind, and what came with it."""

    kind: Reply
    body: bytes


@dataclass(frozen=True, slots=True)
class Connection:
    """What `Link.connect` found; ``restarted`` if the core had to be, so that nothing is loaded."""

    identity: Identity
    restarted: bool


@dataclass(slots=True)
class Counts:
    """What happened on a link so far.

    Attributes
    ----------
    sent, resent : int
        Commands, and how many of them were sent again.
    bytes_out, bytes_in : int
        On the wire.
    damaged : int
        Replies that came damaged.
    lost : int
        Replies that did not come, though their commands were taken.
    recoveries : int
        Times that host and core had to agree anew.
    """

    sent: int = 0
    resent: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    damaged: int = 0
    lost: int = 0
    recoveries: int = 0


@dataclass(slots=True)
class _Waiting:
    """A command whose reply has not come."""

    sequence: int
    order: Order
    frame: bytes = field(repr=False)


class Link:
    """Talks to a core at the other end of a port.

    Parameters
    ----------
    port : Port
        Where the core is.
    timeout : float
        Seconds without a byte after which one is taken to be lost; 0: the first empty read.
    tries : int
        How often something is asked that is not answered.

    Attributes
    ----------
    counts : Counts
        What happened so far.
    """

    def __init__(self, port: Port, *, timeout: float = 1.0, tries: int = 5) -> None:
        self._port = port
        self._timeout = timeout
        self._tries = tries
        self._deframer = Deframer(_LONGEST)
        # Fresh numbers, so that answers to another host's questions are not taken for ours.
        self._next = self._sync = time.monotonic_ns() // 1000 % SEQUENCES
        self._waiting: deque[_Waiting] = deque()
        self._arrived: deque[Answer | None] = deque()
        self._room = 0
        # Syncs whose answer is waited for; commands that the core has not taken, by the answer.
        self._asked: set[int] = set()
        self._untaken: list[_Waiting] | None = None
        self._trouble = False
        self._stuck = 0
        self.counts = Counts()

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    # --- who is there

    def connect(self) -> Connection:
        """Find out who is there, whatever it was at.

        Raises
        ------
        InputError
            If nothing answers, something else does, or one that speaks another protocol.
        """
        before = self.counts.bytes_in
        for kind in (Command.HELLO, Command.RESTART):
            for _ in range(self._tries):
                identity = self._introduce(kind)
                if identity is None:
                    continue
                if identity.version != VERSION:
                    raise InputError(
                        f"the board speaks version {identity.version} of the link, this release "
                        f"version {VERSION}: build its bitstream anew"
                    )
                if identity.core is None:
                    raise InputError(
                        f"the board's core has digest {identity.digest.hex()}, which this release "
                        "cannot describe: build its bitstream anew"
                    )
                if protocol.core_digest(identity.core) != identity.digest:
                    raise InputError(
                        f"the board's core has digest {identity.digest.hex()}, what it says of "
                        f"itself has {protocol.core_digest(identity.core).hex()}: build its "
                        "bitstream anew"
                    )
                self._begin(identity.core)
                return Connection(identity, kind is Command.RESTART)
        came = self.counts.bytes_in - before
        if came:
            raise InputError(
                f"{came} bytes came from the port, but no answer of a core: does another program "
                "use it, or does the board run at another baud rate?"
            )
        raise InputError(
            "nothing answers at the port: is the board on, loaded with a bitstream of this "
            "release, and is it this port?"
        )

    def _introduce(self, kind: Command) -> Identity | None:
        """Ask once who is there."""
        sequence = self._next
        self._next = (sequence + 1) % SEQUENCES
        self._write(frame(protocol.command(sequence, kind)))
        begun = last = time.monotonic()
        most = self.counts.bytes_in + _BACKLOG
        while self.counts.bytes_in < most:
            data = self._read()
            now = time.monotonic()
            for found in self._deframer.feed(data):
                if found[:2] == bytes([sequence, Reply.IDENTITY]):
                    return protocol.decode_identity(found[2:])
            if data:
                last = now
            if now - last >= self._timeout and not data:
                break
            if self._timeout and now - begun >= self._tries * self._timeout:
                break
        return None

    def _begin(self, core: CoreSpec) -> None:
        """Agree on a first number of a sync, so that any other one is known to be old."""
        self._room = protocol.buffer_bytes(core)
        self._waiting.clear()
        self._arrived.clear()
        self._recover()

    # --- commands and replies

    def request(self, order: Order) -> Answer | None:
        """Return the reply to one command; None if it was done, but its reply was lost.

        Raises
        ------
        InputError
            See `stream`.
        """
        return next(self.stream([order]))

    def stream(self, orders: Iterable[Order]) -> Iterator[Answer | None]:
        """Yield the replies to commands, in order; None where it was lost.

        So many commands are under way at once as the core has room for. A command whose reply was
        lost was carried out, once.

        Raises
        ------
        InputError
            If the port fails, the core no longer answers, or was restarted by someone else.
        ValueError
            If a command is longer than the core's buffer.
        """
        # Of a stream that nobody wanted to hear to its end.
        while self._waiting:
            self._receive()
        self._arrived.clear()
        source = iter(orders)
        following = next(source, None)
        while True:
            while following is not None and self._has_room(following):
                self._send(following)
                following = next(source, None)
            while self._arrived:
                yield self._arrived.popleft()
            if self._waiting:
                self._receive()
            elif following is None:
                return

    def _has_room(self, order: Order) -> bool:
        """Tell whether the core has room for another command, and the driver for its reply."""
        if order.contents >= self._room:
            raise ValueError(
                f"a command has {order.contents} bytes, must have fewer than {self._room}"
            )
        used = sum(waiting.order.contents for waiting in self._waiting) + order.contents
        replies = sum(_SMALL + waiting.order.reply_bytes for waiting in self._waiting)
        return not self._waiting or (
            len(self._waiting) < WINDOW
            and used < self._room
            and replies + _SMALL + order.reply_bytes <= _REPLY_BYTES
        )

    def _send(self, order: Order) -> None:
        data = frame(protocol.command(self._next, order.kind, order.body))
        self._waiting.append(_Waiting(self._next, order, data))
        self._next = (self._next + 1) % SEQUENCES
        self.counts.sent += 1
        self._write(data)

    def _receive(self) -> None:
        """Wait until something came of what is waited for, or was found to be lost."""
        last = time.monotonic()
        waiting = len(self._waiting)
        while len(self._waiting) == waiting:
            data = self._read()
            if data:
                last = time.monotonic()
                self.hear(data)
            if self._trouble or (not data and time.monotonic() - last >= self._timeout):
                self._stuck += 1
                if self._stuck > _PATIENCE:
                    raise InputError(
                        f"nothing gets through to the board any more ({self.counts.damaged} "
                        "damaged replies): check the wires, or take a lower baud rate"
                    )
                self._recover()
                last = time.monotonic()
        self._stuck = 0

    def hear(self, data: bytes) -> None:
        """Take in bytes from the core, whatever they are: replies, and states of the link.

        Raises
        ------
        InputError
            If a state says that the core was restarted by someone else.
        """
        before = self._deframer.damaged
        for contents in self._deframer.feed(data):
            if contents[1:2] == bytes([Reply.STATUS]):
                self._take_status(contents)
            elif len(contents) >= 2:
                self._take_reply(contents)
        damaged = self._deframer.damaged - before
        self.counts.damaged += damaged
        self._trouble |= damaged > 0

    def _take_status(self, contents: bytes) -> None:
        try:
            status = protocol.decode_status(contents)
        except ValueError:
            return
        if status.sync in self._asked:
            self._settle(status)
        else:
            # If all commands were taken, what was dropped was none of them.
            self._trouble |= status.reason is not Reason.NONE and status.expected != self._next

    def _take_reply(self, contents: bytes) -> None:
        if not self._waiting or contents[1] not in _REPLIES:
            return
        ahead = (contents[0] - self._waiting[0].sequence) % SEQUENCES
        if ahead < len(self._waiting):
            # Replies come in order: those that were skipped were lost.
            self._lose(ahead)
            self._waiting.popleft()
            self._arrived.append(Answer(Reply(contents[1]), contents[2:]))

    def _lose(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
            self._arrived.append(None)
        self.counts.lost += count

    # --- after damage

    def _recover(self) -> None:
        """Agree with the core on which commands it has taken, and send it the others again."""
        self.counts.recoveries += 1
        for waiting in self._synchronize():
            self.counts.resent += 1
            self._write(waiting.frame)

    def _synchronize(self) -> list[_Waiting]:
        """Return the commands that the core has not taken; nothing is on the way to it any more."""
        self._untaken = None
        silent = 0
        for _ in range(_PATIENCE):
            self._sync = (self._sync + 1) % SEQUENCES
            self._asked.add(self._sync)
            self._write(frame(protocol.command(self._sync, Command.SYNC)))
            last = time.monotonic()
            # What comes damaged, or was dropped, may have been the question or its answer.
            self._trouble = False
            while not self._trouble:
                data = self._read()
                if data:
                    last = time.monotonic()
                    self.hear(data)
                if self._untaken is not None:
                    self._trouble = False
                    return self._untaken
                if not data and time.monotonic() - last >= self._timeout:
                    silent += 1
                    break
            if silent == self._tries:
                break
        raise InputError(
            "the board no longer answers: is it on, and does no other program use its port?"
        )

    def _settle(self, status: Status) -> None:
        """Take in where the core was when nothing was on the way to it."""
        self._asked.clear()
        first = self._waiting[0].sequence if self._waiting else self._next
        taken = (status.expected - first) % SEQUENCES
        answered = (status.replying - first) % SEQUENCES
        if taken > len(self._waiting) or answered > taken:
            raise InputError(
                f"the board waits for command {status.expected}, not for one from {first} to "
                f"{self._next}: it was restarted, or another program uses it; connect again"
            )
        self._untaken = list(self._waiting)[taken:]
        self._lose(answered)

    # --- bytes

    def _write(self, data: bytes) -> None:
        self.counts.bytes_out += len(data)
        self._port.write(data)

    def _read(self) -> bytes:
        data = self._port.read(_READ)
        self.counts.bytes_in += len(data)
        return data
