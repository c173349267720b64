"""Work a clock cycle against what the memories of the core, and of the whole chip, could give."""

from __future__ import annotations

from typing import Any

import numpy as np

from firstspike.report.evidence import Subject
from firstspike.report.files import Source

__all__ = ["device_bits", "roofline"]

#: Bits that a memory gives each clock cycle, by nextpnr's name of it.
_READ_BITS = {"ICESTORM_RAM": 16, "ICESTORM_SPRAM": 16, "DP16KD": 36}
#: An UltraPlus has so many single-port RAMs, whether a core uses them or not.
_SPRAMS = 4
#: Images that are drawn one by one.
_DOTS = 300


def device_bits(subject: Subject, build: Source) -> int:
    """Return the bits a clock cycle that all memories of the chip can be read at."""
    there = {kind: count["there"] for kind, count in build.content["cells"].items()}
    if "--up5k" in subject.board.place_options:
        there["ICESTORM_SPRAM"] = _SPRAMS
    return sum(bits * there.get(kind, 0) for kind, bits in _READ_BITS.items())


def roofline(subject: Subject, build: Source, run: Source) -> dict[str, Any]:
    """Return operations a cycle of each image, and the roofs above them.

    Returns
    -------
    dict
        ``used``, ``core_floor``, ``device_floor``: mean cycles an image, of the core, of its
        memories alone, and of all memories of the chip; ``over_core_floor`` and
        ``over_device_floor``, their ratios; ``core_bits`` and ``device_bits`` a cycle;
        ``lanes`` and ``device_lanes``, operations a cycle that these are; ``input_cycles``, which
        reading the pixels takes; and ``dots``, operations and cycles of single images, evenly
        chosen.
    """
    network, core = subject.network, subject.core
    counters = run.counters()
    work = counters["synops"] + counters["macs"]
    cycles = counters["cycles"]
    bits = max(layer.weight_bits for layer in network.layers)
    there = device_bits(subject, build)
    used, needed = float(cycles.mean()), float(work.mean()) * bits / there
    floor = float(run.arrays["floor_cycles"].mean()) if "floor_cycles" in run.arrays else None
    chosen = np.unique(np.linspace(0, len(work) - 1, _DOTS).astype(int))
    return {
        "used": used,
        "core_floor": floor,
        "device_floor": needed,
        "over_core_floor": None if not floor else used / floor,
        "over_device_floor": used / needed,
        "weight_bits": bits,
        "core_bits": core.lanes * core.weight_bits,
        "device_bits": there,
        "lanes": core.lanes,
        "device_lanes": there / bits,
        "input_cycles": -(-network.pixels // core.pixels),
        "operations_a_cycle": float(work.sum() / cycles.sum()),
        "dots": [[int(work[i]), int(cycles[i])] for i in chosen],
    }
