"""The tables of docs/board.md, made from what hardware and host use.

    python -m firstspike.board.tables docs/board.md

puts them into the page, between ``<!-- tables: generated -->`` and ``<!-- end of tables -->``;
without a file it prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from firstspike.board import protocol
from firstspike.board.framing import frame
from firstspike.board.protocol import (
    LINK_REGISTERS,
    LINK_SPACE,
    MAGIC,
    VERSION,
    Command,
    Reason,
    Reply,
    Result,
)
from firstspike.board.registers import Register, registers
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.spec import CoreSpec, Space, record_fields

__all__ = ["fill", "main", "tables"]

_BEGIN = "<!-- tables: generated -->"
_END = "<!-- end of tables -->"

_COMMANDS = {
    Command.HELLO: (
        "-",
        (
            "IDENTITY, when all before it is done; taken with any number, and the next one is "
            "due with the number after it"
        ),
    ),
    Command.SYNC: ("-", "STATUS, at once; taken with any number, and no command counts it"),
    Command.WRITE: (
        (
            "space (1), address (3), words of 2 bytes, or of 4 if bit 7 of the space is set, for "
            "this address and the ones after it"
        ),
        "DONE",
    ),
    Command.READ: (
        "space (1), address (3), then a byte of any value for each word that is wanted",
        "DATA",
    ),
    Command.PIXELS: ("label (1), pixels in groups", "RESULT; DONE, if more of it follows"),
    Command.EVENTS: ("label (1), events", "RESULT; DONE, if more of it follows"),
    Command.RESTART: (
        "-",
        (
            "IDENTITY; taken with any number and at once: core and link begin anew, nothing is "
            "loaded, memories keep what they hold"
        ),
    ),
}
_REPLIES = {
    Reply.IDENTITY: "who answers, see below",
    Reply.STATUS: "in the place of the number that of the latest SYNC, then reason (1), number of "
    "the command that is due (1), number of the next reply (1)",
    Reply.DONE: "-",
    Reply.DATA: "the words, in as many bytes each as were asked for",
    Reply.RESULT: "of a stimulus, see below",
    Reply.REFUSED: "reason (1)",
}
_REASONS = {
    Reason.NONE: "nothing was dropped",
    Reason.DAMAGED: "a frame was dropped: wrong CRC, cut off, or a byte without a stop bit",
    Reason.ORDER: "a frame was dropped: another number was due",
    Reason.FULL: "a frame was dropped: the buffer was full",
    Reason.UNKNOWN: "a command is refused: the core does not know it",
    Reason.NOT_LOADED: "a stimulus is refused: nothing is loaded",
}
_IDENTITY = (
    (MAGIC.hex(" "), 4, f"`{MAGIC.decode()}`"),
    ("version", 1, f"of the protocol, {VERSION}"),
    ("digest", 4, "of all parameters, `firstspike.board.protocol.core_digest`"),
)
_SPACES = {
    Space.REGISTERS: ("register", "see below", "-"),
    Space.WEIGHTS: ("bank, row, part", "a word of synapses, or 16 bits of it", "read, write"),
    Space.START: ("bank, row, lane", "what a potential starts with", "read, write"),
    Space.STATE: ("bank, row, lane", "a potential", "read"),
    Space.ROW_MASKS: (
        "bank, input, part",
        "pruning, block memory: the rows of a bank that an input still reaches",
        "read, write",
    ),
    Space.COLUMN_MASKS: (
        "neuron x max_inputs / 16 + word",
        "pruning, block memory: 16 inputs that still reach a neuron",
        "read, write",
    ),
    Space.UPDATES: ("weight; + 2^weight_bits: up", "learning: 256ths of a change", "write"),
    Space.FAN_IN: ("neuron", "pruning: inputs that still reach it", "read, write"),
    Space.LISTS: (
        "weight_row of its layer + input or neuron",
        "sparse: first row of its words, their number less one, and a bit that says there is none",
        "write",
    ),
}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


def _address(register: Register) -> str:
    if register.step == 1 and register.count == 1:
        return str(register.address)
    if register.step == 1:
        return f"{register.address}..{register.address + register.count - 1}"
    return f"{register.address} + {register.step} x layer"


def _registers(core: CoreSpec) -> list[str]:
    rows = [
        (_address(register), f"`{register.name}`", register.access, register.meaning)
        for register in registers(core)
        if register.space != LINK_SPACE
    ]
    return _table(("address", "name", "access", "meaning"), rows)


def _example() -> list[str]:
    """Return a conversation, byte for byte."""
    core = PRESETS["hx8k"]
    pixels = bytes([0, 0, 0, 200, *8 * [0], 126, 0, 0, 0])
    write = protocol.encode_write(LINK_SPACE, 0, [0xBEEF])
    read = protocol.encode_read(Space.WEIGHTS, 0x123, 2)
    result = protocol.encode_result(
        Result(3, 3, 2, False, tuple(range(1, 1 + len(protocol.result_counters(core)))))
    )
    rows = (
        ("host", "sequence 5: HELLO", protocol.command(5, Command.HELLO)),
        (
            "core",
            "reply 5: IDENTITY, a core `hx8k`",
            bytes([5, Reply.IDENTITY]) + protocol.encode_identity(core),
        ),
        ("host", "sequence 6: write BEEF to `loaded`", protocol.command(6, Command.WRITE, write)),
        ("core", "reply 6: DONE", bytes([6, Reply.DONE])),
        (
            "host",
            "sequence 7: two words of synapses from 123",
            protocol.command(7, Command.READ, read),
        ),
        ("core", "reply 7: DATA, 7A5B and 0042", bytes([7, Reply.DATA]) + b"\x5b\x7a\x42\x00"),
        (
            "host",
            "sequence 8: 16 pixels with label 9, all 0 but the fourth (200) and the 13th (126)",
            protocol.command(8, Command.PIXELS, protocol.encode_pixels(pixels, core, 9)[0]),
        ),
        ("core", "reply 8: RESULT, neuron 3 in step 2", bytes([8, Reply.RESULT]) + result),
        ("host", "SYNC number 1", protocol.command(1, Command.SYNC)),
        (
            "core",
            "STATUS: command 9 is due, and reply 9 is next",
            protocol.encode_status(protocol.Status(1, Reason.NONE, 9, 9)),
        ),
    )
    lines = ["```text"]
    for who, what, contents in rows:
        lines.append(f"{who}  {what}")
        data = frame(contents).hex(" ")
        lines += [f"      {data[i : i + 90].strip()}" for i in range(0, len(data), 90)]
    return [*lines, "```"]


def tables() -> str:
    """Return all tables, as Markdown."""
    ordinary, learning = PRESETS["default"], PRESETS["learner"]
    lines = ["### Commands", ""]
    lines += _table(
        ("kind", "name", "body", "reply"),
        [(f"{kind:02x}", kind.name, *_COMMANDS[kind]) for kind in sorted(Command)],
    )
    lines += ["", "### Replies", ""]
    lines += _table(
        ("kind", "name", "body"),
        [(f"{kind:02x}", kind.name, _REPLIES[kind]) for kind in sorted(Reply)],
    )
    lines += ["", "### Reasons", ""]
    lines += _table(
        ("code", "name", "meaning"),
        [(int(reason), reason.name, _REASONS[reason]) for reason in Reason],
    )
    lines += ["", "### Identity", ""]
    told = {"kinds": "of `core.yaml`: `multispike` (bit 0) and `sparse` (bit 1)"}
    fields = [
        (f"`{name}`", size, told.get(name, "of `core.yaml`")) for name, size in protocol.CORE_FIELDS
    ]
    heads = [(f"`{name}`", size, meaning) for name, size, meaning in _IDENTITY]
    lines += _table(("field", "bytes", "meaning"), heads + fields)
    lines += ["", "### Result", ""]
    names = ", ".join(f"`{name}`" for name in protocol.result_counters(ordinary))
    few = ", ".join(f"`{name}`" for name in protocol.result_counters(PRESETS["icebreaker"]))
    more = [name for name in record_fields(learning) if name not in record_fields(ordinary)]
    lines += _table(
        ("field", "bytes", "meaning"),
        [
            ("`winner`", 2, "output neuron that decided"),
            ("`last`", 2, "output neuron with the largest potential in the end"),
            ("`step`", 2, "decision step; bit 15: no output spiked"),
            (
                "counters",
                "3 each",
                f"{names}; a learning core then has " + ", ".join(f"`{name}`" for name in more),
            ),
            (
                "",
                "",
                (
                    f"with synapses in SPRAM only {few}, and when learning those of `stdp_visits`"
                    " and `pruned`"
                ),
            ),
        ],
    )
    lines += ["", "### Spaces", ""]
    spaces = [
        (int(space), f"`{space.name}`", address, what, access)
        for space, (address, what, access) in _SPACES.items()
    ]
    lines += _table(
        ("space", "name", "address", "a word is", "access"),
        [*spaces, (LINK_SPACE, "link", "register", "see below", "-")],
    )
    lines += ["", "### Registers of the link", ""]
    lines += _table(
        ("address", "name", "access", "bits", "meaning"),
        [
            (address, f"`{name}`", access, bits, meaning)
            for address, (name, access, bits, meaning) in enumerate(LINK_REGISTERS)
        ],
    )
    lines += ["", "### Registers of a core", "", *_registers(ordinary)]
    lines += ["", "### Registers of a learning core", "", *_registers(learning)]
    lines += ["", "### An example", "", *_example()]
    return "\n".join(lines)


def fill(page: str) -> str:
    """Return a page with its tables as they are now.

    Raises
    ------
    InputError
        If it has no place for them.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise InputError(f"the page must have {_BEGIN} and, behind it, {_END}")
    return f"{before}{_BEGIN}\n\n{tables()}\n\n{_END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, or put them into the page that is given."""
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        print(tables())
        return 0
    path = Path(given[0])
    write_file(path, fill(path.read_text(encoding="utf-8")).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
