"""Memory images as text, for ``$readmemh`` in a test bench or a ROM of one's own."""

from __future__ import annotations

from pathlib import Path

from firstspike.files import write_file
from firstspike.memimage import memory_image, weight_words
from firstspike.network import Network
from firstspike.spec import CoreSpec

__all__ = ["write_hex"]

#: Digits of a request: write, space, address and data of the host port, 59 bits.
_REQUEST_DIGITS = 15


def write_hex(network: Network, core: CoreSpec, folder: Path, *, early_exit: bool = True) -> None:
    """Write all that loads ``network`` into ``core``, one hexadecimal number a line.

    ``program.hex`` holds the requests of the host port, in order, each as
    ``{data, address, space, write}``, 32, 24, 2 and 1 bits: the payload of the port ``requests``.
    ``weights.<bank>.hex`` holds the words of the synapse memory of each bank, from row 0.

    Raises
    ------
    InputError
        If the network does not fit the core, or the folder cannot be written.
    """
    program = [
        f"{write.data << 27 | write.address << 3 | write.space << 1 | 1:0{_REQUEST_DIGITS}x}"
        for write in memory_image(network, core, early_exit=early_exit)
    ]
    layers = [weight_words(network, number, core) for number in range(len(network.layers))]
    digits = -(-core.word_bits // 4)
    for bank in range(core.banks):
        lines = [f"{word:0{digits}x}" for layer in layers for word in layer[bank]]
        write_file(folder / f"weights.{bank}.hex", _text(lines))
    write_file(folder / "program.hex", _text(program))


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
