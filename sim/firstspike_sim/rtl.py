"""The engine on Verilator: the core's Verilog, compiled, under cocotb."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from firstspike.errors import InputError
from firstspike.golden.encoding import encode
from firstspike.memimage import memory_image
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, record_fields
from firstspike_sim.collect import build_outcome
from firstspike_sim.harness import (
    POTENTIAL_COLUMNS,
    SPIKE_COLUMNS,
    TOPLEVEL,
    harness,
    program_bytes,
)
from firstspike_sim.stimuli import pixel_words
from firstspike_sim.translation import core_verilog
from firstspike_sim.verilator import build_model

__all__ = ["RtlEngine"]


class RtlEngine:
    """Runs the core's Verilog.

    Parameters
    ----------
    pause : int
        Of 256 cycles, in how many the results are not taken, and pixels do not come; for tests.
    seed : int
        Of the random contents that registers and memories start with.
    """

    def __init__(self, *, pause: int = 0, seed: int = 1) -> None:
        self._pause = pause
        self._seed = seed

    def run(
        self,
        network: Network,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """See `firstspike.engines.Engine.run`."""
        images = images.reshape(len(images), -1)
        encode(network, images[:1])
        writes = memory_image(network, core, early_exit=early_exit)
        if trace is not None and not trace.parent.is_dir():
            raise InputError(f"{trace}: its folder does not exist")
        sources = {"core.v": core_verilog(core), "harness.sv": harness(core)}
        model = build_model(sources, TOPLEVEL, waves=trace is not None)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            (work / "program").write_bytes(program_bytes(writes))
            # The harness reads a word at once, first byte highest; the first pixel is lowest.
            pixels = pixel_words(images, core)[:, ::-1]
            (work / "pixels").write_bytes(np.ascontiguousarray(pixels).tobytes())
            files = ("program", "pixels", "records", "spikes", "potentials")
            row = 4 * (len(record_fields(core)) + 1)
            with _watching(work / "records", row, progress):
                model.run(
                    "firstspike_sim.benches.batch",
                    work,
                    [f"+{name}={work / name}" for name in files]
                    + [
                        f"+count={len(images)}",
                        f"+budget={_budget(network)}",
                        f"+pause={self._pause}",
                    ],
                    seed=self._seed,
                )
            if trace is not None:
                shutil.move(work / "dump.vcd", trace)
            records = _read(work / "records", len(record_fields(core)) + 1)
            if len(records) != len(images):
                raise RuntimeError(
                    f"the core stopped: {len(records)} of {len(images)} results, then none for "
                    f"{_budget(network)} cycles"
                )
            spikes = _read(work / "spikes", len(SPIKE_COLUMNS))
            readings = _read(work / "potentials", len(POTENTIAL_COLUMNS))
        potentials = np.zeros((len(images), network.outputs), np.int64)
        # A stimulus may be read twice; the last reading is what counts.
        potentials[readings[:, 0], readings[:, 1]] = readings[:, 2]
        return build_outcome(
            network,
            core,
            images,
            records[:, :-1],
            spikes,
            potentials,
            int(records[-1, -1]) + 1,
        )


def _budget(network: Network) -> int:
    """Return more cycles than any stimulus can take, paused half of the time."""
    rows = sum((layer.inputs + 2) * (layer.neurons + 20) for layer in network.layers)
    return 4 * (rows + 100 * network.steps * len(network.layers) + 2 * network.pixels)


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
