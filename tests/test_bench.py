"""The bench: medians, what is compared with an earlier one, and rates of cores.

Mutants tried, each of which a test here refused: the first call timed, too; a mean for the median;
ratios upside down; another machine passed over; a rate at another board's clock; a
learner's network for all cores.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firstspike import data, golden
from firstspike.boards import BOARDS
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.network import load_network
from firstspike.shipped import find_network
from firstspike.speed.against import ratios
from firstspike.speed.bench import core_rates
from firstspike.speed.figures import Figure, timed
from firstspike.speed.machine import machine


def test_a_rate_is_the_median_of_runs_that_count():
    # Seconds that the clock is asked for: before and after each of three runs.
    seconds = iter([0.0, 1.0, 5.0, 9.0, 10.0, 12.0])
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        return 8

    told: list[int] = []
    figure = timed("w", "x/s", work, 3, lambda: told.append(1), lambda: next(seconds))
    assert figure == Figure("w", "x/s", 4.0, 2.0, 8.0, 3)
    assert (len(calls), len(told)) == (4, 3)


def bench_of(**medians: float) -> dict:
    return {
        "provenance": {"kind": "bench", "commit": "abc"},
        "machine": {"processor": "one", "load": "0.1"},
        "figures": {name: {"median": value} for name, value in medians.items()},
    }


def test_against_an_earlier_one():
    new, old = bench_of(a=3.0, b=1.0), bench_of(a=2.0, c=1.0)
    assert ratios(new, old) == {
        "commit": "abc",
        "ratios": {"a": 1.5},
        "only_new": ["b"],
        "only_old": ["c"],
        "differs": [],
    }
    old["machine"] |= {"processor": "two", "load": "7.0"}
    assert ratios(new, old)["differs"] == ["processor"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"provenance": {"kind": "run"}, "machine": {}, "figures": {}}',
        json.dumps(bench_of(a=0.0)),
        json.dumps(bench_of() | {"machine": 3}),
        json.dumps(bench_of() | {"figures": {"a": 1}}),
    ],
)
def test_what_is_no_bench(tmp_path, monkeypatch, capsys, text):
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_text(text)
    assert main(["bench", "--against", "old.json", "-o", "new.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("firstspike: old.json: is no bench")
    assert err.count("\n") == 1
    assert main(["bench", "--against", "gone.json"]) == 2
    assert "gone.json: cannot be read" in capsys.readouterr().err
    assert not Path("new.json").exists()


def test_rates_of_cores(monkeypatch, tmp_path):
    monkeypatch.setenv("FIRSTSPIKE_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    found = core_rates()
    expected = set()
    for board in BOARDS.values():
        for name in board.cores:
            learning = PRESETS[name].learning
            expected.add(f"rate-{board.name}-{name}-{'digits-stdp' if learning else 'digits'}")
    # The learner of the HX8K has 64 inputs, and digits-stdp 128.
    assert found.keys() <= expected
    assert {key for key in expected - found.keys() if "learner-hx8k" not in key} == set()
    images = data.load("digits").test_images.reshape(500, -1)
    network = load_network(find_network("digits"))
    for board, core in (("hx8k", "hx8k"), ("ulx3s-25f", "ulx3s-25f")):
        figure = found[f"rate-{board}-{core}-digits"]
        cycles = golden.run(network, images, core=PRESETS[core]).total_cycles
        assert cycles is not None
        assert figure.median == pytest.approx(BOARDS[board].clock * 500 / cycles, rel=1e-12)
        assert (figure.runs, figure.modelled) == (1, True)
        assert figure.low == figure.high == figure.median


def test_the_machine_is_described():
    facts = machine()
    assert {"processor", "processors", "python", "numpy", "load"} <= facts.keys()
    assert all(isinstance(value, str) and value for value in facts.values())


@pytest.mark.rtl
def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--runs", "1", "-o", "one.json"]) == 0
    text = capsys.readouterr().out
    one = json.loads(Path("one.json").read_text())
    for name in ("rtl-cycles", "golden-images", "golden-stimuli"):
        assert name in text
        assert one["figures"][name]["median"] > 1000
        assert one["figures"][name]["runs"] == 1
    assert one["provenance"]["kind"] == "bench"
    assert main(["bench", "--runs", "1", "--against", "one.json", "--json"]) == 0
    two = json.loads(capsys.readouterr().out)
    assert two["against"]["ratios"].keys() == one["figures"].keys()
    for name, ratio in two["against"]["ratios"].items():
        assert ratio == two["figures"][name]["median"] / one["figures"][name]["median"]
    assert two["against"]["ratios"]["rate-hx8k-hx8k-digits"] == 1.0
