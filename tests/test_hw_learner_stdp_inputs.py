"""What an update is told about an input: whether it had spiked, and its random byte.

Mutants tried, each seen to fail: < instead of <=; never counts as spiked; always half 0; read while
waiting; another polynomial; 31 shifts; two bytes of four; another factor; no rotation within a
byte; clearing writes.
"""

import random

import pytest

from firstspike.golden.randomness import advance, random_byte
from firstspike.spec import CoreSpec
from firstspike_hw.learner.random_bytes import RandomBytes
from firstspike_hw.learner.spike_times import SpikeTimes
from firstspike_sim.bench import pulse, set_members, simulate


def make_spec(inputs, pixels, time_bits):
    return CoreSpec(
        banks=2, word=1, ramp=False, max_layers=1, max_inputs=inputs, state_rows=1,
        weight_rows=inputs, pixels=pixels, time_bits=time_bits, learning=True,
    )  # fmt: skip


@pytest.mark.parametrize("stall", [0, 0.5])
@pytest.mark.parametrize(
    "spec", [make_spec(48, 4, 4), make_spec(64, 16, 3)], ids=["4 pixels", "16 pixels"]
)
def test_spike_times(spec, stall):
    """One half is asked while the other is written."""
    rng = random.Random(f"{spec} {stall}")
    dut = SpikeTimes(spec)
    words = spec.max_inputs // spec.pixels
    halves = [[None] * spec.max_inputs, [None] * spec.max_inputs]
    answers = {0: 0, 1: 0}

    def insert(ctx, half, word, *, clear=False):
        """Write a word, or clear lists, which is none of its business."""
        times = [rng.randrange(spec.steps) for _ in range(spec.pixels)]
        there = rng.getrandbits(spec.pixels)
        if not clear:
            for k, time in enumerate(times):
                halves[half][word * spec.pixels + k] = time if there >> k & 1 else spec.steps
        members = {"valid": 1, "clear": clear, "half": half, "word": word, "spikes": there}
        set_members(ctx, dut.inserted, {**members, "times": times})

    async def bench(ctx):
        for word in range(words):
            insert(ctx, 0, word)
            await ctx.tick()
        for stimulus in range(12):
            half = stimulus % 2
            until = rng.randrange(spec.steps)
            ctx.set(dut.inserted.valid, 0)
            set_members(ctx, dut, {"half": half, "until": until})
            await ctx.tick()
            left, past = list(range(words)), []
            while left or len(past) < 40:
                # The other half is written at any speed, in any order.
                ctx.set(dut.inserted.valid, 0)
                if left and rng.random() < 0.5:
                    insert(ctx, 1 - half, left.pop(rng.randrange(len(left))))
                elif rng.random() < 0.3:
                    insert(ctx, 1 - half, rng.randrange(words), clear=True)
                moves = rng.random() >= stall
                index = rng.randrange(spec.max_inputs)
                set_members(ctx, dut, {"advance": moves, "index": index})
                await ctx.tick()
                if moves:
                    past.append(index)
                if len(past) > 1:
                    time = halves[half][past[-2]]
                    spiked = time < spec.steps and time <= until
                    assert ctx.get(dut.spiked) == spiked
                    answers[spiked] += moves

    simulate(dut, bench)
    assert min(answers.values()) > 50


@pytest.mark.parametrize("stall", [0, 0.5])
def test_random_bytes(stall):
    spec = make_spec(496, 4, 4)
    rng = random.Random(stall)
    dut = RandomBytes(spec)

    async def ask(ctx, state, count):
        """Ask for bytes one after the other, with pauses."""
        past = []
        while len(past) < count:
            moves = rng.random() >= stall
            index = rng.randrange(spec.max_inputs)
            set_members(ctx, dut, {"advance": moves, "index": index})
            await ctx.tick()
            if moves:
                past.append(index)
            if len(past) > 1:
                assert ctx.get(dut.byte) == random_byte(state, past[-2])

    async def bench(ctx):
        state = 1
        for stimulus in range(30):
            if stimulus % 10 == 0:
                state = rng.choice([1, 0x80000000, rng.randrange(1, 1 << 32)])
                ctx.set(dut.value, state)
                await pulse(ctx, dut.load)
                # Without a load the value does not matter.
                ctx.set(dut.value, rng.getrandbits(32))
            assert ctx.get(dut.ready)
            assert ctx.get(dut.state) == state
            await pulse(ctx, dut.step)
            state = advance(state)
            for _ in range(32):
                assert not ctx.get(dut.ready)
                await ctx.tick()
            assert ctx.get(dut.ready)
            await ask(ctx, state, 60)
            assert ctx.get(dut.state) == state

    simulate(dut, bench)
