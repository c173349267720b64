"""Both ends of a link under Atheris, which looks for bytes that reach new code.

    pip install -e '.[fuzz]'
    python tests/fuzz_board.py -max_len=2048 -len_control=0 -atheris_runs=20000

Bytes go as they are into a deframer, a board and a host with commands under way, and into all
decoders; and once more as the contents of frames whose CRC is right, which nobody finds by chance.
No exception may come out but those that say what is wrong with the board, and without a WRITE no
memory may change. It prints how many bytes it tried.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["firstspike.board"]):
    from firstspike.board import protocol
    from firstspike.board.framing import Deframer, frame
    from firstspike.board.golden import GoldenBoard
    from firstspike.board.link import Link, Order
    from firstspike.board.protocol import Command
    from firstspike.errors import InputError
    from firstspike.spec import CoreSpec, Space

CORE = CoreSpec(
    banks=2, word=2, weight_bits=4, time_bits=3, ramp=False, potential_bits=18, max_inputs=64,
    max_layers=2, weight_rows=256, state_rows=4, pixels=4,
)  # fmt: skip
tried = 0


class Mute:
    """A port from which nothing comes."""

    def write(self, data: bytes) -> int:
        return len(data)

    def read(self, size: int) -> bytes:
        return b""

    def close(self) -> None:
        pass


def one(data: bytes) -> None:
    """Try one input."""
    global tried
    contents = data[:400]
    for wire in (data, frame(contents)):
        tried += len(wire)
        writes = any(each[1:2] == b"\3" for each in Deframer(1 << 12).feed(wire))
        board = GoldenBoard(CORE)
        board.core.write(Space.WEIGHTS, 3, 7)
        board.write(wire)
        board.read(1 << 16)
        assert writes or board.core.read(Space.WEIGHTS, 3) == 7
        host = Link(Mute(), timeout=0, tries=1)
        host._room = 512
        with contextlib.suppress(InputError):
            # Some commands wait for replies, which the bytes may seem to be.
            next(host.stream([Order(Command.WRITE, bytes(4)), Order(Command.WRITE, bytes(4))]))
        with contextlib.suppress(InputError):
            host.hear(wire)
    protocol.decode_identity(protocol.MAGIC + contents)
    protocol.decode_groups(contents)
    protocol.decode_words(contents, contents[0] if contents else 0)
    for decode in (protocol.decode_status, lambda body: protocol.decode_result(body, CORE)):
        with contextlib.suppress(ValueError):
            decode(contents)


if __name__ == "__main__":
    atexit.register(lambda: print(f"{tried} bytes"))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
