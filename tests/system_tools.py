"""Programs that pip cannot bring: what needs one is skipped where it is missing, but not in CI.

Debian has Chromium (package chromium) and IceStorm's unpacker (fpga-icestorm); .ci/run installs or
fetches both, and sets FIRSTSPIKE_ALL_TOOLS, so that a missing one is a failure there.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(reason: str) -> NoReturn:
    """Skip a test whose program is not there, or fail it where all must be."""
    if os.environ.get("FIRSTSPIKE_ALL_TOOLS"):
        pytest.fail(reason)
    pytest.skip(reason)
