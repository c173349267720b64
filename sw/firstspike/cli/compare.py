"""``firstspike compare``: run two engines and name the first difference."""

from __future__ import annotations

import argparse
import textwrap
import time
from pathlib import Path
from typing import Any

from firstspike.cli.common import (
    add_core,
    add_json,
    add_stimuli,
    at_least,
    print_facts,
    print_json,
    print_table,
)
from firstspike.cli.compare_learning import compare_learning
from firstspike.cli.ports import add_family, add_port, core_of, default_core, opened
from firstspike.engines import ENGINES
from firstspike.errors import InputError
from firstspike.network import load_any_network
from firstspike.outcome import Difference, Outcome, first_difference
from firstspike.progress import counted
from firstspike.shipped import find_network
from firstspike.stimuli import load_stimuli
from firstspike.summary import figures

__all__ = ["add"]

_DIFFERENT = 1


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="run two engines and name the first difference",
        description="Run two engines on the same images and compare decisions, steps, spike times "
        "of every neuron, potentials and counters; or let both learn, and compare winners, steps "
        "and counters of every stimulus and the learners in the end, every weight, alive bit, "
        "threshold and the random state. A board is not asked for spike times and potentials. Exit "
        "status 1 if anything differs.",
    )
    parser.add_argument("network", metavar="NET", nargs="?", help="a folder, or a shipped name")
    parser.add_argument(
        "--learn", metavar="RECIPE", help="compare engines that learn, in place of a network"
    )
    parser.add_argument(
        "--engines", metavar="A,B", type=_two_engines, required=True, help=", ".join(ENGINES)
    )
    add_core(parser, default=None)
    add_port(parser, required=False)
    add_family(parser)
    add_stimuli(parser)
    parser.add_argument("--epochs", metavar="N", type=at_least(1), help="passes (--learn)")
    parser.add_argument("--seed", metavar="N", type=at_least(0), help="of the run (--learn)")
    parser.add_argument("--no-prune", action="store_true", help="keep all connections (--learn)")
    parser.add_argument(
        "--gain", action="store_true", help="learn without pruning, too, and compare (--learn)"
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=at_least(1),
        default=1,
        help="passes of B at a time (--learn; 1)",
    )
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        type=Path,
        help="keep passes of B that were equal there, and take them from there (--learn)",
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _two_engines(text: str) -> tuple[str, str]:
    match text.split(","):
        case [left, right] if left in ENGINES and right in ENGINES:
            return left, right
    raise argparse.ArgumentTypeError(f"is {text!r}, must be two of {', '.join(ENGINES)}, as A,B")


def _call(args: argparse.Namespace) -> int:
    if (args.network is None) == (args.learn is None):
        raise InputError("compare needs a network NET or --learn RECIPE, not both")
    if args.learn is not None:
        if args.split or args.no_early_exit:
            raise InputError("--split and --no-early-exit go with NET, not with --learn")
        return compare_learning(args)
    if args.epochs or args.seed is not None or args.no_prune or args.gain:
        raise InputError("--epochs, --seed, --no-prune and --gain go with --learn, not with NET")
    if args.jobs > 1 or args.keep:
        raise InputError("--jobs and --keep go with --learn, not with NET")
    if args.data is None:
        raise InputError("compare needs --data: a data set, file.npz or folder")
    network = load_any_network(find_network(args.network))
    stimuli = load_stimuli(
        args.data, network.shape, split=args.split, limit=args.limit, folder=args.dir
    )
    outcomes: list[Outcome] = []
    results: dict[str, dict[str, Any]] = {}
    with opened(args, *args.engines) as engines:
        args.core, core = core_of(args.core, engines, default_core(network))
        for name, engine in zip(args.engines, engines, strict=True):
            start = time.monotonic()
            with counted(name, len(stimuli.images)) as progress:
                outcome = engine.run(
                    network,
                    core,
                    stimuli.images,
                    early_exit=not args.no_early_exit,
                    progress=progress,
                )
            seconds = time.monotonic() - start
            outcomes.append(outcome)
            results[name] = {"seconds": seconds} | figures(network, core, stimuli, outcome)
    # What a board does not tell is not compared.
    shared = "board" in args.engines
    difference = first_difference(*outcomes, shared=shared)
    facts = {
        "network": network.name,
        "digest": network.digest,
        "core": args.core,
        "data": stimuli.name,
        "split": stimuli.split,
        "images": len(stimuli.images),
        "early_exit": not args.no_early_exit,
        "equal": difference is None,
    }
    if args.json:
        print_json(
            facts
            | {"difference": _named(difference, args.engines) if difference else None}
            | {"engines": results}
        )
    else:
        print_facts(facts)
        print()
        _print_results(results)
        print()
        if difference is None:
            print(f"equal: {_compared(outcomes)}")
        else:
            print(f"different: {_sentence(difference, args.engines)}")
    return 0 if difference is None else _DIFFERENT


def _named(difference: Difference, engines: tuple[str, str]) -> dict[str, Any]:
    image, *index = difference.index
    return {
        "image": image,
        "quantity": difference.quantity,
        "index": index,
        "values": dict(zip(engines, (difference.left, difference.right), strict=True)),
    }


def _sentence(difference: Difference, engines: tuple[str, str]) -> str:
    image, *index = difference.index
    place = f"image {image}, {difference.quantity}" + "".join(f"[{i}]" for i in index)
    return f"{place}: {engines[0]} {difference.left}, {engines[1]} {difference.right}"


def _compared(outcomes: list[Outcome]) -> str:
    left, right = (outcome.arrays() for outcome in outcomes)
    both = {name: array for name, array in left.items() if name in right}
    values = sum(array.size for array in both.values())
    names = dict.fromkeys(name.removeprefix("counters.") for name in both)
    listed = textwrap.fill(", ".join(names), 96, initial_indent="  ", subsequent_indent="  ")
    return f"{values} values of {len(outcomes[0].predicted)} images:\n{listed}"


def _print_results(results: dict[str, dict[str, Any]]) -> None:
    """Print the figures of both engines beside each other."""
    names = [
        name
        for name, value in next(iter(results.values())).items()
        if isinstance(value, int | float) and all(name in figures for figures in results.values())
    ]
    print_table(("", *results), [(name, *(r[name] for r in results.values())) for name in names])
