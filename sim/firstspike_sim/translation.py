"""Verilog and netlists for simulators, made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import firstspike.spec
import firstspike_hw
from firstspike.board import framing, protocol
from firstspike.boards import Board
from firstspike.files import write_file
from firstspike.paths import cache_folder
from firstspike.spec import CoreSpec
from firstspike_hw import synthesis, verilog
from firstspike_hw.tools import tool_version

__all__ = ["core_netlist", "core_verilog", "system_verilog"]


def core_verilog(core: CoreSpec) -> str:
    """Return the Verilog of ``core``, with memories that start with whatever they like."""
    return _kept(f"{core}", lambda: verilog.to_verilog(core))


def system_verilog(core: CoreSpec, divisor: int) -> str:
    """Return the same of the whole chip, `firstspike_hw.top.System`."""
    return _kept(f"{core} {divisor}", lambda: verilog.system_verilog(core, divisor))


def core_netlist(core: CoreSpec, board: Board) -> dict[str, Any]:
    """Return the netlist of ``core``, synthesised as for ``board``, as Yosys writes it in JSON.

    Raises
    ------
    InputError
        If the core does not suit the board, or Yosys is missing or fails.
    """
    what = f"{core} {board.family} {board.platform} {board.logic_memories} {tool_version('yosys')}"
    return json.loads(_kept(what, lambda: json.dumps(synthesis.core_netlist(core, board)), ".json"))


def _kept(what: str, translate: Callable[[], str], suffix: str = ".v") -> str:
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
    kept = cache_folder() / "verilog" / f"{digest.hexdigest()}{suffix}"
    if kept.is_file():
        return kept.read_text()
    text = translate()
    write_file(kept, text.encode())
    return text
