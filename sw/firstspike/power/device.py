"""Coefficients of chips, from the YAML files in ``devices``."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from firstspike.boards import Board
from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.power.measurements import take_range
from firstspike.power.result import Range

__all__ = [
    "FOLDER",
    "KINDS",
    "NAMES",
    "Coefficient",
    "Device",
    "devices",
    "find_device",
    "load_device",
]

FOLDER = Path(__file__).with_name("devices")

#: Coefficients that a device may have, and their units.
NAMES = {
    "static": "mW",
    "clock": "pJ",
    "cell": "pJ",
    "transition": "pJ",
    "block_ram": "pJ",
    "spram": "pJ",
    "dsp": "pJ",
    "pll": "mW",
    "io": "mW",
}
#: Those that a chip may lack.
_OPTIONAL = ("spram", "dsp")
#: What a coefficient rests on, the best first.
KINDS = ("measured", "data sheet", "whole designs", "no data")
#: Classes of nets in the switching of a netlist.
_CLASSES = ("lut", "ff", "carry")

_VERSION = 1
_MANY = 1e6


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One number of a chip.

    Parameters
    ----------
    name : str
        Key of `NAMES`.
    unit : str
        ``mW``, or ``pJ`` of one event.
    value : Range
        In that unit.
    kind : str
        What it rests on, one of `KINDS`.
    source : str
        Where it comes from; for ``no data``, how the bounds were reasoned.
    """

    name: str
    unit: str
    value: Range
    kind: str
    source: str

    @property
    def si(self) -> Range:
        """The value in W or J."""
        return self.value * (1e-3 if self.unit == "mW" else 1e-12)


@dataclass(frozen=True, slots=True)
class Device:
    """A chip.

    Parameters
    ----------
    name : str
        Of its file.
    title : str
        Maker's name of it.
    chips : tuple of str
        What the chip of a board begins with.
    family : str
        ``ice40`` or ``ecp5``.
    placed : dict of str to str
        What nextpnr calls ``cells`` (with a clock), ``block_ram``, ``spram``, ``dsp`` and ``pll``.
    lut : str
        What a netlist calls a LUT.
    memories : dict of str to str
        What a netlist calls ``block_ram`` and ``spram``.
    switching : tuple of str
        Classes of nets whose transitions cost.
    coefficients : dict of str to Coefficient
        By name.
    """

    name: str
    title: str
    chips: tuple[str, ...]
    family: str
    placed: dict[str, str]
    lut: str
    memories: dict[str, str]
    switching: tuple[str, ...]
    coefficients: dict[str, Coefficient]


def load_device(path: Path) -> Device:
    """Return the chip that the file ``path`` describes.

    Raises
    ------
    InputError
        If it is not such a file.
    """
    top = load_yaml(path)
    top.integer("version", _VERSION, _VERSION)
    coefficients: dict[str, Coefficient] = {}
    for fields in top.mappings("coefficients"):
        name = fields.text("name", choices=NAMES)
        if name in coefficients:
            raise fields.error("name", f"'{name}' stands twice")
        coefficients[name] = Coefficient(
            name=name,
            unit=fields.text("unit", choices=(NAMES[name],)),
            value=take_range(fields, "value", 0, _MANY),
            kind=fields.text("kind", choices=KINDS),
            source=fields.text("source"),
        )
        fields.done()
    for name in NAMES:
        if name not in coefficients and name not in _OPTIONAL:
            raise top.error("coefficients", f"'{name}' is missing")
    placed = _texts(top, "placed", ("cells", "block_ram", "pll", *_OPTIONAL))
    device = Device(
        name=top.text("device"),
        title=top.text("title"),
        chips=tuple(top.texts("chips")),
        family=top.text("family", choices=("ice40", "ecp5")),
        placed=placed,
        lut=top.text("lut"),
        memories=_texts(top, "memories", ("block_ram", "spram")),
        switching=tuple(top.texts("switching")),
        coefficients=coefficients,
    )
    for name in device.switching:
        if name not in _CLASSES:
            raise top.error("switching", f"'{name}' must be one of {', '.join(_CLASSES)}")
    for name in _OPTIONAL:
        if (name in placed) != (name in coefficients):
            raise top.error(
                "placed", f"'{name}' must stand here and in coefficients, or in neither"
            )
    top.done()
    return device


def _texts(top: Fields, key: str, names: tuple[str, ...]) -> dict[str, str]:
    """Take a mapping of any of ``names`` to texts."""
    fields = top.mapping(key)
    taken = {name: fields.text(name) for name in names if fields.has(name)}
    fields.done()
    return taken


@functools.cache
def devices() -> dict[str, Device]:
    """Return all chips that have coefficients, by name."""
    found = (load_device(path) for path in sorted(FOLDER.glob("*.yaml")))
    return {device.name: device for device in found}


def find_device(board: Board) -> Device:
    """Return the chip of ``board``.

    Raises
    ------
    InputError
        If it has no coefficients.
    """
    for device in devices().values():
        if board.chip.startswith(device.chips):
            return device
    raise InputError(
        f"board {board.name}: its chip {board.chip} has no coefficients of power, must be one of "
        f"{', '.join(chip for device in devices().values() for chip in device.chips)}"
    )
