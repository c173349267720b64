"""The table of boards, and clocks.

Mutants tried, each seen to fail: the oscillator's range not kept; `divf` one too large; the phase
detector's filter of the next range; ECP5's feedback divider for the wrong reference; a board whose
UART divides its clock badly; wires of a board exchanged; the package of another board; a pin of the
header that another source numbers differently; an adapter without a place for its ground; any rate
of the UART taken.
"""

import gc
from dataclasses import replace
from typing import Any

import pytest

from firstspike.boards import BOARDS, find_board
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.boards import open_platform
from firstspike_hw.build import build
from firstspike_hw.pll import Ecp5Settings, Ice40Settings, ecp5_settings, ice40_settings
from firstspike_hw.spram import SPRAM_DEVICE
from firstspike_hw.tools import find_tool, run_tool
from firstspike_hw.uart import MIN_DIVISOR

MHZ = 1_000_000


# As icepll gives them.
@pytest.mark.parametrize(
    ("source", "target", "settings"),
    [
        (12, 24, Ice40Settings(0, 63, 5, 1)),
        (12, 36, Ice40Settings(0, 47, 4, 1)),
        (12, 48, Ice40Settings(0, 63, 4, 1)),
        (12, 60, Ice40Settings(0, 79, 4, 1)),
        (25, 50, Ice40Settings(0, 31, 4, 2)),
        (100, 75, Ice40Settings(0, 5, 3, 5)),
    ],
)
def test_ice40_settings(source, target, settings):
    assert ice40_settings(source * MHZ, target * MHZ) == settings


@pytest.mark.parametrize(
    ("source", "target", "settings"),
    [
        (25, 80, Ecp5Settings(5, 16, 8)),
        (25, 100, Ecp5Settings(1, 4, 6)),
        (12, 60, Ecp5Settings(1, 5, 10)),
    ],
)
def test_ecp5_settings(source, target, settings):
    assert ecp5_settings(source * MHZ, target * MHZ) == settings


@pytest.mark.parametrize("target", [1, 700, 31.4159])
@pytest.mark.parametrize("settings", [ice40_settings, ecp5_settings])
def test_clock_that_cannot_be_made(settings, target):
    with pytest.raises(ValueError, match="makes"):
        settings(12 * MHZ, round(target * MHZ))


def opened(board) -> Any:
    return open_platform(board)


def pins(platform, resource, wire):
    """Return the names of the FPGA's pins of a resource, or of one of its wires."""
    entry = platform.lookup(resource, 0)
    parts = entry.ios if wire is None else next(io.ios for io in entry.ios if io.name == wire)
    return parts[0].map_names(platform._conn_pins, entry)


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_board(board):
    assert board.cores and set(board.cores) <= set(PRESETS)
    assert find_board(board.name, baud=board.baud) == board
    settings = {"ice40": ice40_settings, "ecp5": ecp5_settings}[board.family]
    platform = opened(board)
    assert platform.default_clk_frequency == board.oscillator
    assert pins(platform, "uart", "rx") == [board.uart.rx]
    assert pins(platform, "uart", "tx") == [board.uart.tx]
    # Either the bridge is on the board, or it is said where all three wires go.
    places = [board.uart.rx_at, board.uart.tx_at, board.uart.ground_at]
    assert all(places) or not any(places)
    for core in board.cores:
        assert settings(board.oscillator, board.clock_of(PRESETS[core]))
        assert board.divisor(PRESETS[core]) >= MIN_DIVISOR
        assert (PRESETS[core].memory == "spram") <= (platform.device == SPRAM_DEVICE)


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_chip(board):
    """What the table says of a chip is what the platform and nextpnr are told."""
    platform = opened(board)
    if board.family == "ice40":
        assert board.chip == f"{platform.device}-{platform.package}"
        size = platform.device.removeprefix("iCE40")
        assert board.place_options == (f"--{size.lower()}", "--package", platform.package.lower())
        return
    assert board.chip == f"{platform.device}-{platform.speed}{platform.package}"
    size = platform.device.removeprefix("LFE5U-")
    package = platform.package.replace("BG", "CABGA").replace("MG", "CSFBGA")
    options = (f"--{size[:2]}k", "--package", package, "--speed", platform.speed)
    assert board.place_options == options


def test_wires_that_the_header_has():
    """Header and FPGA pins of boards without a serial port of their own, by amaranth-boards."""
    evaluation = opened(BOARDS["up5k-evn"])
    header = evaluation.connectors["j", 2].mapping
    assert (header["20"], header["18"]) == ("6", "9")
    crab = opened(BOARDS["orangecrab-25f"])
    header = crab.connectors["io", 0].mapping
    assert (header["0"], header["1"]) == ("N17", "M18")


def test_bitstreams_of_the_icebreaker_are_those_of_the_evaluation_board():
    first, second = (BOARDS[name] for name in ("icebreaker", "up5k-evn"))
    assert (first.uart.rx, first.uart.tx) == (second.uart.rx, second.uart.tx)
    platforms = [opened(board) for board in (first, second)]
    assert pins(platforms[0], "clk12", None) == pins(platforms[1], "clk12", None)
    for wire in ("cs", "clk", "copi", "cipo"):
        assert pins(platforms[0], "spi_flash_1x", wire) == pins(platforms[1], "spi_flash_1x", wire)


def test_no_such_board():
    with pytest.raises(InputError, match="must be one of icebreaker, up5k-evn, hx8k"):
        find_board("icebraker")


def test_another_baud():
    board = find_board("hx8k", baud=12_000_000)
    core = PRESETS["hx8k"]
    assert (board.divisor(core), BOARDS["hx8k"].divisor(core)) == (4, 48)
    with pytest.raises(InputError, match="baud is 7000000, must be within 2 % of 24000000"):
        find_board("icebreaker", baud=7_000_000)
    with pytest.raises(InputError, match="baud is 48000000, must be"):
        find_board("icebreaker", baud=48_000_000)


def test_clock_of_a_learner():
    board = replace(BOARDS["hx8k"], clock=80 * MHZ, learner_clock=60 * MHZ, baud=2 * MHZ)
    core, learner = PRESETS["hx8k"], PRESETS["learner-hx8k"]
    assert (board.clock_of(core), board.clock_of(learner)) == (80 * MHZ, 60 * MHZ)
    assert (board.divisor(core), board.divisor(learner)) == (40, 30)
    assert board.megahertz == "80 (learner: 60)"
    same = replace(board, learner_clock=None)
    assert same.clock_of(learner) == 80 * MHZ
    assert same.megahertz == "80"


@pytest.mark.parametrize("rate", [20 * MHZ, 7_500_000], ids=["learner", "other"])
def test_baud_that_one_clock_does_not_make(monkeypatch, rate):
    clocks = {"clock": 80 * MHZ, "learner_clock": 30 * MHZ}
    monkeypatch.setitem(BOARDS, "hx8k", replace(BOARDS["hx8k"], **clocks))
    assert find_board("hx8k", baud=5 * MHZ).baud == 5 * MHZ
    with pytest.raises(InputError, match="must be within 2 % of"):
        find_board("hx8k", baud=rate)


def test_missing_tool(monkeypatch, tmp_path):
    monkeypatch.setenv("NEXTPNR_ICE40", "no-such-nextpnr")
    with pytest.raises(InputError, match="no-such-nextpnr is not installed: pip install"):
        find_tool("nextpnr-ice40")
    with pytest.raises(InputError, match="no-such-nextpnr is not installed"):
        build(CoreSpec(), find_board("hx8k"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_failing_tool_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("YOSYS", "false")
    with pytest.raises(InputError, match="yosys failed: 1"):
        run_tool("yosys", [], tmp_path)


@pytest.mark.parametrize(
    ("core", "message"),
    [
        (PRESETS["icebreaker"], "board hx8k has no SPRAM"),
        (CoreSpec(banks=16, word=16, state_rows=1024), "board hx8k: max_inputs and max_neurons"),
    ],
)
@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_core_that_is_not_for_the_board(core, message, monkeypatch, tmp_path):
    # Any program that has a version will do: it does not come to synthesis.
    monkeypatch.setenv("YOSYS", "python3")
    monkeypatch.setenv("NEXTPNR_ICE40", "python3")
    with pytest.raises(InputError, match=message):
        build(core, find_board("hx8k"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    gc.collect()
