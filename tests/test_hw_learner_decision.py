"""The winner of all lanes.

Mutants tried, each seen to fail: the last of equals; the lowest bank; the highest bank of a row; a
tie between lanes not counted; lanes that have nobody; over kept; the largest of the last time kept;
done early.
"""

import random

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.learner.decision import Decision
from firstspike_sim.bench import pulse, simulate


@pytest.mark.parametrize("banks", [2, 8])
def test_random_lanes(banks):
    rows = 5
    spec = CoreSpec(
        banks=banks, word=1, ramp=False, max_layers=1, max_inputs=16, state_rows=rows,
        weight_rows=16 * rows, learning=True,
    )  # fmt: skip
    rng = random.Random(banks)
    dut = Decision(spec)
    seen = dict.fromkeys(("tie", "lower row later", "nobody", "below 0", "stands"), 0)

    def draw():
        """Return potentials of some neurons, by row and bank, and what each lane says of them."""
        near = rng.choice([1, 3, 1 << 18])
        middle = rng.choice([0, 0, -(1 << 18), 1 << 18])
        there = rng.choice([0, 0.5, 0.9, 1])
        potentials, lanes = {}, []
        for bank in range(banks):
            mine = {
                row: middle + rng.randint(-near, near - 1)
                for row in range(rows)
                if rng.random() < there
            }
            potentials |= {(row, bank): value for row, value in mine.items()}
            best = max(mine.values(), default=rng.randrange(99))
            equal = [row for row, value in mine.items() if value == best]
            lanes.append(
                {
                    "there": bool(mine),
                    "potential": best,
                    "row": min(equal, default=rng.randrange(rows)),
                    "ties": len(equal) - 1 if mine else 0,
                    "over": sum(value >= 0 for value in mine.values()),
                }
            )
        return potentials, lanes

    def offer(ctx, lanes):
        for best, lane in zip(dut.best, lanes, strict=True):
            ctx.set(best, lane)

    async def bench(ctx):
        for _ in range(200):
            potentials, lanes = draw()
            offer(ctx, lanes)
            await pulse(ctx, dut.start)
            for _ in range(banks):
                assert not ctx.get(dut.done)
                await ctx.tick()
            assert ctx.get(dut.done)
            # The lanes go on.
            offer(ctx, draw()[1])
            if rng.random() < 0.3:
                await ctx.tick()
                assert not ctx.get(dut.done)
                await ctx.tick().repeat(rng.randint(1, banks))
                seen["stands"] += 1
            assert ctx.get(dut.over) == sum(value >= 0 for value in potentials.values())
            if not potentials:
                seen["nobody"] += 1
                continue
            best = max(potentials.values())
            winners = sorted(place for place, value in potentials.items() if value == best)
            assert (ctx.get(dut.row), ctx.get(dut.bank)) == winners[0]
            assert ctx.get(dut.ties) == len(winners) - 1
            seen["tie"] += len(winners) > 1
            seen["lower row later"] += winners[0][1] > min(bank for _, bank in winners)
            seen["below 0"] += best < 0

    simulate(dut, bench)
    assert all(seen.values()), seen
