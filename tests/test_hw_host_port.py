"""The host port of a whole core: every memory, at any time.

Mutants tried, each seen to fail: a waiting request that chooses the lane while a stimulus runs
(which the core once did), or is served then; a reply overwritten by the next; no sign; registers
read as what was there before; all banks written; always lane 0, or part 0; always the start half;
a stimulus that begins while a request is served; data of a read, or of a request that waits for
the end of a stimulus, that is or-ed in; a reply one cycle early.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from firstspike import golden
from firstspike.fit import state_words
from firstspike.memimage import Write, memory_image
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, Space, WeightKind
from firstspike_sim.bench import pauses, put, take
from firstspike_sim.bench_core import CoreBench
from firstspike_sim.stimuli import pixel_words

SMALL: dict[str, Any] = {"max_inputs": 16, "weight_rows": 20, "state_rows": 4, "potential_bits": 12}
SPECS = {
    "banks": CoreSpec(banks=4, word=2, weight_bits=3, **SMALL),
    "one bank, parts": CoreSpec(banks=1, word=8, weight_bits=5, **SMALL),
    "one lane": CoreSpec(banks=2, word=1, weight_bits=8, time_bits=3, **SMALL),
    "no magnitude": CoreSpec(banks=2, word=4, weight_bits=1, ramp=False, **SMALL),
}


def signed(value, bits):
    return (value - (value >> (bits - 1) << bits)) & 0xFFFFFFFF


@pytest.mark.parametrize("name", SPECS)
def test_every_address(name):
    spec = SPECS[name]
    rng = random.Random(name)
    bench = CoreBench(spec)
    weights = [
        (Space.WEIGHTS, spec.address(Space.WEIGHTS, bank, row, part), spec.part_bits)
        for bank in range(spec.banks)
        for row in range(spec.weight_rows)
        for part in range(spec.parts)
    ]
    starts = [
        (Space.START, spec.address(Space.START, bank, row, lane), spec.potential_bits)
        for bank in range(spec.banks)
        for row in range(spec.state_rows)
        for lane in range(spec.word)
    ]
    places = weights + starts
    assert len({place[:2] for place in places}) == len(places)
    # The last part of a word may be cut.
    rest = spec.word_bits - (spec.parts - 1) * spec.part_bits

    def shown(space, address, bits, data):
        if space is Space.START:
            return signed(data & ((1 << bits) - 1), bits)
        last = address % (1 << spec.part_address_bits) == spec.parts - 1
        return data & ((1 << (rest if last else bits)) - 1)

    async def host(ctx):
        values = {}
        order = rng.sample(places, len(places))
        for space, address, bits in order:
            # Bits beyond those that there are must not matter.
            values[space, address] = shown(space, address, bits, data := rng.getrandbits(32))
            await bench.load(ctx, [Write(space, address, data)])
        # Reads in any order, and writes between them.
        for number, (space, address, bits) in enumerate(rng.sample(places, len(places))):
            wait = rng.randrange(3)
            assert await bench.read(ctx, space, address, wait) == values[space, address]
            if number % 4 == 0:
                space, address, bits = rng.choice(places)
                data = rng.getrandbits(32)
                values[space, address] = shown(space, address, bits, data)
                await bench.load(ctx, [Write(space, address, data)])
            if number % 8 == 0:
                # Registers are write only.
                assert await bench.read(ctx, Space.REGISTERS, rng.randrange(40)) == 0

    bench.run(host)


def test_replies_wait():
    """Requests that come one after the other are answered in order, however late."""
    spec = SPECS["banks"]
    bench = CoreBench(spec)
    dut = bench.dut
    rows = [spec.address(Space.WEIGHTS, bank, row) for bank in range(4) for row in range(20)]
    received = []

    async def requests(ctx):
        await bench.load(ctx, [Write(Space.WEIGHTS, row, row & 63) for row in rows])
        reads = [{"write": 0, "space": Space.WEIGHTS, "address": row, "data": 9} for row in rows]
        await put(ctx, dut.requests, reads, pauses(0.2, 0))

    async def replies(ctx):
        await take(ctx, dut.replies, received, pauses(0.7, 1), lambda: len(received) < len(rows))

    bench.run(requests, replies)
    assert received == [row & 63 for row in rows]


def test_latency_of_a_read():
    spec = SPECS["banks"]
    bench = CoreBench(spec)
    dut = bench.dut

    async def host(ctx):
        ctx.set(dut.replies.ready, 1)
        for space in (Space.WEIGHTS, Space.START, Space.REGISTERS):
            ctx.set(dut.requests.payload, {"write": 0, "space": space, "address": 0, "data": 0})
            ctx.set(dut.requests.valid, 1)
            valid = [
                (await ctx.tick().sample(dut.requests.ready, dut.replies.valid))[2:]
                for _ in range(5)
            ]
            ctx.set(dut.requests.valid, 0)
            assert valid == [(0, 0)] * 4 + [(1, 0)]
            *_, replied = await ctx.tick().sample(dut.replies.valid)
            assert replied

    bench.run(host)


def small_network():
    rng = np.random.default_rng(3)
    first = rng.integers(-3, 4, (7, 9))
    second = rng.integers(-3, 4, (9, 10))
    second[0] = 3
    layers = (
        Layer("a", Neuron.STEP, WeightKind.SIGNED, 3, first, np.full(9, 2)),
        Layer("b", Neuron.STEP, WeightKind.SIGNED, 3, second, np.full(10, 3)),
    )
    network = Network("host", layers, 3, (1, 7), tuple(range(10)))
    return network, rng.integers(0, 256, (5, 7)).astype(np.uint8)


CORE = CoreSpec(
    banks=2, word=2, weight_bits=3, time_bits=4, max_inputs=16, weight_rows=64, state_rows=8
)


def test_state_now():
    """After a stimulus, the state is the potentials less the thresholds."""
    network, images = small_network()
    bench = CoreBench(CORE)
    expected = golden.run(network, images, core=CORE, early_exit=False)
    overshoot = expected.potential - network.layers[-1].offset
    first_row = state_words(network, CORE)[0]

    async def host(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=False))
        for number, image in enumerate(images):
            words = pixel_words(image[None], CORE).tolist()
            await bench.pixels(ctx, words, pauses(0, 0))
            await bench.results(ctx, number + 1)
            for j, value in enumerate(overshoot[number].tolist()):
                row, lane, bank = first_row + j // 4, j // 2 % 2, j % 2
                address = CORE.address(Space.STATE, bank, row, lane)
                assert await bench.read(ctx, Space.STATE, address) == value & 0xFFFFFFFF

    bench.run(host)
    assert len(np.unique(overshoot)) > 3


def test_requests_wait_for_the_end_of_a_stimulus():
    network, images = small_network()
    images = np.tile(images, (5, 1))
    bench = CoreBench(CORE)
    expected = golden.run(network, images, core=CORE)
    image = memory_image(network, CORE, early_exit=True)
    memories = [[w for w in image if w.space is space] for space in (Space.WEIGHTS, Space.START)]
    rng = random.Random(1)
    loaded = []
    waited = 0

    def shown(write):
        if write.space is Space.WEIGHTS:
            return write.data
        return signed(write.data, CORE.potential_bits)

    async def feed(ctx):
        await bench.load(ctx, image)
        loaded.append(1)
        words = pixel_words(images, CORE).tolist()
        await bench.pixels(ctx, words, pauses(0, 0))
        await bench.results(ctx, len(images))

    async def host(ctx):
        nonlocal waited
        while not loaded:
            await ctx.tick()
        while len(bench.records) < len(images):
            # Write what stands there already, or read.
            write = rng.choice(rng.choice(memories))
            began, done = bench.clock, len(bench.records)
            if rng.random() < 0.4:
                await bench.load(ctx, [write])
            else:
                data = await bench.read(ctx, write.space, write.address)
                assert data == shown(write)
            if bench.clock - began > 10:
                waited += 1
                assert len(bench.records) > done
            for _ in range(rng.randrange(20)):
                await ctx.tick()

    bench.run(feed, host)
    assert waited > 2
    found = bench.outcome(network, images)
    for name, array in expected.arrays().items():
        if name != "total_cycles":
            np.testing.assert_array_equal(found.arrays()[name], array, err_msg=name)
