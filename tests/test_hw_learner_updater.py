"""The update of a neuron's synapses, with the walk, the memories and the random bytes played.

Mutants tried, each seen to fail: no top; no bottom; wrong goes up; wrong moves silent inputs;
rounding by a constant; <= below; old weight compared; one below the least fan-in; prunes ignored;
who dies keeps a weight; a gap dies; fan-in falls while waiting; mask kept from the word before; a
dead synapse stays in the mask; writes without a change; mask written only if the last dies; mask
not written if only the last dies; the mask is not waited for.
"""

import random
from itertools import pairwise

import pytest

from firstspike.spec import AMOUNT_BITS, MASK_BITS, CoreSpec
from firstspike_hw.learner.updater import Updater
from firstspike_sim.bench import pulse, set_members, simulate


def make_spec(rows, weight_bits, *, pruning=True):
    return CoreSpec(
        banks=2, word=1, weight_bits=weight_bits, ramp=False, max_layers=1, max_inputs=48,
        state_rows=rows, weight_rows=48 * rows, learning=True, pruning=pruning,
    )  # fmt: skip


SPECS = {
    "8 bits": make_spec(3, 8),
    "4 bits, two parts": make_spec(18, 4),
    "3 bits, one row": make_spec(1, 3),
    "no masks": make_spec(2, 4, pruning=False),
}


class Memories:
    """What an updater reads and writes, and the definition of what becomes of it."""

    def __init__(self, rng, spec):
        self.rng, self.spec = rng, spec
        self.top = (1 << spec.weight_bits) - 1
        most = rng.choice([300, (1 << min(AMOUNT_BITS, spec.weight_bits + 8)) - 1])
        self.table = [rng.randint(0, most) for _ in range(2 << spec.weight_bits)]
        self.table[0] = self.table[-1] = most
        self.weights = [
            rng.choice([0, 1, self.top, rng.randint(0, self.top)]) for _ in range(spec.weight_rows)
        ]
        self.rows = [rng.getrandbits(spec.state_rows) for _ in range(spec.max_inputs)]
        self.fan_ins = [0] * spec.max_neurons

    def place(self, source, row):
        return source * self.spec.state_rows + row

    def update(self, live, row, spiked, bytes_, *, wrong, prunes, below, min_fan_in):
        """Update the live inputs of a neuron; return who dies, the weights, and who changed."""
        fan_in, dying, weights, changed = len(live), [], {}, 0
        for source in live:
            w = self.weights[self.place(source, row)]
            amount = self.table[w + (self.top + 1) * spiked[source]] + bytes_[source] >> 8
            if wrong:
                new = max(0, w - amount) if spiked[source] else w
            else:
                new = min(self.top, w + amount) if spiked[source] else max(0, w - amount)
            if self.spec.pruning and prunes and new < below and fan_in > min_fan_in:
                new = 0
                fan_in -= 1
                dying.append(source)
            weights[source] = new
            changed += new != w
        return dying, weights, changed


def column_words(live):
    """Return the mask of each word that has a live input."""
    words = {}
    for source in live:
        words[source // MASK_BITS] = words.get(source // MASK_BITS, 0) | 1 << source % MASK_BITS
    return words


class Bench:
    """An updater and what is around it: one call of `cycle` a cycle."""

    def __init__(self, spec, memories):
        self.dut = Updater(spec)
        self.memories = memories
        self.spiked = self.bytes = {}
        #: Inputs in stages 1 to 4.
        self.stages = [None] * 4
        self.masks = {}
        self.counts = [0, 0, 0]
        self.waits = 0

    async def cycle(self, ctx, offer=None):
        """Offer an input and whether it is the last of its word; return whether it was taken."""
        dut, rng, port = self.dut, self.memories.rng, self.dut.port
        source, last = offer or (rng.randrange(48), rng.randrange(2))
        set_members(ctx, dut, {"valid": offer is not None, "input": source, "last": last})
        second, fourth = self.stages[1], self.stages[3]
        assert second is None or ctx.get(dut.byte_input) == second
        ctx.set(dut.spiked, rng.randrange(2) if second is None else self.spiked[second])
        ctx.set(dut.byte, rng.getrandbits(8) if fourth is None else self.bytes[fourth])
        names = (
            "weight_read", "weight_row", "weight_write", "weight_write_row", "weight_data",
            "mask_read", "mask_row", "mask_write", "mask_data",
        )  # fmt: skip
        _, _, advance, busy, visit, change, pruned, write, word, mask, *values = (
            await ctx.tick().sample(
                dut.advance, dut.busy, dut.visit, dut.change, dut.pruned, dut.mask_write,
                dut.mask_word, dut.mask, *(getattr(port, name) for name in names),
            )
        )  # fmt: skip
        access = dict(zip(names, values, strict=True))
        memories = self.memories
        if access["weight_read"]:
            ctx.set(port.weight, memories.weights[access["weight_row"]])
        if access["weight_write"]:
            memories.weights[access["weight_write_row"]] = access["weight_data"]
        if access["mask_read"]:
            assert not advance
            ctx.set(port.mask, memories.rows[access["mask_row"]])
        if access["mask_write"]:
            # All parts at once.
            assert access["mask_write"] == (1 << memories.spec.mask_parts) - 1
            memories.rows[access["mask_row"]] = access["mask_data"]
        if write:
            assert word not in self.masks
            self.masks[word] = mask
        for k, event in enumerate((visit, change, pruned)):
            self.counts[k] += event
        self.waits += not advance
        if advance:
            self.stages = [source if offer else None, *self.stages[:3]]
        return advance, busy


@pytest.mark.parametrize("gap", [0, 0.4])
@pytest.mark.parametrize("name", SPECS)
def test_random_updates(name, gap):
    spec = SPECS[name]
    rng = random.Random(f"{name} {gap}")
    memories = Memories(rng, spec)
    bench = Bench(spec, memories)
    dut = bench.dut
    seen = dict.fromkeys(
        ("top", "bottom", "wrong", "dies", "last of a word dies", "two die", "whole word dies",
         "guard", "no live input", "too early"), 0
    )  # fmt: skip

    async def update(ctx):
        neuron = rng.randrange(spec.max_neurons)
        row = neuron // spec.banks
        density = rng.choice([0, 0.1, 0.6, 1])
        live = [i for i in range(spec.max_inputs) if rng.random() < density]
        bench.spiked = {i: rng.randrange(2) for i in live}
        bench.bytes = {i: rng.choice([0, 255, rng.getrandbits(8)]) for i in live}
        for i in live:
            memories.rows[i] |= 1 << row
        settings = {
            "wrong": rng.random() < 0.3,
            "prunes": rng.random() < 0.8,
            "below": rng.choice([0, 1, 1 << (spec.weight_bits - 1), memories.top]),
            "min_fan_in": rng.choice([0, 1, max(0, len(live) - 2), len(live)]),
        }
        rows = list(memories.rows)
        dying, weights, changed = memories.update(live, row, bench.spiked, bench.bytes, **settings)
        expected = list(memories.weights)
        for source, weight in weights.items():
            expected[memories.place(source, row)] = weight
        rows = [mask & ~(1 << row) if i in dying else mask for i, mask in enumerate(memories.rows)]
        note(live, dying, weights, settings)

        # The host's way to the fan-in.
        set_members(ctx, dut, {"host_row": neuron, "host_data": len(live)})
        await pulse(ctx, dut.fan_in_write)
        set_members(ctx, dut, {"neuron": neuron, "row": row, **settings})
        bench.masks, bench.counts, bench.waits = {}, [0, 0, 0], 0
        await pulse(ctx, dut.start)
        await bench.cycle(ctx)
        await bench.cycle(ctx)
        cycles, busy = 0, True
        for number, source in enumerate(live):
            while rng.random() < gap:
                await bench.cycle(ctx)
            following = live[number + 1] if number + 1 < len(live) else 1 << 20
            offer = (source, following // MASK_BITS != source // MASK_BITS)
            taken = False
            while not taken:
                taken, busy = await bench.cycle(ctx, offer)
                assert busy
                cycles += 1
        while busy:
            _, busy = await bench.cycle(ctx)
            cycles += busy
        await pulse(ctx, dut.finish)
        assert memories.weights == expected
        assert memories.rows == rows
        assert bench.counts == [len(live), changed, len(dying)]
        assert bench.waits == len(dying)
        if live and not gap:
            assert cycles == len(live) + 6 + len(dying)
        stays = column_words([source for source in live if source not in dying])
        words = {source // MASK_BITS for source in dying}
        assert bench.masks == {word: stays.get(word, 0) for word in words}
        if spec.pruning:
            ctx.set(dut.host_row, neuron)
            await pulse(ctx, dut.fan_in_read)
            await ctx.tick()
            assert ctx.get(dut.fan_in) == len(live) - len(dying)
            assert ctx.get(dut.fan_ins[neuron]) == len(live) - len(dying)

    def note(live, dying, weights, settings):
        words, lost = column_words(live), column_words(dying)
        seen["top"] += memories.top in weights.values()
        seen["bottom"] += 0 in [w for i, w in weights.items() if i not in dying]
        seen["wrong"] += settings["wrong"] and bool(live)
        seen["dies"] += bool(dying)
        seen["two die"] += any(b == a + 1 for a, b in pairwise(dying))
        seen["last of a word dies"] += any(lost[w] > (words[w] ^ lost[w]) > 0 for w in lost)
        seen["whole word dies"] += any(lost[w] == words[w] for w in lost)
        low = [i for i, w in weights.items() if w < settings["below"] and i not in dying]
        seen["guard"] += bool(low) and settings["prunes"]
        seen["too early"] += bool(low) and not settings["prunes"]
        seen["no live input"] += not live

    async def run(ctx):
        for address, amount in enumerate(memories.table):
            set_members(ctx, dut, {"host_row": address, "host_data": amount})
            await pulse(ctx, dut.table_write)
        for _ in range(60):
            await update(ctx)

    simulate(dut, run)
    deaths = {"dies", "two die", "last of a word dies", "whole word dies"}
    never = set() if spec.pruning else deaths
    assert {name for name, times in seen.items() if not times} == never
