"""What others measured, from ``measurements.yaml`` beside this file."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from firstspike.fields import Fields, load_yaml
from firstspike.power.result import Range

__all__ = [
    "CLOCKS",
    "FILE",
    "Design",
    "Measurements",
    "Row",
    "Run",
    "load_measurements",
    "take_range",
]

FILE = Path(__file__).with_name("measurements.yaml")

#: Where a clock can come from.
CLOCKS = ("none", "external", "hfosc", "pll")

_VERSION = 1
_MANY = 1e9


@dataclass(frozen=True, slots=True)
class Row:
    """Currents of one small design, in uA.

    Parameters
    ----------
    name : str
        What it is.
    clock : str
        One of `CLOCKS`.
    mhz : float
        Its frequency.
    cells : int
        Logic cells.
    transitions, with_delays : float
        Of outputs of LUTs and flip-flops in a cycle, without and with glitches.
    dsp_transitions : float
        Of outputs of a DSP in a cycle.
    core, pll : float
        Currents of these rails.
    banks : tuple of float
        Currents of the three rails of pins.
    """

    name: str
    clock: str
    mhz: float
    cells: int
    transitions: float
    with_delays: float
    dsp_transitions: float
    core: float
    pll: float
    banks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A whole design at one clock: where that comes from, MHz, and mW of the core rail."""

    clock: str
    mhz: float
    milliwatts: float


@dataclass(frozen=True, slots=True)
class Design:
    """A whole design that somebody measured.

    Parameters
    ----------
    name, source : str
        Whose, and where it is written.
    cells, block_rams, sprams, dsps : int
        What it is made of.
    runs : tuple of Run
        What was measured.
    idle : Run or None
        The same with its clock on and nothing to do.
    others : tuple of (float, str)
        Other figures of the same, mW, and their sources.
    duty : dict of str to Range
        Assumed shares of cycles in which ``block_rams``, ``sprams`` and ``dsps`` are at work.
    why : str
        Why those.
    """

    name: str
    source: str
    cells: int
    block_rams: int
    sprams: int
    dsps: int
    runs: tuple[Run, ...]
    idle: Run | None
    others: tuple[tuple[float, str], ...]
    duty: dict[str, Range]
    why: str


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of the file.

    Parameters
    ----------
    source : str
        Of the rows.
    core_volts, pll_volts, bank_volts : float
        Of their rails.
    rows : tuple of Row
        Small designs.
    highest_static : float
        uA of the core rail of a design that sleeps.
    designs : tuple of Design
        Whole ones.
    activity : Range
        Assumed of them: transitions a cycle of a logic cell.
    spram_ratio : Range
        Assumed: energy of an access to an SPRAM over that to a block RAM.
    activity_why, spram_ratio_why : str
        Why those.
    """

    source: str
    core_volts: float
    pll_volts: float
    bank_volts: float
    rows: tuple[Row, ...]
    highest_static: float
    designs: tuple[Design, ...]
    activity: Range
    spram_ratio: Range
    activity_why: str
    spram_ratio_why: str


def take_range(fields: Fields, key: str, low: float, high: float) -> Range:
    """Take a list of low, nominal and high, all in ``low..high``.

    Raises
    ------
    InputError
        If it is not that.
    """
    values = fields.numbers(key, low, high)
    if len(values) != 3 or sorted(values) != values:
        raise fields.error(key, f"is {values}, must be low, nominal and high in rising order")
    return Range(*values)


def load_measurements(path: Path = FILE) -> Measurements:
    """Return what ``path`` holds.

    Raises
    ------
    InputError
        If it is not such a file.
    """
    return _load(path)


@functools.cache
def _load(path: Path) -> Measurements:
    top = load_yaml(path)
    top.integer("version", _VERSION, _VERSION)
    rails = top.mapping("rails")
    assumed = top.mapping("assumed")
    content = Measurements(
        source=rails.text("source"),
        core_volts=rails.number("core_volts", 0, 5),
        pll_volts=rails.number("pll_volts", 0, 5),
        bank_volts=rails.number("bank_volts", 0, 5),
        rows=tuple(_row(fields) for fields in rails.mappings("rows")),
        highest_static=rails.number("highest_static", 0, _MANY),
        designs=tuple(_design(fields) for fields in top.mappings("designs")),
        activity=take_range(assumed, "activity", 0, 4),
        spram_ratio=take_range(assumed, "spram_ratio", 0, 100),
        activity_why=assumed.text("activity_why"),
        spram_ratio_why=assumed.text("spram_ratio_why"),
    )
    for fields in (rails, assumed, top):
        fields.done()
    return content


def _row(fields: Fields) -> Row:
    transitions = fields.number("transitions", 0, _MANY)
    row = Row(
        name=fields.text("name"),
        clock=fields.text("clock", choices=CLOCKS),
        mhz=fields.number("mhz", 0, 1000),
        cells=fields.integer("cells", 0, 1 << 20),
        transitions=transitions,
        with_delays=fields.number("with_delays", 0, _MANY, transitions),
        dsp_transitions=fields.number("dsp_transitions", 0, _MANY, 0.0),
        core=fields.number("core", 0, _MANY),
        pll=fields.number("pll", 0, _MANY),
        banks=tuple(fields.numbers("banks", 0, _MANY)),
    )
    fields.done()
    return row


def _design(fields: Fields) -> Design:
    runs = tuple(_run(run) for run in fields.mappings("runs"))
    idle = _run(fields.mapping("idle")) if fields.has("idle") else None
    others = []
    for other in fields.mappings("others") if fields.has("others") else ():
        others.append((other.number("milliwatts", 0, 1e5), other.text("source")))
        other.done()
    assumed = fields.mapping("assumed")
    kinds = ("block_rams", "sprams", "dsps")
    design = Design(
        name=fields.text("name"),
        source=fields.text("source"),
        cells=fields.integer("cells", 0, 1 << 20),
        **{kind: fields.integer(kind, 0, 1 << 20) for kind in kinds},
        runs=runs,
        idle=idle,
        others=tuple(others),
        duty={kind: take_range(assumed, kind, 0, 1) for kind in kinds},
        why=fields.text("why"),
    )
    assumed.done()
    fields.done()
    return design


def _run(fields: Fields) -> Run:
    clock = fields.text("clock", choices=CLOCKS)
    run = Run(clock, fields.number("mhz", 0, 1000), fields.number("milliwatts", 0, 1e5))
    fields.done()
    return run
