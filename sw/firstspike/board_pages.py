"""Writes what the page of boards takes from the tables: ``python -m firstspike.board_pages docs``.

With JSON files of builds behind the folder, their figures go into the records first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from firstspike.boards import BOARDS, Board
from firstspike.builds import Built, add_builds, load_builds
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.wiring import wiring_picture

__all__ = ["boards_table", "builds_table", "fill", "main", "pages"]

_PAGE = "boards.md"
_MEGA = 1_000_000


def _grouped(number: int) -> str:
    """Return ``number`` with a space between groups of three digits."""
    return f"{number:,}".replace(",", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def boards_table() -> str:
    """Return the boards as a table in Markdown."""
    return _table(
        ("name", "board", "chip", "oscillator, core (MHz)", "serial port", "baud", "boot"),
        [
            (
                f"`{board.name}`",
                board.title,
                board.chip,
                f"{board.oscillator / _MEGA:g}, {board.megahertz}",
                board.uart.bridge,
                _grouped(board.baud),
                "link" if board.flash_offset is None else "flash or link",
            )
            for board in BOARDS.values()
        ],
    )


def _build_row(board: Board, core: str, built: Built | None) -> tuple[str, ...]:
    if built is None:
        return (f"`{board.name}`", f"`{core}`", *("-" for _ in range(4)))
    fmax = [f"{value:.1f}" for _, value in sorted(built.fmax.items())]
    earlier = "" if built.is_current else " (an earlier core)"
    logic, memory = (f"{_grouped(a)} of {_grouped(b)}" for a, b in (built.logic, built.block_ram))
    return (
        f"`{board.name}`",
        f"`{core}`{earlier}",
        logic,
        memory,
        f"{', '.join(fmax)} (clock: {built.clock / _MEGA:g})",
        _grouped(built.bitstream_bytes),
    )


def builds_table() -> str:
    """Return what fits the boards, placed and routed, as a table in Markdown."""
    builds = load_builds()
    return _table(
        ("board", "core", "logic cells", "block RAMs", "Fmax by seed (MHz)", "bitstream (bytes)"),
        [
            _build_row(board, core, builds.get((board.name, core)))
            for board in BOARDS.values()
            for core in board.cores
        ],
    )


def fill(page: str) -> str:
    """Return ``page`` with today's tables between its marks.

    Raises
    ------
    InputError
        If a mark is missing.
    """
    for name, table in (("boards", boards_table()), ("builds", builds_table())):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise InputError(f"{_PAGE}: must have {begin.strip()} and {end.strip()} once each")
        head, rest = page.split(begin)
        tail = rest.split(end)[1]
        page = head + begin + table + end + tail
    return page


def pages(folder: Path) -> dict[Path, str]:
    """Return the files that are made from the tables, by path."""
    path = folder / _PAGE
    try:
        page = path.read_text()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    pictures = {
        folder / "boards" / f"{board.name}.svg": wiring_picture(board) for board in BOARDS.values()
    }
    return {path: fill(page), **pictures}


def main(arguments: Sequence[str]) -> int:
    """Take in builds and write the pages; return the exit status."""
    if not arguments:
        print("usage: python -m firstspike.board_pages FOLDER [BUILD.json ...]", file=sys.stderr)
        return 2
    try:
        add_builds(map(Path, arguments[1:]))
        for path, content in pages(Path(arguments[0])).items():
            write_file(path, content.encode())
    except InputError as error:
        print(f"board_pages: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
