"""What ``firstspike export`` does with NIR files."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from firstspike.cli.common import at_least, need
from firstspike.errors import InputError
from firstspike.network import load_any_network
from firstspike.shipped import find_network
from firstspike.spec import STEPS_MAX, InputCoding, Reset

__all__ = ["add_options", "read_nir", "refuse_options", "write_nir"]

#: Options that go with a NIR file as SOURCE, and what they are without being given.
_OPTIONS = {
    "data": None,
    "dir": None,
    "limit": 200,
    "bits": 8,
    "steps": 32,
    "input": InputCoding.DIRECT.value,
    "input_bits": 8,
    "readout": None,
    "dt": None,
    "reset": None,
    "fires": None,
    "nearest_leak": False,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options about NIR files."""
    parser.add_argument("--nir", metavar="F.nir", type=Path, help="NIR file to write")
    both = parser.add_argument_group("when SOURCE is a NIR file or a PyTorch program")
    both.add_argument("--data", metavar="NAME|file.npz|folder", help="images for the check")
    both.add_argument("--dir", metavar="D", type=Path, help="where data sets lie")
    both.add_argument("--bits", type=int, choices=range(2, 9), help="of a weight (8)")
    both.add_argument("--steps", metavar="T", type=at_least(1), help="of a stimulus (32; .pt2: 16)")
    group = parser.add_argument_group("when SOURCE is a NIR file", "see docs/nir.md")
    group.add_argument("--limit", metavar="N", type=at_least(1), help="images of the check (200)")
    group.add_argument("--input", choices=[c.value for c in InputCoding], help="coding (direct)")
    group.add_argument("--input-bits", type=int, choices=range(1, 9), help="of a pixel (8)")
    group.add_argument("--readout", choices=["count", "potential"], help="what is compared")
    group.add_argument("--dt", metavar="S", type=float, help="seconds of a step (0.0001)")
    group.add_argument("--reset", choices=[r.value for r in Reset], help="by NIR's equation, hard")
    group.add_argument("--fires", choices=["above", "at"], help="its threshold (above)")
    group.add_argument(
        "--nearest-leak", action="store_true", help="move time constants to what a core has"
    )


def read_nir(args: argparse.Namespace) -> dict[str, Any]:
    """Write the network that the NIR file ``args.source`` holds."""
    if args.variant is not None or args.nir is not None:
        raise InputError(f"{args.source}: --variant and --nir do not go with a NIR file")
    if args.network is None:
        raise InputError("export needs -o NET, the folder that the network goes to")
    importing = need("firstspike.nir.importing", "nir")
    given = _given(args)
    if given["steps"] > STEPS_MAX:
        raise InputError(f"--steps is {given['steps']}, must be in 1..{STEPS_MAX}")
    options = importing.Options(
        folder=given.pop("dir"), coding=InputCoding(given.pop("input")), **given
    )
    return importing.import_file(Path(args.source), args.network, options)


def write_nir(args: argparse.Namespace) -> dict[str, Any]:
    """Write the network ``args.source`` to a NIR file."""
    exporting = need("firstspike.nir.exporting", "nir")
    return exporting.export_file(load_any_network(find_network(args.source)), args.nir)


def refuse_options(args: argparse.Namespace, *, but: Collection[str] = ()) -> None:
    """Refuse options about NIR files where there is none.

    Parameters
    ----------
    args : Namespace
        Of the command.
    but : collection of str
        Those that the source takes too.

    Raises
    ------
    InputError
        If one is given.
    """
    for name in _OPTIONS:
        if name not in but and getattr(args, name) not in (None, False):
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} goes with a NIR file, and {args.source} is none")


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {
        name: default if getattr(args, name) is None else getattr(args, name)
        for name, default in _OPTIONS.items()
    }
