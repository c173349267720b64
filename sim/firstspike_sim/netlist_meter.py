"""Verilog in a netlist that counts how often its nets switch, and its memories are used.

A net is looked at once a clock cycle, when all is at rest before the edge: what switches several
times in a cycle, on real wires, counts once or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstspike_sim.netlist_verilog import cells_of, net_name

__all__ = ["CLASSES", "Meter", "make_meter"]

#: Cells by what they are to a model of power.
CLASSES = {
    "lut": ("SB_LUT4", "LUT4", "PFUMX", "L6MUX21", "TRELLIS_DPR16X4"),
    "ff": ("SB_DFF", "TRELLIS_FF"),
    "carry": ("SB_CARRY", "CCU2C"),
    "ram": ("SB_RAM40_4K", "DP16KD"),
    "spram": ("SB_SPRAM256KA",),
    "dsp": ("SB_MAC16", "MULT18X18D"),
}
#: Enables of a memory: when it reads, and when it writes.
_ENABLES = {
    "SB_RAM40_4K": ("{RE} & {RCLKE}", "{WE} & {WCLKE}"),
    "SB_SPRAM256KA": ("{CHIPSELECT} & ~{WREN}", "{CHIPSELECT} & {WREN}"),
}
#: The same of one port of a DP16KD.
_PORT_READS = "{CE@} & ~{WE@}"
_PORT_READS_TOO = "{CE@}"
_PORT_WRITES = "{CE@} & {WE@}"


@dataclass(frozen=True, slots=True)
class Meter:
    """What counts, and what it counts.

    Attributes
    ----------
    verilog : str
        To stand in the module of the netlist. It counts from the cycle in which the first pixels
        are offered to that in which the last result is taken, ``+count`` of them, and then writes
        the file ``+activity``.
    outputs : dict of str to int
        By class: how many nets are counted.
    memories : list of (str, str)
        Kind and name of each memory.
    """

    verilog: str
    outputs: dict[str, int]
    memories: list[tuple[str, str]]

    def read(self, counts: np.ndarray) -> tuple[int, dict[str, int], np.ndarray]:
        """Return cycles, transitions by class, and accesses of memories, shape (n, 2)."""
        values = counts.astype(np.uint64)
        first = 1 + len(self.outputs)
        transitions = dict(zip(self.outputs, map(int, values[1:first]), strict=True))
        return int(values[0]), transitions, values[first:].reshape(-1, 2).astype(np.int64)


def make_meter(module: dict[str, Any]) -> Meter:
    """Return the meter of a module of Yosys' JSON, whose ports are those of a core."""
    read = {bit for _, cell in cells_of(module) for bit in _bits(cell, "input")}
    read |= {
        bit
        for port in module["ports"].values()
        if port["direction"] == "output"
        for bit in port["bits"]
    }
    nets: dict[str, list[int]] = {name: [] for name in CLASSES}
    memories: list[tuple[str, str]] = []
    enables: list[str] = []
    for name, cell in cells_of(module):
        nets[_class_of(cell["type"])] += [bit for bit in _bits(cell, "output") if bit in read]
        pair = _enables(cell, read)
        if pair is not None:
            memories.append((cell["type"], name))
            enables += pair
    nets = {name: bits for name, bits in nets.items() if bits}
    lines = ["  reg [63:0] meter_cycles, meter_answers; reg meter_started; integer meter_file;"]
    resets = ["meter_cycles = 0;", "meter_answers = 0;", "meter_started = 0;"]
    counts, written = [], ["meter_cycles"]
    for name, bits in nets.items():
        listed = ", ".join(map(net_name, bits))
        high = len(bits) - 1
        lines += [
            f"  wire [{high}:0] meter_{name} = {{{listed}}};",
            f"  reg [{high}:0] meter_{name}_before; reg [63:0] meter_{name}_count;",
        ]
        resets.append(f"meter_{name}_count = 0;")
        counts.append(
            f"meter_{name}_count <= meter_{name}_count"
            f" + $countones(meter_{name} ^ meter_{name}_before);"
        )
        written.append(f"meter_{name}_count")
    for number, enable in enumerate(enables):
        count = f"meter_access_{number}"
        lines.append(f"  reg [63:0] {count};")
        resets.append(f"{count} = 0;")
        counts.append(f"if ({enable}) {count} <= {count} + 1;")
        written.append(count)
    before = [f"meter_{name}_before <= meter_{name};" for name in nets]
    writes = [f'$fwrite(meter_file, "%u%u", {w}[31:0], {w}[63:32]);' for w in written]
    text = _FRAME.format(
        declarations="\n".join(lines),
        resets=_indented(resets, 4),
        before=_indented(before, 4),
        counts=_indented(counts, 6),
        writes=_indented(writes, 6),
    )
    return Meter(text, {name: len(bits) for name, bits in nets.items()}, memories)


#: The counts are complete in the cycle after the last result.
_FRAME = """\
{declarations}
  reg meter_full;
  reg [31:0] meter_wanted;
  reg [8191:0] meter_path;
  initial begin
    meter_full = 0;
    if (!$value$plusargs("count=%d", meter_wanted)) meter_wanted = 0;
    if (!$value$plusargs("activity=%s", meter_path)) meter_wanted = 0;
    {resets}
  end
  always @(posedge clk) begin
    {before}
    if (pixels__valid) meter_started <= 1;
    if ((pixels__valid | meter_started) && meter_answers != meter_wanted) begin
      meter_cycles <= meter_cycles + 1;
      if (results__valid & results__ready) meter_answers <= meter_answers + 1;
      {counts}
    end
    if (meter_answers == meter_wanted && meter_wanted != 0 && !meter_full) begin
      meter_full <= 1;
      meter_file = $fopen(meter_path, "wb");
      {writes}
      $fclose(meter_file);
    end
  end
"""


def _indented(lines: list[str], blanks: int) -> str:
    return ("\n" + " " * blanks).join(lines)


def _class_of(kind: str) -> str:
    for name, kinds in CLASSES.items():
        if kind in kinds or (name == "ff" and kind.startswith(kinds)):
            return name
    raise ValueError(f"a cell of the kind {kind} is of no class")


def _bits(cell: dict[str, Any], direction: str) -> Iterator[int]:
    """Yield the nets at a cell's inputs or outputs."""
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == direction:
            yield from (bit for bit in bits if isinstance(bit, int))


def _enables(cell: dict[str, Any], read: set[int]) -> tuple[str, str] | None:
    """Return when a memory reads and when it writes, as Verilog; None if the cell is none."""
    wires = {port: net_name(bits[0]) for port, bits in cell["connections"].items() if bits}
    if cell["type"] in _ENABLES:
        reads, writes = _ENABLES[cell["type"]]
        return reads.format(**wires), writes.format(**wires)
    if cell["type"] != "DP16KD":
        return None
    # The widest word of a port takes the outputs of both.
    wide = int(cell["parameters"]["DATA_WIDTH_B"], 2) == 36
    reads, writes = [], []
    for port in "AB":
        outputs = [
            bit
            for name, bits in cell["connections"].items()
            if name.startswith("DO") and (name[2] == port or (wide and port == "B"))
            for bit in bits
        ]
        if any(bit in read for bit in outputs) and not (wide and port == "A"):
            kept = cell["parameters"].get(f"WRITEMODE_{port}", "NORMAL") == "NORMAL"
            reads.append((_PORT_READS if kept else _PORT_READS_TOO).replace("@", port))
        writes.append(_PORT_WRITES.replace("@", port))
    either, also = (" | ".join(f"({e.format(**wires)})" for e in es) for es in (reads, writes))
    return either or "1'b0", also
