"""``firstspike activity``: how often the nets of a core switch while it works."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from firstspike.cli.common import (
    add_core,
    add_json,
    add_stimuli,
    at_least,
    need,
    print_facts,
    print_json,
)
from firstspike.cli.learn import learning_core, plan_of
from firstspike.cli.ports import add_family
from firstspike.cores import load_core
from firstspike.engines import GoldenEngine
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.network import load_network
from firstspike.progress import counted
from firstspike.provenance import provenance
from firstspike.shipped import find_network
from firstspike.spec import CoreSpec
from firstspike.stimuli import load_stimuli

__all__ = ["add"]


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "activity",
        help="count how often the nets of a core's netlist switch",
        description="Run a network, or let a core learn, on the cells that synthesis makes of the "
        "core, and count how often their outputs switch and their memories are read and written, "
        "a clock cycle, from the first stimulus to the last result. A model of power needs it.",
    )
    parser.add_argument("network", metavar="NET", nargs="?", help="a folder, or a shipped name")
    parser.add_argument("--learn", metavar="RECIPE", help="learn by a recipe, in place of NET")
    add_stimuli(parser)
    parser.add_argument("--seed", metavar="N", type=at_least(0), help="of the run (--learn)")
    parser.add_argument("--no-prune", action="store_true", help="keep all connections (--learn)")
    parser.add_argument(
        "--after",
        metavar="N",
        type=at_least(0),
        help="count the stimuli after the first N, which the golden model learns from (--learn)",
    )
    add_core(parser, default=None)
    add_family(parser)
    parser.add_argument(
        "-o", dest="output", metavar="F.json", type=Path, required=True, help="file to write"
    )
    add_json(parser)
    parser.set_defaults(call=_call)


def _call(args: argparse.Namespace) -> int:
    if (args.network is None) == (args.learn is None):
        raise InputError("activity needs a network NET or --learn RECIPE, not both")
    if args.learn is not None:
        if args.split or args.no_early_exit:
            raise InputError("--split and --no-early-exit go with NET, not with --learn")
        core, facts = _learn(args)
    else:
        if args.seed is not None or args.no_prune or args.after is not None:
            raise InputError("--seed, --no-prune and --after go with --learn, not with NET")
        core, facts = _run(args)
    counted_facts = facts.pop("counted")
    origin = provenance("activity", args.words, core, **facts, engine="netlist")
    content = {"provenance": origin, **counted_facts}
    write_file(args.output, (json.dumps(content, indent=2) + "\n").encode())
    if args.json:
        print_json(content)
    else:
        print_facts({"core": args.core, **facts, **counted_facts, "file": args.output})
    return 0


def _run(args: argparse.Namespace) -> tuple[CoreSpec, dict[str, Any]]:
    """Run a network; return the core, and the facts with what was counted."""
    if args.data is None:
        raise InputError("activity needs --data: a data set, file.npz or folder")
    network = load_network(find_network(args.network))
    stimuli = load_stimuli(
        args.data, network.shape, split=args.split, limit=args.limit, folder=args.dir
    )
    args.core = args.core or "default"
    core = load_core(args.core)
    netlist = need("firstspike_sim.netlist_activity", "sim").MeteredNetlist(core, args.family)
    job = need("firstspike_sim.jobs", "sim").inference_job(
        network, core, stimuli.images, early_exit=not args.no_early_exit
    )
    with counted("netlist", len(stimuli.images)) as progress:
        _, activity = netlist.measure(job, progress=progress)
    return core, {
        "network": network.name,
        "network_digest": network.digest,
        "data": stimuli.name,
        "split": stimuli.split,
        "early_exit": not args.no_early_exit,
        "family": netlist.family,
        "learning": False,
        "images": len(stimuli.images),
        "counted": netlist.facts(activity),
    }


def _learn(args: argparse.Namespace) -> tuple[CoreSpec, dict[str, Any]]:
    """Let a core learn, one pass; return the core, and the facts with what was counted."""
    need("firstspike.golden.learning_fast", "learn")
    after = args.after or 0
    args.epochs = 1
    args.limit = None if args.limit is None else after + args.limit
    plan = plan_of(args, args.learn)
    if after >= len(plan.images):
        raise InputError(f"--after is {after}, must be less than the {len(plan.images)} stimuli")
    args.core, core = learning_core(args, plan, ["netlist"])
    if core is None or not core.learning:
        raise InputError(f"core {args.core} does not learn")
    netlist = need("firstspike_sim.netlist_activity", "sim").MeteredNetlist(core, args.family)
    rule, state, order = plan.rules[0], plan.first_state(), plan.order(0)
    if after:
        first = order[:after]
        state = (
            GoldenEngine().learn(rule, core, state, plan.images[first], plan.labels[first]).state
        )
    order = order[after:]
    job = need("firstspike_sim.jobs", "sim").learning_job(
        rule, core, state, plan.images[order], plan.labels[order]
    )
    with counted("netlist", len(order)) as progress:
        _, activity = netlist.measure(job, progress=progress)
    return core, {
        "recipe": plan.recipe.name,
        "seed": plan.seed,
        "pruning": not args.no_prune,
        "data": plan.data,
        "split": "train",
        "family": netlist.family,
        "learning": True,
        "images": len(order),
        "after": after,
        "counted": netlist.facts(activity),
    }
