"""Registers and counters.

Mutants tried, each seen to fail: a register written without `write`, of the core and of a layer;
always layer 0; all registers of a layer written; high bits of an address ignored; layers shown a
cycle late; counters not cleared; one access for all banks;
additions without an event; cycles that are always counted.
"""

import random

import pytest
from amaranth import Value

from firstspike.spec import (
    GLOBAL_REGISTERS,
    LAYER_REGISTERS,
    MULTISPIKE_LAYER_REGISTERS,
    MULTISPIKE_REGISTERS,
    CoreSpec,
    layer_register,
)
from firstspike_hw.counters import Counters
from firstspike_hw.registers import Registers
from firstspike_sim.bench import set_members, simulate


@pytest.mark.parametrize(
    "spec",
    [
        CoreSpec(),
        CoreSpec(max_layers=8, weight_rows=16, state_rows=2, pixels=32),
        CoreSpec(ramp=False, multispike=True),
    ],
)
def test_registers(spec):
    dut = Registers(spec)
    rng = random.Random(1)
    registers = (*GLOBAL_REGISTERS, *(MULTISPIKE_REGISTERS if spec.multispike else ()))
    of_layers = (*LAYER_REGISTERS, *(MULTISPIKE_LAYER_REGISTERS if spec.multispike else ()))
    shown = {
        address: getattr(dut if hasattr(dut, name) else dut.coding, name)
        for address, (name, _) in enumerate(registers)
    }
    values = dict.fromkeys(shown, 0)
    for layer in range(spec.max_layers):
        for name, _ in of_layers:
            values[layer_register(layer, name)] = 0

    async def check(ctx):
        # What was written to a layer shows two cycles later.
        ctx.set(dut.write, 0)
        await ctx.tick()
        for address, signal in shown.items():
            assert ctx.get(signal) == values[address] & ((1 << len(signal)) - 1)
        for layer in range(spec.max_layers):
            ctx.set(dut.next_layer, layer)
            await ctx.tick()
            for name, _ in of_layers:
                signal = Value.cast(getattr(dut.layer, name))
                value = values[layer_register(layer, name)]
                assert ctx.get(signal) == value & ((1 << len(signal)) - 1)

    async def bench(ctx):
        await check(ctx)
        addresses = list(range(256))
        rng.shuffle(addresses)
        # Those that are no register's are written too, and change nothing.
        for number, address in enumerate(addresses):
            write, value = rng.random() < 0.8, rng.getrandbits(32)
            set_members(ctx, dut, {"address": address, "value": value, "write": write})
            await ctx.tick()
            if write and address in values:
                values[address] = value
            if number % 16 == 15:
                await check(ctx)

    simulate(dut, bench)
    assert sum(value > 0 for value in values.values()) > len(values) // 2


def test_addresses_do_not_meet():
    spec = CoreSpec(max_layers=8)
    addresses = [
        layer_register(layer, name)
        for layer in range(spec.max_layers)
        for name, _ in (*LAYER_REGISTERS, *MULTISPIKE_LAYER_REGISTERS)
    ]
    addresses += range(len(GLOBAL_REGISTERS) + len(MULTISPIKE_REGISTERS))
    assert len(set(addresses)) == len(addresses)
    assert max(addresses) < 256


@pytest.mark.parametrize("banks", [1, 4])
def test_counters(banks):
    spec = CoreSpec(banks=banks)
    dut = Counters(spec)
    rng = random.Random(banks)
    names = ("events", "operations", "weight_reads", "state_reads", "state_writes", "cycles")

    async def bench(ctx):
        counts = dict.fromkeys(names, 0)
        cleared = 0
        for _ in range(600):
            clear, event, running = rng.random() < 0.02, rng.randrange(2), rng.randrange(2)
            neurons = rng.choice([0, 1, rng.randrange(1 << (spec.index_bits + 1))])
            accesses = [rng.randrange(2) for _ in range(3)]
            members = dict(zip(("weight_read", "state_read", "state_write"), accesses, strict=True))
            members |= {"clear": clear, "event": event, "running": running, "neurons": neurons}
            set_members(ctx, dut, members)
            await ctx.tick()
            added = [banks * access for access in accesses]
            increments = [event, event * neurons, *added, running]
            for name, increment in zip(names, increments, strict=True):
                counts[name] = 0 if clear else counts[name] + increment
            assert {name: ctx.get(getattr(dut, name)) for name in names} == counts
            cleared += clear
        assert cleared > 3

    simulate(dut, bench)
