"""The decision: largest, lowest index, ties.

Mutants tried, each seen to fail: a tie to the highest index; the potential before the first one
compared; ties that are not reset; `>` 0 for what is over the threshold; a difference that wraps;
a decision that changes after it was made; no new beginning after the end.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.readout import Readout
from firstspike_sim.bench import simulate


async def read(ctx, dut, potentials, gap, rng):
    for number, potential in enumerate(potentials):
        while rng.random() < gap:
            ctx.set(dut.valid, 0)
            ctx.set(dut.end, 0)
            await ctx.tick()
            assert not ctx.get(dut.done)
        ctx.set(dut.index, number)
        ctx.set(dut.potential, potential)
        ctx.set(dut.valid, 1)
        ctx.set(dut.end, number == len(potentials) - 1)
        await ctx.tick()
        assert ctx.get(dut.done) == (number == len(potentials) - 1)
    ctx.set(dut.valid, 0)
    ctx.set(dut.end, 0)
    return ctx.get(dut.winner), ctx.get(dut.ties), ctx.get(dut.over_threshold)


@pytest.mark.parametrize("gap", [0, 0.5])
def test_random_potentials(gap):
    spec = CoreSpec(potential_bits=8)
    dut = Readout(spec)
    rng = random.Random(gap)
    seen = dict.fromkeys(("tie", "all negative", "not negative", "extremes", "late winner"), 0)

    async def bench(ctx):
        for _ in range(300):
            count = rng.choice([1, 2, rng.randint(1, 20)])
            few = [rng.randrange(-128, 128) for _ in range(3)] + [-128, 127, 0, -1]
            few = rng.sample(few, rng.randint(1, len(few)))
            potentials = [rng.choice(few) for _ in range(count)]
            largest = max(potentials)
            winner = potentials.index(largest)
            ties = potentials.count(largest) - 1
            over = sum(potential >= 0 for potential in potentials)
            assert await read(ctx, dut, potentials, gap, rng) == (winner, ties, over)
            assert ctx.get(dut.last) == winner
            if rng.random() < 0.5:
                # The result stands until the next potential.
                await ctx.tick().repeat(2)
                assert ctx.get(dut.winner) == winner
                assert not ctx.get(dut.done)
            seen["tie"] += ties
            seen["all negative"] += not over
            seen["not negative"] += over
            seen["extremes"] += {-128, 127} <= set(potentials)
            seen["late winner"] += winner > 0

    simulate(dut, bench)
    assert all(seen.values()), seen


def test_after_the_decision():
    """What the decision said stays; only the last largest one follows."""
    dut = Readout(CoreSpec(potential_bits=8))
    rng = random.Random(3)

    async def bench(ctx):
        for _ in range(50):
            first, second = ([rng.randrange(-9, 9) for _ in range(6)] for _ in range(2))
            ctx.set(dut.decided, 0)
            decision = await read(ctx, dut, first, 0.3, rng)
            assert ctx.get(dut.last) == decision[0]
            ctx.set(dut.decided, 1)
            assert await read(ctx, dut, second, 0.3, rng) == decision
            assert ctx.get(dut.last) == second.index(max(second))

    simulate(dut, bench)


def test_by_hand():
    dut = Readout(CoreSpec(potential_bits=8))

    async def bench(ctx):
        for potentials, expected in (
            ([-3, -1, -2, -1, -1], (1, 2, 0)),
            ([0, 5, 5, -7], (1, 1, 3)),
            ([-128, 127], (1, 0, 1)),
            ([127, -128, 127], (0, 1, 2)),
            ([-128], (0, 0, 0)),
        ):
            assert await read(ctx, dut, potentials, 0, random) == expected

    simulate(dut, bench)
