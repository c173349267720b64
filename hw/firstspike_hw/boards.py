"""The boards: their parts, their clocks, and the top that puts a core on one of them."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from amaranth import *
from amaranth.build import Platform
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.pll import PllEcp5, PllIce40, ecp5_settings, ice40_settings
from firstspike_hw.top import System

__all__ = ["BOARDS", "Board", "BoardTop", "find_board"]

#: Block RAMs of iCE40 cannot be read right after configuration: wait for so many cycles. At
#: 100 MHz that is 10 us, three times as long as they need.
_WAIT_CYCLES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board, and how a core is put on it.

    Parameters
    ----------
    name : str
        As people type it; also the name of its core in `firstspike.cores.PRESETS`.
    family : str
        ``ice40`` or ``ecp5``.
    platform : str
        Module and class in amaranth-boards.
    place_options : tuple of str
        Device and package for nextpnr.
    clock : int
        Hz of the core.
    baud : int
        Bits a second of the UART.
    oscillator : int
        Hz of the platform's default clock.
    pll_pad : bool
        iCE40: whether the oscillator stands at the pin that feeds the PLL directly.
    """

    name: str
    family: str
    platform: str
    place_options: tuple[str, ...]
    clock: int
    baud: int
    oscillator: int
    pll_pad: bool = False

    @property
    def divisor(self) -> int:
        """Clock cycles a bit of the UART."""
        return round(self.clock / self.baud)

    def open_platform(self) -> Platform:
        """Return a new instance of the platform; it serves one build.

        Raises
        ------
        InputError
            If amaranth-boards is not installed.
        """
        module, name = self.platform.split(":")
        try:
            return getattr(importlib.import_module(module), name)()
        except ModuleNotFoundError as error:
            raise InputError(
                f"board {self.name} needs the package {error.name}: pip install 'firstspike[hw]'"
            ) from error


#: All boards, by name.
BOARDS = {
    board.name: board
    for board in (
        Board(
            name="icebreaker",
            family="ice40",
            platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
            place_options=("--up5k", "--package", "sg48"),
            oscillator=12_000_000,
            pll_pad=True,
            clock=24_000_000,
            baud=1_000_000,
        ),
        Board(
            name="hx8k",
            family="ice40",
            platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            place_options=("--hx8k", "--package", "ct256"),
            oscillator=12_000_000,
            clock=60_000_000,
            baud=1_000_000,
        ),
        Board(
            name="ulx3s-25f",
            family="ecp5",
            platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
            place_options=("--25k", "--package", "CABGA381", "--speed", "6"),
            oscillator=25_000_000,
            clock=60_000_000,
            baud=2_000_000,
        ),
        Board(
            name="ulx3s-85f",
            family="ecp5",
            platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
            place_options=("--85k", "--package", "CABGA381", "--speed", "6"),
            oscillator=25_000_000,
            clock=60_000_000,
            baud=2_000_000,
        ),
    )
}


def find_board(name: str) -> Board:
    """Return the board called ``name``.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in BOARDS:
        raise InputError(f"board is {name!r}, must be one of {', '.join(BOARDS)}")
    return BOARDS[name]


class BoardTop(Elaboratable):
    """A core on a board: clock, reset, pins.

    Parameters
    ----------
    spec : CoreSpec
        The core.
    board : Board
        Where it goes.
    """

    def __init__(self, spec: CoreSpec, board: Board):
        self._system = System(spec, board.divisor)
        self._board = board

    def elaborate(self, platform):
        m = Module()
        clock, locked = _PLLS[self._board.family](m, self._board, platform)
        platform.add_clock_constraint(clock, self._board.clock)
        m.domains.start = ClockDomain(reset_less=True)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal("start").eq(clock), ClockSignal().eq(clock)]

        steady = Signal()
        waited = Signal(range(_WAIT_CYCLES))
        m.submodules.steady = FFSynchronizer(locked, steady, o_domain="start")
        reset = Signal(init=1)
        m.d.start += reset.eq(waited != _WAIT_CYCLES - 1)
        m.d.comb += ResetSignal().eq(reset)
        with m.If(~steady):
            m.d.start += waited.eq(0)
        with m.Elif(waited != _WAIT_CYCLES - 1):
            m.d.start += waited.eq(waited + 1)

        m.submodules.system = system = self._system
        # The board's other wires of the UART stay unused.
        wires = platform.lookup("uart", 0).ios
        uart = platform.request("uart", 0, dir={wire.name: "-" for wire in wires})
        m.submodules.rx = rx = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx = tx = io.Buffer(io.Direction.Output, uart.tx)
        m.d.comb += [system.rx.eq(rx.i), tx.o.eq(system.tx)]
        return m


def _ice40_clock(m: Module, board: Board, platform) -> tuple[Signal, Signal]:
    source = platform.request(platform.default_clk, dir="-")
    settings = ice40_settings(board.oscillator, board.clock)
    if board.pll_pad:
        m.submodules.pll = pll = PllIce40(settings, source.io, pad=True)
    else:
        m.submodules.oscillator = buffer = io.Buffer(io.Direction.Input, source)
        m.submodules.pll = pll = PllIce40(settings, buffer.i, pad=False)
    return pll.output, pll.locked


def _ecp5_clock(m: Module, board: Board, platform) -> tuple[Signal, Signal]:
    source = platform.request(platform.default_clk, dir="-")
    m.submodules.oscillator = buffer = io.Buffer(io.Direction.Input, source)
    settings = ecp5_settings(board.oscillator, board.clock)
    m.submodules.pll = pll = PllEcp5(settings, buffer.i)
    return pll.output, pll.locked


_PLLS: dict[str, Callable] = {"ice40": _ice40_clock, "ecp5": _ecp5_clock}
