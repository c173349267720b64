"""The live inputs of a neuron: each exactly once, in ascending order.

Mutants tried, each seen to fail: last never; a word goes without advance; fetched word overwritten;
one word less; done before the last word; last word whole; writes the word at work; stride from the
words in use; inputs go without advance; words read again while waiting.
"""

import random

import pytest

from firstspike.spec import MASK_BITS, CoreSpec
from firstspike_hw.learner.column_walk import ColumnWalk
from firstspike_sim.bench import pulse, set_members, simulate


def make_spec(inputs, *, pruning=True):
    return CoreSpec(
        banks=2, word=1, ramp=False, max_layers=1, max_inputs=inputs, state_rows=3,
        weight_rows=3 * inputs, learning=True, pruning=pruning,
    )  # fmt: skip


SPECS = {
    "3 words": make_spec(48),
    "1 word": make_spec(16),
    "no masks": make_spec(64, pruning=False),
}


@pytest.mark.parametrize("stall", [0, 0.5])
@pytest.mark.parametrize("name", SPECS)
def test_random_masks(name, stall):
    spec = SPECS[name]
    rng = random.Random(f"{name} {stall}")
    dut = ColumnWalk(spec)
    most = spec.max_inputs // MASK_BITS
    full = (1 << MASK_BITS) - 1
    memory = [
        rng.choice([0, full, 1, 1 << 15, rng.getrandbits(MASK_BITS)])
        for _ in range(most * spec.max_neurons)
    ]
    seen = dict.fromkeys(("empty word", "nothing", "rewritten", "fewer words"), 0)

    async def walk(ctx):
        """Walk a neuron, and replace words of it that were walked."""
        neuron, words = rng.randrange(spec.max_neurons), rng.randint(1, most)
        last_inputs = full >> rng.randrange(MASK_BITS)
        masks = memory[neuron * most : neuron * most + words]
        if not spec.pruning:
            masks = [full] * (words - 1) + [last_inputs]
        expected = [
            (MASK_BITS * word + bit, mask >> (bit + 1) == 0)
            for word, mask in enumerate(masks)
            for bit in range(MASK_BITS)
            if mask >> bit & 1
        ]
        seen["empty word"] += 0 in masks
        seen["nothing"] += not expected
        seen["fewer words"] += words < most
        set_members(ctx, dut, {"neuron": neuron, "words": words - 1, "last_inputs": last_inputs})
        assert ctx.get(dut.done)
        await pulse(ctx, dut.start)
        found, reads, cycles, finished = [], 0, 0, set()
        while True:
            advance = rng.random() >= stall
            ctx.set(dut.advance, advance)
            ready = [word for word in sorted(finished) if rng.random() < 0.3]
            if ready and spec.pruning:
                # Take bits away, as the updater does.
                word = ready[0]
                finished.discard(word)
                memory[neuron * most + word] &= rng.getrandbits(MASK_BITS)
                set_members(
                    ctx, dut, {"write": 1, "word": word, "mask": memory[neuron * most + word]}
                )
                seen["rewritten"] += 1
            *_, valid, source, last, done, read = await ctx.tick().sample(
                dut.valid, dut.input, dut.last, dut.done, dut.word_read
            )
            ctx.set(dut.write, 0)
            reads += read
            if done:
                break
            cycles += 1
            if valid and advance:
                found.append((source, last))
                if last:
                    finished.add(source // MASK_BITS)
        assert found == expected
        assert reads == (words if spec.pruning else 0)
        if not stall:
            # Two more until the first word is there.
            assert cycles == 2 + sum(max(1, bin(mask).count("1")) for mask in masks)

    async def host(ctx):
        """Read and write words the host's way."""
        row = rng.randrange(len(memory))
        if rng.random() < 0.5:
            memory[row] = rng.choice([0, full, rng.getrandbits(MASK_BITS)])
            set_members(ctx, dut, {"access_row": row, "access_data": memory[row]})
            await pulse(ctx, dut.access_write)
        else:
            ctx.set(dut.access_row, row)
            await pulse(ctx, dut.access_read)
            assert ctx.get(dut.access_mask) == memory[row]

    async def bench(ctx):
        if spec.pruning:
            for row, mask in enumerate(memory):
                ctx.set(dut.masks[row], mask)
        for _ in range(60):
            await walk(ctx)
            if spec.pruning:
                await host(ctx)
        if spec.pruning:
            assert [ctx.get(dut.masks[row]) for row in range(len(memory))] == memory

    simulate(dut, bench)
    wanted = {"empty word", "nothing", "rewritten"} if spec.pruning else set()
    wanted |= {"fewer words"} if most > 1 else set()
    assert {name for name, times in seen.items() if times} >= wanted
