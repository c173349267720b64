"""The cells that synthesis makes of a core, against the golden model.

Mutants tried, each seen to fail: in the netlist's Verilog the bits of a connection in the other
order, a text parameter of digits read as bits; in the harness a command given before the edge of
the clock, which the core's Verilog does not notice; in the meter the cycle of the last result left
out, the first transition lost, reads counted when the memory writes; `board_for` that takes a
board with SPRAM for any core without.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.data import load
from firstspike.errors import InputError
from firstspike.golden.learning_fast import learn
from firstspike.learning.outcome import first_learning_difference
from firstspike.network import load_network
from firstspike.outcome import first_difference
from firstspike.shipped import find_network
from firstspike.spec import CoreSpec
from firstspike_sim.bench_cases import draw_case
from firstspike_sim.learner_cases import draw_learner
from firstspike_sim.netlist import NetlistEngine, board_for
from firstspike_sim.netlist_cells import cell_models
from firstspike_sim.netlist_meter import make_meter
from firstspike_sim.netlist_verilog import cell_counts, netlist_verilog
from firstspike_sim.verilator import build_model

SMALL = CoreSpec(
    banks=2, word=2, weight_bits=4, time_bits=4, potential_bits=18, max_inputs=64,
    weight_rows=1024, state_rows=16,
)  # fmt: skip
#: Single-port RAM, and multiplier blocks that see magnitudes.
SINGLE_PORT = replace(SMALL, word=4, memory="spram", weight_rows=1 << 14)
#: Words of 8 + 4 bits in single-port RAM.
SPARSE = replace(SINGLE_PORT, word=1, weight_bits=8, sparse=True)
LEARNER = CoreSpec(
    banks=2, word=1, weight_bits=8, time_bits=4, ramp=False, max_inputs=64,
    max_layers=1, weight_rows=64 * 8, state_rows=8, learning=True, pruning=True,
)  # fmt: skip
CASES = {
    "ice40": ("ice40", SINGLE_PORT, {"SB_SPRAM256KA", "SB_MAC16", "SB_RAM40_4K", "SB_CARRY"}),
    "ice40, sparse": ("ice40", SPARSE, {"SB_SPRAM256KA", "SB_RAM40_4K"}),
    "ecp5": ("ecp5", SMALL, {"DP16KD", "TRELLIS_DPR16X4", "CCU2C", "PFUMX"}),
}
LEARNERS = {
    "ice40": ("ice40", replace(LEARNER, memory="spram", weight_rows=1 << 14)),
    "ecp5": ("ecp5", LEARNER),
}

DRIVER = """\
module driver(output reg done /* verilator public_flat_rd */);
  reg clk, pixels, results;
  integer n;
  initial begin clk = 0; n = 0; pixels = 0; results = 0; done = 0; forever #5 clk = !clk; end
  always @(posedge clk) begin
    n <= n + 1;
    pixels <= n == 4 || n == 20;
    results <= n == 50 || n == 104;
    if (n == 120) done <= 1;
  end
  core core(.clk(clk), .pixels__valid(pixels), .results__valid(results), .results__ready(1'b1));
endmodule
"""


def cell(kind, outputs, parameters=None, **connections):
    """Return a cell as Yosys writes it."""
    return {
        "type": kind,
        "parameters": parameters or {},
        "port_directions": {p: "output" if p in outputs else "input" for p in connections},
        "connections": connections,
    }


def counter():
    """Return a netlist of a counter of two bits, and of a RAM that reads when the upper is 1."""
    zero = ["0"]
    rising = ["1", "0"] * 8
    cells = {
        "invert": cell("SB_LUT4", "O", {"LUT_INIT": bits(0x5555)}, I0=[5], I1=zero, I2=zero,
                       I3=zero, O=[7]),
        "add": cell("SB_LUT4", "O", {"LUT_INIT": bits(0x6666)}, I0=[5], I1=[6], I2=zero, I3=zero,
                    O=[8]),
        "low": cell("SB_DFF", "Q", C=[2], D=[7], Q=[5]),
        "high": cell("SB_DFF", "Q", C=[2], D=[8], Q=[6]),
        "ram": cell("SB_RAM40_4K", "RDATA", {"INIT_0": "01" * 128}, RCLK=[2], RCLKE=["1"], RE=[6],
                    RADDR=zero * 11, WCLK=[2], WCLKE=[5], WE=[6], WADDR=["1"] * 8 + zero * 3,
                    MASK=zero * 16, WDATA=rising, RDATA=list(range(20, 36))),
        "unread": cell("SB_CARRY", "CO", I0=[5], I1=[6], CI=zero, CO=[9]),
        "scope": cell("$scopeinfo", ""),
    }  # fmt: skip
    inputs = {"clk": [2], "pixels__valid": [3], "results__valid": [4], "results__ready": [10]}
    ports = {name: {"direction": "input", "bits": at} for name, at in inputs.items()}
    ports["q"] = {"direction": "output", "bits": [5, 6, *range(20, 36)]}
    return {"modules": {"core": {"ports": ports, "cells": cells}}}


def bits(value):
    return f"{value:016b}"


def test_verilog_of_a_netlist():
    netlist = counter()
    netlist["modules"]["core"]["cells"] = {
        "a": cell("TRELLIS_FF", "Q", {"CEMUX": "1 ", "GSR": "DISABLED", "N": "1x0"}, Q=[5], D=["x"])
    }
    text = netlist_verilog(netlist, "core", "// more")
    assert (
        '  TRELLIS_FF #(.CEMUX("1"), .GSR("DISABLED"), .N(3\'b1x0)) c0 (.Q({n5}), .D({1\'bx}));'
        in (text.splitlines())
    )
    assert "  assign n2 = clk[0];" in text
    assert "  assign q[1] = n6;" in text
    assert "  output wire [17:0] q" in text
    assert text.endswith("// more\nendmodule\n")
    # The highest bit is first.
    assert ".RDATA({n35, n34, " in netlist_verilog(counter(), "core")
    assert cell_counts(counter()["modules"]["core"])["SB_DFF"] == 2


@pytest.mark.rtl
def test_meter(tmp_path):
    """A counter of two bits for 101 cycles, counted by hand."""
    netlist = counter()
    module = netlist["modules"]["core"]
    meter = make_meter(module)
    # The carry goes nowhere.
    assert meter.outputs == {"lut": 2, "ff": 2, "ram": 16}
    models, _ = cell_models("ice40", cell_counts(module))
    files = {"cells.v": models, "core.v": netlist_verilog(netlist, "core", meter.verilog)}
    build = build_model({**files, "driver.sv": DRIVER}, "driver", arguments=("-Wno-PINMISSING",))
    plusargs = [f"+activity={tmp_path / 'activity'}", "+count=2"]
    build.run("firstspike_sim.benches.batch", tmp_path, plusargs)
    cycles, transitions, accesses = meter.read(np.fromfile(tmp_path / "activity", "<u8"))
    # Pixels are offered from cycle 5 on, and the second result is there in cycle 105.
    now = np.arange(5, 106)
    low, high = now & 1, now >> 1 & 1
    before = now - 1
    switches = np.sum(low != before & 1), np.sum(high != before >> 1 & 1)
    assert cycles == 101
    assert transitions["ff"] == sum(switches)
    # What goes into a flip-flop is what it will be.
    upper = np.sum((now + 1 >> 1 & 1) != (now >> 1 & 1))
    assert transitions["lut"] == switches[0] + upper
    assert accesses.tolist() == [[high.sum(), (low & high).sum()]]
    assert meter.memories == [("SB_RAM40_4K", "ram")]


def test_boards_for_cores():
    assert board_for(PRESETS["icebreaker"], None).name == "icebreaker"
    assert board_for(PRESETS["hx8k"], None).name == "hx8k"
    assert board_for(PRESETS["hx8k"], "ecp5").name == "ulx3s-25f"
    assert board_for(PRESETS["learner"], None).name == "ulx3s-25f"
    assert board_for(PRESETS["learner-376"], None).name == "ulx3s-85f"
    assert board_for(SMALL, None).name == "ulx3s-25f"
    assert board_for(SMALL, "ice40").name == "hx8k"
    assert board_for(SINGLE_PORT, None).name == "icebreaker"
    with pytest.raises(InputError, match="family ecp5 has no SPRAM"):
        board_for(SINGLE_PORT, "ecp5")
    with pytest.raises(InputError, match="family is 'xilinx', must be one of ice40, ecp5"):
        board_for(SMALL, "xilinx")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("run mnist --data mnist --engine netlist --core icebreaker --family ecp5", "has no SPRAM"),
        ("run digits --data digits --family ecp5", "--family goes with the engine netlist"),
        ("activity --data digits -o a.json", "needs a network NET or --learn RECIPE"),
        ("activity digits -o a.json", "needs --data"),
        ("activity digits --data digits --seed 1 -o a.json", "go with --learn, not with NET"),
        ("activity --learn digits-stdp --split test -o a.json", "go with NET, not with --learn"),
        ("activity --learn digits-stdp --core hx8k -o a.json", "core hx8k does not learn"),
        ("activity --learn digits-stdp --after 99999 -o a.json", "--after is 99999, must be less"),
    ],
)
def test_used_wrongly(capsys, tmp_path, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    if "mnist" in words:
        words = words.replace("mnist --data mnist", "digits --data digits")
    assert main(words.split()) == 2
    assert line in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.rtl
@pytest.mark.bitstream
@pytest.mark.parametrize("name", CASES)
def test_random_networks(name):
    """Half of the runs with pauses, each from another power-up."""
    family, core, kinds = CASES[name]
    engine = NetlistEngine(family=family)
    facts = engine.describe(core)
    assert facts["family"] == family
    assert kinds <= set(facts["cells"])
    assert facts["own_models"] == sorted({"DP16KD"} & set(facts["cells"]))
    for seed in range(8):
        case = draw_case(seed, core=core, count=30)
        expected = golden.run(case.network, case.images, core=core, early_exit=case.early_exit)
        engine = NetlistEngine(family=family, pause=120 * (seed % 2), seed=seed + 1)
        found = engine.run(case.network, core, case.images, early_exit=case.early_exit)
        difference = first_difference(found, expected)
        # With pauses a run takes longer, and that is all.
        if seed % 2 and difference is not None and difference.quantity == "total_cycles":
            continue
        assert difference is None, f"case {seed}: {difference}"


@pytest.mark.slow
@pytest.mark.rtl
@pytest.mark.bitstream
@pytest.mark.parametrize("name", LEARNERS)
def test_random_learners(name):
    family, core = LEARNERS[name]
    for seed in range(8):
        case = draw_learner(seed, core=core, count=30)
        expected = learn(case.rule, case.state, case.images, case.labels, core=core)
        engine = NetlistEngine(family=family, seed=seed + 1)
        found = engine.learn(case.rule, core, case.state, case.images, case.labels)
        assert first_learning_difference(found, expected) is None, seed


@pytest.mark.slow
@pytest.mark.rtl
@pytest.mark.bitstream
def test_activity(capsys, tmp_path):
    """What is counted is what happens in the run that the golden model predicts."""
    path = tmp_path / "activity.json"
    words = ["activity", "digits", "--data", "digits", "--limit", "20", "--core", "hx8k"]
    assert main([*words, "--family", "ice40", "-o", str(path)]) == 0
    assert "toggles.lut" in capsys.readouterr().out
    content = json.loads(path.read_text())
    images = load("digits").split("test")[0][:20]
    network, core = load_network(find_network("digits")), PRESETS["hx8k"]
    expected = golden.run(network, images.reshape(20, -1), core=core)
    assert content["cycles"] == expected.total_cycles
    origin = content["provenance"]
    assert origin["kind"] == "activity"
    assert origin["network_digest"] == network.digest
    assert (origin["family"], origin["learning"], origin["images"]) == ("ice40", False, 20)
    assert set(content["toggles"]) == set(content["outputs"]) == {"lut", "ff", "carry", "ram"}
    for name, toggles in content["toggles"].items():
        assert 0 < toggles < content["outputs"][name], name
    memories = content["memories"]
    assert len(memories) == content["cells"]["SB_RAM40_4K"]
    assert all(0 <= m["reads"] <= 1 and 0 <= m["writes"] <= 1 for m in memories)
    # A word lies in all of its bank's memories: each is used once for an access that is counted.
    reads, writes = (
        [
            {round(m[what] * content["cycles"]) for m in memories if m["name"].startswith(name)}
            for name in (f"bank_{bank}.{part}" for bank in range(core.banks))
        ]
        for what, part in (("reads", "synapses"), ("writes", "rows"))
    )
    assert all(len(counts) == 1 for counts in reads + writes), (reads, writes)
    assert sum(map(max, reads)) == expected.counters["weight_reads"].sum()
    assert sum(map(max, writes)) == expected.counters["state_writes"].sum()
    assert all(m["writes"] == 0 for m in memories if ".synapses" in m["name"])


@pytest.mark.slow
@pytest.mark.rtl
@pytest.mark.bitstream
@pytest.mark.parametrize(
    "words",
    [
        "mnist --data mnist --core icebreaker --family ice40",
        "digits --data digits --core icebreaker-sparse --family ice40",
        "mnist --data mnist --core ulx3s-25f --family ecp5",
        "--learn mnist-stdp --core learner-icebreaker --family ice40",
        "--learn mnist-stdp --core learner --family ecp5",
    ],
    ids=["iCEBreaker", "sparse iCEBreaker", "ULX3S", "learning iCEBreaker", "learning ULX3S"],
)
def test_cores_of_boards(words):
    assert main(["compare", *words.split(), "--engines", "golden,netlist", "--limit", "20"]) == 0
