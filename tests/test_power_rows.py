"""Transitions in ``measurements.yaml``, counted again on netlists that Yosys makes.

The designs do the arithmetic of the rows that were measured: a counter of 24 bits, and two counters
of 8 bits whose product is taken, with LUTs or with a DSP.

Mutants that a test here saw: a flip-flop's transitions left out; a LUT's inputs in the wrong order;
with and without delays exchanged in the YAML file; 66.8 in it changed to 60.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict

import pytest

from firstspike.power.measurements import load_measurements
from firstspike_hw.tools import run_tool

_COUNTER = "always @(posedge clk) slow <= slow + 1'b1; assign led = slow[23];"
_PRODUCT = (
    "(* keep *) wire [15:0] product = x * y; reg [7:0] x, y;"
    "always @(posedge clk) begin slow <= slow + 1'b1; x <= x + 3; y <= y + 5; end "
    "assign led = slow[23] | (&x) | (&y) | (&product);"
)
_CYCLES = 512
#: A LUT takes so many times as long as a carry.
_LUT_DELAY = 5


class _Netlist:
    """Simulates iCE40 cells: LUTs, carries, multipliers of 16 bits, flip-flops that start at 0."""

    def __init__(self, cells):
        self.value = defaultdict(int, {"1": 1})
        self.gates, self.flipflops = [], []
        self.readers = defaultdict(list)
        for cell in cells:
            wires, kind = cell["connections"], cell["type"]
            if kind == "SB_LUT4":
                table = int(cell["parameters"]["LUT_INIT"], 2)
                inputs = [wires[f"I{i}"][0] for i in range(4)]
                self._gate("lut", _LUT_DELAY, inputs, wires["O"], _lut(table))
            elif kind == "SB_CARRY":
                inputs = [wires[name][0] for name in ("I0", "I1", "CI")]
                self._gate("carry", 1, inputs, wires["CO"], lambda bits: [int(sum(bits) > 1)])
            elif kind == "SB_MAC16":
                self._gate("dsp", 4 * _LUT_DELAY, wires["A"] + wires["B"], wires["O"], _product)
            elif kind.startswith("SB_DFF"):
                self.flipflops.append((wires["Q"][0], wires["D"][0]))
        self._settle(range(len(self.gates)), Counter())

    def _gate(self, *gate):
        for bit in set(gate[2]):
            self.readers[bit].append(len(self.gates))
        self.gates.append(gate)

    def _settle(self, first, count):
        """Let changes spread; every change of every output is counted, glitches too."""
        changes, last = [], {}

        def evaluate(gates, now):
            for index in sorted(gates):
                kind, delay, inputs, outputs, function = self.gates[index]
                for bit, new in zip(
                    outputs, function([self.value[i] for i in inputs]), strict=False
                ):
                    if last.get(bit, self.value[bit]) != new:
                        last[bit] = new
                        heapq.heappush(changes, (now + delay, len(last), str(bit), bit, new, kind))

        evaluate(first, 0)
        while changes:
            now, touched = changes[0][0], set()
            while changes and changes[0][0] == now:
                *_, bit, new, kind = heapq.heappop(changes)
                if self.value[bit] != new:
                    self.value[bit] = new
                    count[kind] += 1
                    touched.update(self.readers[bit])
            evaluate(touched, now)

    def count(self):
        """Return transitions a cycle by kind of cell, without and with glitches."""
        settled, every = Counter(), Counter()
        for _ in range(_CYCLES):
            before = dict(self.value)
            changed = [
                (q, self.value[d]) for q, d in self.flipflops if self.value[q] != self.value[d]
            ]
            for q, new in changed:
                self.value[q] = new
            settled["ff"] += len(changed)
            every["ff"] += len(changed)
            self._settle({gate for q, _ in changed for gate in self.readers[q]}, every)
            for kind, _, _, outputs, _ in self.gates:
                settled[kind] += sum(self.value[bit] != before.get(bit, 0) for bit in outputs)
        return [
            {kind: count / _CYCLES for kind, count in counts.items()} for counts in (settled, every)
        ]


def _lut(table):
    return lambda bits: [table >> sum(bit << i for i, bit in enumerate(bits)) & 1]


def _product(bits):
    a, b = (sum(bit << i for i, bit in enumerate(half)) for half in (bits[:16], bits[16:]))
    return [a * b >> i & 1 for i in range(32)]


@pytest.mark.bitstream
@pytest.mark.parametrize(
    ("row", "body", "options"),
    [
        ("HFOSC 12 MHz", _COUNTER, ""),
        ("8 x 8 multiplier of LUTs", _PRODUCT, ""),
        ("8 x 8 multiplier of a DSP", _PRODUCT, "-dsp"),
    ],
)
def test_transitions_of_a_row(tmp_path, row, body, options):
    (tmp_path / "top.v").write_text(
        f"module top(input clk, output led); reg [23:0] slow; {body} endmodule\n"
    )
    script = f"read_verilog top.v; synth_ice40 {options} -top top; write_json top.json"
    run_tool("yosys", ["-q", "-p", script], tmp_path)
    cells = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]["cells"]
    settled, every = _Netlist(cells.values()).count()

    stated = next(one for one in load_measurements().rows if one.name == row)
    # Versions of Yosys part a little.
    assert settled["lut"] + settled["ff"] == pytest.approx(stated.transitions, rel=0.03)
    if row != "HFOSC 12 MHz":
        assert every["lut"] + every["ff"] == pytest.approx(stated.with_delays, rel=0.03)
    assert settled.get("dsp", 0) == pytest.approx(stated.dsp_transitions, rel=0.03)
