"""Registers and counters of a learning core.

Mutants tried, each seen to fail: a register written without write; the delay counts below 0; prunes
a stimulus early; random loaded by a read; counters not cleared; increments too narrow.
"""

import random

import pytest

from firstspike.spec import (
    COUNTER_BITS,
    GLOBAL_REGISTERS,
    LEARNING_ARRAYS,
    LEARNING_REGISTERS,
    CoreSpec,
    learning_register,
)
from firstspike_hw.learner.counters import COUNTED, LearnerCounters
from firstspike_hw.learner.registers import LearnerRegisters
from firstspike_sim.bench import set_members, simulate


def make_spec(banks, rows, weight_bits):
    return CoreSpec(
        banks=banks, word=1, weight_bits=weight_bits, ramp=False, max_layers=1, max_inputs=48,
        state_rows=rows, weight_rows=48 * rows, learning=True, pruning=True,
    )  # fmt: skip


@pytest.mark.parametrize("spec", [make_spec(4, 3, 8), make_spec(16, 40, 3)])
def test_registers(spec):
    dut = LearnerRegisters(spec)
    rng = random.Random(2)
    signals = {
        address: getattr(dut if hasattr(dut, name) else dut.coding, name)
        for address, (name, _) in enumerate(GLOBAL_REGISTERS)
        if name not in ("ramp", "last_layer")
    }
    for name, _ in LEARNING_REGISTERS:
        if name not in ("delay", "random"):
            signals[learning_register(name)] = getattr(dut, name)
    values = dict.fromkeys(signals, 0)
    delay_at, random_at = learning_register("delay"), learning_register("random")

    async def bench(ctx):
        delay = 0
        loads = counts = 0
        for number in range(1500):
            address = rng.choice([*signals, delay_at, delay_at, random_at, rng.randrange(256)])
            write, settle = rng.random() < 0.8, rng.random() < 0.5
            value = rng.choice([0, 1, 3, rng.getrandbits(32)])
            state = rng.getrandbits(32)
            members = {"write": write, "address": address, "value": value, "settle": settle}
            set_members(ctx, dut, members | {"random": state})
            assert ctx.get(dut.prunes) == (delay == 0)
            assert ctx.get(dut.random_load) == (write and address == random_at)
            shown = {delay_at: delay, random_at: state}
            assert ctx.get(dut.shown) == shown.get(address, 0)
            loads += write and address == random_at
            await ctx.tick()
            if write and address in values:
                values[address] = value
            counts += settle and delay > 0
            delay -= settle and delay > 0
            if write and address == delay_at:
                delay = value & 0xFFFFFF
            if number % 10 == 9:
                for place, signal in signals.items():
                    assert ctx.get(signal) == values[place] & ((1 << len(signal)) - 1)
        assert loads > 20
        assert counts > 20

    simulate(dut, bench)
    assert sum(value > 0 for value in values.values()) > len(values) // 3


def test_addresses_do_not_meet():
    addresses = list(range(len(GLOBAL_REGISTERS)))
    addresses += [learning_register(name) for name, _ in LEARNING_REGISTERS]
    for name, _, length, _ in LEARNING_ARRAYS:
        addresses += [learning_register(name, index) for index in range(length)]
    assert len(set(addresses)) == len(addresses)
    assert max(addresses) < 256


@pytest.mark.parametrize("banks", [2, 16])
def test_counters(banks):
    dut = LearnerCounters(make_spec(banks, 3, 8))
    rng = random.Random(banks)
    # A mask of a synapse that dies may be read along with those of all banks, and a column's.
    most = {name: banks + 2 if everywhere else 1 for name, everywhere in COUNTED.items()}
    widths = {name: len(getattr(dut, name)) for name in COUNTED}

    async def bench(ctx):
        counts = dict.fromkeys(COUNTED, 0)
        cleared = 0
        for _ in range(600):
            clear = rng.random() < 0.02
            added = {name: rng.choice([0, rng.randint(0, top), top]) for name, top in most.items()}
            set_members(ctx, dut, {f"add_{name}": count for name, count in added.items()})
            ctx.set(dut.clear, clear)
            await ctx.tick()
            counts = {name: 0 if clear else counts[name] + added[name] for name in COUNTED}
            shown = {name: count & (1 << widths[name]) - 1 for name, count in counts.items()}
            assert {name: ctx.get(getattr(dut, name)) for name in COUNTED} == shown
            cleared += clear
        assert cleared > 3
        # The cycles of the largest stimulus: every synapse by itself, and two updates.
        assert 2 * 48 * 3 * banks < 1 << widths["cycles"] <= 1 << COUNTER_BITS
        assert 2 * 48 < 1 << widths["stdp_visits"]

    simulate(dut, bench)
