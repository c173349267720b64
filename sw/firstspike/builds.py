"""What was placed and routed: figures of the bitstreams of every board's cores.

The records stand in ``builds.json`` beside this file. They are taken from the JSON files that
`firstspike_hw.build.build` writes, by ``python -m firstspike.board_pages``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from firstspike.board.protocol import core_digest
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.spec import CoreSpec

__all__ = ["RECORDS", "Built", "add_builds", "load_builds"]

#: Where the records are.
RECORDS = Path(__file__).with_name("builds.json")

#: Kinds of cells that are told, in nextpnr's words, of both families.
_LOGIC = ("ICESTORM_LC", "TRELLIS_COMB")
_BLOCK_RAM = ("ICESTORM_RAM", "DP16KD")


@dataclass(frozen=True, slots=True)
class Built:
    """One core on one board.

    Parameters
    ----------
    board, core : str
        Keys of `firstspike.boards.BOARDS` and `firstspike.cores.PRESETS`.
    core_digest : str
        `firstspike.board.protocol.core_digest` of the core that was built, in hexadecimal.
    clock : int
        Hz that it runs at.
    cells : dict of str to [int, int]
        By kind: used, and there.
    fmax : dict of str to float
        By seed: the highest clock, in MHz.
    bitstream_bytes : int
        Size of the bitstream.
    tools : dict of str to str
        Versions.
    """

    board: str
    core: str
    core_digest: str
    clock: int
    cells: dict[str, list[int]]
    fmax: dict[str, float]
    bitstream_bytes: int
    tools: dict[str, str]

    @property
    def is_current(self) -> bool:
        """Whether the core of that name is still the one that was built."""
        return core_digest(PRESETS[self.core]).hex() == self.core_digest

    @property
    def logic(self) -> tuple[int, int]:
        """Logic cells: used, and there."""
        return self._count(_LOGIC)

    @property
    def block_ram(self) -> tuple[int, int]:
        """Block RAMs: used, and there."""
        return self._count(_BLOCK_RAM)

    def _count(self, kinds: tuple[str, ...]) -> tuple[int, int]:
        used, there = next(self.cells[kind] for kind in kinds if kind in self.cells)
        return used, there


def load_builds() -> dict[tuple[str, str], Built]:
    """Return all records, by board and core."""
    records = [Built(**record) for record in json.loads(RECORDS.read_text())]
    return {(record.board, record.core): record for record in records}


def add_builds(files: Iterable[Path]) -> None:
    """Put what builds wrote into the records, in the place of earlier ones of that board and core.

    Raises
    ------
    InputError
        If a file is not one that a build wrote, or its core is none that has a name.
    """
    records = load_builds()
    for file in files:
        record = _record(file)
        records[record.board, record.core] = record
    text = json.dumps([asdict(records[key]) for key in sorted(records)], indent=1) + "\n"
    write_file(RECORDS, text.encode())


def _record(file: Path) -> Built:
    try:
        facts: dict[str, Any] = json.loads(file.read_text())
        core = CoreSpec(**facts["core"])
        name = next((name for name, preset in PRESETS.items() if preset == core), None)
        if name is None:
            raise InputError(f"{file}: core is none of {', '.join(PRESETS)}")
        return Built(
            board=facts["board"],
            core=name,
            core_digest=facts["core_digest"],
            clock=facts["clock_hz"],
            cells={kind: [of["used"], of["there"]] for kind, of in facts["cells"].items()},
            fmax=facts["fmax_mhz"],
            bitstream_bytes=facts["bitstream_bytes"],
            tools=facts["tools"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: must be the JSON file of a build ({error!r})") from error
