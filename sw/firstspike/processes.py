"""Calls in processes of their own, some at a time, that end when this process is told to end."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn, TypeVar

__all__ = ["in_processes"]

T = TypeVar("T")
#: Seconds between two looks at how far the calls are.
_LOOK = 0.5


class _Stopped(KeyboardInterrupt):
    """The parent does not need the call any more."""


def _stop(number: int, frame: object) -> NoReturn:
    raise _Stopped


@contextlib.contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Keep signals waiting while the body runs."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(done: Any, parent: Connection) -> None:
    """Take a call from ``parent``, make it, and send what it returns or raises."""
    signal.signal(signal.SIGTERM, _stop)

    def report(count: int) -> None:
        done.value = count

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        call = parent.recv()
        try:
            answer = call(report), None
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
            answer = None, error
        parent.send(answer)
    except _Stopped:
        return


def in_processes(
    calls: Sequence[Callable[[Callable[[int], None]], T]],
    jobs: int,
    told: Callable[[int], None],
) -> Generator[tuple[int, T], None, None]:
    """Make calls and yield what they return, as they finish.

    Close the generator, and what is not finished is ended: a call then sees an interruption, so
    that it can end programs that it has started, which the pools of Python's library do not allow.

    Parameters
    ----------
    calls : sequence of callable
        Each can be pickled, and is given a function to say how far it is.
    jobs : int
        Processes at a time.
    told : callable
        Called now and then with the sum of what all calls have said.

    Yields
    ------
    tuple of int and object
        Index of a call, and what it has returned.

    Raises
    ------
    Exception
        What a call has raised.
    RuntimeError
        If a process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    waiting = list(enumerate(calls))
    running: dict[Any, tuple[int, Any]] = {}
    counts = [context.Value("q", 0) for _ in calls]
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, call = waiting.pop(0)
                child, parent = context.Pipe()
                process = context.Process(target=_answer, args=(counts[number], parent))
                # A new process has them blocked, too: it hears of its end when it is ready to, and
                # of an interruption of the terminal, which is this process' affair, never.
                with _blocked(signal.SIGINT, signal.SIGTERM):
                    process.start()
                    running[child] = number, process
                parent.close()
                # One that has ended already is noticed below.
                with contextlib.suppress(BrokenPipeError):
                    child.send(call)
            ready = set(wait(list(running), timeout=_LOOK))
            told(sum(count.value for count in counts))
            for child in [child for child in running if child in ready]:
                number, process = running.pop(child)
                try:
                    value, error = child.recv()
                except (EOFError, ConnectionResetError):
                    process.join()
                    message = f"call {number}: its process ended with status {process.exitcode}"
                    raise RuntimeError(message) from None
                process.join()
                if error is not None:
                    raise error
                yield number, value
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.join()
