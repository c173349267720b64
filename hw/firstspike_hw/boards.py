"""What puts a core on a board of `firstspike.boards`: its platform, its clock, and the top."""

import importlib
from collections.abc import Callable

from amaranth import *
from amaranth.build import Attrs, Pins, Platform, Resource, Subsignal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from firstspike.boards import Board
from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.pll import PllEcp5, PllIce40, ecp5_settings, ice40_settings
from firstspike_hw.top import System

__all__ = ["BoardTop", "open_platform"]

#: Block RAMs of iCE40 cannot be read right after configuration: wait for so many cycles. At
#: 100 MHz that is 10 us, three times as long as they need.
_WAIT_CYCLES = 1024


#: Electrical settings of a UART's pins where amaranth-boards has none; an open wire idles high.
_UART_ATTRIBUTES = {
    "ice40": {"IO_STANDARD": "SB_LVCMOS", "PULLUP": 1},
    "ecp5": {"IO_TYPE": "LVCMOS33", "PULLMODE": "UP"},
}


def open_platform(board: Board) -> Platform:
    """Return a new instance of a board's platform; it serves one build.

    Raises
    ------
    InputError
        If amaranth-boards is not installed.
    """
    module, name = board.platform.split(":")
    try:
        platform: Platform = getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise InputError(
            f"board {board.name} needs the package {error.name}: pip install 'firstspike[hw]'"
        ) from error
    if ("uart", 0) not in platform.resources:
        wires = (
            Subsignal("rx", Pins(board.uart.rx, dir="i")),
            Subsignal("tx", Pins(board.uart.tx, dir="o")),
        )
        platform.add_resources(
            [Resource("uart", 0, *wires, Attrs(**_UART_ATTRIBUTES[board.family]))]
        )
    return platform


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
        self._boots = board.boot_offset(spec) is not None
        self._system = System(spec, board.divisor(spec), flash_offset=board.boot_offset(spec))
        self._board = board
        self._clock = board.clock_of(spec)

    def elaborate(self, platform):
        m = Module()
        clock, locked = _PLLS[self._board.family](m, self._board, self._clock, platform)
        platform.add_clock_constraint(clock, self._clock)
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
        if self._boots:
            _connect_flash(m, platform, system)
        return m


def _connect_flash(m: Module, platform, system: System) -> None:
    wires = platform.lookup("spi_flash_1x", 0).ios
    flash = platform.request("spi_flash_1x", 0, dir={wire.name: "-" for wire in wires})
    m.submodules.flash_cipo = cipo = io.Buffer(io.Direction.Input, flash.cipo)
    m.d.comb += system.flash_cipo.eq(cipo.i)
    levels = {"cs": system.flash_cs, "clk": system.flash_clk, "copi": system.flash_copi}
    for wire in wires:
        if wire.name != "cipo":
            # Others, write protect and hold, are never asserted.
            buffer = io.Buffer(io.Direction.Output, getattr(flash, wire.name))
            m.submodules[f"flash_{wire.name}"] = buffer
            m.d.comb += buffer.o.eq(levels.get(wire.name, 0))


def _ice40_clock(m: Module, board: Board, hertz: int, platform) -> tuple[Signal, Signal]:
    source = platform.request(platform.default_clk, dir="-")
    settings = ice40_settings(board.oscillator, hertz)
    if board.pll_pad:
        m.submodules.pll = pll = PllIce40(settings, source.io, pad=True)
    else:
        m.submodules.oscillator = buffer = io.Buffer(io.Direction.Input, source)
        m.submodules.pll = pll = PllIce40(settings, buffer.i, pad=False)
    return pll.output, pll.locked


def _ecp5_clock(m: Module, board: Board, hertz: int, platform) -> tuple[Signal, Signal]:
    source = platform.request(platform.default_clk, dir="-")
    m.submodules.oscillator = buffer = io.Buffer(io.Direction.Input, source)
    settings = ecp5_settings(board.oscillator, hertz)
    m.submodules.pll = pll = PllEcp5(settings, buffer.i)
    return pll.output, pll.locked


_PLLS: dict[str, Callable] = {"ice40": _ice40_clock, "ecp5": _ecp5_clock}
