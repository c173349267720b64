"""A simulated board on a pseudo-terminal, for any program that talks to a serial port."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from firstspike.errors import InputError
from firstspike.progress import waiting
from firstspike.spec import CoreSpec
from firstspike_hw.uart import MIN_DIVISOR
from firstspike_sim.board import QUANTUM, longest_silence
from firstspike_sim.board_model import BoardModel, FarEnd, symbols_of

__all__ = ["BoardServer", "serve"]

#: Seconds after which what nobody reads is thrown away, as a driver does whose buffer is full.
_STALL = 1.0
_FRAME_BITS = 10


class BoardServer:
    """Passes bytes between a simulated board and a pseudo-terminal.

    Use it in a ``with`` statement, or call `close`. What baud rate a program sets at the terminal
    does not matter.

    Parameters
    ----------
    board : FarEnd
        The board; `close` closes it.
    divisor : int
        Clock cycles a bit of its UART.
    awake : int
        Clock cycles for which it goes on when nothing happens.
    link : Path, optional
        A symbolic link to the terminal is made there, and removed by `close`.

    Attributes
    ----------
    path : str
        The terminal.

    Raises
    ------
    InputError
        If the link cannot be made.
    """

    def __init__(
        self, board: FarEnd, *, divisor: int, awake: int, link: Path | None = None
    ) -> None:
        self._board = board
        self._awake = awake
        self._piece = max(1, QUANTUM // (_FRAME_BITS * divisor))
        self._master, self._slave = os.openpty()
        # Open at this end as well, so that the terminal outlives the programs that use it.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self._link = None
        self._closed = False
        if link is not None:
            try:
                _point(link, self.path)
            except InputError:
                self.close()
                raise
            self._link = link

    def run(self) -> None:
        """Serve until `stop` is called; sleep while nothing goes on."""
        left = 0
        pending = b""
        while True:
            incoming = [self._wake_read] if pending else [self._wake_read, self._master]
            outgoing = [self._master] if pending else []
            limit = _STALL if pending else None if left <= 0 else 0
            readable, writable, _ = select.select(incoming, outgoing, [], limit)
            if self._wake_read in readable:
                return
            if pending:
                # Time stands still until there is room, or nobody seems to be there.
                if writable:
                    pending = pending[os.write(self._master, pending) :]
                else:
                    termios.tcflush(self._slave, termios.TCIFLUSH)
                    pending = b""
                continue
            data = os.read(self._master, self._piece) if self._master in readable else b""
            if data:
                left = self._awake
            elif left <= 0:
                continue
            pending = self._board.exchange(symbols_of(data), 0 if data else QUANTUM).data
            left = self._awake if pending else left - QUANTUM

    def stop(self) -> None:
        """End `run`; may be called from a signal handler or another thread."""
        os.write(self._wake_write, b"\0")

    def close(self) -> None:
        """End the simulation, and give back terminal and link; may be called again."""
        if self._closed:
            return
        self._closed = True
        self._board.close()
        for descriptor in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)
        if self._link is not None:
            with contextlib.suppress(OSError):
                if str(self._link.readlink()) == self.path:
                    self._link.unlink()

    def __enter__(self) -> BoardServer:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def serve(
    core: CoreSpec,
    *,
    divisor: int = MIN_DIVISOR,
    link: Path | None = None,
    chip: str | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Offer a simulated board on a pseudo-terminal until SIGINT or SIGTERM comes.

    Parameters
    ----------
    core : CoreSpec
        Its core.
    divisor : int
        Clock cycles a bit of its UART. The fewer, the faster is the simulation.
    link : Path, optional
        Where a symbolic link to the terminal is made.
    chip : str, optional
        See `BoardModel`.
    announce : callable, optional
        Called with the path that programs can open, as soon as they can; if not given, the path is
        printed.

    Raises
    ------
    InputError
        If a tool is missing, or the link cannot be made.
    """
    with waiting("compiling the simulated board"):
        board = BoardModel(core, divisor=divisor, chip=chip)
    awake = longest_silence(core, divisor)
    with (
        BoardServer(board, divisor=divisor, awake=awake, link=link) as server,
        _stopped_by_signals(server),
    ):
        path = server.path if link is None else str(link)
        if announce is None:
            print(path, flush=True)
        else:
            announce(path)
        server.run()


@contextlib.contextmanager
def _stopped_by_signals(server: BoardServer) -> Iterator[None]:
    """Let signals stop ``server``; only the main thread can hear them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda *_: server.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _point(link: Path, target: str) -> None:
    """Make a symbolic link, or turn one that is there; leave anything else alone."""
    if link.exists() and not link.is_symlink():
        raise InputError(f"{link}: is there already, and is not a symbolic link: take another name")
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        temporary.symlink_to(target)
        temporary.replace(link)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise InputError(f"{link}: cannot be made: {error.strerror or error}") from error
