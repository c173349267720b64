"""The table of boards: chips, clocks, wires to the host, and the cores that fit.

Standard library only: the command line, the pages and the hardware read this one table. A new board
is one entry here; if amaranth-boards lacks it, a platform class in `firstspike_hw.platforms`, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from firstspike.errors import InputError
from firstspike.spec import CoreSpec

__all__ = ["BOARDS", "Board", "Uart", "find_board"]

#: Where what a core loads at power-up stands in a board's flash, behind any iCE40's bitstream.
_FLASH_OFFSET = 1 << 20

#: Of a UART's rate.
_MOST_ERROR = 0.02

_ADAPTER = "USB-serial adapter, 3.3 V"
_ICEBREAKER_CORES = ("icebreaker", "icebreaker-ramp", "icebreaker-sparse", "learner-icebreaker")
#: 512 words of 14 bits. Without this, a learner and its link need 57 block RAMs of 56.
_ECP5_25F_LOGIC = ("updater/table",)
_ECP5_25F_CORES = ("ulx3s-25f", "learner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uart:
    """The two wires between a host and the FPGA.

    Parameters
    ----------
    rx, tx : str
        Pins of the FPGA: into it, and out of it.
    bridge : str
        What makes them a serial port of the host.
    rx_at, tx_at, ground_at : str
        Where a person connects the bridge; empty if it is on the board.
    """

    rx: str
    tx: str
    bridge: str
    rx_at: str = ""
    tx_at: str = ""
    ground_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board, and how a core is put on it.

    Parameters
    ----------
    name : str
        As people type it.
    title : str
        Maker's name of it.
    chip : str
        Device and package.
    family : str
        ``ice40`` or ``ecp5``.
    platform : str
        Module and class of its pins.
    place_options : tuple of str
        Device, package and speed for nextpnr.
    clock : int
        Hz of a core.
    learner_clock : int or None
        Hz of a core that learns, where it cannot keep up with the others; see `clock_of`.
    baud : int
        Bits a second of the UART.
    oscillator : int
        Hz of the platform's default clock.
    uart : Uart
        Its wires.
    cores : tuple of str
        Keys of `firstspike.cores.PRESETS` that fit; the first is what is built if none is named.
    pll_pad : bool
        iCE40: whether the oscillator stands at the pin that feeds the PLL directly.
    logic_memories : tuple of str
        Memories, by the ends of their names, that are made of logic cells (of ECP5: of its LUTs'
        RAM), where block RAMs are scarce and cells are not.
    flash_offset : int or None
        Where in the flash the bytes stand that are loaded at power-up; None if cores do not read
        the flash.
    """

    name: str
    title: str
    chip: str
    family: str
    platform: str
    place_options: tuple[str, ...]
    clock: int
    baud: int
    oscillator: int
    uart: Uart
    cores: tuple[str, ...]
    pll_pad: bool = False
    logic_memories: tuple[str, ...] = ()
    flash_offset: int | None = None
    learner_clock: int | None = None

    def clock_of(self, core: CoreSpec) -> int:
        """Return the Hz at which ``core`` runs."""
        return self.clock if self.learner_clock is None or not core.learning else self.learner_clock

    @property
    def megahertz(self) -> str:
        """Clocks of its cores in MHz, for people to read."""
        mega = 1_000_000
        learner = "" if self.learner_clock is None else f" (learner: {self.learner_clock / mega:g})"
        return f"{self.clock / mega:g}{learner}"

    def divisor(self, core: CoreSpec) -> int:
        """Return the clock cycles of ``core`` in a bit of the UART."""
        return round(self.clock_of(core) / self.baud)

    def boot_offset(self, core: CoreSpec) -> int | None:
        """Return where in the flash ``core`` finds what it loads at power-up; None: nowhere.

        A learning core beside an SPRAM leaves no cells for it.
        """
        return None if core.learning and core.memory == "spram" else self.flash_offset


#: All boards, by name.
BOARDS = {
    board.name: board
    for board in (
        Board(
            name="icebreaker",
            title="1BitSquared iCEBreaker 1.0",
            chip="iCE40UP5K-SG48",
            family="ice40",
            platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
            place_options=("--up5k", "--package", "sg48"),
            oscillator=12_000_000,
            pll_pad=True,
            clock=24_000_000,
            baud=1_000_000,
            uart=Uart(rx="6", tx="9", bridge="FT2232H, channel B"),
            flash_offset=_FLASH_OFFSET,
            cores=_ICEBREAKER_CORES,
        ),
        # The pins are those of the iCEBreaker, and so are its bitstreams.
        Board(
            name="up5k-evn",
            title="Lattice iCE40UP5K-B-EVN",
            chip="iCE40UP5K-SG48",
            family="ice40",
            platform="amaranth_boards.ice40_up5k_b_evn:ICE40UP5KBEVNPlatform",
            place_options=("--up5k", "--package", "sg48"),
            oscillator=12_000_000,
            pll_pad=True,
            clock=24_000_000,
            baud=1_000_000,
            # Its FT2232H programs the flash and has no wire to the FPGA's other pins.
            uart=Uart(
                rx="6",
                tx="9",
                bridge=_ADAPTER,
                rx_at="header C (J3), pin 20 (13B)",
                tx_at="header C (J3), pin 18 (16A)",
                ground_at="header C (J3), pin 19",
            ),
            flash_offset=_FLASH_OFFSET,
            cores=_ICEBREAKER_CORES,
        ),
        Board(
            name="hx8k",
            title="Lattice iCE40HX8K-B-EVN",
            chip="iCE40HX8K-CT256",
            family="ice40",
            platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            place_options=("--hx8k", "--package", "ct256"),
            oscillator=12_000_000,
            clock=48_000_000,
            baud=1_000_000,
            uart=Uart(rx="B10", tx="B12", bridge="FT2232H, channel B"),
            flash_offset=_FLASH_OFFSET,
            # 32 words of 8 bits would take a whole block RAM, and there would be 33.
            logic_memories=("serializer.queue/words",),
            cores=("hx8k", "learner-hx8k"),
        ),
        Board(
            name="ulx3s-25f",
            title="Radiona ULX3S 25F",
            chip="LFE5U-25F-6BG381",
            family="ecp5",
            platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
            place_options=("--25k", "--package", "CABGA381", "--speed", "6"),
            oscillator=25_000_000,
            clock=80_000_000,
            learner_clock=60_000_000,
            baud=2_000_000,
            uart=Uart(rx="M1", tx="L4", bridge="FT231X"),
            logic_memories=_ECP5_25F_LOGIC,
            cores=_ECP5_25F_CORES,
        ),
        # Its cores take nearly all block RAMs of a large chip, so that wires are long.
        Board(
            name="ulx3s-85f",
            title="Radiona ULX3S 85F",
            chip="LFE5U-85F-6BG381",
            family="ecp5",
            platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
            place_options=("--85k", "--package", "CABGA381", "--speed", "6"),
            oscillator=25_000_000,
            clock=45_000_000,
            baud=1_500_000,
            uart=Uart(rx="M1", tx="L4", bridge="FT231X"),
            cores=("ulx3s-85f", "multispike-85f", "learner-376"),
        ),
        # Its USB goes to the FPGA itself, which has no USB core: two pins of the header instead.
        Board(
            name="orangecrab-25f",
            title="OrangeCrab r0.2 25F",
            chip="LFE5U-25F-8MG285",
            family="ecp5",
            platform="amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
            place_options=("--25k", "--package", "CSFBGA285", "--speed", "8"),
            oscillator=48_000_000,
            clock=60_000_000,
            baud=1_000_000,
            uart=Uart(
                rx="N17",
                tx="M18",
                bridge=_ADAPTER,
                rx_at="header pin 0 (RX of a Feather)",
                tx_at="header pin 1 (TX of a Feather)",
                ground_at="header pin GND",
            ),
            logic_memories=_ECP5_25F_LOGIC,
            cores=_ECP5_25F_CORES,
        ),
        # Nobody promises more than this of the debugger's serial port.
        Board(
            name="colorlight-i5",
            title="Colorlight i5 v7.0 on Muse Lab's extension board",
            chip="LFE5U-25F-6BG381",
            family="ecp5",
            platform="firstspike_hw.platforms.colorlight_i5:ColorlightI5Platform",
            place_options=("--25k", "--package", "CABGA381", "--speed", "6"),
            oscillator=25_000_000,
            clock=60_000_000,
            baud=115_200,
            uart=Uart(rx="H18", tx="J17", bridge="DAPLink"),
            logic_memories=_ECP5_25F_LOGIC,
            cores=_ECP5_25F_CORES,
        ),
        Board(
            name="icepi-zero",
            title="Icepi Zero v1.3",
            chip="LFE5U-25F-6BG256",
            family="ecp5",
            platform="amaranth_boards.icepi_zero:IcepiZero1_3Platform",
            place_options=("--25k", "--package", "CABGA256", "--speed", "6"),
            oscillator=50_000_000,
            clock=60_000_000,
            baud=2_000_000,
            uart=Uart(rx="K16", tx="K15", bridge="FT231X"),
            logic_memories=_ECP5_25F_LOGIC,
            cores=_ECP5_25F_CORES,
        ),
    )
}


def find_board(name: str, *, baud: int | None = None) -> Board:
    """Return the board called ``name``, with another rate of the UART if ``baud`` is given.

    Raises
    ------
    InputError
        If there is none, or a clock of it does not make that rate within 2 %: ten bits later, a
        receiver must still be within its bit.
    """
    if name not in BOARDS:
        raise InputError(f"board is {name!r}, must be one of {', '.join(BOARDS)}")
    board = BOARDS[name]
    if baud is None:
        return board
    for clock in {board.clock, board.learner_clock or board.clock}:
        divisor = max(1, round(clock / baud))
        if abs(clock / divisor / baud - 1) > _MOST_ERROR:
            raise InputError(
                f"baud is {baud}, must be within 2 % of {clock} divided by an integer "
                f"(clock of board {name})"
            )
    return replace(board, baud=baud)
