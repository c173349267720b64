"""The table of boards, and clocks.

Mutants tried, each seen to fail: the oscillator's range not kept; `divf` one too large; the phase
detector's filter of the next range; ECP5's feedback divider for the wrong reference; a board whose
UART divides its clock badly.
"""

import gc

import pytest

from firstspike import cores
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.boards import BOARDS, find_board
from firstspike_hw.build import build
from firstspike_hw.pll import Ecp5Settings, Ice40Settings, ecp5_settings, ice40_settings
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


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_board(board):
    assert board.name in PRESETS
    assert board.divisor >= MIN_DIVISOR
    # Ten bits later, a receiver must still be within its bit.
    assert abs(board.clock / board.divisor / board.baud - 1) < 0.02
    settings = {"ice40": ice40_settings, "ecp5": ecp5_settings}[board.family]
    assert settings(board.oscillator, board.clock)
    assert board.open_platform().default_clk_frequency == board.oscillator


def test_boards_are_those_of_the_command_line():
    assert tuple(BOARDS) == cores.BOARDS


def test_no_such_board():
    with pytest.raises(InputError, match="must be one of icebreaker, hx8k"):
        find_board("icebraker")


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
