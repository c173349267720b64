"""The command line: what it prints, its exit statuses, and every way to use it wrongly.

Mutants tried, each of which a test here refused: InputError that is not caught; exit status 1 for
bad input; a usage in several lines; progress bars on standard output, or in a file; --limit or
--no-early-exit ignored; `compare` that always says equal, or exits with 0 when it does not;
accuracy of neurons in place of classes; a dump of neurons in place of classes; forced as a count;
--image that takes --limit; `export` that writes before it knows that the network fits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firstspike import data, engines
from firstspike.board.protocol import core_digest
from firstspike.cli import main
from firstspike.cli.common import print_facts
from firstspike.cores import PRESETS, load_core
from firstspike.network import Layer, Network, load_network, save_network
from firstspike.outcome import Outcome
from firstspike.shipped import networks
from firstspike.spec import Neuron, Space, WeightKind


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Work in an empty folder, without data sets of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRSTSPIKE_DATA", str(tmp_path / "none"))
    return tmp_path


def done(capsys, *arguments: str, status: int = 0) -> str:
    """Run a command that works; return what it printed."""
    assert main(arguments) == status
    return capsys.readouterr().out


def done_json(capsys, *arguments: str, status: int = 0) -> dict:
    return json.loads(done(capsys, *arguments, "--json", status=status))


def refused(capsys, *arguments: str) -> str:
    """Run a command that must not; check all that is promised, and return its only line."""
    before = sorted(Path().rglob("*"))
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("firstspike")
    assert sorted(Path().rglob("*")) == before
    return err.strip()


def tiny(folder: Path, labels=(5, 7), theta=(3, 5)) -> str:
    """Save the network of docs/semantics.md, section 2.5."""
    layer = Layer(
        "out",
        Neuron.STEP,
        WeightKind.SIGNED,
        4,
        np.array([[3, 1], [-2, 6]]),
        np.array(theta),
    )
    save_network(Network("tiny", (layer,), 3, (1, 2), labels), folder)
    return str(folder)


def images(path: Path, pixels, labels=None) -> str:
    arrays = {"images": np.array(pixels, np.uint8)[:, None, :]}
    if labels is not None:
        arrays["labels"] = np.array(labels)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


# --- what works


def test_nets(capsys):
    facts = done_json(capsys, "nets")
    assert set(facts["networks"]) == set(networks())
    digits = facts["networks"]["digits"]
    assert digits["path"] == str(networks()["digits"])
    assert digits["layers"][0] == 64
    assert Path(facts["recipes"]["digits"]).is_file()
    assert str(networks()["mnist"]) in done(capsys, "nets")


def test_cores(capsys, place):
    assert set(done_json(capsys, "cores")) == set(PRESETS)
    assert done_json(capsys, "cores", "icebreaker")["memory"] == "spram"
    (place / "core.yaml").write_text(done(capsys, "cores", "hx8k"))
    assert done_json(capsys, "cores", "core.yaml") == done_json(capsys, "cores", "hx8k")
    assert "ulx3s-25f" in done(capsys, "cores")


def test_data(capsys, place):
    digits = done_json(capsys, "data", "digits")["digits"]
    assert (digits["train"], digits["test"], digits["rows"]) == (1297, 500, 8)
    assert Path(digits["folder"], "digits.npz").is_file()
    assert "1297" in done(capsys, "data", "digits")


def test_run_on_a_data_set(capsys, place):
    facts = done_json(capsys, "run", "digits", "--data", "digits")
    network = load_network(networks()["digits"])
    want = {
        "engine": "golden",
        "core": "default",
        "network": network.name,
        "digest": network.digest,
        "data": "digits",
        "split": "test",
        "images": 500,
        "lanes": 16,
        "early_exit": True,
    }
    assert {key: facts[key] for key in want} == want
    assert facts["accuracy"] > 0.8
    assert facts["accuracy"] == facts["last_accuracy"]
    assert 0 <= facts["forced"] < 0.1
    assert facts["events_per_image"] * 500 == pytest.approx(facts["events"])
    assert facts["macs"] == facts["macs_per_image"] == 0
    assert facts["counters"]["forced"] == round(facts["forced"] * 500)
    text = done(capsys, "run", "digits", "--data", "digits", "--limit", "20", "--split", "train")
    assert "split" in text
    assert "train" in text


def test_facts_are_printed_flat(capsys):
    print_facts({"a": 1, "nested": {"b": 0.5, "c": {"d": 12.25}}, "list": [1]})
    assert capsys.readouterr().out == "a           1\nnested.b    0.5000\nnested.c.d  12.2\n"


def test_limit_and_late_decisions(capsys, place):
    net = tiny(place / "net")
    own = images(place / "own.npz", [[255, 127], [0, 0], [0, 255]], [5, 5, 7])
    facts = done_json(capsys, "run", net, "--data", own, "--limit", "2")
    assert facts["images"] == 2
    assert facts["split"] == "all"
    # The first is decided at step 0, the second is forced: d = (-3, -5), class 5.
    assert facts["accuracy"] == 1.0
    assert facts["forced"] == 0.5
    assert facts["mean_steps"] == 4.0
    late = done_json(capsys, "run", net, "--data", own, "--limit", "2", "--no-early-exit")
    assert late["early_exit"] is False
    assert (late["accuracy"], late["last_accuracy"]) == (1.0, 0.5)
    assert (facts["events"], late["events"]) == (1, 2)


def test_without_labels(capsys, place):
    own = images(place / "own.npz", [[255, 127]])
    facts = done_json(capsys, "run", tiny(place / "net"), "--data", own)
    assert facts["accuracy"] is None
    assert "accuracy" not in done(capsys, "run", tiny(place / "net"), "--data", own)


def test_dump(capsys, place):
    own = images(place / "own.npz", [[255, 127], [0, 0]], [5, 7])
    done(capsys, "run", tiny(place / "net"), "--data", own, "--no-early-exit", "--dump", "out.npz")
    with np.load("out.npz", allow_pickle=False) as dump:
        assert dump["label"].tolist() == [5, 7]
        assert dump["predicted"].tolist() == [5, 5]
        assert dump["last_predicted"].tolist() == [7, 5]
        assert dump["decision_step"].tolist() == [0, 8]
        assert dump["forced"].tolist() == [0, 1]
        assert dump["potential"].tolist() == [[1, 7], [0, 0]]
        assert dump["spike_time.out"].tolist() == [[0, 4], [8, 8]]
        names = dump["counter_names"].tolist()
        assert dump["counters"][:, names.index("events")].tolist() == [2, 0]
        cycles = dump["counters"][:, names.index("cycles")]
        assert dump["total_cycles"] > cycles.sum() > 0
        assert (dump["floor_cycles"] <= cycles).all()
        origin = json.loads(str(dump["provenance"]))
    network = load_network(Path(place / "net"))
    assert origin["kind"] == "run"
    assert origin["command"].startswith("firstspike run ")
    assert origin["command"].endswith(" --no-early-exit --dump out.npz")
    assert origin["core_digest"] == core_digest(load_core("default")).hex()
    assert (origin["network"], origin["network_digest"]) == (network.name, network.digest)
    assert (origin["engine"], origin["early_exit"]) == ("golden", False)
    assert (origin["data"], origin["split"]) == (str(own), "all")


def test_one_image(capsys, place):
    net = tiny(place / "net")
    Image.fromarray(np.array([[255, 127]], np.uint8)).save("a.png")
    facts = done_json(capsys, "run", net, "--image", "a.png", "--no-early-exit")
    assert facts["predicted"] == 5
    assert facts["decision_step"] == 0
    assert facts["potential"] == [1, 7]
    assert facts["spike_time"] == {"out": [0, 4]}
    text = done(capsys, "run", net, "--image", "a.png", "--no-early-exit")
    assert "out: 2 of 2 neurons spiked" in text
    assert "    0 |█ | 1\n" in text
    assert "    4 | █| 1\n" in text
    assert "class 5 (first output spike, in step 0 of 8)" in text
    Image.fromarray(np.array([[0, 0]], np.uint8)).save("b.png")
    text = done(capsys, "run", net, "--image", "b.png")
    assert "class 5 (no output spiked" in text


def test_one_image_of_a_ramp_network(capsys, place):
    hidden = Layer(
        "h", Neuron.RAMP, WeightKind.SIGNED, 4, np.array([[1, 0], [0, 1]]), np.array([0, 0]), 1
    )
    out = Layer(
        "o", Neuron.RAMP, WeightKind.SIGNED, 4, np.array([[2, 1], [0, 3]]), np.array([0, 0])
    )
    save_network(Network("r", (hidden, out), 3, (1, 2), (0, 1)), place / "net")
    Image.fromarray(np.array([[255, 127]], np.uint8)).save("a.png")
    text = done(capsys, "run", "net", "--image", "a.png")
    # a = (7, 3): V = (14, 16).
    assert "h: 2 of 2 neurons spiked" in text
    assert "o: " not in text
    assert "class 1 (largest potential)" in text


def test_compare_with_itself(capsys, place):
    text = done(capsys, "compare", "digits", "--engines", "golden,golden", "--data", "digits")
    assert "equal" in text
    facts = done_json(
        capsys,
        "compare",
        "digits",
        "--engines",
        "golden,golden",
        "--data",
        "digits",
        "--limit",
        "9",
    )
    assert facts["equal"] is True
    assert facts["difference"] is None
    assert facts["images"] == 9


class Wrong(engines.GoldenEngine):
    """The golden model, with one spike time that is not its own."""

    def run(self, *args, **kwargs) -> Outcome:
        outcome = super().run(*args, **kwargs)
        outcome.spike_time["hidden"][3, 17] += 1
        return outcome


def test_compare_names_the_first_difference(capsys, place, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__].engines, "ENGINES", {**engines.ENGINES})
    monkeypatch.setitem(engines.ENGINES, "pysim", (__name__, "Wrong"))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    arguments = ["compare", "digits", "--engines", "golden,pysim", "--data", "digits"]
    facts = done_json(capsys, *arguments, "--limit", "5", status=1)
    assert facts["equal"] is False
    found = facts["difference"]
    assert (found["image"], found["quantity"], found["index"]) == (3, "spike_time.hidden", [17])
    assert found["values"]["pysim"] == found["values"]["golden"] + 1
    text = done(capsys, *arguments, "--limit", "5", status=1)
    assert "different: image 3, spike_time.hidden[17]: golden " in text


def test_memory_images(capsys, place):
    done(capsys, "export", "digits", "--hex", "hex", "--core", "icebreaker")
    banks = [(place / "hex" / f"weights.{bank}.hex").read_text().split() for bank in range(4)]
    core = PRESETS["icebreaker"]
    weights = load_network(networks()["digits"]).layers[0].weights
    # Neuron j is in bank j % 4, lane j // 4 % 4 of a word; input 0 is the first row.
    for j in (0, 1, 6, 13):
        word = int(banks[j % core.banks][0], 16)
        assert word >> 4 * (j // core.banks % core.word) & 15 == weights[0, j] & 15
    requests = (place / "hex" / "program.hex").read_text().split()
    assert all(len(request) == 15 and int(request, 16) & 1 for request in requests)
    # {data, address, space, write}: the same words as in the files of the memories.
    fields = [(n >> 27, n >> 3 & 0xFFFFFF, n >> 1 & 3) for n in (int(r, 16) for r in requests)]
    words = {address: data for data, address, space in fields if space == Space.WEIGHTS}
    for bank, lines in enumerate(banks):
        for row in (0, 1, len(lines) - 1):
            assert words[core.address(Space.WEIGHTS, bank, row, 0)] == int(lines[row], 16)


def test_module_and_version():
    command = [sys.executable, "-m", "firstspike", "--version"]
    assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("firstspike 0")


def test_json_is_all_that_is_on_standard_output(monkeypatch):
    """A progress bar goes to standard error, and only if that is a terminal."""
    command = [sys.executable, "-m", "firstspike", "run", "digits", "--data", "digits", "--json"]
    for forced in (False, True):
        if forced:
            monkeypatch.setenv("FORCE_COLOR", "1")
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0
        assert json.loads(result.stdout)["images"] == 500
        assert ("golden" in result.stderr) == forced


def test_a_reader_that_goes_away():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "firstspike", "cores"]
    # What Python has not written yet when it ends is what matters here.
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, "")


# --- what does not


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND (see firstspike --help)"),
        (["fly"], "argument COMMAND: invalid choice: 'fly'"),
        (["run"], "firstspike run: the following arguments are required: NET"),
        (["run", "digits"], "run needs --data (a data set, file.npz or folder) or --image"),
        (["run", "digits", "--data", "digits", "--image", "a.png"], "or --image, not both"),
        (["run", "absent", "--data", "digits"], "network is 'absent', must be a folder or one of"),
        (["run", ".", "--data", "digits"], ".: no network.yaml there, so not a network"),
        (["run", "x" * 300, "--data", "digits"], "File name too long: 'xxx"),
        (["run", "digits", "--data", "absent"], "data is 'absent', must be one of digits, mnist"),
        (["run", "digits", "--data", "absent.npz"], "absent.npz: cannot be read: No such file"),
        (["run", "digits", "--data", "."], ".: no PNG files there"),
        (["run", "mnist", "--data", "digits"], "digits: images are 8 x 8 (rows x columns), the"),
        (["run", "mnist", "--data", "mnist"], "to fetch it: firstspike data mnist"),
        (["run", "mnist", "--data", "mnist", "--dir", "here"], "mnist: no such data set in here"),
        (["run", "digits", "--data", "digits", "--split", "all"], "invalid choice: 'all'"),
        (["run", "digits", "--data", "digits", "--limit", "0"], "must be an integer of at least 1"),
        (["run", "digits", "--data", "digits", "--limit", "x"], "must be an integer of at least 1"),
        (["run", "digits", "--data", "digits", "--engine", "x"], "invalid choice: 'x'"),
        (["run", "digits", "--data", "digits", "--core", "x"], "core is 'x', must be one of"),
        (["run", "digits", "--data", "digits", "--core", "x.yaml"], "x.yaml: cannot be read: No"),
        (["run", "mnist", "--data", "mnist", "--image", "x"], "not both"),
        (["run", "digits", "--image", "absent.png"], "absent.png: no such file"),
        (["run", "digits", "--image", "a.png", "--limit", "3"], "--split and --limit go with"),
        (["run", "digits", "--data", "digits", "--trace", "a.vcd"], "engine golden has no clock"),
        (["compare", "digits", "--data", "digits"], "are required: --engines"),
        (["compare", "digits", "--engines", "golden,pysim"], "compare needs --data"),
        (["compare", "digits", "--engines", "golden"], "'golden', must be two of golden, pysim"),
        (
            ["compare", "digits", "--engines", "golden,x"],
            "'golden,x', must be two of golden, pysim",
        ),
        (["cores", "x"], "core is 'x', must be one of default, icebreaker"),
        (["data", "cifar"], "data set is 'cifar', must be one of digits, mnist, fashion-mnist"),
        (["train", "absent", "-o", "run"], "recipe is 'absent', must be a file or one of"),
        (["train", "digits"], "are required: -o"),
        (["train", "digits", "-o", "run", "--seed", "-1"], "must be an integer of at least 0"),
        (["export", "absent", "-o", "net"], "absent: no such folder, must be one that firstspike"),
        (["export", "absent"], "export needs -o NET"),
        (["export", "digits", "-o", "net"], "digits is a network already: give --hex or --nir"),
        (["export", "digits"], "digits is a network already: give --hex or --nir"),
        (["export", "mnist", "--hex", "hex", "--core", "hx8k"], "network does not fit the core"),
        (["verilog"], "are required: -o"),
        (["verilog", "--core", "x", "-o", "core.v"], "core is 'x', must be one of"),
        (["build"], "are required: --board"),
        (["build", "--board", "x"], "invalid choice: 'x'"),
        (["build", "mnist", "--board", "hx8k"], "network does not fit the core"),
        (["build", "--board", "hx8k", "--seeds", "0"], "must be an integer of at least 1"),
    ],
)
def test_wrong_use(capsys, place, arguments, message):
    assert message in refused(capsys, *arguments)


def test_networks_that_cannot_run(capsys, place):
    own = images(place / "own.npz", [[255, 127]])
    net = tiny(place / "silent", theta=(3, 8))
    assert "never reached" in refused(capsys, "run", net, "--data", own)
    net = tiny(place / "net")
    (place / "net" / "weights.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "weights.npz: damaged" in refused(capsys, "run", net, "--data", own)


def test_places_that_cannot_be_written(capsys, place):
    own = images(place / "own.npz", [[255, 127]])
    net = tiny(place / "net")
    (place / "file").write_text("")
    for arguments in (
        ["run", net, "--data", own, "--dump", "file/out.npz"],
        ["export", "digits", "--hex", "file/hex"],
    ):
        assert "cannot be written: " in refused(capsys, *arguments)


def test_a_folder_that_may_not_be_listed(capsys, place, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    (place / "images").mkdir()
    monkeypatch.setattr(Path, "iterdir", forbidden)
    message = refused(capsys, "run", "digits", "--data", "images")
    assert message == "firstspike: [Errno 13] Permission denied: 'images'"


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("torch", ["train", "digits", "-o", "run"], "train"),
        ("firstspike_hw.verilog", ["verilog", "-o", "core.v"], "hw"),
        ("firstspike_hw.build", ["build", "--board", "hx8k"], "hw"),
        ("firstspike_sim.rtl", ["run", "digits", "--data", "digits", "--engine", "rtl"], "sim"),
    ],
)
def test_packages_that_are_missing(capsys, place, monkeypatch, module, arguments, extra):
    for name in [name for name in sys.modules if name.startswith("firstspike.train")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert f"pip install 'firstspike[{extra}]'" in refused(capsys, *arguments)


def test_an_interruption(capsys, place, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", interrupt)
    assert main(["run", "digits", "--data", "digits"]) == 130
    assert capsys.readouterr().err.strip() == "firstspike: interrupted"
