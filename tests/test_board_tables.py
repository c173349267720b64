"""docs/board.md has the tables that hardware and host use, and an example that is one.

Mutants tried, each of which a test here refused: a register left out of the tables; a reply with
another code; another magic number.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firstspike.board.framing import Deframer
from firstspike.board.golden import GoldenBoard
from firstspike.board.protocol import Command, Reply
from firstspike.board.registers import registers
from firstspike.board.tables import fill, main, tables
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import Space

PAGE = Path(__file__).parents[1] / "docs" / "board.md"


def test_the_page_is_up_to_date():
    assert fill(PAGE.read_text()) == PAGE.read_text(), (
        "run: python -m firstspike.board.tables docs/board.md"
    )


def test_everything_is_in_the_tables():
    text = tables()
    for kind in (*Command, *Reply):
        assert f"| {kind:02x} | {kind.name} |" in text
    for core in ("default", "learner"):
        for register in registers(PRESETS[core]):
            assert f"`{register.name}`" in text
            assert register.meaning in text
    for space in Space:
        assert f"| {int(space)} | `{space.name}` |" in text


def test_the_example_is_a_conversation():
    """The host's frames go into a board; what it answers is what the page says, but for results."""
    block = re.search(r"```text\n(host .*?)```", PAGE.read_text(), re.S)
    assert block is not None
    board = GoldenBoard(PRESETS["hx8k"])
    board.core.write(Space.WEIGHTS, 0x123, 0x7A5B)
    board.core.write(Space.WEIGHTS, 0x124, 0x0042)
    board.core.write(Space.REGISTERS, 7, 3)
    answers = b""
    for turn in re.split(r"^(?=host|core)", block[1], flags=re.M)[1:]:
        who, _, rest = turn.partition("  ")
        wire = bytes.fromhex("".join(rest.split("\n")[1:]))
        if who == "host":
            assert answers == b""
            board.write(wire)
            answers = board.read(1 << 12)
        else:
            (said,), (found,) = Deframer(99).feed(wire), Deframer(99).feed(answers)
            assert said[:2] == found[:2] and len(said) == len(found)
            if said[1] != Reply.RESULT:
                assert said == found
            answers = b""


def test_a_page_without_a_place():
    with pytest.raises(InputError, match="the page must have <!-- tables"):
        fill("nothing")


def test_the_command(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- tables: generated -->\nold\n<!-- end of tables -->\nb\n")
    assert main([str(page)]) == 0
    assert page.read_text().startswith("a\n<!-- tables: generated -->\n\n### Commands")
    assert page.read_text().endswith("\n<!-- end of tables -->\nb\n")
    assert "\nold\n" not in page.read_text()
    assert main([]) == 0
    assert capsys.readouterr().out == tables() + "\n"
