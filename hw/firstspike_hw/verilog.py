"""Verilog of the core."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.back import verilog
from amaranth.lib.wiring import Component

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.spec import CoreSpec
from firstspike_hw.make import make_core
from firstspike_hw.ports import port_comment, port_map
from firstspike_hw.top import System

__all__ = ["system_verilog", "to_verilog", "write"]

#: What is left of a member that has no bits, such as a magnitude that is always 1; to other tools
#: this is a wire of two bits.
_NO_BITS = re.compile(r"^ *wire \[-1:0\] .*;\n", re.MULTILINE)


#: Zeros that memories do not need: a statement a word, and a simulator would start from them.
_CONTENTS = re.compile(
    r"^ +initial begin\n(?: +(?:\\\S+ |\w+)\[\d+\] = \d+'[hd]0+;\n)+ +end\n", re.MULTILINE
)


def to_verilog(spec: CoreSpec) -> str:
    """Return the Verilog of a core, module ``core``, with its ports described in a comment."""
    return _translate(spec)[0]


def system_verilog(spec: CoreSpec, divisor: int) -> str:
    """Return the Verilog of a core behind its link, module ``system``; see `System`."""
    return _convert(System(spec, divisor), "system")


def write(spec: CoreSpec, path: Path) -> str:
    """Write the Verilog of a core to ``path``, and its ports to the same name with ``.json``.

    Returns
    -------
    str
        The Verilog.

    Raises
    ------
    InputError
        If a file cannot be written, or ``path`` is itself a ``.json``.
    """
    if path.suffix == ".json":
        raise InputError(f"{path}: the ports are written there, the Verilog needs another name")
    text, ports = _translate(spec)
    facts = {"module": "core", "core": asdict(spec), "ports": ports}
    write_file(path, text.encode())
    write_file(path.with_suffix(".json"), (json.dumps(facts, indent=2) + "\n").encode())
    return text


def _translate(spec: CoreSpec) -> tuple[str, list[dict[str, Any]]]:
    core = make_core(spec)
    return f"{port_comment(spec, core)}\n{_convert(core, 'core')}", port_map(core)


def _convert(component: Component, name: str) -> str:
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return _CONTENTS.sub("", _NO_BITS.sub("", text))
