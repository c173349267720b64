"""Verilog of the core."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.back import verilog

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.spec import CoreSpec
from firstspike_hw.make import make_core
from firstspike_hw.ports import port_comment, port_map

__all__ = ["to_verilog", "write"]

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
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    core = make_core(spec)
    text = verilog.convert(core, name="core", emit_src=False, strip_internal_attrs=True)
    text = _CONTENTS.sub("", _NO_BITS.sub("", text))
    return f"{port_comment(spec, core)}\n{text}", port_map(core)
