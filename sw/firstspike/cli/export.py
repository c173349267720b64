"""``firstspike export``: from a run or a NIR file to a network, and on to memory images or NIR."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from firstspike.cli.common import add_core, add_json, need, print_facts, print_json
from firstspike.cli.nir import add_options, read_nir, refuse_options, write_nir
from firstspike.cli.pytorch import SUFFIX, read_pytorch
from firstspike.cores import load_core
from firstspike.errors import InputError
from firstspike.hexfiles import write_hex
from firstspike.methods.recipe import is_method
from firstspike.network import load_any_network
from firstspike.shipped import find_network, networks

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="quantise a run, a NIR file or a PyTorch program, or write a network's memory images",
        description="Quantise a run, a NIR file or a PyTorch program to the network NET. With "
        "--hex, write what loads it into a core as files for $readmemh, with --nir a NIR file; "
        "then SOURCE may also be a network, and -o is left out.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder that train wrote, a file.nir, a file.pt2, or a network",
    )
    parser.add_argument("-o", dest="network", metavar="NET", type=Path, help="folder to write")
    parser.add_argument("--hex", metavar="D", type=Path, help="folder for memory images")
    parser.add_argument("--variant", metavar="NAME", help="network of a run of a method")
    add_options(parser)
    add_core(parser)
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    core = load_core(args.core)
    source = Path(args.source)
    is_network = args.source in networks() or (source / "network.yaml").is_file()
    facts: dict[str, Any] = {}
    if source.suffix == ".nir" and not source.is_dir():
        facts = read_nir(args)
        folder = args.network
    elif source.suffix == SUFFIX and not source.is_dir():
        facts = read_pytorch(args)
        folder = args.network
    elif is_network:
        refuse_options(args)
        if args.network is not None or (args.hex is None and args.nir is None):
            raise InputError(f"{args.source} is a network already: give --hex or --nir, and no -o")
        folder = find_network(args.source)
        if args.nir is not None:
            facts = write_nir(args)
    else:
        refuse_options(args)
        if args.nir is not None:
            raise InputError(f"--nir takes a network, and {args.source} is none: export it first")
        if args.network is None:
            raise InputError("export needs -o NET, the folder that the network goes to")
        if not source.is_dir():
            raise InputError(f"{source}: no such folder, must be one that firstspike train wrote")
        folder = args.network
        if args.variant is not None:
            methods = need("firstspike.methods.run", "train")
            facts = methods.export_variant(source, args.variant, folder)
        elif (source / "recipe.yaml").is_file() and is_method(source / "recipe.yaml"):
            raise InputError(f"{source} is a run of a method: name one of its networks, --variant")
        else:
            facts = need("firstspike.train.exporting", "train").export(source, folder)
    if args.hex is not None:
        write_hex(load_any_network(folder), core, args.hex)
        facts["hex"] = str(args.hex)
    (print_json if args.json else print_facts)(facts)
    return 0
