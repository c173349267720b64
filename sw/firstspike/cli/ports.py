"""Options and engines of commands that run on engines with options of their own."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from firstspike.board.engine import BoardEngine, check_core
from firstspike.board.serial import BAUD
from firstspike.cli.common import at_least
from firstspike.cores import load_core
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.spec import CoreSpec

__all__ = ["add_family", "add_port", "core_of", "default_core", "opened"]

_NETLIST = "netlist"


def add_port(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add ``--port`` and ``--baud``."""
    which = "serial port of the board" if required else "serial port (engine board)"
    parser.add_argument("--port", metavar="P", required=required, help=which)
    parser.add_argument(
        "--baud", metavar="N", type=at_least(1), default=BAUD, help=f"its rate ({BAUD})"
    )


def add_family(parser: argparse.ArgumentParser) -> None:
    """Add ``--family``."""
    parser.add_argument(
        "--family",
        choices=["ice40", "ecp5"],
        help="whose cells (engine netlist); without it, that of a board with the core",
    )


@contextlib.contextmanager
def opened(args: argparse.Namespace, *names: str) -> Iterator[list[Any]]:
    """Yield the engines ``names``; the board is given back at the end.

    Raises
    ------
    InputError
        If one cannot be opened, or there is a port or a family that none needs.
    """
    if args.port is not None and "board" not in names:
        raise InputError("--port goes with the engine board")
    family = getattr(args, "family", None)
    if family is not None and _NETLIST not in names:
        raise InputError(f"--family goes with the engine {_NETLIST}")
    options: dict[str, dict[str, Any]] = {
        "board": {"port": args.port, "baud": args.baud},
        _NETLIST: {"family": family},
    }
    with contextlib.ExitStack() as stack:
        engines = []
        for name in names:
            engine = open_engine(name, **options.get(name, {}))
            if isinstance(engine, BoardEngine):
                stack.callback(engine.close)
            engines.append(engine)
        yield engines


def default_core(network: AnyNetwork) -> str:
    """Return the name of the core that a network runs on if none is named."""
    return "multispike" if isinstance(network, MultiSpikeNetwork) else "default"


def core_of(source: str | None, engines: list[Any], default: str) -> tuple[str, CoreSpec]:
    """Return a name of the core to run on, and the core: the board's, if there is one.

    Raises
    ------
    InputError
        If ``source`` names another core than the board has.
    """
    boards = [engine for engine in engines if isinstance(engine, BoardEngine)]
    if not boards:
        return source or default, load_core(source or default)
    if source is not None:
        check_core(boards[0].device, load_core(source))
    return source or "board", boards[0].core
