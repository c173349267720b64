"""Logic and clock of the UP5K, fitted on currents that others measured.

One linear system over all rows of ``measurements.yaml``, solved by least squares:

    core current = static + f * (clock + cells * cell + transitions * transition
                                 + dsp_transitions * dsp)
                   + oscillator or PLL of that row's clock
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firstspike.power.measurements import Measurements, Row
from firstspike.power.result import Range

__all__ = ["Logic", "fit_logic", "residuals"]

#: In the order of the columns of the system.
_UNKNOWNS = (
    "static",
    "clock",
    "cell",
    "transition",
    "dsp",
    "hfosc",
    "hfosc_mhz",
    "external_mhz",
    "pll",
)


@dataclass(frozen=True, slots=True)
class Logic:
    """Coefficients of the UP5K without its memories; energies in pJ, powers in mW.

    Parameters
    ----------
    static : Range
        mW of the core rail with no clock.
    clock : Range
        pJ of the clock tree in a cycle.
    cell : Range
        pJ of a logic cell in a cycle in which nothing but its clock moves.
    transition : Range
        pJ of a transition of the output of a LUT or a flip-flop.
    dsp : Range
        pJ of a transition of an output of a DSP.
    pll : Range
        mW of a PLL, both rails.
    pll_core : float
        mW of it in the core rail.
    hfosc : float
        mW of the oscillator.
    hfosc_cycle, external_cycle : float
        pJ that a cycle costs more if the clock comes from there.
    io : Range
        mW of the rails of the pins.
    """

    static: Range
    clock: Range
    cell: Range
    transition: Range
    dsp: Range
    pll: Range
    pll_core: float
    hfosc: float
    hfosc_cycle: float
    external_cycle: float
    io: Range


def _line(row: Row, transitions: float) -> list[float]:
    f = row.mhz
    return [
        1.0,
        f,
        f * row.cells,
        f * transitions,
        f * row.dsp_transitions,
        float(row.clock == "hfosc"),
        f * (row.clock == "hfosc"),
        f * (row.clock == "external"),
        float(row.clock == "pll"),
    ]


def _solve(rows: tuple[Row, ...], delays: bool) -> dict[str, float]:
    """Return the unknowns in uA and uA/MHz."""
    lines = [_line(row, row.with_delays if delays else row.transitions) for row in rows]
    solved, _, rank, _ = np.linalg.lstsq(
        np.array(lines), np.array([row.core for row in rows]), rcond=None
    )
    if rank != len(_UNKNOWNS):
        raise ValueError(f"{len(rows)} rows determine {rank} of {len(_UNKNOWNS)} unknowns")
    return dict(zip(_UNKNOWNS, solved.tolist(), strict=True))


def residuals(measured: Measurements) -> dict[str, float]:
    """Return what the fit gives less what was measured, of each row, as a share of that."""
    solved = np.array(list(_solve(measured.rows, delays=False).values()))
    return {
        row.name: float(np.array(_line(row, row.transitions)) @ solved / row.core - 1)
        for row in measured.rows
    }


def fit_logic(measured: Measurements) -> Logic:
    """Return the coefficients that the rows of ``measured`` give.

    Ranges: ``static``, ``clock``, ``cell``, ``pll`` and ``io`` span what single rows or pairs of
    rows say. ``transition`` and ``dsp`` span the fits on transitions with and without glitches:
    the multiplier of LUTs is the only row with much activity, and has many.
    At the low end a DSP costs no more than LUTs that switch as often: the only row with one has
    operands that change in every cycle.
    """
    rows = measured.rows
    ideal = _solve(rows, delays=False)
    delayed = _solve(rows, delays=True)
    # uA at some volts are uW, and uA/MHz are pJ.
    volts = measured.core_volts
    blank = next(row for row in rows if row.clock == "none")
    counters = sorted((r for r in rows if r.clock == "external" and r.mhz), key=lambda r: r.cells)
    plls = sorted((row for row in rows if row.clock == "pll"), key=lambda row: row.mhz)
    cells = [(b.core - a.core) / (b.cells - a.cells) / b.mhz for a, b in pairwise(counters)]
    clocks = [
        (b.core - a.core) / (b.mhz - a.mhz)
        - a.cells * ideal["cell"]
        - a.transitions * ideal["transition"]
        for a, b in pairwise(plls)
    ]
    rail = [(row.pll - blank.pll) * measured.pll_volts / 1e3 for row in plls]
    pll_core = ideal["pll"] * volts / 1e3
    banks = sorted(sum(row.banks) * measured.bank_volts / 1e3 for row in rows)
    dearest, cheapest = ideal["transition"] * volts, delayed["transition"] * volts
    dsp = ideal["dsp"] * volts
    return Logic(
        static=_spread([blank.core, ideal["static"], measured.highest_static], volts / 1e3),
        clock=_spread([*clocks, ideal["clock"]], volts, ideal["clock"]),
        cell=_spread([*cells, ideal["cell"]], volts, ideal["cell"]),
        transition=Range(cheapest, math.sqrt(cheapest * dearest), dearest),
        dsp=Range(cheapest, dsp, max(dsp, delayed["dsp"] * volts)),
        pll=Range(pll_core + min(rail), pll_core + sum(rail) / len(rail), pll_core + max(rail)),
        pll_core=pll_core,
        hfosc=ideal["hfosc"] * volts / 1e3,
        hfosc_cycle=ideal["hfosc_mhz"] * volts,
        external_cycle=ideal["external_mhz"] * volts,
        io=Range(banks[0], sum(banks) / len(banks), banks[-1]),
    )


def _spread(values: list[float], scale: float, nominal: float | None = None) -> Range:
    """Return the range of ``values``, times ``scale``; nominal is the middle one if not given."""
    values = sorted(values)
    middle = values[len(values) // 2] if nominal is None else nominal
    return Range(values[0] * scale, middle * scale, values[-1] * scale)
