"""Our models of ECP5's blocks against Python that shares nothing with them.

The blocks are driven with random bits in Verilog, which writes all inputs and outputs to a file.
Whether they are also what synthesis takes them for is seen in test_netlist.py, where whole cores
are made of them.

Mutants tried, each seen to fail: in dp16kd.v the upper half of a row never chosen, the byte enables
of a port ignored, NORMAL read like READBEFOREWRITE, the widest word's halves exchanged at the
outputs, a suppressed write that still disturbs what the other port reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from firstspike.errors import InputError
from firstspike_sim.netlist_cells import OURS, cell_models
from firstspike_sim.verilator import build_model

CYCLES = 3000
WORDS = 8


@dataclass(frozen=True)
class Ram:
    """Parameters of a block RAM."""

    a: int
    b: int
    mode_a: str = "NORMAL"
    mode_b: str = "NORMAL"
    reset: str = "SYNC"


RAMS = [
    Ram(9, 9, "READBEFOREWRITE", "READBEFOREWRITE"),
    Ram(18, 18),
    Ram(18, 9, "WRITETHROUGH", "NORMAL", "ASYNC"),
    Ram(9, 18, "NORMAL", "READBEFOREWRITE", "ASYNC"),
    Ram(36, 36),
    Ram(36, 4, "NORMAL", "WRITETHROUGH"),
    Ram(1, 2),
    Ram(2, 1, "READBEFOREWRITE", "WRITETHROUGH"),
    Ram(4, 18),
]


def bus(port, bits):
    """Return connections of single wires to the bits of a vector."""
    return ", ".join(f".{port}{i}({port.lower()}[{i}])" for i in range(bits))


def contents():
    """Return 1024 words of 18 bits."""
    return [int(word) for word in np.random.default_rng(7).integers(0, 1 << 18, 1024)]


def rams_verilog():
    """Return a bench of all rams: rows of 5 words a ram and a cycle, in the file `out`."""
    words = np.array(contents(), object).reshape(64, 16)
    slots = 1 << 20 * np.arange(16, dtype=object)
    initial = ", ".join(
        f".INITVAL_{i:02X}(320'h{value:080x})" for i, value in enumerate(words @ slots)
    )
    instances = []
    writes = []
    for n, ram in enumerate(RAMS):
        ports = ", ".join(
            f".DI{s}{i}(data_{n}[{18 * k + i}]), .DO{s}{i}(out_{n}[{18 * k + i}])"
            for k, s in enumerate("AB")
            for i in range(18)
        )
        places = ", ".join(
            f".AD{s}{i}(place_{n}[{14 * k + i}])" for k, s in enumerate("AB") for i in range(14)
        )
        # The widest port writes with both ports' data, so there is no other one.
        alone = ram.a == 36 or ram.b == 36
        controls = ", ".join(
            f".CLK{s}(clk), .CE{s}(bits_{n}[{4 * k}]), .WE{s}(bits_{n}[{4 * k + 1}]"
            f"{' & 0' if s == 'B' and alone else ''}), .RST{s}(&bits_{n}[{4 * k + 3}:{4 * k + 2}]),"
            f" .OCE{s}(1'b0), .CS{s}0(1'b0), .CS{s}1(1'b0), .CS{s}2(1'b0)"
            for k, s in enumerate("AB")
        )
        instances.append(f"""\
  reg [35:0] data_{n}; wire [35:0] out_{n}; reg [27:0] place_{n}; reg [7:0] bits_{n};
  DP16KD #({initial}, .DATA_WIDTH_A({ram.a}), .DATA_WIDTH_B({ram.b}), .RESETMODE("{ram.reset}"),
    .WRITEMODE_A("{ram.mode_a}"), .WRITEMODE_B("{ram.mode_b}"))
    ram_{n} ({ports}, {places}, {controls});
  initial bits_{n} = 0;
  always @(posedge clk) begin
    data_{n} <= {{$urandom, $urandom}};
    // Few words, at both ends of the memory.
    place_{n} <= {{{{8{{$urandom_range(1) != 0}}}}, 6'($urandom), {{8{{$urandom_range(1) != 0}}}},
                 6'($urandom)}};
    bits_{n} <= 8'($urandom);
  end
""")
        writes.append(
            f'$fwrite(file, "%u%u%u%u%u%u", data_{n}[31:0], {{28\'d0, data_{n}[35:32]}},'
            f" {{4'd0, place_{n}}}, {{24'd0, bits_{n}}}, out_{n}[31:0], {{28'd0, out_{n}[35:32]}});"
        )
    return bench("\n".join(instances), "\n      ".join(writes))


def bench(body, writes):
    return f"""\
module bench(output reg done /* verilator public_flat_rd */);
  reg clk;
  integer file, cycles, got;
  reg [8191:0] path;
  initial begin clk = 0; forever #5 clk = !clk; end
  initial begin
    got = $value$plusargs("out=%s", path);
    file = $fopen(path, "wb");
    done = 0;
    cycles = 0;
  end
{body}
  always @(posedge clk) begin
    cycles <= cycles + 1;
    if (!done) begin
      {writes}
    end
    if (cycles == {CYCLES}) begin $fclose(file); done <= 1; end
  end
endmodule
"""


def rows_of(text, kinds, columns, tmp_path):
    """Return what a bench wrote."""
    models, ours = cell_models("ecp5", kinds)
    assert list(ours) == sorted(kinds)
    model = build_model(
        {"cells.v": models, "bench.sv": text},
        "bench",
        arguments=("-Wno-PINMISSING", "--x-assign", "unique", "-CFLAGS", "-O0"),
    )
    model.run("firstspike_sim.benches.batch", tmp_path, [f"+out={tmp_path / 'out'}"])
    return np.fromfile(tmp_path / "out", "<u4").reshape(-1, columns).astype(object)


class Model:
    """A block RAM as a list of 9-bit bytes; None is a bit that nobody knows."""

    def __init__(self, ram):
        self.ram = ram
        self.bits: list[int | None] = [w >> i & 1 for w in contents() for i in range(18)]
        self.out: list[list[int | None]] = [[0] * 36, [0] * 36]

    def cells(self, width, address):
        """Return where the bits of a word are, lowest first."""
        if width == 36:
            return list(range(36 * (address >> 5), 36 * (address >> 5) + 36))
        start = 18 * (address >> 4)
        if width == 18:
            return list(range(start, start + 18))
        start += 9 * (address >> 3 & 1)
        if width == 9:
            return list(range(start, start + 9))
        inside = (address & 7) // width * width
        return list(range(start + inside, start + inside + width))

    def step(self, data, places, controls):
        """Follow one edge of the clock."""
        ram = self.ram
        before = list(self.bits)
        ports = []
        for k, (width, mode) in enumerate(((ram.a, ram.mode_a), (ram.b, ram.mode_b))):
            enable, write, r0, r1 = (controls >> 4 * k + i & 1 for i in range(4))
            alone = 36 in (ram.a, ram.b)
            write &= not (k == 1 and alone)
            address = places >> 14 * k & 0x3FFF
            cells = self.cells(width, address)
            reset = r0 & r1
            value = data >> (0 if width == 36 else 18 * k)
            written = {}
            if enable and write and not (reset and ram.reset == "SYNC"):
                for i, cell in enumerate(cells):
                    if width < 18 or address >> i // 9 & 1:
                        written[cell] = value >> i & 1
            ports.append((enable, write, reset, mode, cells, written))
        for k, (enable, write, reset, mode, cells, written) in enumerate(ports):
            other = ports[1 - k][5]
            if reset:
                self.out[k] = [0] * len(cells)
            elif enable and not (write and mode == "NORMAL"):
                now = [None if c in other else before[c] for c in cells]
                if mode == "WRITETHROUGH":
                    now = [written.get(c, bit) for c, bit in zip(cells, now, strict=True)]
                self.out[k] = now
        for k, port in enumerate(ports):
            for cell, bit in port[5].items():
                clash = cell in ports[1 - k][5]
                self.bits[cell] = None if clash else bit

    def check(self, found):
        """Compare the outputs; return how many bits were."""
        compared = 0
        for k, width in enumerate((self.ram.a, self.ram.b)):
            # Of the widest port, the other one's outputs are part.
            if k == 0 and 36 in (self.ram.a, self.ram.b):
                continue
            value = found >> (0 if width == 36 else 18 * k)
            for i, bit in enumerate(self.out[k][: 36 if width == 36 else 18]):
                if bit is not None:
                    assert value >> i & 1 == bit, (self.ram, k, i)
                    compared += 1
        return compared


@pytest.mark.rtl
def test_block_rams(tmp_path):
    rows = rows_of(rams_verilog(), {"DP16KD"}, 6 * len(RAMS), tmp_path)
    assert len(rows) == CYCLES + 1
    models = [Model(ram) for ram in RAMS]
    compared = np.zeros(len(RAMS), int)
    for row in rows:
        for n, model in enumerate(models):
            low, high, places, controls, out_low, out_high = row[6 * n : 6 * n + 6]
            out = out_low | out_high << 32
            if model.ram.reset == "ASYNC":
                # While it is asserted, the outputs are zero at once.
                for k in range(2):
                    if (controls >> 4 * k + 2 & 3) == 3:
                        model.out[k] = [0] * len(model.out[k])
            compared[n] += model.check(out)
            model.step(low | high << 32, places, controls)
    assert (compared > CYCLES).all(), compared


@pytest.mark.rtl
def test_multiplier(tmp_path):
    ports = ", ".join(bus(p, 18) for p in "AB") + ", " + bus("P", 36)
    body = f"""\
  reg [17:0] a, b; wire [35:0] p; reg [1:0] signs;
  MULT18X18D mult ({ports}, .SIGNEDA(signs[0]), .SIGNEDB(signs[1]));
  always @(posedge clk) begin
    // Every fourth factor is at an end of its range.
    a <= $urandom_range(3) == 0 ? {{$urandom_range(1) != 0, {{17{{$urandom_range(1) != 0}}}}}}
                                : 18'($urandom);
    b <= $urandom_range(3) == 0 ? {{$urandom_range(1) != 0, {{17{{$urandom_range(1) != 0}}}}}}
                                : 18'($urandom);
    signs <= 2'($urandom);
  end
"""
    writes = (
        """$fwrite(file, "%u%u%u%u%u", {14'd0, a}, {14'd0, b}, {30'd0, signs}, p[31:0],"""
        " {28'd0, p[35:32]});"
    )
    rows = rows_of(bench(body, writes), {"MULT18X18D"}, 5, tmp_path)
    assert len(rows) == CYCLES + 1
    for a, b, signs, low, high in rows:
        a -= (signs & 1) * (a >> 17) << 18
        b -= (signs >> 1) * (b >> 17) << 18
        assert low | high << 32 == a * b % (1 << 36)
    assert {int(row[2]) for row in rows} == {0, 1, 2, 3}


def test_what_has_no_model():
    with pytest.raises(InputError, match="netlist of ecp5: there is no model of the cell DCUA"):
        cell_models("ecp5", {"LUT4", "DCUA"})


def test_models_come_with_their_parts():
    text, ours = cell_models("ecp5", {"CCU2C"})
    assert set(re.findall(r"^module (\w+)", text, re.M)) == {"CCU2C", "LUT2", "LUT4"}
    assert "specify" not in text
    assert list(ours) == []
    folder = Path(str(__import__("firstspike_sim").__file__)).parent / "cells"
    assert {path.name for path in folder.glob("*.v")} == set(OURS.values())
