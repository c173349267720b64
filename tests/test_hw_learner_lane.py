"""A lane under random orders, against a model that does one after the other.

Mutants tried, each seen to fail: no forwarding; forwarding from any row; a synapse of 0 makes a
tie; threshold of 0; no highest threshold; highest threshold applied to potentials; fires again;
ties to the last; ties to the first; ties kept; SCAN compares nothing; fraction bits left out; clear
leaves over; START writes the wrong half; LOAD adds; forwarding of what is not written; busy too
short. No mutant, since nothing can see it: SCAN writes back what it read.
"""

import random
from dataclasses import dataclass

import pytest

from firstspike.spec import LEARNED_THRESHOLD_MAX, CoreSpec
from firstspike_hw.learner.lane import Lane
from firstspike_hw.learner.layouts import Operation
from firstspike_sim.bench import set_members, simulate


def make_spec(rows, weight_bits):
    return CoreSpec(
        banks=2, word=1, weight_bits=weight_bits, ramp=False, max_layers=1, max_inputs=16,
        state_rows=rows, weight_rows=16 * rows, learning=True, pruning=True,
    )  # fmt: skip


SPECS = {"8 bits": make_spec(3, 8), "4 bits": make_spec(2, 4), "1 row": make_spec(1, 3)}


@dataclass
class Order:
    operation: Operation
    row: int
    amount: int = 0
    weight: int = 0


class Model:
    """Potentials, what a stimulus starts with, and the largest potential."""

    def __init__(self, spec):
        self.spec = spec
        self.now = [0] * spec.state_rows
        self.start = [-1] * spec.state_rows
        self.kept = 0
        self.clear()

    def clear(self):
        self.best = None
        self.row = self.ties = self.over = 0

    def compare(self, row, value):
        if self.best is None or value > self.best:
            self.best, self.row, self.ties = value, row, 0
        elif value == self.best:
            self.ties += 1
            self.row = min(self.row, row)

    def run(self, order):
        """Do an order; return the potential that the tap tells, and whether the neuron fires."""
        row, before, tap = order.row, self.now[order.row], None
        if order.operation is Operation.ADD:
            self.kept = self.now[row] = before + (order.weight << self.spec.fraction_bits)
            tap = (row, self.kept, int(before < 0 <= self.kept))
            self.over += tap[2]
            if order.weight:
                self.compare(row, self.kept)
        elif order.operation is Operation.START:
            self.kept = self.now[row] = min(-1, self.start[row] + order.amount)
            tap = (row, self.kept, 0)
            self.compare(row, self.kept)
        elif order.operation is Operation.CHANGE:
            value = min(-1, self.start[row] + order.amount)
            self.kept = self.start[row] = max(-LEARNED_THRESHOLD_MAX, value)
        elif order.operation is Operation.SCAN:
            self.kept = before
            self.compare(row, before)
        else:
            self.kept = self.start[row] = order.amount
        return tap


def draw_order(rng, model, previous, operations):
    """Return an order that does not wrap."""
    spec = model.spec
    operation = rng.choice(operations)
    row = previous.row if previous and rng.random() < 0.6 else rng.randrange(spec.state_rows)
    order = Order(operation, row, rng.getrandbits(19))
    most = (1 << spec.weight_bits) - 1
    order.weight = rng.choice([0, 0, 1, most, rng.randint(0, most)])
    if operation is Operation.CHANGE:
        order.amount = rng.choice(
            [0, 1, -1, 60000, -60000, -(1 << 17), 1 << 14, rng.randint(-99, 99)]
        )
    elif operation is Operation.LOAD:
        order.amount = rng.choice([-1, -2, -LEARNED_THRESHOLD_MAX, -rng.randint(1, 600)])
    elif operation is Operation.ADD and model.now[row] > (1 << 18):
        return draw_order(rng, model, previous, operations)
    return order


@pytest.mark.parametrize("gap", [0, 0.4])
@pytest.mark.parametrize("name", SPECS)
def test_random_orders(name, gap):
    spec = SPECS[name]
    rng = random.Random(f"{name} {gap}")
    dut = Lane(spec)
    model = Model(spec)
    seen = dict.fromkeys(
        (*Operation, "tie", "same row", "fires", "a synapse of 0", "lowest", "highest"),
        0,
    )
    taps, accesses = [], [0, 0, 0]

    async def tick(ctx, order, past):
        """Give one order, or none; amount and synapse of the one of two cycles ago."""
        # What stands beside no order, or belongs to none, must not matter.
        shown = order or Order(rng.choice(list(Operation)), rng.randrange(spec.state_rows))
        members = {"operation": shown.operation, "row": shown.row}
        set_members(ctx, dut.order, {"valid": order is not None, **members})
        late = past[-2]
        amount, weight = rng.getrandbits(18), rng.getrandbits(spec.weight_bits)
        if late is not None and late.operation is Operation.ADD:
            weight = late.weight
        elif late is not None:
            amount = late.amount
        ctx.set(dut.weight, weight)
        ctx.set(dut.order.amount, amount)
        tap = dut.tap
        *_, reads, read, write, valid, row, potential, fires = await ctx.tick().sample(
            dut.reads, dut.state_read, dut.state_write, tap.valid, tap.row, tap.potential,
            tap.fires,
        )  # fmt: skip
        for k, access in enumerate((reads, read, write)):
            accesses[k] += access
        if valid:
            taps.append((row, potential, fires))
        past.append(order)

    def check(ctx):
        best = ctx.get(dut.best)
        assert best.there == (model.best is not None)
        if model.best is not None:
            assert (best.potential, best.row, best.ties) == (model.best, model.row, model.ties)
        assert best.over == model.over
        rows = range(spec.state_rows)
        half = dut.rows.depth // 2
        assert [ctx.get(dut.rows[row]) for row in rows] == model.now
        assert [ctx.get(dut.rows[half + row]) for row in rows] == model.start

    def draw_round(sweep):
        """Return a sweep and orders that may follow it, and what the tap should tell."""
        # An offset, less a handicap.
        amount = rng.choice([0, 3, 500, -500, -(1 << 18)])
        rows = rng.sample(range(spec.state_rows), rng.randint(1, spec.state_rows))
        orders = [Order(sweep, row, amount) for row in rows] if sweep else []
        expected = [model.run(order) for order in orders]
        seen["tie"] += model.ties
        operations = [Operation.CHANGE, Operation.LOAD]
        if sweep is Operation.START:
            operations += [Operation.ADD] * 10
        for _ in range(rng.choice([1, 30])):
            previous = orders[-1] if orders else None
            order = draw_order(rng, model, previous, operations)
            if order.operation is Operation.ADD and order.row not in rows:
                continue
            seen["same row"] += previous is not None and previous.row == order.row
            ties = model.ties
            tap = model.run(order)
            orders.append(order)
            expected.append(tap)
            seen["tie"] += model.ties > ties
            seen["fires"] += bool(tap and tap[2])
            if order.operation is Operation.CHANGE:
                seen["lowest"] += model.kept == -1
                seen["highest"] += model.kept == -LEARNED_THRESHOLD_MAX
        return orders, expected

    async def bench(ctx):
        for _ in range(70):
            past = [None, None]
            taps.clear()
            accesses[:] = [0, 0, 0]
            sweep = rng.choice([Operation.START, Operation.START, Operation.SCAN, None])
            if sweep:
                # The largest potential is that of a stimulus, or of a sweep.
                ctx.set(dut.clear, 1)
                await tick(ctx, None, past)
                ctx.set(dut.clear, 0)
                model.clear()
                check(ctx)
            orders, expected = draw_round(sweep)
            counted = [0, 0, 0]
            for order in orders:
                kind = order.operation
                seen[kind] += 1
                seen["a synapse of 0"] += kind is Operation.ADD and order.weight == 0
                counted[0] += kind is Operation.ADD
                counted[1] += kind is not Operation.LOAD
                counted[2] += kind is not Operation.SCAN
                while rng.random() < gap:
                    await tick(ctx, None, past)
                await tick(ctx, order, past)
            while ctx.get(dut.busy):
                await tick(ctx, None, past)
            assert taps == [tap for tap in expected if tap is not None]
            assert accesses == counted
            assert ctx.get(dut.kept) == model.kept
            check(ctx)

    async def load(ctx):
        for row in range(spec.state_rows):
            ctx.set(dut.rows[row], model.now[row])
            ctx.set(dut.rows[dut.rows.depth // 2 + row], model.start[row])
        await bench(ctx)

    simulate(dut, load)
    one_row = {"tie"} if spec.state_rows == 1 else set()
    assert {name for name, times in seen.items() if not times} <= one_row
