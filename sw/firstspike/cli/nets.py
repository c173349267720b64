"""``firstspike nets``: what is shipped."""

from __future__ import annotations

import argparse

from firstspike.cli.common import add_json, print_json, print_table
from firstspike.network import load_network
from firstspike.shipped import networks, recipes

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "nets", help="list shipped networks and recipes, with their paths"
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    facts = {}
    for name, folder in networks().items():
        network = load_network(folder)
        first, *rest = network.layers
        facts[name] = {
            "path": str(folder),
            "neuron": network.neuron.value,
            "layers": [first.inputs, first.neurons, *(layer.neurons for layer in rest)],
            "weight_bits": max(layer.weight_bits for layer in network.layers),
            "steps": network.steps,
            "digest": network.digest,
        }
    files = {name: str(path) for name, path in recipes().items()}
    if args.json:
        print_json({"networks": facts, "recipes": files})
        return 0
    rows = []
    for name, f in facts.items():
        layers = "-".join(map(str, f["layers"]))
        rows.append((name, f["neuron"], layers, f["weight_bits"], f["steps"], f["path"]))
    print_table(("network", "neurons", "layers", "weight bits", "steps", "path"), rows)
    print()
    print_table(("recipe", "path"), files.items())
    return 0
