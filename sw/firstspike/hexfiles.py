"""Memory images as text, for ``$readmemh`` in a test bench or a ROM of one's own."""

from __future__ import annotations

from pathlib import Path

from firstspike.files import write_file
from firstspike.loading import image_of
from firstspike.memimage import Write
from firstspike.network import AnyNetwork
from firstspike.spec import ADDRESS_BITS, CoreSpec, Space, bits_for

__all__ = ["write_hex"]


def write_hex(
    network: AnyNetwork, core: CoreSpec, folder: Path, *, early_exit: bool = True
) -> None:
    """Write all that loads ``network`` into ``core``, one hexadecimal number a line.

    ``program.hex`` holds the requests of the host port, in order, each as
    ``{data, address, space, write}``, 32, 24, 2 (sparse: 4) and 1 bits: the payload of the port
    ``requests``.
    ``weights.<bank>.hex`` holds the words of the synapse memory of each bank, from row 0.

    Raises
    ------
    InputError
        If the network does not fit the core, or the folder cannot be written.
    """
    writes = image_of(network, core, early_exit=early_exit)
    space_bits = core.space_bits
    digits = -(-(1 + space_bits + ADDRESS_BITS + 32) // 4)
    program = [
        f"{(w.data << ADDRESS_BITS | w.address) << 1 + space_bits | w.space << 1 | 1:0{digits}x}"
        for w in writes
    ]
    for bank, words in enumerate(_synapses(writes, core)):
        digits = -(-core.word_bits // 4)
        lines = [f"{words[row]:0{digits}x}" for row in range(len(words))]
        write_file(folder / f"weights.{bank}.hex", _text(lines))
    write_file(folder / "program.hex", _text(program))


def _synapses(writes: list[Write], core: CoreSpec) -> list[dict[int, int]]:
    """Return the words that are written to each bank's synapse memory, by row."""
    banks: list[dict[int, int]] = [{} for _ in range(core.banks)]
    row_bits = bits_for(core.weight_rows)
    for write in writes:
        if write.space is Space.WEIGHTS:
            place, part = divmod(write.address, 1 << core.part_address_bits)
            bank, row = divmod(place, 1 << row_bits)
            banks[bank][row] = banks[bank].get(row, 0) | write.data << part * core.part_bits
    return banks


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
