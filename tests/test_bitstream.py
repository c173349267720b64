"""Synthesis, place and route of small cores.

The ranges of cells are wide enough for another version of the tools and narrow enough to notice
logic that was optimised away, or a memory that fell apart into flip-flops.

Mutants tried, each seen to fail: the core's results left open in the top, so that most of it goes;
the clock not compared; no memory made of logic.
"""

import dataclasses
import hashlib
import json

import pytest

from firstspike.board.protocol import core_digest
from firstspike.boards import BOARDS
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.build import build

pytestmark = pytest.mark.bitstream

SMALL = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=3,
    ramp=False,
    potential_bits=10,
    max_inputs=64,
    max_layers=2,
    weight_rows=256,
    state_rows=8,
)

# Kind: fewest and most.
CELLS = {
    "hx8k": {"ICESTORM_LC": (2050, 2850), "ICESTORM_RAM": (13, 15), "ICESTORM_PLL": (1, 1)},
    "ulx3s-25f": {"TRELLIS_COMB": (2050, 2850), "TRELLIS_FF": (850, 1150), "DP16KD": (2, 3)},
}


_MEMORY = {"hx8k": "ICESTORM_RAM", "ulx3s-25f": "DP16KD"}


@pytest.mark.parametrize("name", CELLS)
def test_small_core(name, tmp_path):
    board = BOARDS[name]
    folder = tmp_path / "new" / "folder"
    made = build(SMALL, board, folder, seeds=1, words=["build", "--board", name])
    assert sorted(folder.iterdir()) == [made.bitstream, made.bitstream.with_suffix(".json")]
    assert made.bitstream.stat().st_size > 10_000
    for kind, (fewest, most) in CELLS[name].items():
        used, there = made.cells[kind]
        assert fewest <= used <= most, (kind, used)
        assert used <= there

    facts = json.loads(made.bitstream.with_suffix(".json").read_text())
    assert facts["board"] == name
    assert CoreSpec(**facts["core"]) == SMALL
    assert facts["core_digest"] == core_digest(SMALL).hex()
    assert facts["clock_hz"] == board.clock
    assert facts["fmax_mhz"] == {"1": round(made.fmax[1], 2)}
    assert facts["seed"] == made.seed == 1
    assert set(facts["tools"]) == {"amaranth", "yosys", f"nextpnr-{board.family}"}
    assert all(any(c.isdigit() for c in version) for version in facts["tools"].values())
    assert facts["bitstream_bytes"] == made.bitstream.stat().st_size
    assert facts["sha256"] == hashlib.sha256(made.bitstream.read_bytes()).hexdigest()
    origin = facts["provenance"]
    assert (origin["kind"], origin["board"]) == ("build", name)
    assert origin["command"] == f"firstspike build --board {name}"
    assert origin["core_digest"] == facts["core_digest"]

    blocks = {block["name"]: block for block in facts["blocks"]}
    assert {"banks", "encoder", "buckets", "walker", "issue", "link", "UART"} <= blocks.keys()
    sums = {kind: sum(b.get(kind, 0) for b in blocks.values()) for kind in facts["flat"]}
    # Memories are what they are on both sides of a border; logic is a little more.
    assert sums.get("ram") == facts["flat"].get("ram") == made.cells[_MEMORY[name]][0]
    assert facts["flat"]["lut"] <= sums["lut"] < 1.25 * facts["flat"]["lut"]
    assert blocks["banks"]["ram"] >= SMALL.banks


def test_memory_made_of_logic(tmp_path):
    """It leaves its block RAM to others; by a name that is not there, nothing changes."""
    core = dataclasses.replace(SMALL, state_rows=32)
    board = BOARDS["hx8k"]
    assert board.logic_memories == ("serializer.queue/words",)
    cells = []
    for names in (board.logic_memories, ("queue/wards",)):
        other = dataclasses.replace(board, logic_memories=names)
        cells.append(build(core, other, tmp_path / str(len(cells)), seeds=1).cells)
    assert cells[0]["ICESTORM_RAM"][0] == cells[1]["ICESTORM_RAM"][0] - 1
    assert cells[0]["ICESTORM_LC"][0] > cells[1]["ICESTORM_LC"][0] + 100


def test_clock_that_is_not_met(tmp_path):
    board = dataclasses.replace(BOARDS["hx8k"], clock=192_000_000)
    with pytest.raises(InputError, match=r"must run at 192 MHz and reaches \d+\.\d MHz with"):
        build(SMALL, board, tmp_path, seeds=1)
    assert list(tmp_path.iterdir()) == []


def test_core_that_does_not_fit(tmp_path):
    large = dataclasses.replace(SMALL, weight_rows=32768)
    with pytest.raises(InputError, match=r"nextpnr-ice40 failed: ERROR: .*ICESTORM_RAM"):
        build(large, BOARDS["hx8k"], tmp_path, seeds=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_icebreaker(tmp_path):
    made = build(PRESETS["icebreaker"], BOARDS["icebreaker"], tmp_path, seeds=1)
    assert made.cells["ICESTORM_SPRAM"] == (4, 4)
    assert 3000 <= made.cells["ICESTORM_LC"][0] <= 3700
