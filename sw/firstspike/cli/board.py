"""``firstspike board``: talk to a core on a board, or to a simulated one."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firstspike.board.device import learner_tag
from firstspike.board.engine import BoardEngine
from firstspike.board.flash import flash_image, program
from firstspike.board.selftest import selftest
from firstspike.boards import BOARDS, find_board
from firstspike.cli import run as run_command
from firstspike.cli.common import (
    add_core,
    add_json,
    at_least,
    need,
    print_facts,
    print_json,
    print_table,
)
from firstspike.cli.learn import add_learning, learn_by, plan_of, print_learned
from firstspike.cli.ports import add_port, opened
from firstspike.cores import load_core
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.export import network_of
from firstspike.learning.fit import check_learning_fit
from firstspike.network import load_any_network, save_network
from firstspike.progress import noted, waiting
from firstspike.shipped import find_network

__all__ = ["add"]

_FAILED = 1
#: Clock cycles a bit of a simulated board.
_DIVISOR = 4


def add(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "board",
        help="talk to a core on a board: load, run, learn, read back, test, flash",
        description="Talk to a core on a board, over its serial port; docs/board.md has the whole "
        "of it. With --simulate, offer a simulated board on a pseudo-terminal instead, until this "
        "command is interrupted: its first line is the port.",
    )
    parser.add_argument("--simulate", action="store_true", help="offer a simulated board")
    add_core(parser, default=None)
    parser.add_argument(
        "--link", metavar="FILE", type=Path, help="a symbolic link to the port (--simulate)"
    )
    parser.add_argument(
        "--divisor",
        metavar="N",
        type=at_least(_DIVISOR),
        default=_DIVISOR,
        help=f"clock cycles a bit of its UART ({_DIVISOR}; --simulate)",
    )
    parser.add_argument(
        "--chip",
        metavar="F.bin",
        type=Path,
        help="a bitstream of the HX8K board, unpacked to cells again (--simulate)",
    )
    parser.set_defaults(call=_simulate)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", parser_class=type(parser))
    _add(actions, "info", "who is there: core, limits, what is loaded", _info)
    load = _add(actions, "load", "load a network", _load)
    load.add_argument("network", metavar="NET", help="a folder, or a shipped name")
    load.add_argument("--no-early-exit", action="store_true", help="run to the last step")
    run = _add(actions, "run", "run a network, like `run --engine board`", _run, json=False)
    run_command.add_options(run)
    learn = _add(actions, "learn", "learn by a recipe, on the board", _learn)
    _add_recipe(learn)
    learn.add_argument("--resume", action="store_true", help="go on with the run in NET")
    learn.add_argument("--dump", metavar="F.npz", type=Path, help="write each stimulus' result")
    read = _add(actions, "read", "read back what a board has learned, as a network", _read)
    _add_recipe(read)
    _add(actions, "selftest", "test memories and a network; what is loaded is lost", _selftest)
    flash = actions.add_parser(
        "flash",
        help="make a network, and a bitstream, be there when the power comes",
        description="Write what a board's flash must hold for a network to be loaded at power-up, "
        "to a file (-o) or to the board, with openFPGALoader. Given a bitstream, write that, too.",
    )
    flash.add_argument("network", metavar="NET", nargs="?", help="a folder, or a shipped name")
    flash.add_argument("--board", metavar="NAME", required=True, help=", ".join(BOARDS))
    add_core(flash, default=None)
    flash.add_argument("--bitstream", metavar="FILE", type=Path, help="write this one, too")
    flash.add_argument("--no-early-exit", action="store_true", help="run to the last step")
    flash.add_argument("-o", dest="file", metavar="F.bin", type=Path, help="only write this file")
    flash.set_defaults(call=_flash, simulate=False)


def _add(
    actions: Any,
    name: str,
    text: str,
    call: Callable[[argparse.Namespace], int],
    *,
    json: bool = True,
) -> argparse.ArgumentParser:
    """Add an action that talks to a board."""
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    add_port(parser, required=True)
    if json:
        add_json(parser)
    parser.set_defaults(call=call, core=None)
    return parser


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or a shipped name")
    parser.add_argument(
        "-o", dest="network", metavar="NET", type=Path, required=True, help="folder"
    )
    add_learning(parser)


@contextlib.contextmanager
def _engine(args: argparse.Namespace) -> Iterator[BoardEngine]:
    """Yield the board."""
    with opened(args, "board") as engines:
        yield engines[0]


def _print(args: argparse.Namespace, facts: dict[str, Any]) -> int:
    if args.json:
        print_json(facts)
    else:
        print_facts({name: value for name, value in facts.items() if value is not None})
    return 0


def _simulate(args: argparse.Namespace) -> int:
    if not args.simulate:
        raise InputError("board needs an action (firstspike board --help), or --simulate")
    server = need("firstspike_sim.board_server", "sim")
    if args.chip is not None:
        # The bitstream says which core it has, and how fast its UART is.
        chip = need("firstspike_sim.netlist_bitstream", "sim").unpack(args.chip)
        server.serve(chip.core, divisor=chip.divisor, link=args.link, chip=chip.verilog)
        return 0
    core = load_core(args.core or "default")
    server.serve(core, divisor=args.divisor, link=args.link)
    return 0


def _info(args: argparse.Namespace) -> int:
    with _engine(args) as engine:
        info = engine.device.info()
    return _print(
        args,
        {
            "port": args.port,
            "protocol": info.version,
            "digest": info.digest,
            "loaded": f"{info.loaded:04x}" if info.loaded else "nothing",
            "restarted": info.restarted,
            "core": asdict(info.core),
        },
    )


def _load(args: argparse.Namespace) -> int:
    network = load_any_network(find_network(args.network))
    with _engine(args) as engine:
        device = engine.device
        with waiting("loading"):
            loaded = device.load(network, early_exit=not args.no_early_exit)
        counts = device.link.counts
    return _print(
        args,
        {
            "network": network.name,
            "digest": network.digest,
            "loaded": loaded,
            "bytes_out": counts.bytes_out,
            "resent": counts.resent,
        },
    )


def _run(args: argparse.Namespace) -> int:
    args.engine, args.trace = "board", None
    return run_command.call(args)


def _learn(args: argparse.Namespace) -> int:
    plan = plan_of(args, args.recipe)
    with _engine(args) as engine:
        check_learning_fit(plan.rules[0], plan.first_state(), engine.core)
        facts = learn_by(args, plan, "board", engine, "board", engine.core)
        lost = engine.lost
    print_learned(args, facts | {"lost_records": lost} if lost else facts)
    return 0


def _read(args: argparse.Namespace) -> int:
    evaluation = need("firstspike.learning.evaluate", "learn")
    plan = plan_of(args, args.recipe)
    rule, first = plan.rules[-1], plan.first_state()
    with _engine(args) as engine:
        device = engine.device
        check_learning_fit(rule, first, engine.core)
        tag = device.read_register("loaded")
        if tag != learner_tag(rule, first):
            raise InputError(
                f"no learner of {plan.recipe.path} is loaded on the board: learn first "
                "(firstspike board learn)"
            )
        with waiting("reading back"):
            state = device.read_learner(first)
    state = state.settled()
    found = evaluation.evaluate(plan, rule, state)
    network = network_of(rule, state, found.labels, name=plan.recipe.name, shape=plan.shape)
    save_network(network, args.network)
    return _print(
        args,
        {
            "network": network.name,
            "digest": network.digest,
            "evaluated_on": plan.evaluated_on,
            "accuracy": found.accuracy,
            "alive": float(state.alive.mean()),
            "forced": found.forced,
            "mean_steps": found.mean_steps,
            "labelled_neurons": int((found.labels >= 0).sum()),
        },
    )


def _selftest(args: argparse.Namespace) -> int:
    with _engine(args) as engine:
        if not args.json:
            print("the board is tested; what was loaded is lost", flush=True)
        with noted("selftest", 100) as shown:
            checks = selftest(engine.device, lambda name, done, n: shown(100 * done // n, name))
        engine.device.write_register("loaded", 0)
    good = not any(check.wrong for check in checks)
    if args.json:
        print_json({"good": good, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.name, check.tested, check.wrong) for check in checks]
        print_table(("what", "tested", "wrong"), rows)
        print("good" if good else "not good")
    return 0 if good else _FAILED


def _flash(args: argparse.Namespace) -> int:
    board = find_board(args.board)
    if args.network is None and args.bitstream is None:
        raise InputError("board flash needs a network NET or --bitstream FILE")
    if args.bitstream is not None and not args.bitstream.is_file():
        raise InputError(f"{args.bitstream}: no such file")
    image = None
    core = load_core(args.core or board.cores[0])
    offset = board.boot_offset(core)
    if args.network is not None:
        if offset is None:
            raise InputError(
                f"board {board.name} does not read its flash at power-up with this core: load the "
                "network over the link (firstspike board load)"
            )
        network = load_any_network(find_network(args.network))
        image = flash_image(network, core, early_exit=not args.no_early_exit)
    if args.file is not None:
        if image is None:
            raise InputError("-o goes with a network NET")
        write_file(args.file, image)
        print(f"{args.file}: {len(image)} bytes, for {offset:#x} in the flash")
        return 0
    if args.bitstream is not None:
        program(board, args.bitstream)
        print(f"{args.bitstream}: written")
    if image is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "network.bin"
            write_file(file, image)
            program(board, file, offset=offset)
        print(f"{args.network}: written, {len(image)} bytes at {offset:#x}")
    return 0
