"""How many images a second go through a link: docs/board-rates.md.

    python -m firstspike_sim.board_rates -o docs/board-rates.md

The whole chip is simulated with bits on its wires, for each clock and baud rate; clock cycles are
counted while a host classifies images, and checked are the results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstspike import golden
from firstspike.board import protocol
from firstspike.board.device import Device
from firstspike.board.framing import frame
from firstspike.board.link import Link
from firstspike.board.protocol import Command
from firstspike.cores import PRESETS
from firstspike.data import load
from firstspike.files import write_file
from firstspike.golden.encoding import encode
from firstspike.network import Network, load_network
from firstspike.progress import counted
from firstspike.shipped import find_network
from firstspike.spec import CoreSpec
from firstspike_sim.board import SimulatedBoard

__all__ = ["SETUPS", "Rate", "Setup", "main", "measure", "stimulus_bytes"]

_BITS = 10


@dataclass(frozen=True, slots=True)
class Setup:
    """A core, its clock in Hz, and bits a second of its link."""

    core: str
    clock: int
    baud: int

    @property
    def divisor(self) -> int:
        """Clock cycles a bit."""
        return self.clock // self.baud


SETUPS = (
    Setup("icebreaker", 24_000_000, 1_000_000),
    Setup("icebreaker", 24_000_000, 3_000_000),
    Setup("ulx3s-25f", 60_000_000, 1_000_000),
    Setup("ulx3s-25f", 60_000_000, 3_000_000),
    Setup("ulx3s-25f", 60_000_000, 12_000_000),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured.

    Parameters
    ----------
    bytes_out, bytes_in : float
        Bytes an image on the wires to and from the board, flags and checks included.
    wire : float
        Images a second that so many bytes allow.
    core : float
        Images a second of the core alone.
    measured : float
        Images a second over the link.
    """

    bytes_out: float
    bytes_in: float
    wire: float
    core: float
    measured: float

    @property
    def share(self) -> float:
        """Share of what wire and core allow."""
        return self.measured / min(self.wire, self.core)


def measure(setup: Setup, network: Network, images: np.ndarray) -> Rate:
    """Classify images over a simulated link.

    Parameters
    ----------
    setup : Setup
        Core and link.
    network : Network
        What runs.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Stimuli.

    Raises
    ------
    AssertionError
        If a result is not that of the golden model.
    """
    core = PRESETS[setup.core]
    expected = golden.run(network, images, core=core)
    with SimulatedBoard(core, divisor=setup.divisor) as board:
        link = Link(board, timeout=0)
        device = Device(link)
        device.connect()
        with counted(f"{setup.core}, {setup.baud} baud: loading", len(images)):
            device.load(network)
        cycles, out, back = board.cycles, link.counts.bytes_out, link.counts.bytes_in
        with counted(f"{setup.core}, {setup.baud} baud", len(images)) as progress:
            records = device.classify(images, progress)
        cycles = board.cycles - cycles
        out, back = link.counts.bytes_out - out, link.counts.bytes_in - back
    assert expected.total_cycles is not None
    assert records.winner.tolist() == expected.predicted.tolist()
    assert records.step.tolist() == expected.decision_step.tolist()
    n = len(images)
    return Rate(
        bytes_out=out / n,
        bytes_in=back / n,
        wire=setup.baud / _BITS / (max(out, back) / n),
        core=setup.clock * n / expected.total_cycles,
        measured=setup.clock * n / cycles,
    )


def stimulus_bytes(network: Network, images: np.ndarray, core: CoreSpec) -> dict[str, float]:
    """Return bytes an image on the wire, by the way it is packed; see `Rate`."""
    flat = images.reshape(len(images), -1)
    packed: dict[str, list[int]] = {"bytes": [], "groups": [], "events": []}
    for image, times in zip(flat, encode(network, images).tolist(), strict=True):
        events = sorted((time, i) for i, time in enumerate(times) if time < network.steps)
        for name, kind, bodies in (
            ("bytes", Command.PIXELS, [b"\0" + image.tobytes()]),
            ("groups", Command.PIXELS, protocol.encode_pixels(image.tobytes(), core)),
            ("events", Command.EVENTS, protocol.encode_events([(i, t) for t, i in events], core)),
        ):
            frames = [frame(protocol.command(0, kind, body)) for body in bodies]
            packed[name].append(sum(map(len, frames)))
    return {name: float(np.mean(sizes)) for name, sizes in packed.items()}


_HEAD = """\
# Images a second over a link

The whole chip, simulated with Verilator, bits on its wires; `firstspike.board` is the host. Clock
cycles are counted, and the results are those of the golden model. Written by

    python -m firstspike_sim.board_rates -o docs/board-rates.md

from the first {images} test images of MNIST and the network `mnist`. Rates are in images a second.
*Wire* is what the bytes of an image allow, in the direction that has more of them, ten bits a byte,
without a pause. *Core* is what the core does alone, images waiting. *Share* is what was measured,
of the lower one of these. A host that does not answer at once, or a driver that passes bytes on
every millisecond, is not in these figures. No board has been measured.

"""
_COLUMNS = """\
| core | clock, MHz | Mbaud | bytes an image, out and in | wire | core | measured | share |
|---|---|---|---|---|---|---|---|
"""


def page(images: int) -> str:
    """Return the page, measured with so many images."""
    network = load_network(find_network("mnist"))
    stimuli = load("mnist").split("test")[0][:images]
    rows = {}
    # The quickest first: the fewer cycles a bit has, the fewer must be simulated.
    for setup in sorted(SETUPS, key=lambda setup: setup.divisor):
        rate = measure(setup, network, stimuli)
        rows[setup] = (
            f"| `{setup.core}` | {setup.clock / 1e6:g} | {setup.baud / 1e6:g} "
            f"| {rate.bytes_out:.1f}, {rate.bytes_in:.1f} | {rate.wire:.0f} | {rate.core:.0f} "
            f"| {rate.measured:.0f} | {100 * rate.share:.1f} % |\n"
        )
        print(rows[setup], end="", flush=True)
    lines = [_HEAD.format(images=images), _COLUMNS, *(rows[setup] for setup in SETUPS)]
    lines.append(
        "\nBytes of a stimulus on the wire, flags, head, check and escapes included, means over "
        "the same images:\n\n"
        "| data | a byte a pixel, for comparison | groups of pixels | events |\n|---|---|---|---|\n"
    )
    for name in ("mnist", "fashion-mnist", "digits"):
        sizes = stimulus_bytes(
            load_network(find_network(name)),
            load(name).split("test")[0][:images],
            PRESETS["ulx3s-25f"],
        )
        lines.append(f"| {name} | " + " | ".join(f"{size:.1f}" for size in sizes.values()) + " |\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m firstspike_sim.board_rates")
    parser.add_argument("-o", dest="page", type=Path, required=True, metavar="FILE")
    parser.add_argument("--images", type=int, default=50)
    args = parser.parse_args(arguments)
    write_file(args.page, page(args.images).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
