"""The serializer names what a tick found.

Mutants tried, each seen to fail: lanes behind the last neuron named; every word cut as the last
one; word numbers that run on; banks not held for READ and RAMP; a tick that waits; a name for an
empty word; an end with each word; the highest lane first; `select` ignored; the queue emptied
whether or not anyone takes. No mutants, since nothing can see them: TICK words cut as READ words
are, for lanes without a neuron never fire; one bit less in the queue's counters, for its first
word is taken at once.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.layouts import Operation
from firstspike_hw.serializer import Serializer
from firstspike_sim.bench import set_members, simulate

SPECS = {
    "4 lanes": CoreSpec(banks=2, word=2, state_rows=8, potential_bits=12),
    "2 lanes": CoreSpec(banks=2, word=1, state_rows=4, potential_bits=8),
    "16 lanes": CoreSpec(banks=4, word=4, state_rows=4),
}


def draw_item(rng, spec):
    """Return an operation, the number of neurons, and a mask and potentials for each word."""
    operation = rng.choice([Operation.TICK, Operation.TICK, Operation.RAMP, Operation.READ])
    most = spec.state_rows * spec.lanes
    neurons = rng.choice([1, spec.lanes, most, rng.randint(1, most)])
    dense = rng.choice([0, 0.3, 1])
    words = []
    for word in range(-(-neurons // spec.lanes)):
        here = min(spec.lanes, neurons - word * spec.lanes)
        mask = sum((rng.random() < dense) << lane for lane in range(here))
        if operation is Operation.READ:
            mask = (1 << spec.lanes) - 1
        limit = 1 << (spec.potential_bits - 1)
        words.append((mask, [rng.randrange(-limit, limit) for _ in range(spec.lanes)]))
    return operation, neurons, words


@pytest.mark.parametrize("gap", [0, 0.5])
@pytest.mark.parametrize("name", SPECS)
def test_random_items(name, gap):
    spec = SPECS[name]
    rng = random.Random(f"{name} {gap}")
    dut = Serializer(spec)
    seen = dict.fromkeys(
        ("spike", "empty word", "queued", "held", "cut word", "end without a neuron"), 0
    )
    named, ends = [], []

    async def monitor(ctx):
        n = dut.neuron
        while True:
            *_, valid, operation, index, potential, end = await ctx.tick().sample(
                n.valid, n.operation, n.index, n.potential, n.end
            )
            if valid:
                named.append((operation, index, potential))
            if end:
                ends.append(len(named))
                seen["end without a neuron"] += not valid

    async def bench(ctx):
        for _ in range(60):
            operation, neurons, words = draw_item(rng, spec)
            expected = []
            named.clear()
            ends.clear()
            ctx.set(dut.neurons, neurons)
            await ctx.tick()
            for number, (mask, potentials) in enumerate(words):
                last = number == len(words) - 1
                while rng.random() < gap:
                    await ctx.tick()
                tick = {"operation": operation, "last": last, "mask": mask, "valid": 1}
                set_members(ctx, dut.tick, tick)
                ctx.set(dut.latest, potentials)
                found = [
                    (operation, number * spec.lanes + lane, potentials[lane])
                    for lane in range(spec.lanes)
                    if mask >> lane & 1 and number * spec.lanes + lane < neurons
                ]
                expected += found
                seen["empty word"] += not mask
                seen["spike"] += len(found)
                seen["cut word"] += operation is Operation.READ and len(found) < spec.lanes
                ready, waited = False, -1
                while not ready:
                    *_, ready = await ctx.tick().sample(dut.ready)
                    waited += 1
                if operation is Operation.TICK:
                    assert waited == 0, "a STEP tick waited"
                    seen["queued"] += len(named) < len(expected) - len(found)
                else:
                    # Loaded, one cycle a neuron, and two stages.
                    assert waited == max(1, len(found)) + 1
                    seen["held"] += waited
                ctx.set(dut.tick.valid, 0)
                # In the banks something else moves up.
                ctx.set(dut.latest, [0] * spec.lanes)
            for _ in range(sum(max(1, bin(mask).count("1")) for mask, _ in words) + 6):
                await ctx.tick()
            if operation is Operation.TICK:
                assert [entry[:2] for entry in named] == [entry[:2] for entry in expected]
            else:
                assert named == expected
            assert ends == [len(expected)]

    simulate(dut, bench, background=[monitor], cycles=200_000)
    assert all(seen.values()), seen


def test_a_lane_on_request():
    spec = SPECS["16 lanes"]
    dut = Serializer(spec)

    async def bench(ctx):
        potentials = [lane * 1000 - 7000 for lane in range(spec.lanes)]
        ctx.set(dut.latest, potentials)
        ctx.set(dut.select, 1)
        for lane, potential in enumerate(potentials):
            ctx.set(dut.select_lane, lane)
            await ctx.tick().repeat(2)
            assert ctx.get(dut.neuron.potential) == potential
            assert not ctx.get(dut.neuron.valid)

    simulate(dut, bench)
