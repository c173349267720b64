"""Verilog for simulators, translated once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import firstspike.spec
import firstspike_hw
from firstspike.board import framing, protocol
from firstspike.files import write_file
from firstspike.paths import cache_folder
from firstspike.spec import CoreSpec
from firstspike_hw import verilog

__all__ = ["core_verilog", "system_verilog"]


def core_verilog(core: CoreSpec) -> str:
    """Return the Verilog of ``core``, with memories that start with whatever they like."""
    return _kept(f"{core}", lambda: verilog.to_verilog(core))


def system_verilog(core: CoreSpec, divisor: int) -> str:
    """Return the same of the whole chip, `firstspike_hw.top.System`."""
    return _kept(f"{core} {divisor}", lambda: verilog.system_verilog(core, divisor))


def _kept(what: str, translate: Callable[[], str]) -> str:
    """Return what ``translate`` returns, or what it returned before.

    Translation takes seconds, so the text is kept under what it came from: the source of
    `firstspike_hw`, of the specification and of the link's protocol, and the numbers in ``what``.
    """
    digest = hashlib.blake2s(digest_size=8)
    digest.update(f"{what} {version('amaranth')}".encode())
    sources = [
        *(Path(str(module.__file__)) for module in (firstspike.spec, framing, protocol)),
        *Path(*firstspike_hw.__path__).rglob("*.py"),
    ]
    for source in sorted(sources):
        digest.update(source.read_bytes())
    kept = cache_folder() / "verilog" / f"{digest.hexdigest()}.v"
    if kept.is_file():
        return kept.read_text()
    text = translate()
    write_file(kept, text.encode())
    return text
