"""Clocks from a board's oscillator, through the phase-locked loops of iCE40 and ECP5."""

from dataclasses import dataclass

from amaranth import *
from amaranth.hdl import Instance

__all__ = [
    "Ecp5Settings",
    "Ice40Settings",
    "PllEcp5",
    "PllIce40",
    "ecp5_settings",
    "ice40_settings",
]

_MHZ = 1_000_000
#: Ranges in Hz, from Lattice's data sheets: of the phase detector and of the oscillator.
_ICE40_DETECTOR = (10 * _MHZ, 133 * _MHZ)
_ICE40_OSCILLATOR = (533 * _MHZ, 1066 * _MHZ)
_ECP5_DETECTOR = (3_125_000, 400 * _MHZ)
_ECP5_OSCILLATOR = (400 * _MHZ, 800 * _MHZ)
#: FILTER_RANGE of an iCE40's loop for a phase detector of up to so many Hz.
_ICE40_FILTERS = ((17, 1), (26, 2), (44, 3), (66, 4), (101, 5), (133, 6))


def _within(value: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= value <= bounds[1]


@dataclass(frozen=True, slots=True)
class Ice40Settings:
    """Parameters of ``SB_PLL40_*``; out = in / (divr + 1) * (divf + 1) / 2 ** divq."""

    divr: int
    divf: int
    divq: int
    filter_range: int


def ice40_settings(source: int, target: int) -> Ice40Settings:
    """Return the settings that make ``target`` Hz out of ``source`` Hz, exactly.

    Raises
    ------
    ValueError
        If there are none.
    """
    for divr in range(16):
        detector = source // (divr + 1)
        if source % (divr + 1) or not _within(detector, _ICE40_DETECTOR):
            continue
        for divq in range(1, 7):
            oscillator = target << divq
            if oscillator % detector or not _within(oscillator, _ICE40_OSCILLATOR):
                continue
            divf = oscillator // detector - 1
            if divf < 128:
                filters = (code for most, code in _ICE40_FILTERS if detector <= most * _MHZ)
                return Ice40Settings(divr, divf, divq, next(filters))
    raise ValueError(f"no iCE40 PLL setting makes {target} Hz out of {source} Hz")


@dataclass(frozen=True, slots=True)
class Ecp5Settings:
    """Dividers of ``EHXPLLL`` with feedback from its output; out = in / clki * clkfb."""

    clki: int
    clkfb: int
    clkop: int


def ecp5_settings(source: int, target: int) -> Ecp5Settings:
    """Return the settings that make ``target`` Hz out of ``source`` Hz, exactly.

    Raises
    ------
    ValueError
        If there are none.
    """
    for clki in range(1, 129):
        detector = source // clki
        if source % clki or not _within(detector, _ECP5_DETECTOR) or target % detector:
            continue
        clkfb = target // detector
        # In the middle of its range, the oscillator is least troubled.
        middle = sum(_ECP5_OSCILLATOR) // 2
        clkop = max(1, round(middle / target))
        if clkfb <= 128 and clkop <= 128 and _within(target * clkop, _ECP5_OSCILLATOR):
            return Ecp5Settings(clki, clkfb, clkop)
    raise ValueError(f"no ECP5 PLL setting makes {target} Hz out of {source} Hz")


class PllIce40(Elaboratable):
    """Makes ``output`` out of ``source``.

    Parameters
    ----------
    settings : Ice40Settings
        Dividers.
    source : Signal or IOPort
        The oscillator; with ``pad``, the pin itself.
    pad : bool
        Whether the pin is the one that feeds the loop directly.

    Attributes
    ----------
    output : Signal
        The clock.
    locked : Signal
        High while it is stable; not synchronised.
    """

    def __init__(self, settings: Ice40Settings, source, *, pad: bool):
        self._settings = settings
        self._source = source
        self._pad = pad
        self.output = Signal()
        self.locked = Signal()

    def elaborate(self, platform):
        m = Module()
        arguments = {("io_PACKAGEPIN" if self._pad else "i_REFERENCECLK"): self._source}
        m.submodules.pll = Instance(
            "SB_PLL40_PAD" if self._pad else "SB_PLL40_CORE",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=Const(self._settings.divr, 4),
            p_DIVF=Const(self._settings.divf, 7),
            p_DIVQ=Const(self._settings.divq, 3),
            p_FILTER_RANGE=Const(self._settings.filter_range, 3),
            i_RESETB=Const(1, 1),
            i_BYPASS=Const(0, 1),
            o_PLLOUTGLOBAL=self.output,
            o_LOCK=self.locked,
            **arguments,
        )
        return m


class PllEcp5(Elaboratable):
    """Makes ``output`` out of ``source``.

    Parameters
    ----------
    settings : Ecp5Settings
        Dividers.
    source : Signal
        The oscillator.

    Attributes
    ----------
    output : Signal
        The clock.
    locked : Signal
        High while it is stable; not synchronised.
    """

    def __init__(self, settings: Ecp5Settings, source: Signal):
        self._settings = settings
        self._source = source
        self.output = Signal()
        self.locked = Signal()

    def elaborate(self, platform):
        m = Module()
        settings = self._settings
        zero = Const(0, 1)
        m.submodules.pll = Instance(
            "EHXPLLL",
            # Loop filter, as ecppll of Project Trellis sets it.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_CLKI_DIV=settings.clki,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=settings.clkop,
            p_CLKOP_CPHASE=settings.clkop // 2,
            p_CLKOP_FPHASE=0,
            p_FEEDBK_PATH="CLKOP",
            p_CLKFB_DIV=settings.clkfb,
            i_CLKI=self._source,
            i_CLKFB=self.output,
            i_RST=zero,
            i_STDBY=zero,
            i_PHASESEL0=zero,
            i_PHASESEL1=zero,
            i_PHASEDIR=Const(1, 1),
            i_PHASESTEP=Const(1, 1),
            i_PHASELOADREG=Const(1, 1),
            i_PLLWAKESYNC=zero,
            i_ENCLKOP=zero,
            o_CLKOP=self.output,
            o_LOCK=self.locked,
        )
        return m
