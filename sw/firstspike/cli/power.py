"""``firstspike power``: modelled power and energy, with the error of the model."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firstspike.cli.common import add_json, print_json, print_table
from firstspike.errors import InputError
from firstspike.power import LABEL, Energy, Range, energy, held_out_errors
from firstspike.power.saving import load_energy, saving
from firstspike.provenance import provenance
from firstspike.spec import CoreSpec

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "power",
        help=f"power and energy of a core on a chip ({LABEL})",
        description=f"Power by part, and energy of an image: {LABEL}, from coefficients that "
        "others measured. Without files: what the model says of the designs that it was not "
        "fitted on.",
    )
    for name, text in (
        ("build", "JSON file of `firstspike build`"),
        ("activity", "JSON file of `firstspike activity`, of the same core"),
    ):
        parser.add_argument(f"--{name}", metavar="F.json", type=Path, help=text)
    for name in ("run", "learn"):
        parser.add_argument(
            f"--{name}", metavar="F.npz", type=Path, help=f"dump of `firstspike {name}`"
        )
    parser.add_argument(
        "--rate", metavar="HZ", type=float, help="images a second (as many as the core can take)"
    )
    parser.add_argument(
        "--against",
        metavar="F.json",
        type=Path,
        help="what this command printed with --json of another core or network: what is saved",
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    if args.build is args.activity is args.run is args.learn is None:
        if args.rate is not None or args.against is not None:
            raise InputError("power needs --build, --activity, and --run or --learn")
        errors = held_out_errors()
        if args.json:
            print_json({"label": LABEL, "held_out": errors})
        else:
            _print_errors(errors)
        return 0
    for name, maker in (
        ("build", "firstspike build --board BOARD"),
        ("activity", "firstspike activity"),
    ):
        if getattr(args, name) is None:
            raise InputError(f"power needs --{name} (a file); this makes it: {maker}")
    found = energy(args.build, args.activity, run=args.run, learn=args.learn, rate=args.rate)
    saved = None if args.against is None else saving(found, load_energy(args.against))
    errors = held_out_errors()
    if args.json:
        core = CoreSpec(**(found.provenance.get("learn") or found.provenance["run"])["core"])
        origin = found.provenance | {"power": provenance("power", args.words, core)}
        facts = found.as_json() | {"held_out": errors, "provenance": origin}
        print_json(facts if saved is None else facts | {"saving": saved})
        return 0
    _print_energy(found)
    if saved is not None:
        _print_saving(saved, found.what)
    print()
    _print_errors(errors)
    return 0


def _three(value: Range, scale: float) -> tuple[str, str, str]:
    return tuple(f"{one * scale:.4g}" for one in asdict(value).values())  # type: ignore[return-value]


def _print_energy(found: Energy) -> None:
    power = found.power
    print(
        f"{found.what} on {power.device} at {power.clock_hz / 1e6:g} MHz: {LABEL}\n"
        f"{found.images} images, {found.cycles:.1f} cycles each, {found.rate_hz:.6g} a second "
        f"(at most {found.full_rate_hz:.6g})\n"
    )
    rows: list[tuple[Any, ...]] = [
        (part.name, *_three(part.watts, 1e3), *_three(found.parts[part.name], 1e6))
        for part in power.parts
    ]
    rows.append(("all", *_three(power.watts, 1e3), *_three(found.joules, 1e6)))
    levels = ("low", "nominal", "high")
    head = ("part", *(f"mW, {level}" for level in levels), *(f"uJ, {level}" for level in levels))
    print_table(head, rows)
    print(f"\nstatic share of the energy at this rate: {100 * found.static_share:.1f} %")
    for check in found.checks:
        print(
            f"{check['memory']} accesses a cycle: {check['by_counters']:.4f} by the core's "
            f"counters, {check['by_netlist']:.4f} in the netlist"
        )
    for note in power.notes:
        print(f"note: {note}")
    by = found.convention
    print(
        f"{by['label']}: {by['joules'] * 1e6:.4g} uJ for {by['synops'] + by['macs']:.0f} operations"
        + (
            f"; {by['ann_joules'] * 1e6:.4g} uJ for a plain network's {by['ann_macs']} "
            f"multiplications; in integers {by['integer_joules'] * 1e6:.4g} and "
            f"{by['ann_integer_joules'] * 1e6:.4g} uJ"
            if "ann_joules" in by
            else ""
        )
    )


def _print_saving(saved: dict[str, Any], what: str) -> None:
    energy_saved = saved["energy_saved"]
    published = saved["published"]
    print(
        f"\nagainst the other: energy {_less(energy_saved['nominal'])} "
        f"({_less(energy_saved['high'])} to {_less(energy_saved['low'])}), "
        f"power {_less(saved['power_saved']['nominal'])}, cycles {_less(saved['cycles_saved'])}\n"
        f"published of another system: energy {_less(published[f'{what}_saved'])} by pruning, "
        f"power {_less(-published['power_of_pruning'])} for its logic ({published['source']})"
    )


def _less(saved: float) -> str:
    """Return a saving in per cent as a change."""
    return f"{0.0 - saved:+.2f} %"


def _print_errors(errors: list[dict[str, Any]]) -> None:
    print(f"the model on designs that it was not fitted on (n = {len(errors)}; {LABEL}):")
    rows = [
        (
            one["design"],
            ", ".join(one["fitted_on"]),
            f"{run['mhz']:g}",
            f"{run['measured']:.2f}",
            f"{run['predicted']['nominal']:.2f}",
            f"{run['predicted']['low']:.2f} to {run['predicted']['high']:.2f}",
            f"{100 * run['error']:+.1f} %",
        )
        for one in errors
        for run in one["runs"]
    ]
    head = ("design", "fitted on", "MHz", "mW measured", "mW modelled", "by assumptions", "error")
    print_table(head, rows)
    for one in errors:
        for mw, source, error in one["others"]:
            print(f"{one['design']}, {mw:g} mW ({source}): {100 * error:+.1f} %")
