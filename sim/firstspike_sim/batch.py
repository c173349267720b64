"""Stimuli through the simulated core, from files to files."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstspike.errors import InputError
from firstspike.memimage import Write
from firstspike.spec import record_fields
from firstspike_hw.layouts import input_event_layout
from firstspike_hw.learner.core import label_layout
from firstspike_sim.harness import (
    POTENTIAL_COLUMNS,
    SPIKE_COLUMNS,
    TOPLEVEL,
    harness,
    program_bytes,
)
from firstspike_sim.jobs import Job
from firstspike_sim.stimuli import pixel_words
from firstspike_sim.verilator import build_model

__all__ = ["FILES", "Batch", "Design", "plusargs", "run_batch", "write_inputs"]

#: Files that the harness reads and writes.
FILES = (
    *("program", "pixels", "events", "labels", "reads"),
    *("records", "spikes", "potentials", "replies", "activity"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a core said.

    Attributes
    ----------
    records : ndarray of int64, shape (n, fields)
        Result records, fields in the order of `firstspike.spec.record_fields`.
    spikes : ndarray of int64, shape (m, 4)
        Stimulus, layer, neuron and time of each spike.
    potentials : ndarray of int64, shape (n, neurons)
        As last read.
    replies : ndarray of int64
        Data that was read afterwards.
    cycles : int
        From the first word of pixels to the last result.
    activity : ndarray of uint64
        What a meter in the design has counted; see `firstspike_sim.netlist_meter`.
    """

    records: np.ndarray
    spikes: np.ndarray
    potentials: np.ndarray
    replies: np.ndarray
    cycles: int
    activity: np.ndarray


@dataclass(frozen=True, slots=True)
class Design:
    """What is simulated.

    Parameters
    ----------
    files : mapping of file name to text
        Verilog with a module ``core``.
    arguments : tuple of str
        What Verilator must be told about it.
    """

    files: Mapping[str, str]
    arguments: tuple[str, ...] = ()


def write_inputs(job: Job, work: Path) -> None:
    """Write the files that the harness reads to the folder ``work``."""
    (work / "program").write_bytes(program_bytes(job.writes))
    # The harness reads a word at once, first byte highest; the first pixel is lowest.
    images = job.images[:0] if job.events else job.images
    pixels = pixel_words(images, job.core)[:, ::-1]
    (work / "pixels").write_bytes(np.ascontiguousarray(pixels).tobytes())
    layout = input_event_layout(job.core)
    events = [sum(event[name] << layout[name].offset for name in event) for event in job.events]
    (work / "events").write_bytes(np.array(events, ">u4").tobytes())
    known = np.zeros(0, np.int64) if job.labels is None else job.labels
    there, group = (label_layout()[name].offset for name in ("there", "group"))
    marked = np.where(known >= 0, known << group | 1 << there, 0).astype(np.uint8)
    (work / "labels").write_bytes(marked.tobytes())
    (work / "reads").write_bytes(program_bytes([Write(*read, 0) for read in job.reads]))


def plusargs(job: Job, work: Path, *, pause: int = 0) -> list[str]:
    """Return what the harness is told when it starts: its files in ``work``, and numbers."""
    numbers = {
        "count": len(job.images),
        "budget": job.budget,
        "pause": pause,
        "neurons": job.neurons,
    }
    return [f"+{name}={work / name}" for name in FILES] + [
        f"+{name}={number}" for name, number in numbers.items()
    ]


def run_batch(
    job: Job,
    design: Design,
    *,
    pause: int = 0,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
    trace: Path | None = None,
) -> Batch:
    """Load a core, give it stimuli, and read from it.

    Parameters
    ----------
    job : Job
        What to do.
    design : Design
        The core that does it.
    pause : int
        Of 256 cycles, in how many the results are not taken, and pixels do not come.
    seed : int
        Of the random contents that registers and memories start with.
    progress : callable, optional
        Called with the number of stimuli done so far.
    trace : Path, optional
        Write a VCD of the run there.

    Raises
    ------
    InputError
        If a trace cannot be made.
    RuntimeError
        If the core stops.
    """
    if trace is not None and not trace.parent.is_dir():
        raise InputError(f"{trace}: its folder does not exist")
    waves = trace is not None
    core, images, reads = job.core, job.images, job.reads
    sources = {**design.files, "harness.sv": harness(core, waves=waves)}
    model = build_model(sources, TOPLEVEL, waves=waves, arguments=design.arguments)
    fields = len(record_fields(core)) + 1
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_inputs(job, work)
        with _watching(work / "records", 4 * fields, progress):
            model.run(
                "firstspike_sim.benches.batch", work, plusargs(job, work, pause=pause), seed=seed
            )
        if trace is not None:
            shutil.move(work / "dump.vcd", trace)
        records = _read(work / "records", fields)
        replies = _read(work / "replies", 1)[:, 0]
        if len(records) != len(images) or len(replies) != len(reads):
            raise RuntimeError(
                f"the core stopped: {len(records)} of {len(images)} results and {len(replies)} of "
                f"{len(reads)} replies, then none for {job.budget} cycles"
            )
        spikes = _read(work / "spikes", len(SPIKE_COLUMNS))
        meter = work / "activity"
        activity = np.fromfile(meter, "<u8") if meter.exists() else np.zeros(0, np.uint64)
        readings = _read(work / "potentials", len(POTENTIAL_COLUMNS))
    potentials = np.zeros((len(images), job.neurons), np.int64)
    # A stimulus may be read twice; the last reading is what counts.
    potentials[readings[:, 0], readings[:, 1]] = readings[:, 2]
    cycles = int(records[-1, -1]) + 1
    return Batch(records[:, :-1], spikes, potentials, replies, cycles, activity)


def _read(path: Path, columns: int) -> np.ndarray:
    rows = np.fromfile(path, "<i4")
    return rows[: len(rows) // columns * columns].reshape(-1, columns).astype(np.int64)


@contextmanager
def _watching(path: Path, row: int, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Report how many records there are, from a file that grows, while the body runs."""
    if progress is None:
        yield
        return
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            if path.exists():
                progress(path.stat().st_size // row)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
