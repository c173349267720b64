"""Pre-sorted events, step by step.

Mutants tried, each seen to fail: the end taken for an event; the time ignored; a flush that stops
early, or looks at what is not valid; `done` while the source is idle; an event that moves without
`ready`; the magnitude always 1.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.event_reader import EventReader
from firstspike_sim.bench import FLOWS, pauses, pulse, put, simulate

SPEC = CoreSpec(time_bits=3, max_inputs=64)


def stimulus(rng):
    """Return pairs of time and index, sorted by time; steps without events are common."""
    times = rng.sample(range(8), rng.randint(1, 4))
    return sorted((rng.choice(times), rng.randrange(64)) for _ in range(rng.choice([0, 1, 5, 20])))


@pytest.mark.parametrize("flow", FLOWS)
def test_random_stimuli(flow):
    idle, stall = FLOWS[flow]
    rng = random.Random(flow)
    dut = EventReader(SPEC)
    stimuli = [stimulus(rng) for _ in range(30)]
    seen = dict.fromkeys(("event", "empty step", "empty stimulus", "dropped", "to the end"), 0)

    async def feed(ctx):
        for events in stimuli:
            payloads = [{"index": index, "time": time, "end": 0} for time, index in events]
            # What else stands in the last one must not matter.
            payloads.append({"index": rng.randrange(64), "time": rng.randrange(8), "end": 1})
            await put(ctx, dut.source, payloads, pauses(idle, len(events)))

    async def step(ctx, time, pause):
        magnitude = rng.randrange(8)
        ctx.set(dut.time, time)
        ctx.set(dut.magnitude, magnitude)
        await pulse(ctx, dut.start)
        found, done = [], False
        while not done:
            ready = not next(pause)
            ctx.set(dut.events.ready, ready)
            *_, valid, event, done = await ctx.tick().sample(
                dut.events.valid, dut.events.payload, dut.done
            )
            if valid and ready:
                assert not done
                assert event.magnitude == magnitude
                found.append(event.index)
        return found

    async def reader(ctx):
        pause = pauses(stall, flow)
        for events in stimuli:
            last = rng.choice([8, rng.randint(0, 8)])
            for time in range(last):
                expected = [index for t, index in events if t == time]
                assert await step(ctx, time, pause) == expected
                seen["event"] += len(expected)
                seen["empty step"] += not expected
            assert ctx.get(dut.events.valid) == 0
            seen["empty stimulus"] += not events
            seen["dropped"] += any(t >= last for t, _ in events)
            seen["to the end"] += last == 8
            for _ in range(rng.randrange(3)):
                await ctx.tick()
                assert not ctx.get(dut.flushed)
            ctx.set(dut.flush, 1)
            flushed = False
            while not flushed:
                *_, flushed, valid = await ctx.tick().sample(dut.flushed, dut.events.valid)
                assert not valid
            ctx.set(dut.flush, 0)

    simulate(dut, feed, reader)
    assert all(seen.values()), seen
