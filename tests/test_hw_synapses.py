"""The synapse memory against a dictionary.

Mutants tried, each seen to fail: all parts written; a read address of 0; reads with `enable` low;
writes with `enable` low; SPRAM in a core that asks for block RAM; the SPRAM's address, data, enable
or power pins wired wrongly.
"""

import random

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.sim import Simulator

from firstspike.spec import CoreSpec
from firstspike_hw.spram import SPRAM_DEVICE
from firstspike_hw.synapses import SynapseMemory

SPECS = {
    "one part": CoreSpec(word=4, weight_bits=4, weight_rows=19),
    "parts": CoreSpec(word=8, weight_bits=8, weight_rows=16),
    "last part cut": CoreSpec(banks=1, word=8, weight_bits=5, weight_rows=64),
    "narrow": CoreSpec(banks=2, word=1, weight_bits=3, weight_rows=33),
    "spram": CoreSpec(word=4, weight_bits=4, weight_rows=1 << 14, memory="spram"),
    "sparse spram": CoreSpec(
        word=1, weight_rows=1 << 14, state_rows=128, memory="spram", sparse=True
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_random_traffic(name):
    spec = SPECS[name]
    dut = SynapseMemory(spec)
    rng = random.Random(name)
    # Few rows, so that a row is met again.
    rows = rng.sample(range(spec.weight_rows), 16)
    seen = {"read": 0, "write": 0, "hold": 0, "unwritten": 0}

    async def bench(ctx):
        words = {row: rng.getrandbits(spec.parts * spec.part_bits) for row in rows}
        for row, word in words.items():
            ctx.set(dut.data[row], word)
        initial = dict(words)
        expected = None
        for _ in range(3000):
            row, part = rng.choice(rows), rng.randrange(spec.parts)
            value = rng.getrandbits(spec.part_bits)
            enable, write = rng.random() < 0.7, rng.random() < 0.4
            ctx.set(dut.address, row)
            ctx.set(dut.part, part)
            ctx.set(dut.write_data, value)
            ctx.set(dut.enable, enable)
            ctx.set(dut.write, write)
            await ctx.tick()
            if enable and write:
                shift = part * spec.part_bits
                words[row] &= ~(((1 << spec.part_bits) - 1) << shift)
                words[row] |= value << shift
                expected = None
                seen["write"] += 1
            elif enable:
                expected = words[row] & ((1 << spec.word_bits) - 1)
                seen["read"] += 1
                seen["unwritten"] += words[row] == initial[row]
            if expected is not None:
                assert ctx.get(dut.read_data) == expected
                seen["hold"] += not enable
        for row, word in words.items():
            assert ctx.get(dut.data[row]) == word

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert min(seen.values()) > 5, seen


def test_spram_only_where_there_is_one():
    class Platform:
        device = SPRAM_DEVICE

    def text(spec, platform):
        return rtlil.convert(SynapseMemory(spec), platform=platform)

    spram = text(SPECS["spram"], Platform())
    for port in (
        "CLOCK \\clk [0]",
        "ADDRESS \\address [13:0]",
        "DATAIN \\write_data [15:0]",
        "MASKWREN 4'1111",
        "WREN \\write [0]",
        "CHIPSELECT \\enable [0]",
        "STANDBY 1'0",
        "SLEEP 1'0",
        "POWEROFF 1'1",
    ):
        assert spram.count(f"connect \\{port}\n") == 1, port
    assert "connect \\DATAOUT \\read_data\n" in spram
    sparse = text(SPECS["sparse spram"], Platform())
    assert sparse.count("SB_SPRAM256KA") == 1
    assert "SB_SPRAM256KA" not in text(SPECS["spram"], None)
    assert "SB_SPRAM256KA" not in text(SPECS["one part"], Platform())
