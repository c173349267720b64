"""A bank under random traffic, against a model that does one word after the other.

Mutants tried, each seen to fail: no forwarding, forwarding from any row, from no word, or into
START; what is fetched, or loaded by the host, added to the wrong one of the two; START from the
wrong half; host access to the wrong half, both ways; `fired` kept by START, set by ADD, not
forwarded, or ignored; `>` at the threshold; RAMP that asks whether a neuron fired; READ of some
lanes only; reading, writing or keeping while held; synapse reads counted while held; weights always
unsigned; -1 read as 0; the magnitude's top bit left out; products of words that do not add, or that
move while held.
"""

import random
from dataclasses import dataclass
from typing import Any

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.bank import Bank
from firstspike_hw.layouts import Operation
from firstspike_sim.bench import pulse, set_members, simulate

SMALL: dict[str, Any] = {"weight_rows": 16, "state_rows": 4}
SPECS = {
    "4 x 4 bits": CoreSpec(banks=2, word=4, weight_bits=4, potential_bits=10, **SMALL),
    "one lane": CoreSpec(banks=2, word=1, weight_bits=3, time_bits=3, potential_bits=8, **SMALL),
    "8 bits, two parts": CoreSpec(banks=1, word=4, weight_bits=8, time_bits=5, **SMALL),
    "1 bit": CoreSpec(banks=1, word=8, weight_bits=1, time_bits=3, potential_bits=8, **SMALL),
    "no magnitude": CoreSpec(banks=1, word=2, weight_bits=2, ramp=False, potential_bits=8, **SMALL),
    "24 bits": CoreSpec(banks=1, word=2, weight_bits=8, time_bits=8, potential_bits=24, **SMALL),
}
#: Chance of a cycle without a word, and of a cycle in which the banks are held.
TRAFFIC = {"free": (0, 0), "gaps": (0.4, 0), "held": (0, 0.5), "both": (0.3, 0.3)}

#: PICK is for multi-spike networks alone; see test_multispike_core.
OPERATIONS = [operation for operation in Operation if operation is not Operation.PICK]


@dataclass
class Word:
    operation: Operation
    signed: int
    weight_row: int
    state_row: int
    magnitude: int
    last: int


class Model:
    """What a bank holds: words of synapses, the state now, and what a stimulus starts with."""

    def __init__(self, rng, spec):
        self.spec = spec
        self.limit = 1 << (spec.potential_bits - 1)
        self.weights = [
            rng.getrandbits(spec.parts * spec.part_bits) for _ in range(spec.weight_rows)
        ]
        rows = range(spec.state_rows)
        self.now = [[self.draw(rng) for _ in range(spec.word)] for _ in rows]
        self.start = [[self.draw(rng) for _ in range(spec.word)] for _ in rows]
        self.fired = [[rng.randrange(2) for _ in range(spec.word)] for _ in rows]

    def draw(self, rng):
        ends = [-self.limit, -self.limit + 1, -1, 0, 1, self.limit - 1]
        return rng.choice([*ends, rng.randrange(-self.limit, self.limit)])

    def weight(self, word, lane):
        bits = self.spec.weight_bits
        code = self.weights[word.weight_row] >> (lane * bits) & ((1 << bits) - 1)
        if not word.signed:
            return code
        if bits == 1:
            return 1 if code else -1
        return code - (code >> (bits - 1) << bits)

    def after(self, word):
        """Return the potentials of the word's row after it."""
        row = self.start if word.operation is Operation.START else self.now
        values = row[word.state_row]
        if word.operation is not Operation.ADD:
            return list(values)
        times = word.magnitude if self.spec.ramp else 1
        return [v + self.weight(word, lane) * times for lane, v in enumerate(values)]

    def run(self, word):
        """Do the word; return the mask and the potentials if it has something to hand on."""
        values = self.after(word)
        assert all(-self.limit <= v < self.limit for v in values)
        fired = self.fired[word.state_row]
        mask = None
        if word.operation is Operation.START:
            fired[:] = [0] * len(fired)
        elif word.operation is Operation.TICK:
            mask = [v >= 0 and not f for v, f in zip(values, fired, strict=True)]
            fired[:] = [f or m for f, m in zip(fired, mask, strict=True)]
        elif word.operation is Operation.RAMP:
            mask = [v >= 0 for v in values]
        elif word.operation is Operation.READ:
            mask = [True] * len(values)
        self.now[word.state_row] = values
        if mask is None:
            return None
        bits = sum(m << lane for lane, m in enumerate(mask))
        return word.operation, word.last, bits, values

    def draw_word(self, rng, previous):
        """Return a word that does not leave the range of potentials."""
        again = previous if rng.random() < 0.5 else None
        while True:
            word = Word(
                rng.choice([Operation.ADD] * 6 + OPERATIONS),
                rng.randrange(2),
                rng.randrange(self.spec.weight_rows),
                again.state_row if again else rng.randrange(self.spec.state_rows),
                rng.choice([1, (1 << self.spec.magnitude_bits) - 1])
                if rng.random() < 0.5
                else rng.randrange(1 << self.spec.magnitude_bits),
                rng.randrange(2),
            )
            if all(-self.limit <= v < self.limit for v in self.after(word)):
                return word


async def load_weights(ctx, dut, model):
    spec = model.spec
    for row, word in enumerate(model.weights):
        for part in range(spec.parts):
            data = word >> (part * spec.part_bits) & ((1 << spec.part_bits) - 1)
            set_members(ctx, dut.host, {"weight_write": 1, "row": row, "part": part, "data": data})
            await pulse(ctx, dut.host.weight_enable)
    ctx.set(dut.host.data, 0)


async def load_state(ctx, dut, model, rng):
    """Write some lanes of the state through the host's way."""
    spec = model.spec
    for _ in range(6):
        row, half = rng.randrange(spec.state_rows), rng.randrange(2)
        lane, value = rng.randrange(spec.word), model.draw(rng)
        data = value & ((1 << spec.potential_bits) - 1)
        set_members(ctx, dut.host, {"row": row, "start": half, "data": data})
        await pulse(ctx, dut.host.load)
        ctx.set(dut.host.load_lanes, 1 << lane)
        await ctx.tick()
        ctx.set(dut.host.load_lanes, 0)
        ctx.set(dut.host.data, 0)
        if half:
            model.start[row][lane] = value
        else:
            model.now[row][lane] = value
            # Whether it counts as fired is left open: every stimulus begins with START.
            model.fired[row] = [lane.fired for lane in ctx.get(dut.rows[row])]


async def check_reads(ctx, dut, model, rng):
    """Read synapses and state through the host's way."""
    spec = model.spec
    for _ in range(6):
        row, half = rng.randrange(spec.state_rows), rng.randrange(2)
        set_members(ctx, dut.host, {"row": row, "start": half})
        await pulse(ctx, dut.host.fetch)
        await ctx.tick()
        assert list(ctx.get(dut.latest)) == (model.start if half else model.now)[row]
        row = rng.randrange(spec.weight_rows)
        set_members(ctx, dut.host, {"row": row, "weight_write": 0})
        await pulse(ctx, dut.host.weight_enable)
        assert ctx.get(dut.weights) == model.weights[row] & ((1 << spec.word_bits) - 1)
        await ctx.tick()


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", SPECS)
def test_random_words(name, traffic):
    spec = SPECS[name]
    gap, hold = TRAFFIC[traffic]
    rng = random.Random(f"{name} {traffic}")
    dut = Bank(spec)
    model = Model(rng, spec)
    seen = dict.fromkeys((*OPERATIONS, "limit", "negative", "fired before", "same row"), 0)

    async def words(ctx, count):
        """Put words in, and compare all that comes out."""
        expected, found = [], []
        accesses, counted = [0, 0, 0], [0, 0, 0]
        previous, word = None, None
        left, quiet = count, 0
        while left or quiet < 6:
            if word is None and left and rng.random() >= gap:
                word = model.draw_word(rng, previous)
                seen["same row"] += previous is not None and previous.state_row == word.state_row
                seen["fired before"] += word.operation is Operation.TICK and any(
                    model.fired[word.state_row]
                )
                out = model.run(word)
                values = model.now[word.state_row]
                seen[word.operation] += 1
                seen["limit"] += model.limit - 1 in values or -model.limit in values
                seen["negative"] += min(values) < 0
                if out is not None:
                    expected.append(out)
                counted[0] += word.operation is Operation.ADD
                counted[1] += 1
                counted[2] += word.operation not in (Operation.RAMP, Operation.READ)
                set_members(ctx, dut.word, vars(word))
                previous = word
            advance = not left or rng.random() >= hold
            ctx.set(dut.word.valid, word is not None)
            ctx.set(dut.advance, advance)
            tick = dut.tick
            *_, valid, operation, last, mask, latest, weight, read, write = await ctx.tick().sample(
                tick.valid,
                tick.operation,
                tick.last,
                tick.mask,
                dut.latest,
                dut.weight_read,
                dut.state_read,
                dut.state_write,
            )
            if valid and advance:
                found.append((operation, last, mask, list(latest)))
            for i, access in enumerate((weight, read, write)):
                accesses[i] += access
            if advance and word is not None:
                word = None
                left -= 1
            quiet = 0 if left else quiet + 1
        assert found == expected
        assert accesses == counted

    async def bench(ctx):
        for row in range(spec.state_rows):
            for half, values in ((0, model.now), (1, model.start)):
                ctx.set(
                    dut.rows[row + half * spec.state_rows],
                    [
                        {"potential": v, "fired": f}
                        for v, f in zip(values[row], model.fired[row], strict=True)
                    ],
                )
        ctx.set(dut.advance, 1)
        await load_weights(ctx, dut, model)
        for round_ in range(6):
            await words(ctx, 60)
            await load_state(ctx, dut, model, rng)
            # Words may follow at once, or after reads.
            if round_ % 2:
                await check_reads(ctx, dut, model, rng)
            # Reading leaves alone what stands there.
            for row in range(spec.state_rows):
                lanes = ctx.get(dut.rows[row])
                assert [lane.potential for lane in lanes] == model.now[row]
                assert [lane.fired for lane in lanes] == model.fired[row]
                lanes = ctx.get(dut.rows[row + spec.state_rows])
                assert [lane.potential for lane in lanes] == model.start[row]

    simulate(dut, bench)
    assert all(seen.values()), seen


@pytest.mark.parametrize("operation", [Operation.TICK, Operation.RAMP, Operation.READ])
def test_latency(operation):
    dut = Bank(SPECS["4 x 4 bits"])

    async def bench(ctx):
        ctx.set(dut.advance, 1)
        ctx.set(dut.word.operation, operation)
        await pulse(ctx, dut.word.valid)
        valid = [(await ctx.tick().sample(dut.tick.valid))[2] for _ in range(5)]
        # Four cycles after the word.
        assert valid == [0, 0, 0, 1, 0]

    simulate(dut, bench)
