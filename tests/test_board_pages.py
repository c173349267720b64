"""Boards as people see them: the page, its pictures, records of builds, and `firstspike boards`.

Mutants tried, each seen to fail: a picture without the places of an adapter's wires, or with the
pins or the arrows exchanged; records that are kept instead of replaced; a core whose name is not
looked up; an earlier core that is not marked; the fastest seed told instead of the slowest; a page
without its marks taken.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from firstspike import builds
from firstspike.board.protocol import core_digest
from firstspike.board_pages import builds_table, fill, main, pages
from firstspike.boards import BOARDS
from firstspike.builds import add_builds, load_builds
from firstspike.cli import main as firstspike
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.wiring import wiring_picture

DOCS = Path(__file__).parents[1] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def facts(board="hx8k", name="hx8k", **changes):
    """Return what a build writes."""
    return {
        "firstspike": "0",
        "board": board,
        "core": asdict(PRESETS[name]),
        "core_digest": core_digest(PRESETS[name]).hex(),
        "clock_hz": 60_000_000,
        "baud": 1_000_000,
        "tools": {"yosys": "Yosys 0.70"},
        "cells": {
            "ICESTORM_LC": {"used": 3055, "there": 7680},
            "ICESTORM_RAM": {"used": 32, "there": 32},
        },
        "fmax_mhz": {"1": 73.9, "2": 68.06},
        "seed": 1,
        "bitstream_bytes": 135100,
        "sha256": "",
    } | changes


@pytest.fixture
def records(tmp_path, monkeypatch):
    """An empty table of records, read by everything."""
    path = tmp_path / "builds.json"
    path.write_text("[]\n")
    monkeypatch.setattr(builds, "RECORDS", path)
    return path


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(json.dumps(content))
    return path


def test_page_and_pictures_are_those_of_the_tables():
    for path, content in pages(DOCS).items():
        assert path.read_text() == content, "run: python -m firstspike.board_pages docs"
    assert {path.name for path in (DOCS / "boards").iterdir()} == {f"{name}.svg" for name in BOARDS}


def test_page_shows_every_board():
    page = (DOCS / "boards.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    assert ", ".join(heading.removeprefix("### ") for heading in headings) == ", ".join(BOARDS)
    for name in BOARDS:
        assert f"(boards/{name}.svg)" in page


def test_records_are_of_boards_and_cores_that_are_there():
    for (board, core), built in load_builds().items():
        assert core in BOARDS[board].cores
        assert built.clock == BOARDS[board].clock_of(PRESETS[core])
        assert max(built.fmax.values()) * 1e6 >= built.clock


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_picture(board):
    root = ET.fromstring(wiring_picture(board))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    uart = board.uart
    told = [board.title, board.chip, uart.bridge, "TX", "RX", f"rx {uart.rx}", f"tx {uart.tx}"]
    places = [place for place in (uart.rx_at, uart.tx_at, uart.ground_at) if place]
    assert set(told + places) <= set(texts)
    assert len(list(root.iter(f"{SVG}circle"))) == len(places)
    assert f"core at {board.megahertz} MHz" in str(texts[-1])
    # Every text is inside.
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    for text in root.iter(f"{SVG}text"):
        assert 0 < int(text.attrib["x"]) < width and 0 < int(text.attrib["y"]) < height
    # A wire's head is where it ends: into the FPGA at the right, out of it at the left.
    heads = {}
    for wire in root.iter(f"{SVG}g"):
        line, *head = wire.findall(f"{SVG}path")
        left, right = line.attrib["d"].removeprefix("M").split("H")
        if head:
            at = head[0].attrib["d"].removeprefix("M").split("l")[0]
            heads[wire.attrib["class"]] = "left" if at == left else "right"
            assert at in (left, f"{right} {left.split()[1]}")
    assert heads == {"in": "right", "out": "left"}


def test_records(records, tmp_path):
    add_builds([written(tmp_path, "a.json", facts())])
    add_builds([written(tmp_path, "b.json", facts("ulx3s-25f", "learner"))])
    add_builds([written(tmp_path, "c.json", facts(bitstream_bytes=7))])
    loaded = load_builds()
    assert set(loaded) == {("hx8k", "hx8k"), ("ulx3s-25f", "learner")}
    built = loaded["hx8k", "hx8k"]
    assert (built.logic, built.block_ram, built.bitstream_bytes) == ((3055, 7680), (32, 32), 7)
    assert built.is_current
    assert not replace(built, core_digest="00000000").is_current


def test_table_of_builds(records, tmp_path):
    earlier = facts("ulx3s-25f", "learner", core_digest="00000000")
    add_builds([written(tmp_path, "a.json", facts()), written(tmp_path, "b.json", earlier)])
    lines = builds_table().splitlines()
    assert (
        "| `hx8k` | `hx8k` | 3 055 of 7 680 | 32 of 32 | 73.9, 68.1 (clock: 60) | 135 100 |"
        in lines
    )
    assert "| `icebreaker` | `icebreaker` | - | - | - | - |" in lines
    assert next(line for line in lines if "earlier" in line).startswith(
        "| `ulx3s-25f` | `learner` (an earlier core) | 3 055"
    )
    assert len(lines) == 2 + sum(len(board.cores) for board in BOARDS.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must be the JSON file of a build"),
        ({}, "must be the JSON file of a build .KeyError"),
        (facts(core={"banks": 3}), "must be the JSON file of a build .ValueError"),
        (facts(core=asdict(replace(PRESETS["hx8k"], state_rows=16))), "core is none of default"),
    ],
)
def test_files_that_are_no_builds(records, tmp_path, content, message):
    path = written(tmp_path, "a.json", content)
    with pytest.raises(InputError, match=message):
        add_builds([path])
    assert records.read_text() == "[]\n"


def test_page_without_its_marks():
    page = (DOCS / "boards.md").read_text()
    assert fill(page) == page
    with pytest.raises(InputError, match=r"boards\.md: must have <!-- builds: generated -->"):
        fill(page.replace("<!-- end of builds -->\n", ""))


def test_command_of_the_page(records, tmp_path, capsys):
    (tmp_path / "boards.md").write_text((DOCS / "boards.md").read_text())
    assert main([str(tmp_path), str(written(tmp_path, "a.json", facts()))]) == 0
    assert "3 055 of 7 680" in (tmp_path / "boards.md").read_text()
    assert (tmp_path / "boards" / "hx8k.svg").exists()
    assert main([]) == 2
    assert main([str(tmp_path / "none")]) == 2
    assert "boards.md: cannot be read" in capsys.readouterr().err


def test_boards(capsys):
    assert firstspike(["boards"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(BOARDS)
    assert firstspike(["boards", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed) == list(BOARDS)
    assert listed["hx8k"]["uart"]["rx"] == "B10"
    assert set(listed["hx8k"]["cores"]) == set(BOARDS["hx8k"].cores)


def test_one_board(records, tmp_path, capsys):
    add_builds([written(tmp_path, "a.json", facts())])
    assert firstspike(["boards", "hx8k"]) == 0
    lines = capsys.readouterr().out.splitlines()
    [row] = [line for line in lines if line.startswith("hx8k")]
    assert row.split() == ["hx8k", "3055", "of", "7680", "32", "of", "32", "68.1", "135100"]
    assert firstspike(["boards", "up5k-evn"]) == 0
    out = capsys.readouterr().out
    assert "header C (J3), pin 20" in out and "header C (J3), pin 19" in out
    assert firstspike(["boards", "hx8"]) == 2
    assert "must be one of icebreaker" in capsys.readouterr().err
