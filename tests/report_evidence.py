"""A folder of evidence for tests of the report, and changes of it.

Runs and learning are real, of the digits on the cores of the iCEBreaker. The record of the build
and the activity of the netlist are made up here: only their form is real.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.board.protocol import core_digest
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.network import load_network
from firstspike.provenance import provenance
from firstspike.shipped import find_network

__all__ = ["CORE", "IMAGES", "LEARNED", "change_dump", "change_json", "make_folder"]

CORE = "icebreaker"
IMAGES = 500
#: Stimuli that are learned from.
LEARNED = 4 * 1297


def make_folder(folder: Path) -> Path:
    """Fill ``folder`` with a build, two runs, an activity, two dumps of learning and a bench."""
    folder.mkdir(parents=True, exist_ok=True)
    run = ["run", "digits", "--data", "digits", "--core", CORE]
    assert main([*run, "--dump", str(folder / "run.npz")]) == 0
    assert main([*run, "--limit", "40", "--dump", str(folder / "rtl.npz")]) == 0
    change_dump(folder / "rtl.npz", lambda arrays, origin: origin.update(engine="rtl"))
    learn = ["learn", "digits-stdp", "--core", "learner-icebreaker", "--epochs", "4"]
    learn += ["-o", str(folder / "net")]
    assert main([*learn, "--dump", str(folder / "learn.npz")]) == 0
    assert main([*learn, "--no-prune", "--dump", str(folder / "unpruned.npz")]) == 0
    _write(folder / "build.json", _build())
    _write(folder / "activity.json", _activity())
    _write(folder / "bench.json", _bench())
    return folder


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))


def _build() -> dict[str, Any]:
    core = PRESETS[CORE]
    there = {"ICESTORM_LC": 5280, "ICESTORM_RAM": 30, "ICESTORM_SPRAM": 4, "ICESTORM_DSP": 8,
             "ICESTORM_PLL": 1, "SB_IO": 39}  # fmt: skip
    used = {"ICESTORM_LC": 3385, "ICESTORM_RAM": 30, "ICESTORM_SPRAM": 4, "ICESTORM_DSP": 8,
            "ICESTORM_PLL": 1, "SB_IO": 9}  # fmt: skip
    origin = provenance("build", ["build", "--board", "icebreaker"], core, board="icebreaker")
    return {
        "board": "icebreaker",
        "core": origin["core"],
        "core_digest": core_digest(core).hex(),
        "clock_hz": 24_000_000,
        "tools": {"yosys": "Yosys 0.70 (made up)", "nextpnr-ice40": "nextpnr-0.11.1"},
        "cells": {kind: {"used": used[kind], "there": there[kind]} for kind in used},
        "fmax_mhz": {"1": 28.75, "2": 30.5, "10": 29.0},
        "seed": 2,
        "blocks": [
            {"name": "banks", "lut": 700, "ff": 404, "carry": 208, "ram": 16, "spram": 4, "dsp": 8},
            {"name": "link <&>", "lut": 748, "ff": 261, "carry": 56, "ram": 14},
        ],
        "flat": {"lut": 1300, "ff": 660, "carry": 250, "ram": 30, "spram": 4, "dsp": 8},
        "provenance": origin,
    }


def _activity() -> dict[str, Any]:
    network = load_network(find_network("digits"))
    return {
        "provenance": provenance(
            "activity", ["activity", "digits"], PRESETS[CORE], network="digits",
            network_digest=network.digest, data="digits", split="test", family="ice40",
            learning=False, images=20, engine="netlist",
        ),
        "cycles": 8000,
        "cells": {"SB_LUT4": 1900, "SB_CARRY": 490, "SB_DFF": 950, "SB_RAM40_4K": 29,
                  "SB_SPRAM256KA": 4, "SB_MAC16": 8},
        "toggles": {"lut": 300.0, "ff": 116.0, "carry": 100.0, "ram": 79.0, "spram": 27.0,
                    "dsp": 34.0},
        "outputs": {"lut": 1900, "ff": 950, "carry": 490, "ram": 360, "spram": 64, "dsp": 80},
        "memories": [
            *({"cell": "SB_RAM40_4K", "name": f"r{i}", "reads": 0.6, "writes": 0.2}
              for i in range(29)),
            *({"cell": "SB_SPRAM256KA", "name": f"s{i}", "reads": 0.8, "writes": 0.0}
              for i in range(4)),
        ],
    }  # fmt: skip


def _bench() -> dict[str, Any]:
    figure = {"what": "made up", "unit": "images/s", "median": 1234.5, "low": 1000.0,
              "high": 1500.0, "runs": 3, "modelled": False}  # fmt: skip
    return {
        "provenance": provenance("bench", ["bench"], None),
        "machine": {"processor": "made up", "load": "0.1"},
        "figures": {"golden-images": figure},
    }


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Let ``change`` alter the object in a file."""
    content = json.loads(path.read_text())
    change(content)
    _write(path, content)


def change_dump(
    path: Path, change: Callable[[dict[str, np.ndarray], dict[str, Any]], object]
) -> None:
    """Let ``change`` alter the arrays and the provenance of a dump."""
    with np.load(path) as archive:
        arrays = dict(archive)
    origin = json.loads(str(arrays.pop("provenance")))
    change(arrays, origin)
    np.savez_compressed(path, **arrays, provenance=np.array(json.dumps(origin)))  # type: ignore[arg-type]
