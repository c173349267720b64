"""What the power model says: ranges, parts, power, energy; ready for tables and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["LABEL", "Energy", "Part", "Power", "Range", "total"]

#: Stands beside every figure of this package.
LABEL = "model, not measurement"


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is known within bounds.

    Parameters
    ----------
    low, nominal, high : float
        In rising order.

    Raises
    ------
    ValueError
        If they are not.
    """

    low: float
    nominal: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.nominal <= self.high:
            raise ValueError(f"{self.low}, {self.nominal}, {self.high} must be in rising order")

    @classmethod
    def exactly(cls, value: float) -> Range:
        """Return a quantity that is known."""
        return cls(value, value, value)

    def __add__(self, other: Range) -> Range:
        """Add bounds to bounds, as if all errors had the same sign."""
        return Range(self.low + other.low, self.nominal + other.nominal, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        """Multiply; none of the factors may be negative."""
        factor = other if isinstance(other, Range) else Range.exactly(other)
        return Range(self.low * factor.low, self.nominal * factor.nominal, self.high * factor.high)

    def __truediv__(self, divisor: float) -> Range:
        """Divide by a positive number."""
        return self * (1 / divisor)


def total(ranges: Iterable[Range]) -> Range:
    """Return the sum of ``ranges``."""
    return sum(ranges, Range.exactly(0.0))


@dataclass(frozen=True, slots=True)
class Part:
    """One contribution to the power of a chip.

    Parameters
    ----------
    name : str
        ``static``, ``clock``, ``logic``, ``block RAM``, ``SPRAM``, ``DSP``, ``PLL`` or ``I/O``.
    watts : Range
        While the core works without a pause.
    idle_watts : Range
        While its clock runs and it waits.
    source : str
        Where the coefficients come from.
    """

    name: str
    watts: Range
    idle_watts: Range
    source: str


@dataclass(frozen=True, slots=True)
class Power:
    """Power of a chip with a core at work.

    Parameters
    ----------
    device : str
        Key of `firstspike.power.device.DEVICES`.
    clock_hz : int
        Of the core.
    parts : tuple of Part
        In the order of tables.
    notes : tuple of str
        What has to be known to read the figures.
    """

    device: str
    clock_hz: int
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def watts(self) -> Range:
        """Of all parts, at work."""
        return total(part.watts for part in self.parts)

    @property
    def idle_watts(self) -> Range:
        """Of all parts, waiting with the clock on."""
        return total(part.idle_watts for part in self.parts)

    @property
    def static_share(self) -> float:
        """Share of static power in the nominal power at work, 0..1."""
        static = next(part for part in self.parts if part.name == "static")
        return static.watts.nominal / self.watts.nominal


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of one image, inferred or learned from.

    Parameters
    ----------
    what : str
        ``inference`` or ``learning``.
    power : Power
        At work.
    cycles : float
        Clock cycles an image, over all images of the dump.
    images : int
        Of the dump.
    rate_hz : float
        Images a second that ``joules`` is for.
    full_rate_hz : float
        Images a second without a pause.
    joules : Range
        An image, all parts.
    parts : dict of str to Range
        The same by part, J.
    static_share : float
        Share of static power in ``joules``, nominal, 0..1.
    convention : dict
        Energy by counting operations, a convention of papers; see `firstspike.power.convention`.
    checks : tuple of dict
        Duties of memories by the core's counters beside those of the netlist.
    provenance : dict
        Of the files it comes from.
    """

    what: str
    power: Power
    cycles: float
    images: int
    rate_hz: float
    full_rate_hz: float
    joules: Range
    parts: dict[str, Range]
    static_share: float
    convention: dict[str, Any] = field(default_factory=dict)
    checks: tuple[dict[str, Any], ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON; powers in W, energies in J."""
        power = self.power
        return asdict(self) | {
            "label": LABEL,
            "power": {
                "device": power.device,
                "clock_hz": power.clock_hz,
                "watts": asdict(power.watts),
                "idle_watts": asdict(power.idle_watts),
                "static_share": power.static_share,
                "parts": [asdict(part) for part in power.parts],
                "notes": list(power.notes),
            },
            "checks": list(self.checks),
        }
