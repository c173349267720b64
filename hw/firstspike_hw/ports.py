"""The ports of a core in words, for people who take its Verilog into another flow."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, wiring

from firstspike.spec import CoreSpec

__all__ = ["port_comment", "port_map"]

_HEAD = """\
firstspike core: {spec}

A stream has payload, valid and ready: a payload is handed over at a rising edge of clk with valid
and ready both 1, and stays as it is until then. A tap has no ready. Fields of a payload are listed
with their bits. rst is synchronous. Memories are not reset: load all that a network uses.

clk                  in   1
rst                  in   1"""

_STREAMS = {
    "pixels": "a word of pixels, row by row, the first one lowest",
    "events": "events that are already sorted by time, in place of pixels",
    "labels": "the class of each stimulus of pixels, for supervised learning",
    "requests": "reads and writes of the host, between stimuli; firstspike.memimage makes them",
    "replies": "the data of each read",
    "results": "a record for each stimulus",
    "spikes": "tap: every spike of a neuron, as it happens",
    "potentials": "tap: potentials of the outputs, each time that they are read",
    "taps": "tap of each bank: every potential as it is written; a spike where it fires",
    "tap_step": "step of what the taps say",
}


def _places(layout: data.Layout, start: int, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, lowest bit and width of each field of ``layout``, which begins at ``start``."""
    for key, field in layout:
        name = f"{prefix}.{key}" if isinstance(key, str) else f"{prefix}[{key}]"
        low = start + field.offset
        if isinstance(field.shape, data.Layout):
            yield from _places(field.shape, low, name)
        elif field.width:
            yield name.removeprefix("."), low, field.width


def port_comment(spec: CoreSpec, core: wiring.Component) -> str:
    """Return comment lines for the head of a Verilog file: every port of ``core``, of ``spec``."""
    lines = _HEAD.format(spec=spec).splitlines()
    known = ""
    for path, member, _ in core.signature.flatten(core):
        if path[0] != known:
            known = str(path[0])
            lines += ["", f"{known}: {_STREAMS[known]}"]
        layout = member.shape
        width = Shape.cast(layout).width
        name = "__".join(map(str, path))
        lines.append(f"{name:<20} {member.flow.name.lower():<3}  {width}")
        if isinstance(layout, data.Layout):
            lines += [
                f"    [{low + width - 1}:{low}] {name}"
                for name, low, width in _places(layout, 0, "")
            ]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines)


def port_map(core: wiring.Component) -> list[dict[str, Any]]:
    """Return every port of ``core`` but clk and rst: name, direction, width, and fields.

    A field has its name, its lowest bit in the port, and its width; fields of fields are listed by
    their paths.
    """
    ports = []
    for path, member, _ in core.signature.flatten(core):
        layout = member.shape
        fields = _places(layout, 0, "") if isinstance(layout, data.Layout) else []
        ports.append(
            {
                "name": "__".join(map(str, path)),
                "direction": member.flow.name.lower(),
                "width": Shape.cast(layout).width,
                "fields": [
                    {"name": name, "low": low, "width": width} for name, low, width in fields
                ],
            }
        )
    return ports
