"""Progress bars on standard error, for work that takes more than a moment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["counted", "noted", "waiting"]


def _progress(*columns: ProgressColumn) -> Progress:
    """Return a bar that vanishes when the work is done, and is not drawn in a file."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextlib.contextmanager
def counted(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` things are done.

    Yields
    ------
    Callable[[int], None]
        Called with the number done so far.
    """
    columns = (MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with _progress(*columns) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextlib.contextmanager
def noted(label: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show how many of ``total`` things are done, how many a second, and a note.

    Yields
    ------
    Callable[[int, str], None]
        Called with the number done so far and the note.
    """
    columns = (
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with _progress(*columns) as progress:
        task = progress.add_task(label, total=total, note="")
        first: list[tuple[int, float]] = []

        def show(done: int, note: str) -> None:
            now = time.monotonic()
            if not first:
                first.append((done, now))
            before, begun = first[0]
            rate = (done - before) / (now - begun) if now > begun else 0.0
            progress.update(task, completed=done, note=f"{rate:.0f}/s, {note}")

        yield show


@contextlib.contextmanager
def waiting(label: str) -> Iterator[None]:
    """Show that work of unknown length goes on."""
    with _progress(TimeElapsedColumn()) as progress:
        progress.add_task(label, total=None)
        yield
