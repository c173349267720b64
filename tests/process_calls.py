"""Calls and an engine for other processes, which find them by the name of this module."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from firstspike.engines import GoldenEngine
from firstspike.errors import InputError
from firstspike.files import write_file


def square(number: int, report) -> int:
    report(number)
    return number * number


def meet(folder: Path, name: str, others: int, report) -> int:
    """Return how many calls were seen at once, waiting for ``others`` for some time."""
    mark = folder / name
    mark.touch()
    most = 0
    end = time.monotonic() + 20
    while time.monotonic() < end and most < others:
        most = max(most, len(list(folder.iterdir())))
        time.sleep(0.01)
    time.sleep(0.3)
    most = max(most, len(list(folder.iterdir())))
    mark.unlink()
    return most


def stay(mark: Path, report) -> None:
    """Say that it is there, and how it was ended."""
    try:
        write_file(mark, b"there")
        time.sleep(60)
    except KeyboardInterrupt:
        write_file(mark, b"interrupted")
        raise


def after(mark: Path, report) -> str:
    """Return when ``mark`` is there."""
    while not mark.exists():
        time.sleep(0.01)
    return "seen"


def interrupted(report) -> str:
    """Interrupt itself, as a terminal does."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    return "goes on"


def refuse(report) -> None:
    raise InputError("core.yaml: banks: is 0")


def vanish(report) -> None:
    os._exit(3)


def leave(report) -> None:
    sys.exit()


class WrongEngine(GoldenEngine):
    """A golden model that errs: stimulus of a pass, by how many were seen before it.

    ``slow`` is of a pass that takes its time.
    """

    def __init__(self, wrong: dict[int, int], slow: int | None = None) -> None:
        self.wrong = wrong
        self.slow = slow

    def learn(self, rule, core, state, images, labels, *, progress=None):
        outcome = super().learn(rule, core, state, images, labels, progress=progress)
        if state.seen == self.slow:
            time.sleep(4)
        if state.seen in self.wrong:
            outcome.winner[self.wrong[state.seen]] = -7
        return outcome
