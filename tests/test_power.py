"""Power and energy from files, and the command: sums by hand, and files that do not fit together.

The activity here is made up; no figure of the project rests on it.

Mutants that a test here saw: the rest of a build that switches in full, or is below nothing; the
clock pins without the clock's frequency; accesses not scaled; one PLL for two; carries of an iCE40
counted; a memory without a coefficient taken; memories that take nothing while waiting, or read in
any cycle taken for read in every one; writes not counted. Of energy: a pause as long as the period;
rates above the full one; the first stimuli of a dump for those after N; no scale; no check of
networks. Each check of a file left out: clock, digests, family, kind of work, cycles. A network of
another digest taken; float energies for integers; savings for what is left.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstspike.board.protocol import core_digest
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.power import LABEL, Energy, Part, Power, Range, energy
from firstspike.power.convention import by_operations
from firstspike.power.device import devices
from firstspike.power.dumps import load_dump
from firstspike.power.inputs import load_activity, load_build
from firstspike.power.model import power
from firstspike.power.saving import load_energy, saving
from firstspike.shipped import find_network

CORE = PRESETS["icebreaker"]
DIGEST = core_digest(CORE).hex()
NETWORK = load_network(find_network("mnist"))


def build_facts(**changes):
    cells = {"ICESTORM_LC": 3000, "ICESTORM_RAM": 30, "ICESTORM_SPRAM": 4, "ICESTORM_DSP": 8}
    return {
        "board": "icebreaker",
        "core": asdict(CORE),
        "core_digest": DIGEST,
        "clock_hz": 24_000_000,
        "cells": {
            kind: {"used": n, "there": n} for kind, n in (cells | {"ICESTORM_PLL": 2}).items()
        },
        "flat": {"lut": 3000, "ff": 1200},
        "fmax_mhz": {"1": 23.0, "2": 26.0},
        "tools": {"yosys": "0"},
    } | changes


def activity_facts(origin=None, **changes):
    # 20 block RAMs, 15 accesses a cycle.
    memories = [{"cell": "SB_RAM40_4K", "name": "a", "reads": 0.5, "writes": 0.25}] * 12
    memories += [{"cell": "SB_RAM40_4K", "name": "c", "reads": 1.0, "writes": 0.0}] * 4
    memories += [{"cell": "SB_RAM40_4K", "name": "d", "reads": 0.0, "writes": 0.5}] * 4
    memories += [{"cell": "SB_SPRAM256KA", "name": "b", "reads": 0.75, "writes": 0.0}] * 4
    return {
        "provenance": {
            "kind": "activity",
            "core_digest": DIGEST,
            "network": "mnist",
            "network_digest": NETWORK.digest,
            "family": "ice40",
            "learning": False,
            "images": 2,
        }
        | (origin or {}),
        "cycles": 2000,
        "cells": {"SB_LUT4": 2000, "SB_DFF": 900, "SB_RAM40_4K": 20, "SB_SPRAM256KA": 4},
        "toggles": {
            "lut": 200.0,
            "ff": 100.0,
            "carry": 50.0,
            "ram": 30.0,
            "spram": 9.0,
            "dsp": 10.0,
        },
        "memories": memories,
    } | changes


def dump_bytes(origin=None, counters=None, **changes):
    counters = {
        "synops": [100, 300, 200],
        "macs": [0, 0, 0],
        "weight_reads": [3000, 3000, 1500],
        "state_reads": [1000, 1000, 500],
        "cycles": [1000, 1000, 1000],
    } | (counters or {})
    arrays = {
        "counters": np.array(list(counters.values())).T,
        "counter_names": np.array(list(counters)),
        "total_cycles": np.array(3000),
        "provenance": np.array(
            json.dumps(
                {
                    "kind": "run",
                    "core": asdict(CORE),
                    "core_digest": DIGEST,
                    "network": "mnist",
                    "network_digest": NETWORK.digest,
                }
                | (origin or {})
            )
        ),
    } | changes
    content = io.BytesIO()
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez(content, **kept)  # type: ignore[arg-type]
    return content.getvalue()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "build.json").write_text(json.dumps(build_facts()))
    (tmp_path / "activity.json").write_text(json.dumps(activity_facts()))
    (tmp_path / "run.npz").write_bytes(dump_bytes())
    return tmp_path


def words(files, *more):
    return [
        "power",
        *("--build", str(files / "build.json")),
        *("--activity", str(files / "activity.json")),
        *("--run", str(files / "run.npz")),
        *more,
    ]


def modelled(files, **options):
    return energy(files / "build.json", files / "activity.json", run=files / "run.npz", **options)


def test_power_by_hand(files):
    built = load_build(files / "build.json")
    found = power(built, load_activity(files / "activity.json", built, "inference"))
    c = {name: one.value.nominal for name, one in devices()["up5k"].coefficients.items()}
    # In mW: 24 cycles a us, pJ a cycle.
    expected = {
        "static": c["static"],
        "clock": 24e-3 * (c["clock"] + 3000 * c["cell"]),
        # 1000 of 3000 LUTs are not the core's and switch half as much; carries do not count.
        "logic": 24e-3 * c["transition"] * 300 * 1.25,
        # So do 10 of 30 block RAMs.
        "block RAM": 24e-3 * c["block_ram"] * 20 * 0.75 * 1.25,
        "SPRAM": 24e-3 * c["spram"] * 4 * 0.75,
        "DSP": 24e-3 * c["dsp"] * 10,
        "PLL": 2 * c["pll"],
        "I/O": c["io"],
    }
    parts = {part.name: part for part in found.parts}
    assert {name: part.watts.nominal * 1e3 for name, part in parts.items()} == pytest.approx(
        expected
    )
    low, high = (
        getattr(devices()["up5k"].coefficients["transition"].value, x) for x in ("low", "high")
    )
    assert parts["logic"].watts.low * 1e3 == pytest.approx(24e-3 * low * 300)
    assert parts["logic"].watts.high * 1e3 == pytest.approx(24e-3 * high * 300 * 1.5)
    assert found.watts.nominal * 1e3 == pytest.approx(sum(expected.values()))
    # Waiting: the clock and what never stops.
    idle = sum(expected[name] for name in ("static", "clock", "PLL", "I/O"))
    # Four block RAMs are read in every cycle.
    idle += 24e-3 * c["block_ram"] * 4 * 0.5
    assert parts["block RAM"].idle_watts.low == 0
    assert found.idle_watts.nominal * 1e3 == pytest.approx(idle)
    assert found.static_share == pytest.approx(expected["static"] / sum(expected.values()))


def test_netlist_larger_than_build(files):
    # Synthesised by itself, a core may take more than with its link; then nothing else is left.
    facts = build_facts(flat={"lut": 1500})
    (files / "build.json").write_text(json.dumps(facts))
    built = load_build(files / "build.json")
    found = power(built, load_activity(files / "activity.json", built, "inference"))
    logic = next(part for part in found.parts if part.name == "logic")
    assert logic.watts.nominal == pytest.approx(
        24e6 * 300 * devices()["up5k"].coefficients["transition"].si.nominal
    )


def test_energy_at_full_rate(files):
    found = modelled(files)
    assert found.cycles == 1000
    assert found.rate_hz == found.full_rate_hz == 24_000
    assert found.joules.nominal == pytest.approx(found.power.watts.nominal / 24_000)
    assert sum(part.nominal for part in found.parts.values()) == pytest.approx(found.joules.nominal)


def test_accesses_follow_the_counters(files):
    # Two images were simulated, 8000 accesses in 2000 cycles; the whole run has 10 000 in 3000.
    built = load_build(files / "build.json")
    plain = power(built, load_activity(files / "activity.json", built, "inference"))
    found = modelled(files).power
    for one, other in zip(plain.parts, found.parts, strict=True):
        scale = 10_000 / 3000 / (8000 / 2000) if one.name in ("block RAM", "SPRAM") else 1
        assert other.watts.nominal == pytest.approx(one.watts.nominal * scale), one.name
    # Of the two images: 6000 reads of weights in 2000 cycles.
    assert modelled(files).checks == ({"memory": "SPRAM", "by_counters": 3.0, "by_netlist": 3.0},)
    # Of the last two: 4500 in as many.
    (files / "activity.json").write_text(json.dumps(activity_facts({"after": 1})))
    assert modelled(files).checks[0]["by_counters"] == 2.25
    # Fewer images than were simulated tell nothing about those.
    (files / "activity.json").write_text(json.dumps(activity_facts({"images": 4})))
    assert modelled(files).checks == ()
    assert modelled(files).power.parts == pytest.approx(plain.parts)


def test_energy_at_a_rate(files):
    full, slow = modelled(files), modelled(files, rate=100.0)
    watts, idle = full.power.watts.nominal, full.power.idle_watts.nominal
    assert slow.joules.nominal == pytest.approx(watts / 24_000 + idle * (1 / 100 - 1 / 24_000))
    assert slow.static_share == pytest.approx(
        devices()["up5k"].coefficients["static"].si.nominal / 100 / slow.joules.nominal
    )
    assert slow.static_share > full.static_share
    assert modelled(files, rate=full.full_rate_hz).joules.nominal == pytest.approx(
        full.joules.nominal
    )


@pytest.mark.parametrize("rate", [0.0, -1.0, 24_001.0, float("nan"), float("inf")])
def test_rate_out_of_reach(files, rate):
    with pytest.raises(InputError, match="must be above 0 and at most 24000, which is 24 MHz over"):
        modelled(files, rate=rate)


def test_convention(files):
    built = load_build(files / "build.json")
    found = by_operations(load_dump(files / "run.npz", built, "inference"))
    assert found["synops"] == 200
    assert found["joules"] == pytest.approx(200 * 0.9e-12)
    assert found["integer_joules"] == pytest.approx(200 * 0.1e-12)
    macs = sum(layer.weights.size for layer in NETWORK.layers)
    assert found["ann_macs"] == macs
    assert found["ann_joules"] == pytest.approx(macs * 4.6e-12)
    assert found["ann_integer_joules"] == pytest.approx(macs * 0.3e-12)
    assert "convention" in found["label"]
    # A network that is not at hand, or is another one by now.
    for origin in ({"network": "elsewhere"}, {"network_digest": "0"}):
        (files / "run.npz").write_bytes(dump_bytes(origin, {"macs": [10, 10, 10]}))
        found = by_operations(load_dump(files / "run.npz", built, "inference"))
        assert "ann_macs" not in found
        assert found["joules"] == pytest.approx((200 * 0.9 + 10 * 4.6) * 1e-12)


def make_energy(joules=2.0, watts=1.0, cycles=100.0, **changes):
    part = Part("static", Range(watts / 2, watts, watts * 2), Range.exactly(0), "")
    found = Energy(
        what="learning",
        power=Power("up5k", 1, (part,)),
        cycles=cycles,
        images=1,
        rate_hz=1,
        full_rate_hz=1,
        joules=Range(joules / 2, joules, joules * 2),
        parts={},
        static_share=0,
    )
    return replace(found, **changes)


def test_saving(tmp_path):
    path = tmp_path / "dense.json"
    path.write_text(json.dumps(make_energy().as_json()))
    dense = load_energy(path)
    found = saving(make_energy(joules=0.5, watts=1.01, cycles=40.0), dense)
    assert found["energy_saved"] == pytest.approx({"low": 75, "nominal": 75, "high": 75})
    assert found["power_saved"]["nominal"] == pytest.approx(-1)
    assert found["cycles_saved"] == pytest.approx(60)
    uneven = replace(make_energy(), joules=Range(0.1, 1.0, 3.0))
    assert saving(uneven, dense)["energy_saved"] == pytest.approx(
        {"low": 25, "nominal": 50, "high": 90}
    )
    with pytest.raises(InputError, match="against is of learning, must be of inference"):
        saving(replace(make_energy(), what="inference"), dense)
    with pytest.raises(InputError, match="against is of up5k, must be of hx8k"):
        saving(make_energy(power=replace(make_energy().power, device="hx8k")), dense)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"label": "measured"}', '{"label": "' + LABEL + '", "joules": {}}']
)
def test_wrong_other_energy(tmp_path, text):
    path = tmp_path / "dense.json"
    path.write_text(text)
    with pytest.raises(
        InputError, match=r"is not what power --json prints .* this makes one: first"
    ):
        load_energy(path)
    with pytest.raises(InputError, match=r"absent\.json: cannot be read: No such file"):
        load_energy(tmp_path / "absent.json")


WRONG = [
    ("build.json", b"", "is not JSON; this makes such a file: firstspike build"),
    ("build.json", b"[1]", "must hold an object"),
    ("build.json", b"{}", "is not the file of a build .*; this makes one: firstspike build"),
    ("build.json", build_facts(board="abacus"), "board is 'abacus', must be one of icebreaker"),
    ("build.json", build_facts(cells=3), "is not the file of a build"),
    ("build.json", build_facts(fmax_mhz={"1": 20.5}), "build failed: 20.5 MHz, must reach 24 MHz"),
    ("build.json", build_facts(fmax_mhz={}), "is not the file of a build"),
    ("build.json", build_facts(core_digest="00"), "core_digest is 00, and its core's is"),
    (
        "activity.json",
        b"\xff",
        "is not JSON; this makes such a file: firstspike activity NET --data DATA --core i",
    ),
    (
        "activity.json",
        b"{}",
        "is not the file of an activity .* firstspike activity NET --data DATA --core iceb",
    ),
    ("activity.json", activity_facts(cycles=0), r"0 must be an integer in 1\.\."),
    ("activity.json", activity_facts(toggles={"lut": float("nan")}), "is not JSON"),
    ("activity.json", activity_facts(toggles={"lut": -1.0}), r"-1.0 must be a number in 0\.\."),
    ("activity.json", activity_facts(memories=[{"cell": "X"}]), "is not the file of an activity"),
    (
        "activity.json",
        activity_facts(memories=[{"cell": "DP16KD", "name": "", "reads": 1, "writes": 0}]),
        "DP16KD has no coefficient on Lattice iCE40UP5K",
    ),
    (
        "activity.json",
        activity_facts({"core_digest": core_digest(PRESETS["hx8k"]).hex()}),
        "is of the core hx8k, and .* of icebreaker; .* firstspike activity NET --data DATA --core",
    ),
    ("activity.json", activity_facts({"core_digest": "0b"}), "is of the core of digest 0b"),
    (
        "activity.json",
        activity_facts({"family": "ecp5"}),
        "is of the family ecp5, and board icebre",
    ),
    ("activity.json", activity_facts({"learning": True}), "learned from, must be of inference"),
    (
        "activity.json",
        activity_facts({"network": "digits", "network_digest": "1"}),
        "network_digest is 1, and that of .*run.npz is .*: firstspike activity mnist --data",
    ),
    ("run.npz", b"", "is not a dump with its provenance"),
    ("run.npz", b"PK\x03\x04 broken", "is not a dump with its provenance"),
    ("run.npz", dump_bytes(provenance=None), "is not a dump with its provenance"),
    ("run.npz", dump_bytes(counter_names=None), "is not a dump with its provenance"),
    ("run.npz", dump_bytes({"kind": "learn"}), "is a dump of learn, must be of run"),
    (
        "run.npz",
        dump_bytes({"core_digest": "1"}),
        "counters are of the core of digest 1, and .* of ice",
    ),
    (
        "run.npz",
        dump_bytes(total_cycles=None),
        "no cycles of a whole run; .* firstspike run NET --data",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), WRONG)
def test_wrong_files(files, capsys, name, content, message):
    content = json.dumps(content).encode() if isinstance(content, dict) else content
    (files / name).write_bytes(content)
    assert main(words(files)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    with pytest.raises(InputError, match=message):
        modelled(files)


def paths(facts, here=()):
    """Yield the way to each value in ``facts``."""
    items = facts.items() if isinstance(facts, dict) else enumerate(facts)
    for key, value in items:
        yield (*here, key)
        if isinstance(value, dict | list) and key != "memories":
            yield from paths(value, (*here, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("make", [build_facts, activity_facts])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_is_taken_or_refused(tmp_path_factory, make, data):
    folder = tmp_path_factory.mktemp("fuzz")
    contents = {build_facts: build_facts(), activity_facts: activity_facts()}
    *way, last = data.draw(st.sampled_from(list(paths(contents[make]))))
    place = contents[make]
    for key in way:
        place = place[key]
    place[last] = data.draw(JSON)
    (folder / "build.json").write_text(json.dumps(contents[build_facts]))
    (folder / "activity.json").write_text(json.dumps(contents[activity_facts]))
    (folder / "run.npz").write_bytes(dump_bytes())
    try:
        found = modelled(folder)
    except InputError:
        return
    assert 0 < found.joules.low <= found.joules.nominal <= found.joules.high < float("inf")
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize("name", ["build.json", "activity.json", "run.npz"])
def test_missing_file(files, name):
    (files / name).unlink()
    with pytest.raises(InputError, match=f"{name}: cannot be read: No such file.* firstspike "):
        modelled(files)


def test_learning_needs_its_own_files(files, capsys):
    path = files / "learn.npz"
    path.write_bytes(dump_bytes({"kind": "learn", "recipe": "mine", "network": None}))
    options = ["power", "--build", str(files / "build.json"), "--learn", str(path)]
    assert main([*options, "--activity", str(files / "activity.json")]) == 2
    assert "inferred, must be of learning" in capsys.readouterr().err
    learned = activity_facts({"learning": True, "recipe": "mine", "network_digest": None})
    (files / "activity.json").write_text(json.dumps(learned))
    assert main([*options, "--activity", str(files / "activity.json")]) == 0
    assert capsys.readouterr().out.startswith("learning on up5k at 24 MHz: model, not measurement")
    learned["provenance"] |= {"pruning": True}
    (files / "activity.json").write_text(json.dumps(learned))
    path.write_bytes(
        dump_bytes({"kind": "learn", "recipe": "mine", "network": None, "pruning": False})
    )
    assert main([*options, "--activity", str(files / "activity.json")]) == 2
    assert "firstspike activity --learn mine --no-prune -o" in capsys.readouterr().err
    learned["provenance"]["recipe"] = "other"
    (files / "activity.json").write_text(json.dumps(learned))
    assert main([*options, "--activity", str(files / "activity.json")]) == 2
    assert "firstspike activity --learn mine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate", "3"], "power needs --build, --activity, and --run or --learn"),
        (["--run", "r.npz"], "power needs --build (a file); this makes it: firstspike build"),
        (["--build", "b.json"], "power needs --activity (a file); this makes it: firstspike act"),
        (["--build", "b.json", "--activity", "a.json"], "power needs --run or --learn (a dump)"),
        (
            ["--build", "b", "--activity", "a", "--run", "r", "--learn", "l"],
            "power needs --run or --learn (a dump), not both",
        ),
    ],
)
def test_missing_options(capsys, options, message):
    assert main(["power", *options]) == 2
    assert message in capsys.readouterr().err


def test_table(files, capsys):
    assert main(words(files, "--rate", "50")) == 0
    text = capsys.readouterr().out
    for word in ("static", "block RAM", "SPRAM", "PLL", "I/O", LABEL, "MARLANN", "SYNtzulu"):
        assert word in text
    assert "3 images, 1000.0 cycles each, 50 a second (at most 24000)" in text
    assert "n = 2" in text
    assert "literature convention" in text


def test_json(files, capsys):
    assert main(words(files, "--json")) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["label"] == LABEL
    assert facts["joules"] == asdict(modelled(files).joules)
    assert [part["name"] for part in facts["power"]["parts"]] == list(facts["parts"])
    assert facts["held_out"][0]["design"] == "MARLANN"
    assert set(facts["provenance"]) == {"build", "activity", "run", "power"}
    assert facts["provenance"]["power"]["core_digest"] == DIGEST
    assert "--json" in facts["provenance"]["power"]["command"]

    (files / "dense.json").write_text(json.dumps(facts))
    assert main(words(files, "--json", "--against", str(files / "dense.json"))) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["saving"]["energy_saved"] == {"low": 0, "nominal": 0, "high": 0}
    assert facts["saving"]["published"]["learning_saved"] == 64
    assert main(words(files, "--against", str(files / "dense.json"))) == 0
    assert "energy +0.00 % (+0.00 % to +0.00 %)" in capsys.readouterr().out


def test_errors_without_files(capsys):
    assert main(["power"]) == 0
    text = capsys.readouterr().out
    assert "-28.3 %" in text
    assert "+27.1 %" in text
    assert main(["power", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["held_out"]) == 2
