"""Classes with their offsets, and the orders that change thresholds by them.

Mutants tried, each seen to fail: never the rise; classes written as offsets; offsets written as
classes; target ignored; no handicap; one handicap for all; other classes swept; other classes not
started; a rise that falls; RAISE and LOWER exchanged; thresholds rise by the offset.
"""

import random

import pytest

from firstspike.spec import CLASSES_MAX, HANDICAP_MAX, CoreSpec, learning_register
from firstspike_hw.learner.groups import Groups
from firstspike_hw.learner.layouts import Operation
from firstspike_hw.learner.order import Order
from firstspike_hw.learner.sequencer import Sweep, Touch
from firstspike_sim.bench import set_members, simulate

SPEC = CoreSpec(
    banks=2, word=1, ramp=False, max_layers=1, max_inputs=16, state_rows=50, weight_rows=800,
    learning=True,
)  # fmt: skip


@pytest.mark.parametrize("spec", [SPEC])
def test_groups(spec):
    rng = random.Random(5)
    dut = Groups(spec)
    tables = {
        "offset": [0] * CLASSES_MAX,
        "rise": [0] * CLASSES_MAX,
        "row_class": [0] * spec.state_rows,
    }
    bits = {"offset": 16, "rise": 16, "row_class": 4}

    async def write(ctx, name, index, value):
        tables[name][index] = value & ((1 << bits[name]) - 1)
        address = learning_register(name, index)
        set_members(ctx, dut, {"write": 1, "address": address, "data": value})
        await ctx.tick()
        ctx.set(dut.write, 0)

    async def bench(ctx):
        for name, table in tables.items():
            for index in range(len(table)):
                await write(ctx, name, index, rng.getrandbits(16))
        for _ in range(400):
            name = rng.choice(list(tables))
            await write(ctx, name, rng.randrange(len(tables[name])), rng.getrandbits(16))
            # Other registers are none of its business.
            address = rng.randrange(learning_register("offset"))
            set_members(ctx, dut, {"write": 1, "address": address, "data": rng.getrandbits(16)})
            await ctx.tick()
            ctx.set(dut.write, 0)
            if rng.random() < 0.5:
                target, offset = rng.randrange(CLASSES_MAX), rng.getrandbits(14)
                tables["offset"][target] = offset
                set_members(ctx, dut, {"store": 1, "target": target, "offset": offset})
                await ctx.tick()
                ctx.set(dut.store, 0)
            if rng.random() < 0.5:
                kind = rng.choice(["offset", "rise"])
                index = rng.randrange(CLASSES_MAX)
                set_members(ctx, dut, {"peek": 1, "address": learning_register(kind, index)})
                await ctx.tick()
                ctx.set(dut.peek, 0)
                assert ctx.get(dut.value) == tables[kind][index]
            row, rise = rng.randrange(spec.state_rows), rng.randrange(2)
            # One row after the other: the class follows by one cycle, the value by two.
            following = rng.randrange(spec.state_rows)
            ctx.set(dut.row, row)
            await ctx.tick()
            set_members(ctx, dut, {"row": following, "rise": rise})
            group = tables["row_class"][row]
            assert ctx.get(dut.group) == group
            await ctx.tick()
            assert ctx.get(dut.value) == tables["rise" if rise else "offset"][group]
            assert ctx.get(dut.group) == tables["row_class"][following]

    simulate(dut, bench)


def test_orders():
    """An order follows its row by a cycle, its amount by three, one after the other."""
    rng = random.Random(6)
    dut = Order(SPEC)
    seen = dict.fromkeys((*Sweep, *Touch, "not mine", "other's start"), 0)

    def draw():
        """Return what happens to a row, and the class' part of it."""
        kind = rng.choice([None, *Sweep, *Touch])
        return kind, rng.randrange(SPEC.state_rows), rng.randrange(2), rng.getrandbits(15)

    def expected(item, settings):
        """Return the order, whether it is the winner's alone, and the amount; or None."""
        kind, row, mine, value = item
        if kind is None:
            return None
        seen[kind] += 1
        if isinstance(kind, Sweep):
            seen["not mine"] += not mine and kind is not Sweep.START
            seen["other's start"] += not mine and kind is Sweep.START
            if kind is Sweep.START:
                amount = value - settings["own" if mine else "other"]
                return Operation.START, row, 0, amount
            if not mine:
                return None
            operation = Operation.SCAN if kind is Sweep.SCAN else Operation.CHANGE
            return operation, row, 0, value
        amount = {
            Touch.RISE: -value,
            Touch.RAISE: -settings["error_step"],
            Touch.LOWER: settings["error_step"],
        }[kind]
        return Operation.CHANGE, row, 1, amount

    async def bench(ctx):
        for _ in range(8):
            settings = {
                "own": rng.choice([0, 1500, HANDICAP_MAX]),
                "other": rng.choice([0, 3, HANDICAP_MAX]),
                "error_step": rng.choice([0, 25, 65535]),
            }
            set_members(ctx, dut, settings)
            nothing = (None, 0, 0, 0)
            items = [*(draw() for _ in range(60)), nothing, nothing, nothing]
            past = [nothing] * 3
            for item in items:
                kind, row, _, _ = item
                set_members(
                    ctx,
                    dut,
                    {
                        "sweeps": isinstance(kind, Sweep),
                        "sweep": kind if isinstance(kind, Sweep) else rng.choice(list(Sweep)),
                        "touched": isinstance(kind, Touch),
                        "touch": kind if isinstance(kind, Touch) else rng.choice(list(Touch)),
                        "row": row,
                        # Of the row before, and of the one before that.
                        "mine": past[-1][2],
                        "value": past[-2][3],
                    },
                )
                order = expected(past[-1], settings)
                assert ctx.get(dut.valid) == (order is not None)
                if order is not None:
                    operation, target, touches, _ = order
                    assert ctx.get(dut.operation) is operation
                    assert ctx.get(dut.target) == target
                    assert ctx.get(dut.touches) == touches
                late = expected(past[-3], settings)
                if late is not None and late[0] is not Operation.SCAN:
                    assert ctx.get(dut.amount) == late[3]
                past.append(item)
                await ctx.tick()

    simulate(dut, bench)
    assert all(seen.values()), seen
