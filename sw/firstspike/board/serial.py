"""A serial port of this machine, or a pseudo-terminal, as a `firstspike.board.link.Port`."""

from __future__ import annotations

import importlib
from typing import Any

from firstspike.errors import InputError

__all__ = ["BAUD", "SerialPort", "open_serial"]

#: Rate of most boards; docs/boards.md has that of each.
BAUD = 1_000_000
#: Seconds that a read waits for a first byte.
_MOMENT = 0.05
#: Seconds after which a port that takes no more bytes has failed.
_WRITE_SECONDS = 10.0


class SerialPort:
    """An open serial port; `open_serial` makes one.

    Parameters
    ----------
    port : serial.Serial
        From pyserial.
    path : str
        What it is called.
    """

    def __init__(self, port: Any, path: str) -> None:
        self._port = port
        self._path = path

    def write(self, data: bytes, /) -> int:
        """Send ``data``, all of it.

        Raises
        ------
        InputError
            If the port fails or has gone.
        """
        try:
            # pyserial returns when all of it was taken.
            self._port.write(data)
        except (OSError, ValueError, TypeError) as error:
            raise self._gone(error) from error
        return len(data)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes as soon as there are some; none if none come for a moment.

        Raises
        ------
        InputError
            If the port fails or has gone.
        """
        try:
            data = self._port.read(1)
            if data and size > 1:
                data += self._port.read(min(size - 1, self._port.in_waiting))
        except (OSError, ValueError, TypeError) as error:
            raise self._gone(error) from error
        return data

    def close(self) -> None:
        """Give the port back; one that has gone is no error."""
        try:
            self._port.close()
        except OSError:
            return

    def __enter__(self) -> SerialPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _gone(self, error: Exception) -> InputError:
        return InputError(
            f"port {self._path}: has gone or fails ({error}): connect the board, and load it again "
            "if it was off"
        )


def open_serial(path: str, baud: int = BAUD) -> SerialPort:
    """Return the serial port ``path`` (``/dev/ttyUSB1``, ``COM3``, a pseudo-terminal).

    Parameters
    ----------
    path : str
        Name of the port.
    baud : int
        Bits a second; of no consequence for a pseudo-terminal.

    Raises
    ------
    InputError
        If pyserial is not installed, or the port cannot be opened.
    """
    try:
        serial = importlib.import_module("serial")
    except ModuleNotFoundError as error:
        raise InputError(
            "a serial port needs the package pyserial: pip install 'firstspike[board]'"
        ) from error
    try:
        port = serial.Serial(
            path, baud, timeout=_MOMENT, write_timeout=_WRITE_SECONDS, exclusive=True
        )
        # What someone else was told.
        port.reset_input_buffer()
    except (OSError, ValueError) as error:
        raise InputError(f"port {path}: cannot be opened: {error}") from error
    return SerialPort(port, path)
