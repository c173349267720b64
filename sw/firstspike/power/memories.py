"""Memories of the UP5K, from whole designs that others measured: each in turn predicts the other.

The power of a design is that of its clock, cells and DSPs (`firstspike.power.fit`, with activity
and duties assumed in ``measurements.yaml``) and that of its memories, whose energies are all tied
to one unknown: the energy of an access to a block RAM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from firstspike.power.fit import Logic, fit_logic
from firstspike.power.measurements import Design, Measurements, Run, load_measurements
from firstspike.power.result import Range

__all__ = [
    "Held",
    "Memories",
    "Prediction",
    "fit_memories",
    "held_out",
    "held_out_errors",
    "idle_share",
]

_LEVELS = ("low", "nominal", "high")


@dataclass(frozen=True, slots=True)
class Prediction:
    """One run of a design that the model was not fitted on.

    Parameters
    ----------
    mhz, measured : float
        Its clock, and mW of its core rail.
    predicted : Range
        mW: nominal, and the least and the most over all assumptions.
    error : float
        Nominal prediction over measurement, less 1.
    """

    mhz: float
    measured: float
    predicted: Range
    error: float


@dataclass(frozen=True, slots=True)
class Held:
    """A design predicted from the others.

    Parameters
    ----------
    design : str
        The one that is predicted.
    fitted_on : tuple of str
        The others.
    block_ram : float
        pJ of an access that the others give, nominal.
    runs : tuple of Prediction
        What was measured, and what the model says.
    others : tuple of (float, str, float)
        Other figures of the same design: mW, source, error.
    """

    design: str
    fitted_on: tuple[str, ...]
    block_ram: float
    runs: tuple[Prediction, ...]
    others: tuple[tuple[float, str, float], ...]


@dataclass(frozen=True, slots=True)
class Memories:
    """Energies of an access to a memory of 16 bits, pJ; fitted on all designs."""

    block_ram: Range
    spram: Range


@dataclass(frozen=True, slots=True)
class _Assumed:
    """One choice within the assumptions."""

    activity: float
    transition: float
    spram_ratio: float
    duty: str


def _nominal(measured: Measurements, logic: Logic) -> _Assumed:
    return _Assumed(
        measured.activity.nominal,
        logic.transition.nominal,
        measured.spram_ratio.nominal,
        "nominal",
    )


def _all(measured: Measurements, logic: Logic) -> Iterator[_Assumed]:
    """Yield every combination of low, nominal and high; duties of all kinds move together."""
    for one in product(_LEVELS, repeat=4):
        yield _Assumed(
            getattr(measured.activity, one[0]),
            getattr(logic.transition, one[1]),
            getattr(measured.spram_ratio, one[2]),
            one[3],
        )


def _known(measured: Measurements, logic: Logic, design: Design, run: Run, how: _Assumed) -> float:
    """Return mW of the core rail without memories."""
    multiplied = max(row.dsp_transitions for row in measured.rows)
    fixed = {"hfosc": logic.hfosc, "pll": logic.pll_core}
    source = {"hfosc": logic.hfosc_cycle, "external": logic.external_cycle}
    cycle = (
        logic.clock.nominal
        + source.get(run.clock, 0.0)
        + design.cells * (logic.cell.nominal + how.activity * how.transition)
        + design.dsps * getattr(design.duty["dsps"], how.duty) * multiplied * logic.dsp.nominal
    )
    return logic.static.nominal + fixed.get(run.clock, 0.0) + run.mhz * cycle / 1e3


def _accesses(design: Design, run: Run, how: _Assumed) -> float:
    """Return mW of memories if an access to a block RAM took 1 pJ."""
    block = design.block_rams * getattr(design.duty["block_rams"], how.duty)
    single = design.sprams * getattr(design.duty["sprams"], how.duty)
    return run.mhz * (block + how.spram_ratio * single) / 1e3


def _fit(measured: Measurements, logic: Logic, designs: Sequence[Design], how: _Assumed) -> float:
    """Return pJ of an access to a block RAM that ``designs`` give: least relative squares.

    Each design weighs the same, however many runs it has. 0 where what is known without memories is
    more than what was measured.
    """
    upper = lower = 0.0
    for design in designs:
        for run in design.runs:
            share = _accesses(design, run, how) / run.milliwatts
            rest = 1 - _known(measured, logic, design, run, how) / run.milliwatts
            upper += share * rest / len(design.runs)
            lower += share * share / len(design.runs)
    return max(0.0, upper / lower)


def held_out(measured: Measurements, logic: Logic) -> tuple[Held, ...]:
    """Return each design as the others predict it, in the order of the file."""
    nominal = _nominal(measured, logic)
    held = []
    for design in measured.designs:
        others = [other for other in measured.designs if other is not design]

        def predict(run: Run, how: _Assumed, design=design, others=others) -> float:
            access = _fit(measured, logic, others, how)
            return _known(measured, logic, design, run, how) + access * _accesses(design, run, how)

        runs = []
        for run in design.runs:
            every = [predict(run, how) for how in _all(measured, logic)]
            middle = predict(run, nominal)
            error = middle / run.milliwatts - 1
            runs.append(
                Prediction(run.mhz, run.milliwatts, Range(min(every), middle, max(every)), error)
            )
        middle = runs[0].predicted.nominal
        held.append(
            Held(
                design=design.name,
                fitted_on=tuple(other.name for other in others),
                block_ram=_fit(measured, logic, others, nominal),
                runs=tuple(runs),
                others=tuple((mw, source, middle / mw - 1) for mw, source in design.others),
            )
        )
    return tuple(held)


def fit_memories(measured: Measurements, logic: Logic) -> Memories:
    """Return the energies of accesses, fitted on all designs.

    The range is that of the fits on single designs, and of the ratio of the two kinds of memories
    that is assumed.
    """
    sets = [list(measured.designs), *([design] for design in measured.designs)]
    nominal = _nominal(measured, logic)
    block, single = [], []
    for level in ("nominal", "low", "high"):
        ratio = getattr(measured.spram_ratio, level)
        how = _Assumed(nominal.activity, nominal.transition, ratio, nominal.duty)
        for designs in sets:
            access = _fit(measured, logic, designs, how)
            block.append(access)
            single.append(ratio * access)
    return Memories(
        block_ram=Range(min(block), block[0], max(block)),
        spram=Range(min(single), single[0], max(single)),
    )


def idle_share(measured: Measurements, logic: Logic) -> dict[str, float]:
    """Return what memories take that are enabled and given nothing new, over that of an access.

    Of each design that was measured idle, if its logic does not switch then; an upper bound, as
    some of it does.
    """
    how = replace(_nominal(measured, logic), activity=0.0)
    access = fit_memories(measured, logic).block_ram.nominal
    shares = {}
    for design in measured.designs:
        if design.idle is not None:
            known = _known(measured, logic, replace(design, dsps=0), design.idle, how)
            taken = access * _accesses(design, design.idle, how)
            shares[design.name] = (design.idle.milliwatts - known) / taken
    return shares


def held_out_errors() -> list[dict[str, Any]]:
    """Return `held_out` of the project's measurements, ready for JSON; n is the list's length."""
    measured = load_measurements()
    return [asdict(held) for held in held_out(measured, fit_logic(measured))]
