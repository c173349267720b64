"""The store of spikes: pieces that are read while they are written, or after.

Mutants tried, each seen to fail: `whole` ignored; `done` while a piece is open, or while a spike
is on offer; a position that is not cleared; a stalled spike replaced; a spike lost while it waits
for its piece; an end that is not noticed.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.spike_store import SpikeStore
from firstspike_sim.bench import FLOWS, pauses, pulse, simulate

SPEC = CoreSpec(banks=2, word=2, state_rows=4, time_bits=4)


def pieces_of_stimulus(rng):
    """Return pieces that fill the store at most."""
    pieces, room = [], SPEC.max_neurons
    for _ in range(rng.randint(1, 5)):
        length = min(room, rng.choice([0, 1, 2, room, rng.randint(0, room)]))
        room -= length
        pieces.append(
            [{"index": rng.randrange(16), "magnitude": rng.randrange(16)} for _ in range(length)]
        )
    return pieces


@pytest.mark.parametrize("flow", FLOWS)
def test_random_pieces(flow):
    idle, stall = FLOWS[flow]
    rng = random.Random(flow)
    dut = SpikeStore(SPEC)
    seen = dict.fromkeys(
        ("spike", "empty", "full", "whole", "followed", "end with", "end after"), 0
    )
    writing = False
    took = []

    async def write(ctx, piece, with_last):
        """Write a piece; the first spike may come with the cycle after ``start``."""
        nonlocal writing
        pause = pauses(idle, len(piece))
        for number, spike in enumerate(piece):
            while next(pause):
                await ctx.tick()
            ctx.set(dut.spike, spike)
            ctx.set(dut.write, 1)
            ctx.set(dut.end, with_last and number == len(piece) - 1)
            await ctx.tick()
            ctx.set(dut.write, 0)
            ctx.set(dut.end, 0)
        if not (with_last and piece):
            for _ in range(rng.randrange(3)):
                await ctx.tick()
            await pulse(ctx, dut.end)
        writing = False

    async def writer(ctx):
        nonlocal writing
        for _ in range(40):
            await pulse(ctx, dut.clear)
            pieces = pieces_of_stimulus(rng)
            seen["full"] += sum(map(len, pieces)) == SPEC.max_neurons
            for piece in pieces:
                whole = rng.random() < 0.5
                ctx.set(dut.whole, whole)
                took.clear()
                assert ctx.get(dut.done)
                await pulse(ctx, dut.start)
                assert not ctx.get(dut.done)
                writing = True
                with_last = rng.random() < 0.5
                await write(ctx, piece, with_last)
                while not ctx.get(dut.done):
                    await ctx.tick()
                await ctx.tick()
                assert [{"index": e.index, "magnitude": e.magnitude} for e in took] == piece
                seen["spike"] += len(piece)
                seen["empty"] += not piece
                seen["end with"] += bool(piece) and with_last
                seen["end after"] += bool(piece) and not with_last

    async def reader(ctx):
        pause = pauses(stall, flow)
        waiting = None
        while True:
            ready = not next(pause)
            ctx.set(dut.events.ready, ready)
            open_ = writing
            *_, valid, event, done, whole = await ctx.tick().sample(
                dut.events.valid, dut.events.payload, dut.done, dut.whole
            )
            assert waiting is None or (valid and event == waiting)
            if valid:
                assert not done
                # Nothing is offered before the end if a piece is to be whole.
                assert not (whole and open_)
                seen["whole" if whole else "followed"] += bool(whole or open_)
                if ready:
                    took.append(event)
            waiting = event if valid and not ready else None

    simulate(dut, writer, background=[reader])
    assert all(seen.values()), seen


@pytest.mark.parametrize("whole", [0, 1])
def test_latency(whole):
    dut = SpikeStore(SPEC)

    async def bench(ctx):
        await pulse(ctx, dut.clear)
        ctx.set(dut.whole, whole)
        ctx.set(dut.events.ready, 1)
        await pulse(ctx, dut.start)
        offered = []
        for cycle in range(8):
            ctx.set(dut.write, cycle < 3)
            ctx.set(dut.end, cycle == 2)
            ctx.set(dut.spike, {"index": cycle + 5, "magnitude": 1})
            *_, valid, event = await ctx.tick().sample(dut.events.valid, dut.events.payload)
            if valid:
                offered.append((cycle, event.index))
        # Two cycles after it was written; if whole, from the cycle after the end.
        first = 3 if whole else 2
        assert offered == [(first, 5), (first + 1, 6), (first + 2, 7)]

    simulate(dut, bench)
