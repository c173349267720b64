"""What a core may be, by the text of its refusals.

Each bound is met from both sides, so that one moved by one shows.
"""

import re
from typing import Any

import pytest

from firstspike.spec import CoreSpec, Space, bits_for

RANGES = {
    "banks": (1, 16),
    "word": (1, 256),
    "weight_bits": (1, 8),
    "time_bits": (3, 8),
    "potential_bits": (8, 24),
    "max_inputs": (8, 8192),
    "max_layers": (2, 8),
    "weight_rows": (16, 65536),
    "state_rows": (2, 1024),
    "pixels": (4, 32),
}
#: Parts of long messages.
SPRAM = "memory is 'spram', which has 16384 words of 16 bits, not "
PRODUCT = "(word x weight_bits)"
ADDRESS = "24 bits of address"


@pytest.mark.parametrize("name", RANGES)
def test_ranges(name):
    low, high = RANGES[name]
    # Alone, so that nothing but this one is at its end.
    others = {"weight_rows": 64} if name != "weight_rows" else {"banks": 1}
    for value in (low, high):
        given: dict[str, Any] = others | {name: value}
        assert getattr(CoreSpec(**given), name) == value
    for value in (low - 1, high + 1, float(low), str(low), None, True):
        message = f"{name} is {value!r}, must be an integer in {low}..{high}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            CoreSpec(**{name: value})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"banks": 3}, "banks is 3, must be a power of two"),
        ({"word": 12}, "word is 12, must be a power of two"),
        ({"state_rows": 48}, "state_rows is 48, must be a power of two"),
        ({"pixels": 5}, "pixels is 5, must be a power of two"),
        ({"banks": 1, "word": 1}, "banks x word is 1, must be at least 2"),
        ({"ramp": 1}, "ramp is 1, must be true or false"),
        ({"ramp": "no"}, "ramp is 'no', must be true or false"),
        ({"memory": "ddr"}, "memory is 'ddr', must be 'block' or 'spram'"),
        (
            {"memory": "spram", "weight_bits": 8},
            SPRAM + "8192 words of 32 bits " + PRODUCT,
        ),
        (
            {"memory": "spram", "weight_bits": 4, "weight_rows": 16385},
            SPRAM + "16385 words of 16 bits " + PRODUCT,
        ),
        (
            {"banks": 16, "word": 64, "weight_rows": 65536},
            "weight_rows is 65536: banks, rows and parts together need more than " + ADDRESS,
        ),
    ],
)
def test_refused(given, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CoreSpec(**given)


def test_allowed_at_the_ends():
    CoreSpec(banks=1, word=2, weight_rows=16)
    CoreSpec(memory="spram", weight_bits=4, weight_rows=16384)
    CoreSpec(banks=16, word=32, weight_bits=8, weight_rows=65536)


def test_what_follows():
    spec = CoreSpec(banks=2, word=8, weight_bits=5, time_bits=6, state_rows=16, weight_rows=33)
    assert (spec.lanes, spec.steps, spec.magnitude_bits, spec.max_neurons) == (16, 64, 6, 256)
    # 40 bits, of which the host takes 16 at once.
    assert (spec.word_bits, spec.part_bits, spec.parts, spec.part_address_bits) == (40, 16, 3, 2)
    assert spec.lane_address_bits == 3
    # Bank, six bits of row, two bits of part; bank, four bits of row, three bits of lane.
    assert spec.address(Space.WEIGHTS, 1, 32, 2) == 0b1_100000_10
    assert spec.address(Space.START, 1, 9, 5) == 0b1_1001_101
    assert CoreSpec(ramp=False).magnitude_bits == 0
    assert CoreSpec(word=1, weight_bits=3).part_bits == 3
    assert [bits_for(n) for n in (1, 2, 3, 4, 5, 1024, 1025)] == [1, 1, 2, 2, 3, 10, 11]
    assert str(spec).startswith("banks=2 word=8 weight_bits=5 time_bits=6 ramp=True ")
