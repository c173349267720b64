"""Memory images that were written by hand, and what the host port reads back.

The words below are not computed: each stands for itself, so that packing and unpacking cannot be
wrong together.

Mutants tried, each seen to fail: the sign of a start; a lane without a neuron at 0; rows by input
first; no gap before the OFF inputs; banks and lanes exchanged, of weights and of starts; -1 and
+1 exchanged; parts from the high end; rows of the second layer over those of the first, of
weights and of starts; a stride without the gap; a full last_mask; no time shift.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from firstspike.memimage import memory_image
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, Space, WeightKind
from firstspike_sim.bench_core import CoreBench


def layer(name, kind, bits, weights, offset, neuron=Neuron.STEP, scale=1):
    return Layer(name, neuron, kind, bits, np.array(weights), np.array(offset), scale)


def network(*layers, pixels, **coding):
    outputs = tuple(range(layers[-1].neurons))
    return Network("hand", layers, coding.pop("time_bits", 3), (1, pixels), outputs, **coding)


# Two banks of two lanes of 4 bits; neurons 0 2 | 1 3 in the first state row, 4 in the second.
BANKS = (
    network(
        layer(
            "a",
            WeightKind.SIGNED,
            4,
            [[1, -2, 3, -4, 5], [-1, 2, -3, 4, -5], [7, -7, 6, -6, 0]],
            [3, 2, 5, 4, 4],
        ),
        pixels=3,
        intensity_min=9,
    ),
    CoreSpec(
        banks=2, word=2, weight_bits=4, time_bits=4, potential_bits=8, max_inputs=16,
        weight_rows=16, state_rows=4, pixels=4,
    ),
    {
        Space.REGISTERS: {
            0: 0, 1: 1, 2: 0, 3: 1, 4: 1, 5: 9, 6: 0, 7: 0, 8: 0b111,
            16: 1, 17: 5, 18: 1, 19: 0, 20: 0, 21: 3, 22: 1,
        },
        Space.WEIGHTS: {
            0: 0x31, 1: 0xDF, 2: 0x67, 3: 0x05, 4: 0x0B, 5: 0x00,
            16: 0xCE, 17: 0x42, 18: 0xA9, 19: 0x00, 20: 0x00, 21: 0x00,
        },
        Space.START: {
            0: 0xFD, 1: 0xFB, 2: 0xFC, 3: 0xFF,
            8: 0xFE, 9: 0xFC, 10: 0xFF, 11: 0xFF,
        },
    },
)  # fmt: skip

# One bank of sixteen lanes of 3 bits: 48 bits, in three parts. RAMP.
ROW_PARALLEL = (
    network(
        layer(
            "a",
            WeightKind.UNSIGNED,
            3,
            [[1, 2, 3, 4, 5, 6], [7, 0, 0, 0, 0, 5]],
            [1, -2, 300, 4, 5, -600],
            Neuron.RAMP,
            scale=9,
        ),
        pixels=2,
        time_bits=4,
    ),
    CoreSpec(
        banks=1, word=16, weight_bits=3, time_bits=4, potential_bits=11, max_inputs=8,
        weight_rows=16, state_rows=2, pixels=4,
    ),
    {
        Space.REGISTERS: {
            0: 1, 1: 1, 2: 0, 3: 0, 4: 0, 5: 1, 6: 0, 7: 0, 8: 0b11,
            16: 0, 17: 6, 18: 0, 19: 0, 20: 0, 21: 2, 22: 9,
        },
        Space.WEIGHTS: {0: 0x58D1, 1: 0x3, 2: 0x0, 4: 0x8007, 5: 0x2, 6: 0x0},
        Space.START: {
            0: 0x001, 1: 0x7FE, 2: 0x12C, 3: 0x004, 4: 0x005, 5: 0x5A8,
            **dict.fromkeys(range(6, 16), 0x7FF),
        },
    },
)  # fmt: skip

# Two banks of four lanes of one bit, two layers.
ONE_BIT = (
    network(
        layer("a", WeightKind.PM1, 1, [[1, -1, 1, 1, -1], [-1, -1, 1, -1, 1]], [1, 2, 1, 1, 1]),
        layer("b", WeightKind.PM1, 1, [[1, 1], [-1, 1], [1, -1], [-1, -1], [1, -1]], [2, 1]),
        pixels=2,
    ),
    CoreSpec(
        banks=2, word=4, weight_bits=1, time_bits=3, potential_bits=8, max_inputs=8,
        weight_rows=32, state_rows=8, pixels=8,
    ),
    {
        Space.REGISTERS: {
            0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1, 6: 0, 7: 0, 8: 0b11,
            16: 1, 17: 5, 18: 0, 19: 0, 20: 0, 21: 2, 22: 1,
            24: 1, 25: 2, 26: 0, 27: 2, 28: 1, 29: 5, 30: 1,
        },
        Space.WEIGHTS: {
            0: 0b0011, 1: 0b0110, 2: 1, 3: 0, 4: 1, 5: 0, 6: 1,
            32: 0b0010, 33: 0b0000, 34: 1, 35: 1, 36: 0, 37: 0, 38: 0,
        },
        Space.START: {
            0: 0xFF, 1: 0xFF, 2: 0xFF, 3: 0xFF, 4: 0xFE, 5: 0xFF, 6: 0xFF, 7: 0xFF,
            32: 0xFE, 33: 0xFF, 34: 0xFF, 35: 0xFF, 36: 0xFF, 37: 0xFF, 38: 0xFF, 39: 0xFF,
        },
    },
)  # fmt: skip

# Six inputs of three pixels: the OFF inputs start at 4. Weights of one bit in synapses of eight.
OFF = (
    network(
        layer(
            "a", WeightKind.PM1, 1, [[1, -1], [1, 1], [-1, 1], [1, 1], [-1, -1], [1, -1]], [2, 1]
        ),
        pixels=3,
        off=True,
    ),
    CoreSpec(
        banks=2, word=1, weight_bits=8, time_bits=5, potential_bits=9, max_inputs=8,
        weight_rows=17, state_rows=2, pixels=4,
    ),
    {
        Space.REGISTERS: {
            0: 0, 1: 1, 2: 0, 3: 0, 4: 2, 5: 1, 6: 1, 7: 0, 8: 0b111,
            16: 1, 17: 2, 18: 0, 19: 0, 20: 0, 21: 7, 22: 1,
        },
        Space.WEIGHTS: {
            0: 0x01, 1: 0x01, 2: 0xFF, 3: 0x00, 4: 0x01, 5: 0xFF, 6: 0x01,
            32: 0xFF, 33: 0x01, 34: 0x01, 35: 0x00, 36: 0x01, 37: 0xFF, 38: 0xFF,
        },
        Space.START: {0: 0x1FE, 2: 0x1FF},
    },
)  # fmt: skip

LAYOUTS = {"banks": BANKS, "row-parallel": ROW_PARALLEL, "1 bit": ONE_BIT, "OFF": OFF}


@pytest.mark.parametrize("name", LAYOUTS)
def test_by_hand(name):
    what, core, expected = LAYOUTS[name]
    found: dict[Space, dict[int, int]] = {}
    for write in memory_image(what, core, early_exit=True):
        space = found.setdefault(write.space, {})
        assert write.address not in space, "written twice"
        space[write.address] = write.data
    assert found == expected


def test_early_exit():
    what, core, expected = BANKS
    writes = {(w.space, w.address): w.data for w in memory_image(what, core, early_exit=False)}
    assert writes[Space.REGISTERS, 1] == 0
    del writes[Space.REGISTERS, 1]
    assert all(expected[space][address] == data for (space, address), data in writes.items())


@pytest.mark.parametrize("name", LAYOUTS)
def test_read_back(name):
    what, core, expected = LAYOUTS[name]
    bench = CoreBench(core)
    rng = random.Random(name)
    places = [
        (space, address) for space in (Space.WEIGHTS, Space.START) for address in expected[space]
    ]

    async def host(ctx):
        await bench.load(ctx, memory_image(what, core, early_exit=True))
        for _ in range(2):
            rng.shuffle(places)
            for space, address in places:
                value = expected[space][address]
                if space is Space.START:
                    # Sign extended.
                    value -= value >> (core.potential_bits - 1) << core.potential_bits
                data = await bench.read(ctx, space, address, rng.randrange(3))
                assert data == value & 0xFFFFFFFF, (space, address)

    bench.run(host)
