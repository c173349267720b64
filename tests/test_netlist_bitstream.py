"""The file that goes to an HX8K board, unpacked to cells, with bits on its wires."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from firstspike import golden
from firstspike.board.device import Device
from firstspike.board.link import Link
from firstspike.boards import BOARDS
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.data import load
from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.shipped import find_network
from firstspike_hw.build import build
from firstspike_sim.board import SimulatedBoard
from firstspike_sim.netlist_bitstream import icebox_vlog, unpack
from system_tools import missing

IMAGES = 12


@pytest.fixture
def tool(monkeypatch):
    """IceStorm's program must be there."""
    try:
        icebox_vlog()
    except InputError as error:
        missing(str(error))


def test_without_the_tool(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ICEBOX_VLOG", raising=False)
    assert main(["board", "--simulate", "--chip", "f.bin"]) == 2
    line = "icebox_vlog is missing: apt install fpga-icestorm, or set ICEBOX_VLOG to where it is"
    assert line in capsys.readouterr().err


def test_what_is_no_such_bitstream(monkeypatch, tmp_path):
    monkeypatch.setenv("ICEBOX_VLOG", __file__)
    file = tmp_path / "f.bin"
    with pytest.raises(InputError, match=r"f\.json: cannot be read"):
        unpack(file)
    record = tmp_path / "f.json"
    record.write_text("{")
    file.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"f\.json: is not the record of a build"):
        unpack(file)
    record.write_text(json.dumps({"board": "icebreaker"}))
    with pytest.raises(InputError, match=r"board is 'icebreaker', must be 'hx8k'"):
        unpack(file)


@pytest.mark.slow
@pytest.mark.rtl
@pytest.mark.bitstream
def test_digits_on_the_bitstream(tool, tmp_path):
    """Built, unpacked, loaded over the wires at the bitstream's own rate, and asked."""
    core, network = PRESETS["hx8k"], load_network(find_network("digits"))
    made = build(core, BOARDS["hx8k"], tmp_path, seeds=1)
    chip = unpack(made.bitstream)
    assert chip.core == core
    assert chip.divisor == BOARDS["hx8k"].divisor(core)
    images = load("digits").split("test")[0][:IMAGES].reshape(IMAGES, -1)
    expected = golden.run(network, images, core=core)
    with SimulatedBoard(core, divisor=chip.divisor, chip=chip.verilog) as board:
        device = Device(Link(board, timeout=0))
        device.connect()
        device.load(network)
        records = device.classify(images).fields
    assert records["winner"].tolist() == expected.predicted.tolist()
    assert records["step"].tolist() == expected.decision_step.tolist()
    assert records["cycles"].tolist() == expected.counters["cycles"].tolist()

    other = tmp_path / "other.bin"
    shutil.copy(made.bitstream, other)
    facts = json.loads(made.bitstream.with_suffix(".json").read_text())
    other.with_suffix(".json").write_text(json.dumps(facts | {"clock_hz": 24_000_000}))
    with pytest.raises(InputError, match=r"other\.json: clock_hz is 24000000, the bitstream's is"):
        unpack(Path(other))
