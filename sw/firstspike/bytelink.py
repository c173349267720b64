"""The byte protocol between a host and a core on a board; docs/byte-link.md has it in words.

Standard library only, and no input or output: the host, the hardware and the tests all take codes
and lengths from here.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from firstspike.spec import COUNTER_BITS, CoreSpec

__all__ = [
    "IDENTITY_BYTES",
    "MAGIC",
    "MAX_INDEX_BITS",
    "PIXEL_WORDS_BYTES",
    "REPLY_BYTES",
    "RESULT_BYTES",
    "RESULT_COUNTERS",
    "VERSION",
    "Command",
    "Identity",
    "Reply",
    "Result",
    "core_digest",
    "decode_identity",
    "decode_result",
    "encode_identity",
    "encode_read",
    "encode_result",
    "encode_stimulus",
    "encode_write",
    "max_words",
    "resync_bytes",
]

#: A core with another number speaks another protocol.
VERSION = 1
MAGIC = b"FSPK"

#: Indices of neurons travel in two bytes.
MAX_INDEX_BITS = 16
PIXEL_WORDS_BYTES = 2


class Command(enum.IntEnum):
    """First byte of a command. Any other byte is skipped, as `NOTHING` is."""

    NOTHING = 0x00
    #: Space (1 byte), address (3), data (4). No reply.
    WRITE = 0x01
    #: Space (1 byte), address (3).
    READ = 0x02
    #: Words of pixels (2 bytes), then that many words, lowest pixel first.
    STIMULUS = 0x03
    #: Nothing more.
    IDENTIFY = 0x04
    #: Nothing more. No reply: the core forgets what is under way and its registers.
    RESTART = 0x05


class Reply(enum.IntEnum):
    """First byte of a reply."""

    #: Data (4 bytes).
    DATA = 0x82
    #: Fields of `Result`.
    RESULT = 0x83
    #: Fields of `Identity`.
    IDENTITY = 0x84


#: Counters of a result, in order, three bytes each; named as in the core's record.
RESULT_COUNTERS = (
    "events",
    "operations",
    "weight_reads",
    "state_reads",
    "state_writes",
    "over_threshold",
    "ties",
    "cycles",
)
_COUNTER_BYTES = COUNTER_BITS // 8
_FORCED = 1 << 15

RESULT_BYTES = 3 * 2 + len(RESULT_COUNTERS) * _COUNTER_BYTES
IDENTITY_BYTES = 16

#: Bytes that follow the first byte of a reply.
REPLY_BYTES = {
    Reply.DATA: 4,
    Reply.RESULT: RESULT_BYTES,
    Reply.IDENTITY: IDENTITY_BYTES,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a core says of one stimulus.

    Parameters
    ----------
    winner : int
        Output neuron that decided.
    last : int
        Output neuron with the largest potential when the stimulus ended.
    step : int
        Decision step; the number of steps if nothing spiked.
    forced : bool
        Whether no output spiked.
    counters : tuple of int
        In the order of `RESULT_COUNTERS`.
    """

    winner: int
    last: int
    step: int
    forced: bool
    counters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers.

    Parameters
    ----------
    version : int
        Of the protocol.
    digest : bytes
        Of the core, see `core_digest`.
    pixels : int
        Pixels in a word.
    """

    version: int
    digest: bytes
    pixels: int


def core_digest(spec: CoreSpec) -> bytes:
    """Return four bytes that tell cores with different parameters apart."""
    return hashlib.blake2s(str(spec).encode(), digest_size=4).digest()


def max_words(spec: CoreSpec) -> int:
    """Return how many words of pixels a stimulus has at most."""
    return -(-spec.max_inputs // spec.pixels)


def resync_bytes(spec: CoreSpec) -> int:
    """Return how many zero bytes end any command, whatever came before."""
    # The core keeps just the bits of a count that `max_words` needs.
    most = (1 << max_words(spec).bit_length()) - 1
    return PIXEL_WORDS_BYTES + most * spec.pixels


def _field(value: int, n_bytes: int, name: str) -> bytes:
    if not 0 <= value < 1 << (8 * n_bytes):
        raise ValueError(f"{name} is {value}, must be in 0..{(1 << (8 * n_bytes)) - 1}")
    return value.to_bytes(n_bytes, "little")


def _head(space: int, address: int) -> bytes:
    return _field(space, 1, "space") + _field(address, 3, "address")


def encode_write(space: int, address: int, data: int) -> bytes:
    """Return the command that writes ``data`` (32 bits) to ``address`` (24 bits) of ``space``."""
    return bytes([Command.WRITE]) + _head(space, address) + _field(data, 4, "data")


def encode_read(space: int, address: int) -> bytes:
    """Return the command that reads ``address`` of ``space``."""
    return bytes([Command.READ]) + _head(space, address)


def encode_stimulus(pixels: bytes, spec: CoreSpec) -> bytes:
    """Return the command with one stimulus; the last word is filled up with zeros.

    Raises
    ------
    ValueError
        If there is no pixel, or more than the core takes.
    """
    words = -(-len(pixels) // spec.pixels)
    if not 1 <= words <= max_words(spec):
        most = max_words(spec) * spec.pixels
        raise ValueError(f"a stimulus has {len(pixels)} pixels, must have 1..{most}")
    count = _field(words, PIXEL_WORDS_BYTES, "words")
    return bytes([Command.STIMULUS]) + count + pixels.ljust(words * spec.pixels, b"\0")


def encode_identity(spec: CoreSpec) -> bytes:
    """Return what ``spec``'s core answers to `Command.IDENTIFY`, less the first byte."""
    content = MAGIC + bytes([VERSION]) + core_digest(spec) + bytes([spec.pixels])
    return content.ljust(IDENTITY_BYTES, b"\0")


def decode_identity(content: bytes) -> Identity | None:
    """Return what `encode_identity` packed; None if it is anything else."""
    if len(content) != IDENTITY_BYTES or not content.startswith(MAGIC):
        return None
    return Identity(content[4], content[5:9], content[9])


def encode_result(result: Result) -> bytes:
    """Return ``result`` as a core sends it, less the first byte."""
    step = result.step | (_FORCED if result.forced else 0)
    heads = (("winner", result.winner), ("last", result.last), ("step", step))
    counters = zip(RESULT_COUNTERS, result.counters, strict=True)
    return b"".join(_field(value, 2, name) for name, value in heads) + b"".join(
        _field(value, _COUNTER_BYTES, name) for name, value in counters
    )


def decode_result(content: bytes) -> Result:
    """Return what `encode_result` packed.

    Raises
    ------
    ValueError
        If ``content`` has not `RESULT_BYTES` bytes.
    """
    if len(content) != RESULT_BYTES:
        raise ValueError(f"a result has {len(content)} bytes, must have {RESULT_BYTES}")
    winner, last, step = (int.from_bytes(content[i : i + 2], "little") for i in (0, 2, 4))
    counters = tuple(
        int.from_bytes(content[i : i + _COUNTER_BYTES], "little")
        for i in range(6, RESULT_BYTES, _COUNTER_BYTES)
    )
    return Result(winner, last, step & ~_FORCED, bool(step & _FORCED), counters)
