"""From contents to bytes on the wire and back: octet stuffing as in RFC 1662, and CRC-32.

Standard library only, and no input or output: the host, the device model and the tests of the
hardware share it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

__all__ = ["CRC_BYTES", "ESCAPE", "FLAG", "FLIP", "Deframer", "check", "frame"]

#: Stands before and after each frame, and nowhere else.
FLAG = 0x7E
#: Stands before a byte of the contents that is `FLAG` or `ESCAPE`, which is then sent with the bits
#: of `FLIP` inverted.
ESCAPE = 0x7D
FLIP = 0x20

#: CRC-32 (ISO-HDLC, as of Ethernet and zlib) over all that stands before it, least byte first.
CRC_BYTES = 4


def check(contents: bytes) -> bytes:
    """Return the CRC of ``contents`` as it is sent."""
    return zlib.crc32(contents).to_bytes(CRC_BYTES, "little")


def frame(contents: bytes) -> bytes:
    """Return ``contents`` with its CRC, stuffed, between two flags."""
    stuffed = contents + check(contents)
    # The escape first, because what stands for the flag begins with it.
    for byte in (ESCAPE, FLAG):
        stuffed = stuffed.replace(bytes([byte]), bytes([ESCAPE, byte ^ FLIP]))
    return bytes([FLAG]) + stuffed + bytes([FLAG])


@dataclass(slots=True)
class Deframer:
    """Finds frames in bytes, however these are cut into pieces.

    Parameters
    ----------
    longest : int
        Contents with more bytes, CRC included, are dropped as damaged.

    Attributes
    ----------
    damaged : int
        Frames dropped so far: their CRC was wrong, or they were too long or too short.
    """

    longest: int
    damaged: int = 0
    _bytes: bytearray = field(default_factory=bytearray)
    _escaped: bool = False
    _too_long: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the contents, less the CRC, of all frames that end in ``data``."""
        found = []
        for byte in data:
            if byte == FLAG:
                contents = self._end()
                if contents is not None:
                    found.append(contents)
            elif self._escaped:
                self._take(byte ^ FLIP)
                self._escaped = False
            elif byte == ESCAPE:
                self._escaped = True
            else:
                self._take(byte)
        return found

    def _take(self, byte: int) -> None:
        if len(self._bytes) < self.longest:
            self._bytes.append(byte)
        else:
            self._too_long = True

    def _end(self) -> bytes | None:
        """Return the contents that a flag has ended, None if there are none or damaged ones."""
        contents, crc = bytes(self._bytes[:-CRC_BYTES]), bytes(self._bytes[-CRC_BYTES:])
        empty = not self._bytes and not self._escaped
        # A flag behind an escape cuts the frame off.
        good = not self._escaped and not self._too_long and contents and check(contents) == crc
        self._bytes.clear()
        self._escaped = self._too_long = False
        if good:
            return contents
        if not empty:
            self.damaged += 1
        return None
