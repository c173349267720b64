"""Verilog of a netlist, from the JSON that Yosys writes for place and route.

Every net is a wire of one bit: simulators then see no loops through wide buses, and how often a
wire switches is how often a net does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["cell_counts", "cells_of", "net_name", "netlist_verilog"]

_BITS = re.compile(r"[01xz]+")
#: Yosys sets a blank behind text that would otherwise read as bits.
_TEXT_OF_BITS = re.compile(r"[01xz]* +")


def net_name(bit: int | str) -> str:
    """Return what a net of the JSON is called; constants as Verilog writes them."""
    return f"n{bit}" if isinstance(bit, int) else f"1'b{bit}"


def cells_of(module: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the cells of a module, and their names, without Yosys' remarks on scopes."""
    for name, cell in module["cells"].items():
        if not cell["type"].startswith("$"):
            yield name, cell


def cell_counts(module: dict[str, Any]) -> dict[str, int]:
    """Return how many cells there are of each kind, the kinds in alphabetical order."""
    counts: dict[str, int] = {}
    for _, cell in cells_of(module):
        counts[cell["type"]] = counts.get(cell["type"], 0) + 1
    return dict(sorted(counts.items()))


def netlist_verilog(netlist: dict[str, Any], top: str, more: str = "") -> str:
    """Return a module with the cells of module ``top``, and its ports.

    Parameters
    ----------
    netlist : dict
        As ``write_json`` of Yosys writes it, one flat module of cells of an FPGA.
    top : str
        Name of the module.
    more : str
        What else is to stand in the module.
    """
    module = netlist["modules"][top]
    ports = module["ports"]
    heads, lines = [], []
    for name, port in ports.items():
        bits = port["bits"]
        heads.append(f"  {port['direction']} wire [{len(bits) - 1}:0] {name}")
        for index, bit in enumerate(bits):
            inner, outer = net_name(bit), f"{name}[{index}]"
            if port["direction"] == "input":
                inner, outer = outer, inner
            lines.append(f"  assign {outer} = {inner};")
    used = {bit for port in ports.values() for bit in port["bits"]}
    for number, (_, cell) in enumerate(cells_of(module)):
        used.update(bit for bits in cell["connections"].values() for bit in bits)
        lines.append(_instance(f"c{number}", cell))
    wires = [f"  wire {net_name(bit)};" for bit in sorted(b for b in used if isinstance(b, int))]
    return "\n".join(
        [f"module {top}(", ",\n".join(heads), ");", *wires, *lines, more, "endmodule", ""]
    )


def _instance(name: str, cell: dict[str, Any]) -> str:
    parameters = ", ".join(f".{key}({_value(v)})" for key, v in cell["parameters"].items())
    connections = ", ".join(
        f".{port}({{{', '.join(net_name(bit) for bit in reversed(bits))}}})"
        for port, bits in cell["connections"].items()
        if bits
    )
    return f"  {cell['type']} #({parameters}) {name} ({connections});"


def _value(value: str) -> str:
    """Return a parameter: bits, or text."""
    if _BITS.fullmatch(value):
        return f"{len(value)}'b{value}"
    return f'"{value[:-1] if _TEXT_OF_BITS.fullmatch(value) else value}"'
