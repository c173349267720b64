"""Energy of an image, from files: a build, an activity, and a dump of the core's counters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.power.convention import by_operations
from firstspike.power.dumps import Dump, load_dump
from firstspike.power.inputs import Activity, Built, load_activity, load_build
from firstspike.power.model import power
from firstspike.power.result import Energy, total

__all__ = ["energy"]

#: Counters of accesses to what is an SPRAM in a core that has them.
_SPRAM = ("weight_reads", "weight_writes", "mask_reads")
#: All counters of accesses.
_ACCESSES = (*_SPRAM, "state_reads", "state_writes")


def energy(
    build: Path,
    activity: Path,
    *,
    run: Path | None = None,
    learn: Path | None = None,
    rate: float | None = None,
) -> Energy:
    """Return the energy of an image that is inferred, or learned from.

    Parameters
    ----------
    build : Path
        JSON file of ``firstspike build``.
    activity : Path
        JSON file of ``firstspike activity``, of the same core, inferring or learning.
    run, learn : Path
        Dump of ``firstspike run`` or of ``firstspike learn``; one of them.
    rate : float, optional
        Images a second; as many as the core can take if not given.

    Raises
    ------
    InputError
        If files do not belong together, or the core does not reach ``rate``; the message says
        which command makes what is missing.
    """
    if (run is None) == (learn is None):
        raise InputError("power needs --run or --learn (a dump), not both")
    what, path = ("inference", run) if run is not None else ("learning", learn)
    assert path is not None
    built = load_build(build)
    dump = load_dump(path, built, what)
    switching = load_activity(activity, built, what)
    _check_network(switching, dump)
    cycles = dump.total_cycles / dump.images
    full = built.clock_hz / cycles
    if rate is not None and not 0 < rate <= full:
        raise InputError(
            f"rate is {rate:g} images a second, must be above 0 and at most {full:.6g}, which is "
            f"{built.clock_hz / 1e6:g} MHz over {cycles:.1f} cycles an image"
        )
    rate = full if rate is None else rate
    scale, checks = _duty(built, switching, dump)
    watts = power(built, switching, scale)
    # An image takes its time at work, and the rest until the next one waiting.
    busy = cycles / built.clock_hz
    pause = max(0.0, 1 / rate - busy)
    parts = {part.name: part.watts * busy + part.idle_watts * pause for part in watts.parts}
    joules = total(parts.values())
    return Energy(
        what=what,
        power=watts,
        cycles=cycles,
        images=dump.images,
        rate_hz=rate,
        full_rate_hz=full,
        joules=joules,
        parts=parts,
        static_share=parts["static"].nominal / joules.nominal,
        convention=by_operations(dump),
        checks=checks,
        provenance={
            "build": built.origin,
            "activity": switching.origin,
            "learn" if what == "learning" else "run": dump.origin,
        },
    )


def _check_network(activity: Activity, dump: Dump) -> None:
    for key in ("network_digest", "recipe", "pruning"):
        ours, theirs = activity.origin.get(key), dump.origin.get(key)
        if None in (ours, theirs) or ours == theirs:
            continue
        work = {
            "network_digest": f"{dump.origin.get('network')} --data DATA",
            "recipe": f"--learn {theirs}",
            "pruning": f"--learn {dump.origin.get('recipe')}" + ("" if theirs else " --no-prune"),
        }[key]
        raise InputError(
            f"{activity.path}: {key} is {ours}, and that of {dump.path} is {theirs}; this makes "
            f"the right one: firstspike activity {work} -o {activity.path.name}"
        )


def _per_cycle(dump: Dump, names: tuple[str, ...], stimuli: slice, cycles: float) -> float:
    found = (dump.counters[name][stimuli].sum() for name in names if name in dump.counters)
    return float(sum(found)) / cycles


def _duty(built: Built, activity: Activity, dump: Dump) -> tuple[float, tuple[dict[str, Any], ...]]:
    """Return accesses a cycle of the whole dump over those of the stimuli of ``activity``; checks.

    Without those stimuli in the dump nothing is scaled.
    """
    stimuli = slice(activity.after, activity.after + activity.images)
    if dump.images < stimuli.stop:
        return 1.0, ()
    simulated = _per_cycle(dump, _ACCESSES, stimuli, activity.cycles)
    every = _per_cycle(dump, _ACCESSES, slice(None), dump.total_cycles)
    checks = []
    if built.core.memory == "spram":
        checks.append(
            {
                "memory": "SPRAM",
                "by_counters": _per_cycle(dump, _SPRAM, stimuli, activity.cycles),
                "by_netlist": activity.accesses.get("SB_SPRAM256KA", 0.0),
            }
        )
    return (every / simulated if simulated else 1.0), tuple(checks)
