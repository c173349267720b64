"""Power of a chip with a core on it, from cells, switching and accesses.

    P = static + f * (clock tree + cells * cell + transitions * transition + accesses * access
                      + transitions of DSPs * dsp) + PLL + pins

The netlist whose switching is known is the core alone; the build holds its link too. Of what is in
the build and not in the netlist, the clock is counted in full, and it switches between not at all
and as much as the core does, a cell for a cell.
"""

from __future__ import annotations

from firstspike.errors import InputError
from firstspike.power.device import Device, find_device
from firstspike.power.inputs import Activity, Built
from firstspike.power.result import Part, Power, Range

__all__ = ["power"]

#: How much the rest of a build switches, as a share of what the core does.
_REST = Range(0.0, 0.5, 1.0)
#: What a memory takes that is read in every cycle, and waits: as a share of an access. MARLANN's
#: idle power says 0.55 at most (`firstspike.power.memories.idle_share`).
_WAITING = Range(0.0, 0.5, 1.0)
_NOTHING = Range.exactly(0.0)


def power(built: Built, activity: Activity, scale: float = 1.0) -> Power:
    """Return the power of the core of ``built`` while it works as in ``activity``.

    Parameters
    ----------
    built : Built
        Cells, board and clock.
    activity : Activity
        Of the same core.
    scale : float
        Accesses to memories in the run in question, over those in ``activity``, a cycle.

    Raises
    ------
    InputError
        If the chip has no coefficients, or none for a kind of cell that the netlist has.
    """
    device = find_device(built.board)
    values = {name: one.si for name, one in device.coefficients.items()}
    placed = {name: built.cells.get(kind, 0) for name, kind in device.placed.items()}
    hz = built.clock_hz
    _check_kinds(device, activity)

    luts = activity.cells.get(device.lut, 0)
    rest = max(0, built.luts - luts)
    switching = sum(activity.toggles.get(name, 0.0) for name in device.switching)
    transitions = _with_rest(switching, luts, rest)

    waiting = activity.always.get(device.memories["block_ram"], 0)

    def part(name: str, key: str, watts: Range, idle: Range = _NOTHING) -> Part:
        one = device.coefficients[key]
        return Part(name, watts, idle, f"{one.kind}: {one.source}")

    static = values["static"]
    clock = (values["clock"] + values["cell"] * placed["cells"]) * hz
    parts = [
        part("static", "static", static, static),
        part("clock", "clock", clock, clock),
        part("logic", "transition", values["transition"] * transitions * hz),
        part(
            "block RAM",
            "block_ram",
            values["block_ram"] * _accesses(device, activity, placed, "block_ram", scale) * hz,
            values["block_ram"] * _WAITING * waiting * hz,
        ),
    ]
    if "spram" in values:
        accesses = _accesses(device, activity, placed, "spram", scale)
        parts.append(part("SPRAM", "spram", values["spram"] * accesses * hz))
    if "dsp" in values:
        watts = values["dsp"] * activity.toggles.get("dsp", 0.0) * hz
        parts.append(part("DSP", "dsp", watts))
    pll = values["pll"] * placed["pll"]
    parts += [part("PLL", "pll", pll, pll), part("I/O", "io", values["io"], values["io"])]
    known = (
        f"{activity.images} stimuli, without delays; the core alone, {luts} of {built.luts} LUTs; "
        f"the other {rest} are clocked, and switch not at all to as much as these"
    )
    waits = (
        "waiting: nothing switches but the clock, which is never stopped; memories that are read "
        "in every cycle take up to as much as at work"
    )
    missing = (
        "not in it: pins that switch, the board's flash, oscillator, USB bridge and regulators"
    )
    return Power(device.name, hz, tuple(parts), (known, waits, missing))


def _check_kinds(device: Device, activity: Activity) -> None:
    """Refuse a netlist with memories that the chip has no coefficients for."""
    for kind, accesses in activity.accesses.items():
        if accesses and kind not in device.memories.values():
            raise InputError(
                f"{activity.path}: {kind} has no coefficient on {device.title}, must be one of "
                f"{', '.join(device.memories.values())}"
            )
    if activity.toggles.get("dsp") and "dsp" not in device.coefficients:
        raise InputError(
            f"{activity.path}: DSPs switch, and {device.title} has none: of another chip"
        )


def _with_rest(core: float, count: int, rest: int) -> Range:
    """Return events of ``count`` cells, which are ``core``, and of ``rest`` further ones."""
    more = core * rest / count if count else 0.0
    return Range.exactly(core) + _REST * more


def _accesses(
    device: Device, activity: Activity, placed: dict[str, int], name: str, scale: float
) -> Range:
    kind = device.memories[name]
    count = activity.cells.get(kind, 0)
    rest = max(0, placed[name] - count)
    return _with_rest(activity.accesses.get(kind, 0.0) * scale, count, rest)
