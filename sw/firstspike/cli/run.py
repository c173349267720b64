"""``firstspike run``: run a network on a data set, on own images, or on one image."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from firstspike.cli.common import add_core, add_json, add_stimuli, print_facts, print_json
from firstspike.cli.ports import add_family, add_port, core_of, default_core, opened
from firstspike.engines import ENGINES, Engine
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.network import AnyNetwork, Network, load_any_network
from firstspike.outcome import Outcome
from firstspike.progress import counted
from firstspike.provenance import provenance
from firstspike.raster import draw
from firstspike.shipped import find_network
from firstspike.spec import CoreSpec
from firstspike.stimuli import Stimuli, load_stimuli, read_image
from firstspike.summary import dump, figures

__all__ = ["add", "add_options", "call"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run", help="run a network: accuracy, steps, work, cycles; or one image, drawn"
    )
    parser.add_argument("--engine", choices=list(ENGINES), default="golden", help="what runs it")
    parser.add_argument(
        "--trace", metavar="F.vcd", type=Path, help="write waveforms (pysim, rtl, netlist)"
    )
    add_core(parser, default=None)
    add_port(parser, required=False)
    add_family(parser)
    add_options(parser)
    parser.set_defaults(call=call)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what is run and shown, whatever runs it."""
    parser.add_argument("network", metavar="NET", help="a folder, or a shipped name")
    parser.add_argument("--image", metavar="FILE", type=Path, help="run and draw one PNG file")
    add_stimuli(parser)
    parser.add_argument("--dump", metavar="F.npz", type=Path, help="write each image's result")
    add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run a network as the options say; return the exit status."""
    if (args.image is None) == (args.data is None):
        raise InputError("run needs --data (a data set, file.npz or folder) or --image, not both")
    if args.image is not None and (args.split or args.limit):
        raise InputError("--split and --limit go with --data, not with --image")
    network = load_any_network(find_network(args.network))
    stimuli = _stimuli(args, network)
    with opened(args, args.engine) as engines:
        args.core, core = core_of(args.core, engines, default_core(network))
        start = time.monotonic()
        outcome = _run(args, engines[0], network, core, stimuli)
        seconds = time.monotonic() - start
        # A netlist has a family, cells, and models of them.
        described = engines[0].describe(core) if hasattr(engines[0], "describe") else {}
    if args.dump is not None:
        origin = provenance(
            "run",
            args.words,
            core,
            engine=args.engine,
            network=network.name,
            network_digest=network.digest,
            data=stimuli.name,
            split=stimuli.split,
            early_exit=not args.no_early_exit,
        )
        write_file(args.dump, dump(network, stimuli, outcome, origin))
    facts: dict[str, Any] = {
        "engine": args.engine,
        "core": args.core,
        "network": network.name,
        "digest": network.digest,
        "data": stimuli.name,
        "split": stimuli.split,
        "early_exit": not args.no_early_exit,
        "seconds": seconds,
    }
    facts |= figures(network, core, stimuli, outcome) | described
    if args.image is not None:
        facts |= _one(network, outcome)
    if args.json:
        print_json(facts)
    elif args.image is not None and isinstance(network, Network) and outcome.spike_time:
        print(draw(network, stimuli.images[0], outcome))
    else:
        del facts["counters"]
        print_facts({name: value for name, value in facts.items() if value not in (None, {})})
    return 0


def _stimuli(args: argparse.Namespace, network: AnyNetwork) -> Stimuli:
    if args.image is None:
        return load_stimuli(
            args.data, network.shape, split=args.split, limit=args.limit, folder=args.dir
        )
    image = read_image(args.image, network.shape)
    return Stimuli(str(args.image), "all", image.reshape(1, -1), None)


def _run(
    args: argparse.Namespace, engine: Engine, network: AnyNetwork, core: CoreSpec, stimuli: Stimuli
) -> Outcome:
    with counted(args.engine, len(stimuli.images)) as progress:
        return engine.run(
            network,
            core,
            stimuli.images,
            early_exit=not args.no_early_exit,
            progress=progress,
            trace=args.trace,
        )


def _one(network: AnyNetwork, outcome: Outcome) -> dict[str, Any]:
    """Return what is worth knowing about a single image."""
    return {
        "predicted": network.labels[int(outcome.predicted[0])],
        "decision_step": int(outcome.decision_step[0]),
        "potential": outcome.potential[0].tolist() if outcome.potential.size else None,
        "spike_time": {name: times[0].tolist() for name, times in outcome.spike_time.items()},
        "spike_count": {name: counts[0].tolist() for name, counts in outcome.spike_count.items()},
    }
