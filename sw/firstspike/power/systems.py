"""Published systems to compare with, from ``systems.yaml`` beside this file."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from firstspike.fields import load_yaml

__all__ = ["FILE", "KINDS", "System", "load_systems", "systems"]

FILE = Path(__file__).with_name("systems.yaml")

#: How power was found; each kind has a table of its own.
KINDS = ("measured", "vendor estimate", "not said")

_VERSION = 1
_MANY = 1e9


@dataclass(frozen=True, slots=True)
class System:
    """One published system.

    Parameters
    ----------
    name, technology, device, task : str
        Its name; ``FPGA``, ``chip`` or ``analog chip``; which; what it was shown with.
    accuracy : float or None
        Per cent.
    what : str
        ``inference`` or ``learning``.
    energy_uj : float or None
        uJ an image, or what ``task`` says.
    power_mw : float or None
        mW.
    kind : str
        One of `KINDS`.
    computed : bool
        Whether the energy is power times latency, computed here.
    seen : str
        What was read: ``repository``, ``abstract`` or ``review``.
    source : str
        Where.
    """

    name: str
    technology: str
    device: str
    task: str
    accuracy: float | None
    what: str
    energy_uj: float | None
    power_mw: float | None
    kind: str
    computed: bool
    seen: str
    source: str


def load_systems(path: Path) -> tuple[System, ...]:
    """Return the systems of the file ``path``, in its order.

    Raises
    ------
    InputError
        If it is not such a file.
    """
    top = load_yaml(path)
    top.integer("version", _VERSION, _VERSION)
    found = []
    for fields in top.mappings("systems"):
        numbers = {
            name: fields.number(name, 0, _MANY) if fields.has(name) else None
            for name in ("accuracy", "energy_uj", "power_mw")
        }
        found.append(
            System(
                name=fields.text("name"),
                technology=fields.text("technology", choices=("FPGA", "chip", "analog chip")),
                device=fields.text("device"),
                task=fields.text("task"),
                what=fields.text("what", choices=("inference", "learning")),
                kind=fields.text("kind", choices=KINDS),
                computed=fields.boolean("computed"),
                seen=fields.text("seen", choices=("repository", "abstract", "review")),
                source=fields.text("source"),
                **numbers,
            )
        )
        fields.done()
    top.done()
    return tuple(found)


@functools.cache
def systems() -> tuple[System, ...]:
    """Return the systems that come with this package."""
    return load_systems(FILE)
