"""From events to live synapses: each exactly once, in order, with gaps, holds and a full queue.

Mutants tried, each seen to fail: hold ignored; a synapse on hold dropped; empty events wait for the
walk; fetch never waits; busy forgets the fetched event; masks read again while waiting; masks
ignored; two rows a cycle; never full; a full queue taken for an empty one; taken from an empty
queue.
"""

import random

import pytest

from firstspike.spec import QUEUE_DEPTH, CoreSpec
from firstspike_hw.learner.feed import Feed
from firstspike_sim.bench import set_members, simulate


def make_spec(rows, *, pruning=True):
    return CoreSpec(
        banks=2, word=1, ramp=False, max_layers=1, max_inputs=32, state_rows=rows,
        weight_rows=32 * rows, learning=True, pruning=pruning,
    )  # fmt: skip


SPECS = {
    "3 rows": make_spec(3),
    "1 row": make_spec(1),
    "20 rows": make_spec(20),
    "no masks": make_spec(5, pruning=False),
}
#: Chances of a cycle without an event, and of a cycle on hold.
TRAFFIC = {"free": (0, 0), "gaps": (0.7, 0), "held": (0, 0.7), "both": (0.5, 0.5)}


class Bench:
    """A feed, masks for it, and what came out of it."""

    def __init__(self, spec, masks):
        self.spec = spec
        self.dut = Feed(spec)
        self.masks = masks
        self.expected = []
        #: (input, row) and the cycle.
        self.found = []
        self.reads = 0
        self.clock = 0

    async def cycle(self, ctx, event=None, hold=False):
        """Offer an event in one cycle; return whether it was taken and whether the feed is busy."""
        dut = self.dut
        taken = event is not None and not ctx.get(dut.full)
        set_members(ctx, dut, {"push": taken, "index": event or 0, "hold": hold})
        *_, valid, source, row, read, index, busy = await ctx.tick().sample(
            dut.valid, dut.input, dut.row, dut.mask_read, dut.mask_index, dut.busy
        )
        if valid:
            assert not hold
            self.found.append((source, row, self.clock))
        if not busy:
            assert len(self.found) == len(self.expected)
        if read:
            self.reads += 1
            ctx.set(dut.mask, self.masks[index])
        if taken:
            mask = self.masks[event] if self.spec.pruning else ctx.get(dut.present)
            self.expected += [(event, k) for k in range(self.spec.state_rows) if mask >> k & 1]
        self.clock += 1
        return taken, busy


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", SPECS)
def test_random_events(name, traffic):
    spec = SPECS[name]
    gap, held = TRAFFIC[traffic]
    rng = random.Random(f"{name} {traffic}")
    every = (1 << spec.state_rows) - 1
    masks = [
        rng.choice([0, 0, every, 1, 1 << (spec.state_rows - 1), rng.getrandbits(spec.state_rows)])
        for _ in range(spec.max_inputs)
    ]
    bench = Bench(spec, masks)
    seen = dict.fromkeys(("full", "idle again"), 0)

    async def run(ctx):
        ctx.set(bench.dut.present, every >> (spec.state_rows > 1))
        pushed = 0
        for _ in range(6):
            left = rng.choice([1, 60])
            busy = True
            while left or busy:
                event = rng.randrange(spec.max_inputs) if left and rng.random() >= gap else None
                taken, busy = await bench.cycle(ctx, event, rng.random() < held)
                left -= taken
                pushed += taken
                # What was taken in this cycle makes it busy from the next one on.
                busy |= taken
                seen["full"] += event is not None and not taken
            seen["idle again"] += 1
        assert [entry[:2] for entry in bench.found] == bench.expected
        assert bench.reads == (pushed if spec.pruning else 0)

    simulate(bench.dut, run)
    assert seen["idle again"] == 6
    if traffic in ("free", "held") and spec.state_rows > 1:
        assert seen["full"]


def test_room():
    """On hold it takes a queue and the stages behind it, and loses nothing."""
    spec = SPECS["3 rows"]
    bench = Bench(spec, [7] * spec.max_inputs)

    async def run(ctx):
        taken = 0
        while (await bench.cycle(ctx, taken % spec.max_inputs, hold=True))[0]:
            taken += 1
        assert QUEUE_DEPTH <= taken <= QUEUE_DEPTH + 3
        assert not bench.found
        for _ in range(3 * taken + 3):
            await bench.cycle(ctx)
        assert [entry[:2] for entry in bench.found] == bench.expected

    simulate(bench.dut, run)


@pytest.mark.parametrize("name", ["3 rows", "no masks"])
def test_cycles(name):
    """Four cycles to the first synapse, none between events; empty ones are dropped meanwhile."""
    spec = SPECS[name]
    rows = spec.state_rows
    masks = [0] * spec.max_inputs
    masks[1] = masks[4] = (1 << rows) - 1
    bench = Bench(spec, masks)
    empty = [2, 3] if spec.pruning else []
    events = [1, *empty, 4]

    async def run(ctx):
        ctx.set(bench.dut.present, (1 << rows) - 1)
        for event in events:
            assert (await bench.cycle(ctx, event))[0]
        for _ in range(2 * rows + 4):
            await bench.cycle(ctx)
        assert [clock for *_, clock in bench.found] == list(range(4, 4 + 2 * rows))

    simulate(bench.dut, run)
