"""The RAMP unit against integer division.

Mutants tried, each seen to fail: a quotient beyond the first stage ignored; no limit at T - 1, or
one more; zeros named; `>` for `>=`; the end one cycle early; differences one bit too narrow.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.ramp import RampUnit
from firstspike_sim.bench import simulate


async def through(ctx, dut, spec, scale, last_step, potentials, chance):
    """Send ``potentials``, and return each spike and the cycles from an end to ``ended``."""
    ctx.set(dut.scale, scale)
    ctx.set(dut.last_step, last_step)
    spikes, ends = [], []
    waiting = list(enumerate(potentials))
    latency = spec.time_bits + 1
    left = latency + 3
    rng = random.Random(scale)
    cycle = closed = 0
    while left:
        valid = bool(waiting) and (chance == 1 or rng.random() < chance)
        if valid:
            index, potential = waiting.pop(0)
            ctx.set(dut.index, index & ((1 << spec.index_bits) - 1))
            ctx.set(dut.potential, potential)
        ctx.set(dut.valid, valid)
        end = not waiting and not closed
        ctx.set(dut.end, end)
        closed = closed or (cycle if end else 0)
        left -= not waiting
        *_, write, spike, ended = await ctx.tick().sample(dut.write, dut.spike, dut.ended)
        if write:
            spikes.append((spike.index, spike.magnitude))
        if ended:
            ends.append((cycle - closed, len(spikes)))
        cycle += 1
    return spikes, ends


def expected(spec, scale, last_step, potentials):
    found = []
    for index, potential in enumerate(potentials):
        magnitude = min(potential // scale, last_step)
        if magnitude:
            found.append((index & ((1 << spec.index_bits) - 1), magnitude))
    return found


def test_every_quotient():
    """All potentials by all scales of 8 bits."""
    spec = CoreSpec(banks=1, word=2, time_bits=3, potential_bits=8, max_inputs=128)
    dut = RampUnit(spec)

    async def bench(ctx):
        potentials = range(128)
        for scale in range(1, 128):
            spikes, ends = await through(ctx, dut, spec, scale, 7, potentials, 1)
            wanted = expected(spec, scale, 7, potentials)
            assert spikes == wanted
            # The last one is named, then the end is told.
            assert ends == [(spec.time_bits + 2, len(wanted))]

    simulate(dut, bench)


@pytest.mark.parametrize(("bits", "width"), [(4, 10), (5, 20), (8, 24)])
def test_random_quotients(bits, width):
    spec = CoreSpec(time_bits=bits, potential_bits=width)
    dut = RampUnit(spec)
    rng = random.Random(bits)
    top = (1 << (width - 1)) - 1
    seen = dict.fromkeys(("clipped", "zero", "largest", "exact"), 0)

    async def bench(ctx):
        for shift in range(bits - 2):
            last = ((1 << bits) - 1) >> shift
            for _ in range(8):
                scale = rng.choice([1, 2, 3, top, rng.randint(1, top), rng.randint(1, top >> bits)])
                near = [k * scale + d for k in (1, last, last + 1, 2 * last) for d in (-1, 0, 1)]
                potentials = [p for p in near if p <= top] + [0, top]
                potentials += [rng.randint(0, min(top, 2 * last * scale)) for _ in range(10)]
                spikes, ends = await through(ctx, dut, spec, scale, last, potentials, 0.7)
                assert spikes == expected(spec, scale, last, potentials)
                assert len(ends) == 1
                for potential in potentials:
                    seen["clipped"] += potential // scale > last
                    seen["zero"] += potential < scale
                    seen["largest"] += potential == top
                    seen["exact"] += 0 < potential <= last * scale and potential % scale == 0

    simulate(dut, bench)
    assert all(seen.values()), seen
