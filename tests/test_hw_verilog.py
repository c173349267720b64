"""Verilog that other tools read as it is meant.

Mutant tried, seen to fail: wires without bits left in.
"""

import re
from typing import Any

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.verilog import to_verilog

SMALL: dict[str, Any] = {"max_inputs": 8, "weight_rows": 16, "state_rows": 2}
SPECS = {
    "one bank": CoreSpec(banks=1, word=2, **SMALL),
    "no magnitude": CoreSpec(banks=2, word=1, weight_bits=1, ramp=False, **SMALL),
    "one word of pixels": CoreSpec(banks=2, word=1, pixels=8, time_bits=3, **SMALL),
}


@pytest.mark.parametrize("name", SPECS)
def test_every_wire_has_bits(name):
    """Verilog has no wires of no bits; written as ``[-1:0]``, they have two."""
    text = to_verilog(SPECS[name])
    assert "endmodule" in text
    assert re.findall(r".*\[-\d+:.*", text) == []
