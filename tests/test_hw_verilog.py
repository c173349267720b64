"""The core as Verilog: what is said of its ports is what its ports are.

Mutants tried, each seen to fail: a field's lowest bit not counted from its parent's; directions
swapped; zeros of memories kept; the JSON file left out.
"""

import json
import re

import pytest

from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_hw.verilog import write

CORE = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=3,
    potential_bits=10,
    max_inputs=64,
    max_layers=2,
    weight_rows=256,
    state_rows=8,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("verilog") / "core.v"
    write(CORE, path)
    assert sorted(path.parent.iterdir()) == [path.with_suffix(".json"), path]
    return path.read_text(), json.loads(path.with_suffix(".json").read_text())


def test_ports_are_those_of_the_module(written):
    text, facts = written
    assert CoreSpec(**facts["core"]) == CORE
    module = re.search(r"^module core\(.*?^endmodule", text, re.M | re.S)
    assert module is not None
    declared = re.findall(r"^ +(input|output) (?:\[(\d+):0\] )?(\w+);", module[0], re.M)
    top = {name: (kind, int(high or 0) + 1) for kind, high, name in declared}
    ports = {
        port["name"]: ({"in": "input", "out": "output"}[port["direction"]], port["width"])
        for port in facts["ports"]
    }
    assert ports == {name: top[name] for name in top if name not in ("clk", "rst")}
    assert {"pixels__payload", "requests__valid", "results__ready"} <= set(ports)


def test_fields_cover_their_port(written):
    for port in written[1]["ports"]:
        place = 0
        for field in port["fields"]:
            assert field["low"] == place, port
            place += field["width"]
        assert place in (0, port["width"]), port
    ports = {port["name"]: port for port in written[1]["ports"]}
    assert ports["pixels__payload"]["fields"][2] == {"name": "[2]", "low": 16, "width": 8}
    assert ports["requests__payload"]["fields"][2] == {"name": "address", "low": 3, "width": 24}


def test_ports_are_in_the_comment(written):
    text, facts = written
    comment = text[: text.index("\nmodule ")]
    for port in facts["ports"]:
        assert re.search(
            rf"^// {port['name']} +{port['direction']} +{port['width']}$", comment, re.M
        )
    assert "//     [26:3] address" in comment


def test_memories_have_no_contents_and_no_paths(written):
    assert "initial begin" not in written[0]
    assert "/hw/" not in written[0]


def test_name_of_the_other_file(tmp_path):
    with pytest.raises(InputError, match="needs another name"):
        write(CORE, tmp_path / "core.json")
