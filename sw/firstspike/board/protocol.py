"""Commands and replies between a host and a core on a board; docs/board.md has them in words.

Standard library only, and no input or output: hardware, host, device model and tests take codes,
lengths and packing from here. Numbers are little-endian. A frame's contents (`framing`) begin with
a sequence number and a kind; a command has the size of its body (2 bytes) behind these.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firstspike.board.framing import CRC_BYTES
from firstspike.spec import COUNTER_BITS, CoreSpec, record_fields

__all__ = [
    "CORE_FIELDS",
    "HEAD_BYTES",
    "LINK_REGISTERS",
    "LINK_SPACE",
    "MAGIC",
    "MAX_INDEX_BITS",
    "SEQUENCES",
    "VERSION",
    "WIDE",
    "WINDOW",
    "Command",
    "Identity",
    "Label",
    "Link",
    "Reason",
    "Reply",
    "Result",
    "Status",
    "buffer_bytes",
    "command",
    "core_digest",
    "decode_groups",
    "decode_identity",
    "decode_result",
    "decode_status",
    "decode_words",
    "encode_events",
    "encode_identity",
    "encode_pixels",
    "encode_read",
    "encode_result",
    "encode_status",
    "encode_write",
    "event_bytes",
    "result_bytes",
    "result_counters",
    "takes_events",
]

#: A core with another number speaks another protocol.
VERSION = 3
MAGIC = b"FSPK"

#: Sequence numbers run through all values of a byte.
SEQUENCES = 256
#: A host has at most so many commands without a reply, and in them fewer bytes of contents, CRC
#: included, than `buffer_bytes`.
WINDOW = 64

#: Contents of a command before its body.
HEAD_BYTES = 4

#: Indices of neurons travel in two bytes.
MAX_INDEX_BITS = 16


class Command(enum.IntEnum):
    """Kind of a command."""

    #: Taken with any sequence number: the next command is due with the one after. Changes nothing
    #: else, but if only a part of a stimulus came before, it is a `RESTART`. Answered with
    #: `Reply.IDENTITY` when all commands before it are done.
    HELLO = 1
    #: Taken with any sequence number and at once: only to be answered with `Reply.STATUS`.
    SYNC = 2
    #: Space (1), address (3), then words of 2 bytes, or of 4 if `WIDE` is set in the space, for
    #: this address and the ones after it.
    WRITE = 3
    #: Space (1), address (3), then a byte, of any value, for each word that is asked for.
    READ = 4
    #: `Label` (1), then pixels, in groups of four. For each group a byte: which of the four are not
    #: 0 (bits 0 to 3, the first pixel lowest), and how many groups of zeros follow (bits 4 to 7);
    #: then those that are not 0.
    PIXELS = 5
    #: `Label` (1), then events of `event_bytes` each: index, and from bit ``index_bits`` on, time.
    EVENTS = 6
    #: Taken with any sequence number and at once: the core and the link start anew, commands and
    #: stimuli that wait are dropped, registers get their first values and nothing counts as loaded.
    #: Answered with `Reply.IDENTITY`.
    RESTART = 7


class Reply(enum.IntEnum):
    """Kind of a reply."""

    #: To `Command.RESTART` and `Command.HELLO`: `Identity`.
    IDENTITY = 0x81
    #: To `Command.SYNC`, or of itself when a command was dropped: `Status`.
    STATUS = 0x82
    #: To `Command.WRITE`, and to a part of a stimulus that is not its last.
    DONE = 0x83
    #: To `Command.READ`: the words, in as many bytes each as were asked for.
    DATA = 0x84
    #: To `Command.PIXELS` and `Command.EVENTS`: `Result`.
    RESULT = 0x85
    #: Instead of another one: a `Reason` (1).
    REFUSED = 0x86


class Reason(enum.IntEnum):
    """Why something was dropped or refused."""

    #: Nothing was.
    NONE = 0
    #: The CRC was wrong, a byte had no stop bit, or the frame was cut off.
    DAMAGED = 1
    #: It had not the sequence number that was due.
    ORDER = 2
    #: The buffer was full.
    FULL = 3
    #: The core knows no such command.
    UNKNOWN = 4
    #: A stimulus came, but the host has not said that a network is loaded (`Link.LOADED`).
    NOT_LOADED = 5


class Label(enum.IntFlag):
    """First byte of a stimulus; its low four bits are the class, if `THERE` is set."""

    NONE = 0
    THERE = 1 << 4
    #: The next command has more of the same stimulus. Parts have whole words of pixels, or whole
    #: events; the label is that of the last part.
    MORE = 1 << 5


#: In the byte of a space: words have 4 bytes.
WIDE = 1 << 7
#: The space of the link's own registers; the others are those of `firstspike.spec.Space`.
LINK_SPACE = 1 << 6


class Link(enum.IntEnum):
    """Addresses in `LINK_SPACE`, whose words have two bytes."""

    LOADED = 0


#: Registers of the link, by address: name, access, bits, meaning. `Command.RESTART` sets all to 0.
LINK_REGISTERS = (
    (
        "loaded",
        "read, write",
        16,
        "what the host has loaded, any number but 0; while it is 0, stimuli are refused",
    ),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers.

    Parameters
    ----------
    version : int
        Of the protocol.
    digest : bytes
        Of the core, see `core_digest`.
    core : CoreSpec or None
        The core; None if this release cannot describe it, which another version's may be.
    """

    version: int
    digest: bytes
    core: CoreSpec | None


@dataclass(frozen=True, slots=True)
class Status:
    """Where a link is.

    Parameters
    ----------
    sync : int
        Sequence number of the latest `Command.SYNC`; stands in the place of the reply's own.
    reason : Reason
        Why the latest command was dropped; `Reason.NONE` in the answer to `Command.SYNC`.
    expected : int
        Sequence number of the command that is due. All before it were taken.
    replying : int
        Sequence number of the first command whose reply was not begun when this was.
    """

    sync: int
    reason: Reason
    expected: int
    replying: int


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
        In the order of `result_counters`.
    """

    winner: int
    last: int
    step: int
    forced: bool
    counters: tuple[int, ...]


def core_digest(spec: CoreSpec) -> bytes:
    """Return four bytes that tell cores with different parameters apart."""
    return hashlib.blake2s(str(spec).encode(), digest_size=4).digest()


def buffer_bytes(spec: CoreSpec) -> int:
    """Return how many bytes of commands a core's link keeps.

    One block RAM where these are scarce: beside an SPRAM, and with few inputs.
    """
    return 512 if spec.memory == "spram" or spec.max_inputs <= 256 else 2048


def takes_events(spec: CoreSpec) -> bool:
    """Tell whether a core's link has `Command.EVENTS`, for which a small chip has no room."""
    return spec.memory == "block"


#: Counters for which there is room beside an SPRAM.
_FEW_COUNTERS = ("events", "operations", "cycles", "stdp_visits", "pruned")


def result_counters(spec: CoreSpec) -> tuple[str, ...]:
    """Return the names of a result's counters, in order: a small chip has no room for all."""
    counters = tuple(record_fields(spec))[4:]
    if spec.memory == "spram":
        return tuple(name for name in counters if name in _FEW_COUNTERS)
    return counters


def result_bytes(spec: CoreSpec) -> int:
    """Return how many bytes the body of `Reply.RESULT` has."""
    return 6 + _COUNTER_BYTES * len(result_counters(spec))


def event_bytes(spec: CoreSpec) -> int:
    """Return how many bytes an event of a stimulus has."""
    return -(-(spec.index_bits + spec.time_bits) // 8)


def command(sequence: int, kind: int, body: bytes = b"") -> bytes:
    """Return the contents of a frame, less the CRC."""
    return bytes([sequence, kind]) + _field(len(body), 2, "size") + body


def encode_write(space: int, address: int, words: Sequence[int]) -> bytes:
    """Return the body of `Command.WRITE`; ``space`` says how wide words are."""
    size = 4 if space & WIDE else 2
    return _place(space, address) + b"".join(_field(word, size, "word") for word in words)


def encode_read(space: int, address: int, words: int) -> bytes:
    """Return the body of `Command.READ`; ``space`` says how wide words are."""
    return _place(space, address) + bytes(words)


def decode_words(body: bytes, space: int) -> list[int]:
    """Return the words of `Reply.DATA`, unsigned."""
    size = 4 if space & WIDE else 2
    return [int.from_bytes(body[i : i + size], "little") for i in range(0, len(body), size)]


_GROUP = 4
_GROUPS_MAX = 16


def _groups(pixels: bytes, per_word: int) -> list[list[bytes]]:
    """Return the coded groups of ``pixels``, those between whole words together."""
    n = len(pixels) // _GROUP
    # How many groups of zeros begin here; found once, because a host must keep up with a fast link.
    zeros = [0] * (n + 1)
    there = memoryview(pixels).cast("I")
    for at in range(n - 1, 0, -1):
        if not there[at]:
            zeros[at] = zeros[at + 1] + 1
    coded: list[list[bytes]] = [[]]
    at = 0
    while at < n:
        a, b, c, d = pixels[at * _GROUP : (at + 1) * _GROUP]
        mask = (a > 0) | (b > 0) << 1 | (c > 0) << 2 | (d > 0) << 3
        end = at + min(_GROUPS_MAX, 1 + zeros[at + 1])
        # A run that leaves a word ends with one.
        end = (
            max(end // per_word * per_word, at + 1) if end > at - at % per_word + per_word else end
        )
        kept = pixels[at * _GROUP : (at + 1) * _GROUP].replace(b"\0", b"")
        coded[-1].append(bytes([mask | end - at - 1 << 4]) + kept)
        at = end
        if at % per_word == 0:
            coded.append([])
    return coded[:-1]


def _parts(pieces: Iterable[bytes], spec: CoreSpec, label: int) -> list[bytes]:
    """Return bodies with as many whole ``pieces`` each as let two of them wait in the buffer."""
    most = buffer_bytes(spec) // 2 - HEAD_BYTES - CRC_BYTES - 1
    bodies = [bytearray([_label(label)])]
    for piece in pieces:
        if len(bodies[-1]) + len(piece) > most:
            bodies.append(bytearray(bodies[-1][:1]))
        bodies[-1] += piece
    for body in bodies[:-1]:
        body[0] |= Label.MORE
    return [bytes(body) for body in bodies]


def encode_pixels(pixels: bytes, spec: CoreSpec, label: int = -1) -> list[bytes]:
    """Return the bodies of the `Command.PIXELS` that give one stimulus.

    Parameters
    ----------
    pixels : bytes
        All pixels of a stimulus; the last word is filled up with zeros.
    spec : CoreSpec
        Uses pixels, max_inputs, memory.
    label : int
        Class, -1 for none.

    Raises
    ------
    ValueError
        If there is no pixel, or more than the core takes; or the label has too many bits.
    """
    most = -(-spec.max_inputs // spec.pixels) * spec.pixels
    if not 1 <= len(pixels) <= most:
        raise ValueError(f"a stimulus has {len(pixels)} pixels, must have 1..{most}")
    whole = pixels.ljust(-(-len(pixels) // spec.pixels) * spec.pixels, b"\0")
    groups = _groups(whole, spec.pixels // _GROUP)
    return _parts((b"".join(word) for word in groups), spec, label)


def decode_groups(coded: bytes) -> bytes:
    """Return the pixels in a body of `Command.PIXELS`, less the label."""
    pixels = bytearray()
    values = iter(coded)
    for code in values:
        pixels += bytes(next(values, 0) if code >> bit & 1 else 0 for bit in range(_GROUP))
        pixels += bytes(_GROUP * (code >> 4))
    return bytes(pixels)


def encode_events(
    events: Iterable[tuple[int, int]], spec: CoreSpec, label: int = -1
) -> list[bytes]:
    """Return the bodies of the `Command.EVENTS` that give one stimulus.

    Parameters
    ----------
    events : iterable of (int, int)
        Index and time, times never falling.
    spec : CoreSpec
        Uses index_bits, time_bits, memory.
    label : int
        Class, -1 for none.
    """
    size = event_bytes(spec)
    packed = (index | time << spec.index_bits for index, time in events)
    return _parts((_field(event, size, "event") for event in packed), spec, label)


def encode_status(status: Status) -> bytes:
    """Return the contents of `Reply.STATUS`, less the CRC."""
    return bytes([status.sync, Reply.STATUS, status.reason, status.expected, status.replying])


def decode_status(contents: bytes) -> Status:
    """Return what `encode_status` packed.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if len(contents) != 5 or contents[1] != Reply.STATUS:
        raise ValueError(f"a status is {contents.hex()}, must have 5 bytes, the second one 82")
    sync, _, reason, expected, replying = contents
    return Status(sync, Reason(reason), expected, replying)


#: Fields of a core in its identity, and their bytes; a text is a number, as `_MEMORIES` has it, and
#: ``kinds`` has a bit for each of `_KINDS`.
CORE_FIELDS = (
    ("banks", 1),
    ("word", 2),
    ("weight_bits", 1),
    ("time_bits", 1),
    ("ramp", 1),
    ("potential_bits", 1),
    ("max_inputs", 2),
    ("max_layers", 1),
    ("weight_rows", 3),
    ("state_rows", 2),
    ("pixels", 1),
    ("memory", 1),
    ("learning", 1),
    ("pruning", 1),
    ("kinds", 1),
)
#: Bits of the byte ``kinds``, lowest first.
_KINDS = ("multispike", "sparse")
_MEMORIES = ("block", "spram")


def encode_identity(spec: CoreSpec) -> bytes:
    """Return the body of `Reply.IDENTITY`."""
    body = MAGIC + bytes([VERSION]) + core_digest(spec)
    for name, size in CORE_FIELDS:
        if name == "kinds":
            number = sum(getattr(spec, kind) << bit for bit, kind in enumerate(_KINDS))
        else:
            value = getattr(spec, name)
            number = _MEMORIES.index(value) if name == "memory" else int(value)
        body += _field(number, size, name)
    return body


def decode_identity(body: bytes) -> Identity | None:
    """Return what `encode_identity` packed; None if it is anything else."""
    if not body.startswith(MAGIC) or len(body) < 9:
        return None
    version, digest, rest = body[4], body[5:9], body[9:]
    if version != VERSION or len(rest) != sum(size for _, size in CORE_FIELDS):
        return Identity(version, digest, None)
    values: dict = {}
    for name, size in CORE_FIELDS:
        number, rest = int.from_bytes(rest[:size], "little"), rest[size:]
        if name == "memory":
            values[name] = _MEMORIES[number] if number < len(_MEMORIES) else ""
        elif name == "kinds":
            values |= {kind: bool(number >> bit & 1) for bit, kind in enumerate(_KINDS)}
        else:
            boolean = name in ("ramp", "learning", "pruning")
            values[name] = bool(number) if boolean else number
    try:
        core = CoreSpec(**values)
    except ValueError:
        return Identity(version, digest, None)
    return Identity(version, digest, core)


_COUNTER_BYTES = COUNTER_BITS // 8
_FORCED = 1 << 15


def encode_result(result: Result) -> bytes:
    """Return the body of `Reply.RESULT`."""
    step = result.step | (_FORCED if result.forced else 0)
    heads = (("winner", result.winner), ("last", result.last), ("step", step))
    return b"".join(_field(value, 2, name) for name, value in heads) + b"".join(
        _field(value, _COUNTER_BYTES, "counter") for value in result.counters
    )


def decode_result(body: bytes, spec: CoreSpec) -> Result:
    """Return what `encode_result` packed.

    Raises
    ------
    ValueError
        If ``body`` has another size than a result of this core.
    """
    size = result_bytes(spec)
    if len(body) != size:
        raise ValueError(f"a result has {len(body)} bytes, must have {size}")
    winner, last, step = (int.from_bytes(body[i : i + 2], "little") for i in (0, 2, 4))
    counters = tuple(
        int.from_bytes(body[i : i + _COUNTER_BYTES], "little")
        for i in range(6, size, _COUNTER_BYTES)
    )
    return Result(winner, last, step & ~_FORCED, bool(step & _FORCED), counters)


def _field(value: int, n_bytes: int, name: str) -> bytes:
    if not 0 <= value < 1 << (8 * n_bytes):
        raise ValueError(f"{name} is {value}, must be in 0..{(1 << (8 * n_bytes)) - 1}")
    return value.to_bytes(n_bytes, "little")


def _place(space: int, address: int) -> bytes:
    return _field(space, 1, "space") + _field(address, 3, "address")


def _label(label: int) -> int:
    if label == -1:
        return Label.NONE
    if not 0 <= label < Label.THERE:
        raise ValueError(f"label is {label}, must be -1 or in 0..{Label.THERE - 1}")
    return label | Label.THERE
