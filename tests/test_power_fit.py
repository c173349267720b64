"""The power model's coefficients, from the measurements again, and its error on whole designs.

Mutants that a test here saw: a PLL's rows without their PLL, cells without the frequency, glitches
exchanged with none, one multiplier's transitions for both fits; a design fitted on itself, on more
than it takes, or with two runs weighing twice; energies below nothing; all SPRAMs as block RAMs;
mW as uW; chips' files with a number changed, or a key too many; a measurement changed; a table on
the page changed.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from firstspike.boards import BOARDS
from firstspike.errors import InputError
from firstspike.power import Range, held_out_errors
from firstspike.power.device import FOLDER, NAMES, devices, find_device, load_device
from firstspike.power.fit import fit_logic, residuals
from firstspike.power.measurements import FILE, Row, load_measurements
from firstspike.power.memories import fit_memories, held_out, idle_share
from firstspike.power.pages import coefficients_table, errors_table, fill, main
from firstspike.power.systems import KINDS, load_systems, systems

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def measured():
    return load_measurements()


@pytest.fixture(scope="module")
def logic(measured):
    return fit_logic(measured)


def test_fit_returns_what_made_the_rows(measured):
    # Currents computed from known coefficients instead of measured ones.
    true = {"static": 80, "clock": 30, "cell": 0.01, "transition": 0.4, "dsp": 2}
    true |= {"hfosc": 40, "pll": 700}

    def current(row: Row) -> float:
        cycle = true["clock"] + true["cell"] * row.cells + true["transition"] * row.transitions
        cycle += true["dsp"] * row.dsp_transitions
        cycle += {"hfosc": 5.0, "external": 7.0}.get(row.clock, 0.0)
        return true["static"] + row.mhz * cycle + true.get(row.clock, 0.0)

    rows = tuple(replace(row, core=current(row)) for row in measured.rows)
    found = fit_logic(replace(measured, rows=rows))
    volts = measured.core_volts
    assert found.clock.nominal == pytest.approx(true["clock"] * volts)
    assert asdict(found.clock) == pytest.approx(dict.fromkeys(asdict(found.clock), 30 * volts))
    assert asdict(found.cell) == pytest.approx(dict.fromkeys(asdict(found.cell), 0.01 * volts))
    assert found.transition.high == pytest.approx(0.4 * volts)
    assert found.dsp.nominal == pytest.approx(2 * volts)
    assert found.static.low == pytest.approx(80 * volts / 1e3)
    assert found.hfosc == pytest.approx(40 * volts / 1e3)
    assert found.hfosc_cycle == pytest.approx(5 * volts)
    assert found.external_cycle == pytest.approx(7 * volts)
    assert found.pll_core == pytest.approx(700 * volts / 1e3)


def test_fit_by_hand(measured, logic):
    # 32 to 228 cells at 12 MHz, and a multiplier of 180 cells: two rows each, and a slope.
    cell = (641.3 - 613.5) / 196 / 12 * 1.219
    assert logic.cell.nominal == pytest.approx(cell, rel=0.02)
    multiplier = (996 - 645) / 12 * 1.219
    assert logic.transition.high == pytest.approx((multiplier - 180 * cell) / 62.8, rel=0.01)
    assert logic.transition.low == pytest.approx((multiplier - 180 * cell) / 108.1, rel=0.01)
    assert all(abs(value) < 0.04 for value in residuals(measured).values())
    assert all(abs(value) < 0.012 for name, value in residuals(measured).items() if "MHz" in name)


def test_two_rows_are_not_enough(measured):
    with pytest.raises(ValueError, match="2 rows determine 2 of 9 unknowns"):
        fit_logic(replace(measured, rows=measured.rows[1:3]))


def test_up5k_holds_what_the_fits_give(measured, logic):
    memories = fit_memories(measured, logic)
    found = {name: getattr(logic, name) for name in NAMES if hasattr(logic, name)}
    found |= {"block_ram": memories.block_ram, "spram": memories.spram}
    stated = devices()["up5k"].coefficients
    assert stated.keys() == found.keys() == NAMES.keys()
    for name, one in stated.items():
        for level, value in asdict(found[name]).items():
            assert asdict(one.value)[level] == pytest.approx(value, rel=1e-3), name


def test_error_on_designs_left_out(measured, logic):
    # Computed again without the package's own functions, from the numbers in the file.
    first, second = measured.designs

    def parts(design, run):
        duty = {kind: value.nominal for kind, value in design.duty.items()}
        fixed = {"hfosc": logic.hfosc, "pll": logic.pll_core, "external": 0.0}[run.clock]
        source = {"hfosc": logic.hfosc_cycle, "external": logic.external_cycle, "pll": 0.0}
        cycle = logic.clock.nominal + source[run.clock]
        cycle += design.cells * (logic.cell.nominal + 0.125 * logic.transition.nominal)
        cycle += design.dsps * duty["dsps"] * 7.6 * logic.dsp.nominal
        known = logic.static.nominal + fixed + cycle * run.mhz / 1e3
        accesses = design.block_rams * duty["block_rams"] + 2.83 * design.sprams * duty["sprams"]
        return known, accesses * run.mhz / 1e3

    known, accesses = parts(second, second.runs[0])
    access = (second.runs[0].milliwatts - known) / accesses
    expected = [
        (parts(first, run)[0] + access * parts(first, run)[1]) / run.milliwatts - 1
        for run in first.runs
    ]
    assert [run.error for run in held_out(measured, logic)[0].runs] == pytest.approx(expected)

    # Least squares of relative errors over two runs.
    each = [(parts(first, run), run.milliwatts) for run in first.runs]
    upper = sum((mw - known) * accesses / mw**2 for (known, accesses), mw in each)
    lower = sum(accesses**2 / mw**2 for (known, accesses), mw in each)
    known, accesses = parts(second, second.runs[0])
    expected = (known + upper / lower * accesses) / second.runs[0].milliwatts - 1
    assert held_out(measured, logic)[1].runs[0].error == pytest.approx(expected)


def test_errors_that_are_printed():
    # What it was when it was seen first; whatever changes them must be told in docs/power.md.
    errors = held_out_errors()
    assert [one["design"] for one in errors] == ["MARLANN", "SYNtzulu"]
    assert [one["fitted_on"] for one in errors] == [("SYNtzulu",), ("MARLANN",)]
    found = [round(100 * run["error"], 1) for one in errors for run in one["runs"]]
    assert found == [-28.3, -21.7, 27.1]
    assert [round(100 * other[2], 1) for other in errors[1]["others"]] == [0.2, -15.0]
    for one in errors:
        for run in one["runs"]:
            assert run["predicted"]["low"] < run["measured"] < run["predicted"]["high"]


def test_memories_span_single_fits(measured, logic):
    memories = fit_memories(measured, logic)
    for held in held_out(measured, logic):
        assert memories.block_ram.low <= held.block_ram <= memories.block_ram.high
    assert memories.spram.nominal == pytest.approx(2.83 * memories.block_ram.nominal)
    same = replace(measured, designs=measured.designs[:1] * 2)
    assert fit_memories(same, logic).block_ram.nominal == pytest.approx(
        held_out(measured, logic)[1].block_ram
    )


def test_idle(measured, logic):
    # 12 MHz, 3882 cells that do not switch: less than half of the 3.53 mW that were measured.
    cycle = logic.clock.nominal + logic.external_cycle + 3882 * logic.cell.nominal
    rest = 3.53 - logic.static.nominal - 12e-3 * cycle
    memories = fit_memories(measured, logic)
    enabled = 12e-3 * (25 * 0.8 * memories.block_ram.nominal + 4 * memories.spram.nominal)
    assert idle_share(measured, logic) == {"MARLANN": pytest.approx(rest / enabled)}
    assert rest / enabled == pytest.approx(0.55, abs=0.01)


def test_no_energy_below_nothing(measured, logic):
    tiny = tuple(
        replace(design, runs=tuple(replace(run, milliwatts=0.1) for run in design.runs))
        for design in measured.designs
    )
    assert fit_memories(replace(measured, designs=tiny), logic).block_ram == Range(0, 0, 0)


def test_every_chip_of_a_board():
    assert [find_device(board).name for board in BOARDS.values()] == [
        "up5k", "up5k", "hx8k", "ecp5-25f", "ecp5-85f", "ecp5-25f", "ecp5-25f", "ecp5-25f",
    ]  # fmt: skip
    other = replace(BOARDS["hx8k"], chip="XC7A35T")
    with pytest.raises(InputError, match="its chip XC7A35T has no coefficients of power"):
        find_device(other)


def test_what_has_no_data_is_a_range():
    for device in devices().values():
        for one in device.coefficients.values():
            assert one.source
            if one.kind in ("no data", "whole designs"):
                # At least half of the nominal value, to either side or both.
                assert one.value.high - one.value.low >= 0.5 * one.value.nominal, one


def test_orders_of_magnitude():
    # Data sheets and boards in reset, in W.
    assert devices()["up5k"].coefficients["static"].si.nominal == pytest.approx(0.000108, rel=0.01)
    assert devices()["hx8k"].coefficients["static"].si.nominal == pytest.approx(
        1.14e-3 * 1.2, rel=0.01
    )
    assert devices()["ecp5-25f"].coefficients["static"].si.nominal == pytest.approx(0.138)
    assert devices()["ecp5-85f"].coefficients["transition"].si.low == pytest.approx(1e-13)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("device: up5k", "device: up5k\nextra: 1", "extra: unknown key"),
        ("[0.1043, 0.1083, 0.1646]", "[0.2, 0.1, 0.3]", "rising order"),
        ("[0.1043, 0.1083, 0.1646]", "[0.1, 0.3]", "low, nominal and high"),
        ("[0.1043, 0.1083, 0.1646]", "[-1, 0.1, 0.3]", "must be a number in 0"),
        ("name: static, unit: mW", "name: static, unit: pJ", "unit: is 'pJ', must be one of mW"),
        ("name: static", "name: statics", "must be one of static"),
        ("name: cell", "name: clock", "'clock' stands twice"),
        ("name: pll, unit: mW", "name: static, unit: mW", "'static' stands twice"),
        ("switching: [lut, ff]", "switching: [lut, wires]", "'wires' must be one of lut"),
        (", dsp: ICESTORM_DSP", "", "'dsp' must stand here and in coefficients"),
        ("kind: measured", "kind: guessed", "kind: is 'guessed', must be one of measured"),
        ("kind: measured, source", "kind: measured, page: 3, source", "page: unknown key"),
        ("version: 1", "version: 2", "version: is 2"),
    ],
)
def test_wrong_device(tmp_path, old, new, message):
    text = (FOLDER / "up5k.yaml").read_text()
    path = tmp_path / "up5k.yaml"
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_device(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("core_volts: 1.219", "core_volts: volts", "core_volts: is 'volts'"),
        ("clock: hfosc, mhz: 48", "clock: ring, mhz: 48", "clock: is 'ring'"),
        ("cells: 208", "cells: 208, colour: red", "colour: unknown key"),
        ("sprams: [0.5, 1.0, 1.0]", "sprams: [0.5, 1.0, 1.5]", "must be a number in 0..1"),
        ("highest_static: 135", "", "highest_static: is missing"),
        ("milliwatts: 10.58", "milliwatts: 10.58, amperes: 1", "amperes: unknown key"),
    ],
)
def test_wrong_measurements(tmp_path, old, new, message):
    text = FILE.read_text()
    assert old in text
    path = tmp_path / "measurements.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_measurements(path)


def test_systems(tmp_path):
    found = systems()
    assert {one.kind for one in found} == set(KINDS)
    spiker = next(one for one in found if one.name == "Spiker+")
    assert (spiker.energy_uj, spiker.kind, spiker.computed) == (140, "vendor estimate", True)
    # Power times latency, where that is what the energy is: 780 us of 180 mW.
    assert spiker.power_mw == 180
    for one in found:
        assert one.energy_uj or one.power_mw, one.name
        assert not one.computed or one.power_mw, one.name
    path = tmp_path / "systems.yaml"
    path.write_text(
        "version: 1\nsystems: [{name: a, technology: FPGA, device: d, task: t, what: inference, "
        "kind: rumour, computed: false, seen: abstract, source: s}]\n"
    )
    with pytest.raises(
        InputError, match=r"systems\[0\].kind: is 'rumour', must be one of measured"
    ):
        load_systems(path)


def test_page(tmp_path, capsys):
    page = DOCS / "power.md"
    assert fill(page.read_text()) == page.read_text()
    assert coefficients_table().count("\n") == 2 + sum(
        len(d.coefficients) for d in devices().values()
    )
    assert "| `up5k` | static | 0.1043 | 0.1083 | 0.1646 | mW | measured |" in coefficients_table()
    assert "| SYNtzulu | MARLANN | 24 | 9.50 | 12.07 |" in errors_table()
    copy = tmp_path / "power.md"
    copy.write_text(page.read_text().replace("| MARLANN |", "| OTHER |"))
    assert main([str(copy)]) == 0
    assert copy.read_text() == page.read_text()
    copy.write_text(page.read_text().replace("<!-- end of errors -->", ""))
    assert main([str(copy)]) == 2
    assert "must have <!-- errors: generated -->" in capsys.readouterr().err
    assert main([]) == 2


def test_range():
    assert Range(1, 2, 3) + Range.exactly(1) == Range(2, 3, 4)
    assert Range(1, 2, 3) * Range(2, 2, 4) == Range(2, 4, 12)
    assert Range(1, 2, 3) / 2 == Range(0.5, 1, 1.5)
    with pytest.raises(ValueError, match="rising order"):
        Range(1, 0, 3)
