"""A host at the other end of the byte link: load a network into a board, send it images.

    with open_serial("/dev/ttyUSB1", 1_000_000) as port:
        host = ByteHost(port, core)
        host.connect()
        host.load(memory_image(network, core, early_exit=True))
        for result in host.classify(images):
            print(network.labels[result.winner])

The port may be anything with `write` and `read`; the tests use a simulated board.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from firstspike import bytelink
from firstspike.bytelink import Command, Reply, Result
from firstspike.errors import InputError
from firstspike.memimage import Write
from firstspike.spec import CoreSpec

__all__ = ["ByteHost", "Port", "open_serial"]

#: Writes are sent so many at a time: a call of the operating system for each would take longest.
_WRITES_AT_ONCE = 256
_TIMEOUT_SECONDS = 2.0


class Port(Protocol):
    """What a `ByteHost` needs of a serial port."""

    def write(self, data: bytes, /) -> int | None:
        """Send ``data``."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; fewer only after a time in which nothing more came."""
        ...


def open_serial(device: str, baud: int) -> Any:
    """Return the serial port ``device``, which `ByteHost` can use and ``with`` closes.

    Raises
    ------
    InputError
        If pyserial is not installed, or the port cannot be opened.
    """
    try:
        serial = importlib.import_module("serial")
    except ModuleNotFoundError as error:
        raise InputError(
            "a serial port needs the package pyserial: pip install pyserial"
        ) from error
    try:
        return serial.Serial(device, baud, timeout=_TIMEOUT_SECONDS)
    except (OSError, ValueError) as error:
        raise InputError(f"serial port {device}: cannot be opened: {error}") from error


class ByteHost:
    """Speaks the protocol of docs/byte-link.md.

    Parameters
    ----------
    port : Port
        Where the board is.
    core : CoreSpec
        The core that it should have.
    """

    def __init__(self, port: Port, core: CoreSpec) -> None:
        self._port = port
        self._core = core

    def connect(self) -> None:
        """Restart the board's core, whatever it was at, and check that it is the right one.

        Raises
        ------
        InputError
            If nothing answers, or another core or protocol does.
        """
        start = bytes([Command.RESTART, Command.IDENTIFY])
        self._port.write(bytes(bytelink.resync_bytes(self._core)) + start)
        # What was under way before may come first.
        recent = b""
        head = bytes([Reply.IDENTITY]) + bytelink.MAGIC
        while not recent.endswith(head):
            recent = (recent + self._take(1))[-len(head) :]
        rest = self._take(bytelink.IDENTITY_BYTES - len(bytelink.MAGIC))
        identity = bytelink.decode_identity(bytelink.MAGIC + rest)
        if identity is None or identity.version != bytelink.VERSION:
            raise InputError(
                f"the board speaks version {rest[0]} of the byte link, this release version "
                f"{bytelink.VERSION}"
            )
        if identity.digest != bytelink.core_digest(self._core):
            raise InputError(
                f"the board's core has digest {identity.digest.hex()}, not "
                f"{bytelink.core_digest(self._core).hex()}: build the bitstream with this core"
            )

    def load(self, writes: Iterable[Write]) -> None:
        """Send a memory image, as `firstspike.memimage.memory_image` makes it."""
        waiting: list[bytes] = []
        for write in writes:
            waiting.append(bytelink.encode_write(write.space, write.address, write.data))
            if len(waiting) == _WRITES_AT_ONCE:
                self._port.write(b"".join(waiting))
                waiting.clear()
        self._port.write(b"".join(waiting))

    def read(self, space: int, address: int) -> int:
        """Return what stands at ``address`` of ``space``.

        Raises
        ------
        InputError
            If nothing comes back.
        """
        self._port.write(bytelink.encode_read(space, address))
        return int.from_bytes(self._reply(Reply.DATA), "little")

    def classify(self, images: Iterable[bytes]) -> Iterator[Result]:
        """Yield the result of each image.

        Parameters
        ----------
        images : iterable of bytes
            Each with all pixels of an image, row by row.

        Raises
        ------
        InputError
            If an image has more pixels than the core takes, or a result does not come.
        """
        # One image ahead: the core reads the next one while it works.
        under_way = 0
        for image in images:
            try:
                stimulus = bytelink.encode_stimulus(image, self._core)
            except ValueError as error:
                raise InputError(str(error)) from error
            self._port.write(stimulus)
            under_way += 1
            if under_way == 2:
                yield self._result()
                under_way -= 1
        if under_way:
            yield self._result()

    def _result(self) -> Result:
        return bytelink.decode_result(self._reply(Reply.RESULT))

    def _reply(self, kind: Reply) -> bytes:
        """Take a reply of ``kind``, which must be the next one."""
        first = self._take(1)[0]
        if first != kind:
            raise InputError(
                f"the board sent byte 0x{first:02x} where 0x{kind:02x} was due: connect again"
            )
        return self._take(bytelink.REPLY_BYTES[kind])

    def _take(self, size: int) -> bytes:
        """Take ``size`` bytes."""
        taken = self._port.read(size)
        if len(taken) < size:
            raise InputError(
                f"the board sent {len(taken)} of {size} bytes: is it on, and loaded with a "
                "bitstream of this core?"
            )
        return taken
