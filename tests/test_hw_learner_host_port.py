"""The host port of a whole learning core: every memory, at any time.

Mutants tried, each seen to fail: a reply overwritten by the next; no sign; always bank 0; the state
now read from what a stimulus starts with; all banks written; a read that changes.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from firstspike.learning.image import learner_image
from firstspike.memimage import Write
from firstspike.spec import (
    CLASSES_MAX,
    GLOBAL_REGISTERS,
    LEARNED_THRESHOLD_MAX,
    LEARNING_REGISTERS,
    MASK_BITS,
    CoreSpec,
    Space,
    bits_for,
    learning_register,
)
from firstspike_hw.learner.core import LearningCore
from firstspike_sim.bench import pauses, put, simulate, take
from firstspike_sim.learner_cases import draw_learner
from firstspike_sim.stimuli import pixel_words


def make_spec(banks, rows, weight_bits, *, pruning=True):
    return CoreSpec(
        banks=banks, word=1, weight_bits=weight_bits, time_bits=3, ramp=False, max_layers=1,
        max_inputs=16, state_rows=rows, weight_rows=16 * rows, learning=True, pruning=pruning,
    )  # fmt: skip


SPECS = {
    "4 banks": make_spec(4, 3, 8),
    "two parts": make_spec(2, 18, 3),
    "no masks": make_spec(2, 2, 4, pruning=False),
}


def word(value: int) -> int:
    """Return a reply of 32 bits."""
    return value & 0xFFFFFFFF


def readable(spec: CoreSpec, rng: random.Random) -> dict[tuple[Space, int], int]:
    """Return something to write to every address that can be read back."""
    values: dict[tuple[Space, int], int] = {}
    for bank in range(spec.banks):
        for row in range(spec.weight_rows):
            place = Space.WEIGHTS, spec.address(Space.WEIGHTS, bank, row)
            values[place] = rng.getrandbits(spec.weight_bits)
        for row in range(spec.state_rows):
            # Minus a threshold.
            ends = [-1, -LEARNED_THRESHOLD_MAX, -rng.randint(1, LEARNED_THRESHOLD_MAX)]
            values[Space.START, spec.address(Space.START, bank, row)] = rng.choice(ends)
    for name in ("offset", "rise"):
        for group in range(CLASSES_MAX):
            values[Space.REGISTERS, learning_register(name, group)] = rng.getrandbits(16)
    for name, bits in (("delay", 24), ("random", 32)):
        values[Space.REGISTERS, learning_register(name)] = rng.getrandbits(bits)
    if not spec.pruning:
        return values
    for bank in range(spec.banks):
        for i in range(spec.max_inputs):
            for part in range(spec.mask_parts):
                bits = min(16, spec.state_rows - 16 * part)
                place = Space.ROW_MASKS, spec.address(Space.ROW_MASKS, bank, i, part)
                values[place] = rng.getrandbits(bits)
    for k in range(spec.max_neurons * spec.max_inputs // MASK_BITS):
        values[Space.COLUMN_MASKS, k] = rng.getrandbits(MASK_BITS)
    for j in range(spec.max_neurons):
        values[Space.FAN_IN, j] = rng.getrandbits(bits_for(spec.max_inputs + 1))
    return values


def unreadable(spec: CoreSpec) -> list[tuple[Space, int]]:
    """Return addresses that are written only."""
    places = [(Space.UPDATES, k) for k in range(2 << spec.weight_bits)]
    places += [(Space.REGISTERS, k) for k in range(len(GLOBAL_REGISTERS))]
    names = [name for name, _ in LEARNING_REGISTERS if name not in ("delay", "random")]
    return places + [(Space.REGISTERS, learning_register(name)) for name in names]


def request(space: Space, address: int, data: int | None) -> dict[str, int]:
    """Return a write, or a read whose data must not matter."""
    return {
        "write": int(data is not None),
        "space": space,
        "address": address,
        "data": 0x5A5A5A5A if data is None else word(data),
    }


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("name", SPECS)
def test_every_address(name, stall):
    """Whatever is written stands there, and nothing else does; replies come in order."""
    spec = SPECS[name]
    rng = random.Random(f"{name} {stall}")
    dut = LearningCore(spec)
    values = readable(spec, rng)
    quiet = unreadable(spec)
    writes = list(values.items())
    rng.shuffle(writes)
    requests = [request(*place, data) for place, data in writes]
    # Registers that say what is to be done do not change what stands in memories.
    requests += [request(*place, rng.getrandbits(32)) for place in quiet]
    reads = [*values, *rng.sample(quiet, 20)]
    rng.shuffle(reads)
    expected: list[int] = []
    for number, place in enumerate(reads):
        requests.append(request(*place, None))
        expected.append(word(values.get(place, 0)))
        if number % 5 == 0:
            # A write among the reads.
            place = rng.choice(list(values))
            other = readable(spec, rng)[place] if number % 50 == 0 else values[place]
            values[place] = other
            requests.append(request(*place, other))
    received: list[int] = []

    async def ask(ctx):
        await put(ctx, dut.requests, requests, pauses(stall, 1))

    async def listen(ctx):
        await take(ctx, dut.replies, received, pauses(stall, 2), lambda: len(received) < len(reads))

    simulate(dut, ask, listen, cycles=20 * len(requests) + 1000)
    assert received == expected


def test_masks_and_other_parts():
    """A part of a row mask is written alone."""
    spec = SPECS["two parts"]
    dut = LearningCore(spec)
    address = spec.address(Space.ROW_MASKS, 1, 7, 0)
    requests = [
        request(Space.ROW_MASKS, address, 0xABCD),
        request(Space.ROW_MASKS, address + 1, 2),
        request(Space.ROW_MASKS, address, 0x1234),
        request(Space.ROW_MASKS, address, None),
        request(Space.ROW_MASKS, address + 1, None),
    ]
    received: list[int] = []

    async def ask(ctx):
        await put(ctx, dut.requests, requests, pauses(0, 0))

    async def listen(ctx):
        await take(ctx, dut.replies, received, pauses(0, 0), lambda: len(received) < 2)

    simulate(dut, ask, listen)
    assert received == [0x1234, 2]


def test_state_between_stimuli():
    """After each stimulus the potentials can be read, and a request waits for its end."""
    spec = SPECS["4 banks"]
    case = next(
        case
        for case in (draw_learner(seed, core=spec, count=6) for seed in range(100))
        if case.state.weights.any(axis=0).all() and case.images.any() and case.labels is None
    )
    neurons = case.state.neurons
    dut = LearningCore(spec)
    words = pixel_words(case.images, spec).tolist()
    image = learner_image(spec, case.rule, case.state)
    potentials = [0] * spec.max_neurons
    records = []
    waited = []

    async def listen(ctx):
        ctx.set(dut.results.ready, 1)
        taps: list[Any] = []
        for tap in dut.taps:
            taps += [tap.valid, tap.row, tap.potential]
        while True:
            *_, done = values = await ctx.tick().sample(*taps, dut.results.valid)
            for bank in range(spec.banks):
                valid, row, potential = values[2 + 3 * bank : 5 + 3 * bank]
                if valid:
                    potentials[row * spec.banks + bank] = potential
            if done:
                records.append(list(potentials))

    async def read(ctx, write: Write):
        """Return the reply, and how long it took."""
        ctx.set(dut.replies.ready, 1)
        ctx.set(dut.requests.payload, request(write.space, write.address, None))
        ctx.set(dut.requests.valid, 1)
        cycles, data = 0, None
        ready = False
        while data is None:
            *_, ready, valid, payload = await ctx.tick().sample(
                dut.requests.ready, dut.replies.valid, dut.replies.payload
            )
            if ready:
                ctx.set(dut.requests.valid, 0)
            cycles += 1
            data = payload if valid else None
        return data, cycles

    async def host(ctx):
        for write in image:
            ctx.set(dut.requests.payload, request(write.space, write.address, write.data))
            ctx.set(dut.requests.valid, 1)
            await ctx.tick().until(dut.requests.ready)
        ctx.set(dut.requests.valid, 0)
        stride = len(words) // len(case.images)
        for number in range(len(case.images)):
            await put(ctx, dut.pixels, words[number * stride : (number + 1) * stride], pauses(0, 0))
            # Emptying lists, and a few cycles: the stimulus is at work.
            await ctx.tick().repeat(spec.steps + 4)
            for j in range(neurons):
                place = spec.address(Space.STATE, j % spec.banks, j // spec.banks)
                data, cycles = await read(ctx, Write(Space.STATE, place, 0))
                if j == 0:
                    waited.append(cycles)
                else:
                    assert cycles == 6
                assert len(records) == number + 1
                assert data == word(records[number][j])

    simulate(dut, host, background=[listen], cycles=40_000)
    assert max(waited) > 20
    assert len({value for record in records for value in record}) > 10
