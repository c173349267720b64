"""The command line: ``firstspike COMMAND``.

Exit status: 0 done; 1 two engines were compared and differ; 2 bad input, with one line on standard
error that says what is wrong, where, and what would be right.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import NoReturn

from firstspike import __version__
from firstspike.cli import (
    activity,
    bench,
    board,
    boards,
    build,
    compare,
    cores,
    data,
    export,
    learn,
    nets,
    power,
    report,
    run,
    train,
    verilog,
)
from firstspike.errors import InputError

__all__ = ["main"]

#: In the order in which a person meets them.
_COMMANDS = (
    data,
    nets,
    cores,
    boards,
    train,
    export,
    learn,
    run,
    compare,
    activity,
    verilog,
    build,
    power,
    report,
    bench,
    board,
)
_BAD_INPUT = 2
_INTERRUPTED = 130
_TERMINATED = 143


class _Termination(KeyboardInterrupt):
    """A request to end that came from another program."""


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the work as an interruption does.

    Otherwise Python would end at once, and a simulator that it has started would go on. Only the
    main thread can hear signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: object) -> NoReturn:
        raise _Termination

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse also prints the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="firstspike",
        description="Networks that decide with their first spike, from training to the FPGA.",
    )
    parser.add_argument("--version", action="version", version=f"firstspike {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_Parser
    )
    for command in _COMMANDS:
        command.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser().parse_args(words)
    # Files of figures say which command made them.
    args.words = words
    try:
        with _terminable():
            status = args.call(args)
        sys.stdout.flush()
    except InputError as error:
        print(f"firstspike: {error}", file=sys.stderr)
        return _BAD_INPUT
    except _Termination:
        print("firstspike: terminated", file=sys.stderr)
        return _TERMINATED
    except KeyboardInterrupt:
        print("firstspike: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; without this, Python complains again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # What no reader of files caught: a name that is too long, a folder that may not be listed.
        print(f"firstspike: {InputError(str(error))}", file=sys.stderr)
        return _BAD_INPUT
    return status
