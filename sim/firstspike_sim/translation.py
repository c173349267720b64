"""The core's Verilog for simulators, translated once."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import firstspike.spec
import firstspike_hw
from firstspike.files import write_file
from firstspike.paths import cache_folder
from firstspike.spec import CoreSpec
from firstspike_hw.verilog import to_verilog

__all__ = ["core_verilog"]


def core_verilog(core: CoreSpec) -> str:
    """Return the Verilog of ``core``, with memories that start with whatever they like.

    Translation takes seconds, so the text is kept under what it came from: the source of
    `firstspike_hw` and of the specification, and the core's numbers.
    """
    digest = hashlib.blake2s(digest_size=8)
    digest.update(f"{core} {version('amaranth')}".encode())
    sources = [Path(firstspike.spec.__file__), *Path(*firstspike_hw.__path__).rglob("*.py")]
    for source in sorted(sources):
        digest.update(source.read_bytes())
    kept = cache_folder() / "verilog" / f"{digest.hexdigest()}.v"
    if kept.is_file():
        return kept.read_text()
    text = to_verilog(core)
    write_file(kept, text.encode())
    return text
