"""The report: evidence that is refused, numbers computed again by other means, and the page itself.

Mutants tried, each of which a test here refused: digests of core or network not compared; the clock
not checked; the run of fewest images told; p99 as p90; bars that hold unequally many whole numbers;
a deadline one step late; images that are decided and guess again; only counters compared between
engines; latency at another clock; the rate without pauses; live connections without those pruned
meanwhile; weights that wrap; energy at full rate for every rate; kinds of figures mixed; nothing
escaped; identifiers twice; a date in pictures; a link to no source; letters from elsewhere; a
figure left out; a chip without its SPRAM; of builds of a learner the oldest, or one of another
core; its activity counted without a build.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from firstspike import data, golden
from firstspike.board.protocol import core_digest
from firstspike.boards import BOARDS
from firstspike.cli import _parser, main
from firstspike.cores import PRESETS
from firstspike.network import Layer, Network, load_network, save_network
from firstspike.power import energy
from firstspike.power.systems import systems as published
from firstspike.provenance import provenance
from firstspike.report import collect
from firstspike.report.charts import fields_chart
from firstspike.report.distribution import distribution, shares
from firstspike.report.files import Source
from firstspike.report.learned import learned
from firstspike.report.pieces import Table, number, percent, signed_si
from firstspike.report.svg import draw
from firstspike.shipped import find_network
from firstspike.spec import Neuron, WeightKind
from report_evidence import CORE, IMAGES, LEARNED, change_dump, change_json, make_folder

REPORT = ["report", "digits", "--board", "icebreaker", "--rate", "50"]
FIGURES = {
    "raster", "steps", "anytime", "latency", "roofline", "events", "synops", "energy", "rates",
    "learning-energy", "model-error", "convention", "ours", "measured", "vendor-estimate",
    "not-said", "learning-curve", "learning-cycles", "cells", "fmax", "blocks", "agreement",
    "speeds",
}  # fmt: skip
#: Those without a picture: tables.
TABLES = {"rates", "learning-energy", "model-error", "convention", "ours", "measured",
          "vendor-estimate", "not-said", "cells", "agreement", "speeds"}  # fmt: skip


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("evidence"))


@pytest.fixture
def folder(evidence, tmp_path, monkeypatch) -> Path:
    """Return a copy of the evidence that may be changed, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(evidence, tmp_path / "from"))


def report(*more: str) -> dict:
    assert main([*REPORT, "--from", "from", "-o", "out/page.html", *more]) == 0
    return json.loads(Path("out/page.json").read_text())


def page() -> str:
    return Path("out/page.html").read_text()


def dump(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def counter(arrays: dict[str, np.ndarray], name: str) -> list[int]:
    at = arrays["counter_names"].tolist().index(name)
    return arrays["counters"][:, at].tolist()


# --- evidence that is refused


def origin_of(**values):
    return lambda arrays, origin: origin.update(values)


def without(*names):
    return lambda arrays, origin: [arrays.pop(name) for name in names]


def fewer_names(arrays, origin):
    keep = arrays["counter_names"] != "cycles"
    arrays["counters"] = arrays["counters"][:, keep]
    arrays["counter_names"] = arrays["counter_names"][keep]


def other_labels(arrays, origin):
    arrays["label"] = (arrays["label"] + 1) % 10


def two_learner_builds(folder):
    core = PRESETS["learner-icebreaker"]
    for name in ("first.json", "second.json"):
        shutil.copy(folder / "build.json", folder / name)
        change_json(folder / name, lambda c: c["provenance"].update(provenance("build", [], core)))


BUILD, RUN = "firstspike build --core icebreaker", "firstspike run digits --data DATA"
REFUSED = {
    "no build": (lambda f: (f / "build.json").unlink(), ["no build of core icebreaker", BUILD]),
    "other board": (
        lambda f: change_json(f / "build.json", lambda c: c.update(board="up5k-evn")),
        ["build.json is for board up5k-evn", BUILD],
    ),
    "other core": (
        lambda f: change_json(
            f / "build.json", lambda c: c["provenance"].update(core_digest="00000000")
        ),
        ["build.json is of another core, digest 00000000", BUILD],
    ),
    "failed build": (
        lambda f: change_json(f / "build.json", lambda c: c.update(fmax_mhz={"1": 23.9})),
        ["build.json: the build failed", "24 MHz and reaches 23.9", BUILD],
    ),
    "build without blocks": (
        lambda f: change_json(f / "build.json", lambda c: c.pop("blocks")),
        ["build.json: blocks: is missing"],
    ),
    "two builds": (
        lambda f: shutil.copy(f / "build.json", f / "again.json"),
        ["again.json and build.json both are builds", "remove one"],
    ),
    "no run": (
        lambda f: [(f / name).unlink() for name in ("run.npz", "rtl.npz")],
        ["no run of digits on core icebreaker", RUN],
    ),
    "other network": (
        lambda f: [
            change_dump(f / name, origin_of(network="mine", network_digest="ab"))
            for name in ("run.npz", "rtl.npz")
        ],
        ["rtl.npz is of another network, mine (ab", RUN],
    ),
    "run on another core": (
        lambda f: [
            change_dump(f / name, origin_of(core_digest="01")) for name in ("run.npz", "rtl.npz")
        ],
        ["rtl.npz is of another core, digest 01", RUN],
    ),
    "run without cycles": (
        lambda f: [change_dump(f / name, fewer_names) for name in ("run.npz", "rtl.npz")],
        ["rtl.npz is without cycles", RUN],
    ),
    "run without a part": (
        lambda f: change_dump(f / "run.npz", without("forced")),
        ["run.npz: forced: is missing"],
    ),
    "changed data": (
        lambda f: change_dump(f / "run.npz", other_labels),
        ["run.npz: data digits has changed since"],
    ),
    "runs of different stimuli": (
        lambda f: change_dump(f / "rtl.npz", origin_of(split="train")),
        ["rtl.npz: split is 'train', and 'test' in run.npz"],
    ),
    "no command": (
        lambda f: change_dump(f / "run.npz", origin_of(command=None)),
        ["run.npz: provenance.command: is missing"],
    ),
    "damaged dump": (
        lambda f: (f / "run.npz").write_bytes((f / "run.npz").read_bytes()[:300]),
        ["run.npz: damaged"],
    ),
    "damaged JSON": (lambda f: (f / "build.json").write_text("{"), ["build.json: damaged"]),
    "learned twice": (
        lambda f: shutil.copy(f / "learn.npz", f / "more.npz"),
        ["learn.npz and more.npz both learn with pruning"],
    ),
    "learned otherwise": (
        lambda f: change_dump(f / "unpruned.npz", origin_of(seed=7)),
        ["unpruned.npz: seed is 7, and 0 in learn.npz"],
    ),
    "a learner built twice": (
        two_learner_builds,
        ["first.json and second.json both belong to learn.npz"],
    ),
    "two benches": (
        lambda f: shutil.copy(f / "bench.json", f / "bench2.json"),
        ["bench.json and bench2.json both are benchs"],
    ),
    "no folder": (shutil.rmtree, ["--from from: no such folder"]),
}


def refused(capsys, *words: str) -> str:
    capsys.readouterr()
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert not Path("out").exists()
    return err


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(folder, capsys, name):
    change, parts = REFUSED[name]
    change(folder)
    line = refused(capsys, *REPORT, "--from", "from", "-o", "out/page.html")
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--image", str(IMAGES)], f"--image {IMAGES}: the run is of {IMAGES} images"),
        (["--rate", "0"], "--rate is 0.0, must be above 0"),
        (["--rate", "nan"], "--rate is nan, must be above 0"),
        (["--rate", "1e9"], "rate is 1e+09 images a second, must be above 0 and at most"),
        (["--core", "hx8k"], "build.json is of another core, icebreaker"),
        (["-o", "out/page.txt"], "-o out/page.txt: the name must end in .html"),
    ],
)
def test_options_that_are_refused(folder, capsys, words, part):
    assert part in refused(capsys, *REPORT, "--from", "from", "-o", "out/page.html", *words)


def test_a_network_without_a_run(folder, capsys):
    line = refused(capsys, "report", "mnist", "--board", "icebreaker", "--from", "from")
    assert "is of another network, digits" in line
    assert "firstspike run mnist --data DATA --core icebreaker" in line


def test_files_that_are_not_used(folder):
    change_json(folder / "activity.json", lambda c: c["provenance"].update(network_digest="00"))
    (folder / "other.json").write_text('{"provenance": {"kind": "report"}}')
    (folder / "list.json").write_text("[]")
    np.savez(folder / "other.npz", x=np.arange(3))
    found = report()
    assert found["unused"] == [
        {"file": "activity.json", "reason": "of another network, digits"},
    ]
    assert found["energy"] is None
    assert "activity.json</code>: of another network" in page()


def test_pieces_that_are_missing(folder):
    for name in ("learn.npz", "unpruned.npz", "activity.json", "bench.json", "rtl.npz"):
        (folder / name).unlink()
    found = report()
    missing = {key: figure["missing"] for key, figure in found["figures"].items()}
    commands = {key: text for key, text in missing.items() if text}
    assert commands.keys() == {"energy", "learning-curve", "speeds", "agreement"}
    for key, command in commands.items():
        assert command.startswith("firstspike "), key
        assert command in page()
    assert page().count("Not measured.") == len(commands)
    assert found["learning"] is found["energy"] is found["bench"] is None


# --- numbers, computed by other means


def percentile(values: list[int], share: int) -> float:
    """Return a percentile between two neighbours, by its definition."""
    values, place = sorted(values), (len(values) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def test_numbers_of_the_run(folder):
    found = report()["measured"]
    run = dump(folder / "run.npz")
    right = [int(a == b) for a, b in zip(run["predicted"], run["label"], strict=True)]
    assert found["images"] == len(right) == IMAGES
    assert found["accuracy"] == sum(right) / IMAGES
    cycles = counter(run, "cycles")
    for share in (1, 50, 99):
        assert found["cycles"][f"p{share}"] == percentile(cycles, share)
        in_us = percentile(cycles, share) / 24
        assert found["latency_us"][f"p{share}"] == pytest.approx(in_us, rel=1e-12)
    assert found["work"]["synops"]["mean"] == sum(counter(run, "synops")) / IMAGES
    assert "macs" not in found["work"]
    for of in (found["cycles"], found["latency_us"], *found["work"].values()):
        assert sum(of["histogram"]["counts"]) == IMAGES
    assert found["images_per_second"] == 24e6 * IMAGES / int(run["total_cycles"])
    for t in range(9):
        assert found["decision_step"][t] == run["decision_step"].tolist().count(t) / IMAGES
    floor = sum(run["floor_cycles"].tolist())
    roof = found["roofline"]
    assert roof["over_core_floor"] == pytest.approx(sum(cycles) / floor, rel=1e-12)
    # 30 block RAMs and 4 SPRAMs of 16 bits.
    assert (roof["device_bits"], roof["core_bits"], roof["lanes"]) == (34 * 16, 64, 16)
    needed = sum(counter(run, "synops")) * 4 / 544
    assert roof["over_device_floor"] == pytest.approx(sum(cycles) / needed, rel=1e-12)
    assert all(w / c <= 16 for w, c in roof["dots"])


@pytest.mark.parametrize("exits", [True, False])
def test_accuracy_against_deadline(folder, exits):
    """It is what spikes of whole stimuli say of each step, whether the run went on or not."""
    if not exits:
        (folder / "rtl.npz").unlink()
        run = ["run", "digits", "--data", "digits", "--core", CORE, "--no-early-exit"]
        assert main([*run, "--dump", "from/run.npz"]) == 0
    found = report()["measured"]["anytime"]
    network = load_network(find_network("digits"))
    dataset = data.load("digits")
    images, labels = dataset.test_images.reshape(IMAGES, -1), dataset.test_labels
    whole = golden.run(network, images, early_exit=False)
    output = network.layers[-1]
    hidden = whole.spike_time[network.layers[0].name]
    for t in range(network.steps):
        right = decided = good = 0
        for i in range(IMAGES):
            potential = [0] * output.neurons
            for j in np.flatnonzero(hidden[i] <= t):
                potential = [p + int(w) for p, w in zip(potential, output.weights[j], strict=True)]
            over = [p - int(o) for p, o in zip(potential, output.offset, strict=True)]
            early = whole.forced[i] == 0 and whole.decision_step[i] <= t
            neuron = whole.predicted[i] if early else over.index(max(over))
            hit = network.labels[neuron] == labels[i]
            right, decided, good = right + hit, decided + early, good + (early and hit)
        assert found["accuracy"][t] == right / IMAGES
        assert (found["decided"][t], found["right"][t]) == (decided / IMAGES, good / IMAGES)
    assert found["accuracy"][0] < found["accuracy"][-1] == report()["measured"]["accuracy"]


def test_numbers_of_the_image(folder):
    run = dump(folder / "run.npz")
    first = next(i for i, t in enumerate(run["decision_step"]) if t >= 2)
    assert report()["measured"]["image"]["index"] == first
    found = report("--image", "7")["measured"]["image"]
    assert (found["index"], found["label"]) == (7, int(run["label"][7]))
    for name, spikes in found["spikes"].items():
        times = run[f"spike_time.{name}"][7].tolist()
        assert sorted(spikes) == sorted([t, j] for j, t in enumerate(times) if t < 8)
    assert found["pixels"] == data.load("digits").test_images[7].tolist()


def test_energies_are_the_power_model_s(folder):
    found = report()["energy"]
    parts = {"build": folder / "build.json", "activity": folder / "activity.json"}
    full = energy(**parts, run=folder / "run.npz").as_json()
    assert found["inference"]["joules"] == full["joules"]
    assert found["inference"]["parts"] == full["parts"]
    slow = energy(**parts, run=folder / "run.npz", rate=50).as_json()
    assert found["at_rate"]["joules"] == slow["joules"]
    assert found["at_rate"]["joules"]["nominal"] > found["inference"]["joules"]["nominal"]
    shown = signed_si(full["joules"]["nominal"], "J")
    assert f"<strong>{shown}</strong>" in page()
    assert page().count("odel, not measurement") >= 4


def test_numbers_of_learning(folder):
    found = report()["learning"]
    for key, file in (("pruned", "learn.npz"), ("unpruned", "unpruned.npz")):
        arrays = dump(folder / file)
        one = found[key]
        assert one["stimuli"] == LEARNED
        assert one["alive"] == arrays["alive.output"].mean()
        cycles = counter(arrays, "cycles")
        assert one["last_cycles"] == pytest.approx(sum(cycles[-5000:]) / 5000, rel=1e-12)
        seen, alive, mean = one["curve"][-1]
        assert (seen, alive) == (LEARNED, one["alive"])
        before = one["curve"][-2][0]
        assert mean == pytest.approx(sum(cycles[before:]) / (LEARNED - before), rel=1e-12)
        assert one["curve"][0][1] == 1.0
        assert one["phases"][-1]["accuracy"] == one["accuracy"]
    assert found["pruned"]["alive"] < 1 == found["unpruned"]["alive"]
    ratio = found["unpruned"]["last_cycles"] / found["pruned"]["last_cycles"]
    assert found["gain"] == ratio > 1
    # The inputs of digits-stdp are no square: there is no picture of them.
    assert found["pruned"]["fields"] is None


def test_receptive_fields():
    """Those that won most, square, with -1 where a connection is gone."""
    weights = np.arange(12, dtype=np.uint8).reshape(4, 3)
    alive = np.ones((4, 3), np.uint8)
    alive[2, 1] = 0
    arrays = {
        "winner": np.array([1, 1, 0, -1, -1, -1]),
        "counters": np.array([[9, 0], [8, 1], [7, 0], [6, 0], [5, 0], [4, 0]]),
        "counter_names": np.array(["cycles", "pruned"]),
        "phases": np.array(json.dumps([{"seen": 6, "accuracy": None, "alive": 11 / 12}])),
        "weights.output": weights,
        "alive.output": alive,
    }
    facts = dict.fromkeys(("recipe", "seed", "data", "evaluated_on"), "x") | {"pruning": True}
    found = learned([Source(Path("d.npz"), "", facts, arrays=arrays)])
    assert found is not None
    fields = found["pruned"]["fields"]
    assert [(f["neuron"], f["wins"]) for f in fields] == [(1, 2), (0, 1), (2, 0)]
    assert fields[0]["weights"] == [[1, 4], [-1, 10]]
    assert [left for _, left, _ in found["pruned"]["curve"]] == [1.0, *[11 / 12] * 5]
    svg = draw("f", "a < b", "c", fields_chart(fields), panels=(1, 8))
    assert svg.count("<image") == 3
    assert '<title id="f-title">a &lt; b</title>' in svg


def test_engines_agree_or_not(folder):
    found = report()
    (agreement,) = found["measured"]["agreement"]
    assert (agreement["engines"], agreement["images"]) == (["golden", "rtl"], 40)
    assert agreement["equal"]
    assert {"spike_time.hidden", "potential", "counter cycles"} <= set(agreement["quantities"])
    assert found["summary"]["agreement"]["shown"] == "equal"

    def later(arrays, origin):
        arrays["spike_time.hidden"][3, 5] += 1
        arrays["potential"][4, 0] += 1

    change_dump(folder / "rtl.npz", later)
    found = report()
    (agreement,) = found["measured"]["agreement"]
    assert agreement["first"] == {"quantity": "spike_time.hidden", "image": 3}
    assert found["summary"]["agreement"]["shown"] == "different"
    assert "differ: spike_time.hidden, image 3" in page()


def test_blocks_and_clocks(folder):
    found = report()["measured"]["resources"]
    assert found["sums"]["lut"] == 1448
    assert (found["fmax_min"], found["fmax_max"], found["clock_mhz"]) == (28.75, 30.5, 24)
    text = page()
    assert "the account is 11.4\u202f% above it" in text
    # What a file says is text, whatever it looks like.
    assert "link &lt;&amp;&gt;" in text
    assert "link <&>" not in text


# --- the page


class Page(HTMLParser):
    """Collects what a test asks of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.figures: dict[str, set[str]] = {}
        self._figure = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = {key: value or "" for key, value in attrs}
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for key in ("href", "src", "xlink:href"):
            if key in attributes:
                self.links.append(attributes[key])
        if tag == "figure":
            self._figure = attributes["id"].removeprefix("fig-")
            self.figures[self._figure] = set()
        elif self._figure:
            self.figures[self._figure].add(tag)

    def handle_endtag(self, tag):
        if tag == "figure":
            self._figure = ""


def test_every_figure_is_there(folder):
    found = report()
    parsed = Page(page())
    assert parsed.figures.keys() == found["figures"].keys() == FIGURES
    for key, tags in parsed.figures.items():
        assert {"h3", "figcaption", "table"} <= tags or key == "learning-energy", key
        assert ("svg" in tags) == (key not in TABLES), key
        if "svg" in tags:
            assert {"title", "desc", "details", "path"} <= tags, key


def test_nothing_outside_of_the_page(folder):
    report()
    text = page()
    parsed = Page(text)
    assert parsed.links
    for link in parsed.links:
        assert link.startswith(("#", "data:")), link
    assert not re.findall(r"url\((?!#)", text)
    assert not {"script", "iframe", "object", "embed"} & {tag for tag, _ in parsed.tags}
    assert "@import" not in text
    # Every link leads somewhere, and nothing has the name of another thing.
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert not re.search(r"(fill|stroke): ?#", text)


def test_every_number_leads_to_its_source(folder):
    found = report()
    text = page()
    for name, source in found["sources"].items():
        article = text[text.index(f'id="source-{name}"') :].partition("</article>")[0]
        assert source["sha256"] in article
        assert source["provenance"]["command"] in article
        assert source["file"] in article
    assert found["sources"].keys() == {
        "build", "run", "run-2", "activity", "learn-pruned", "learn-unpruned", "bench",
    }  # fmt: skip
    for key, card in found["summary"].items():
        item = text[text.index(f'id="card-{key}"') :].partition("</li>")[0]
        assert card["shown"] in item
        assert card["sources"]
        for name in card["sources"]:
            assert f'href="#source-{name}"' in item
    literature = {"measured", "vendor-estimate", "not-said", "model-error", "learning-energy"}
    for key, figure in found["figures"].items():
        assert figure["sources"] or key in literature, key
        part = text[text.index(f'id="fig-{key}"') :].partition("</figure>")[0]
        assert all(f'href="#source-{name}"' in part for name in figure["sources"])
        if figure["table"]:
            cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", part)
            rows = [cell for row in figure["table"]["rows"] for cell in row]
            unescaped = [
                c.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
                .replace("&#39;", "'")
                for c in cells
            ]  # fmt: skip
            assert unescaped[len(figure["table"]["head"]) :] == rows


def test_kinds_of_figures_are_never_mixed(folder):
    figures = report()["figures"]
    for kind in ("measured", "vendor estimate", "not said"):
        rows = figures[kind.replace(" ", "-")]["table"]["rows"]
        names = {system.name for system in published() if system.kind == kind}
        assert {row[0] for row in rows} == names
        assert len(rows) == sum(system.kind == kind for system in published())
    assert len(figures["ours"]["table"]["rows"]) == 1


def test_a_ramp_network(folder):
    """It decides at the end: there are no steps of decisions, and no deadlines."""
    rng = np.random.default_rng(1)

    def layer(name: str, inputs: int, neurons: int, scale: int) -> Layer:
        return Layer(
            name, Neuron.RAMP, WeightKind.SIGNED, 4, rng.integers(-7, 8, (inputs, neurons)),
            np.zeros(neurons, np.int64), scale,
        )  # fmt: skip

    layers = (layer("hidden", 64, 20, 30), layer("output", 20, 10, 1))
    save_network(Network("ramp", layers, 3, (8, 8), tuple(range(10))), Path("net"))
    core = "icebreaker-ramp"
    run = ["run", "net", "--data", "digits", "--limit", "60", "--core", core]
    assert main([*run, "--dump", "from/ramp.npz"]) == 0
    change_json(
        folder / "build.json",
        lambda c: c["provenance"].update(provenance("build", [], PRESETS[core])),
    )
    words = ["report", "net", "--board", "icebreaker", "--core", core, "--from", "from"]
    assert main([*words, "-o", "out/page.html"]) == 0
    found = json.loads(Path("out/page.json").read_text())
    assert {"steps", "anytime", "synops"} & found["figures"].keys() == set()
    assert {"raster", "macs", "roofline"} <= found["figures"].keys()
    assert "by the largest potential" in found["figures"]["raster"]["caption"]
    assert found["measured"]["image"]["spikes"].keys() == {"hidden"}
    assert {entry["file"] for entry in found["unused"]} >= {"run.npz", "activity.json"}
    assert found["summary"]["fmax"]["shown"] == "28.8\u201330.5\u202fMHz"


def test_the_same_evidence_gives_the_same_page(folder):
    report()
    first = [Path(f"out/page.{kind}").read_bytes() for kind in ("html", "json", "md")]
    report()
    assert first == [Path(f"out/page.{kind}").read_bytes() for kind in ("html", "json", "md")]


def test_the_short_form(folder):
    found = report()
    text = Path("out/page.md").read_text()
    for card in found["summary"].values():
        assert card["shown"] in text
    for source in found["sources"].values():
        assert source["provenance"]["command"] in text


def test_what_is_printed(folder, capsys):
    report()
    assert "out/page.html: written" in capsys.readouterr().out
    assert main([*REPORT, "--from", "from", "-o", "out/page.html", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"] == json.loads(Path("out/page.json").read_text())["summary"]


# --- small parts


def test_numbers_for_people():
    assert [number(v) for v in (0, 3, 0.5, 1234567, 12.345, 1234.5, 0.0123)] == [
        "0", "3", "0.500", "1\u202f234\u202f567", "12.3", "1\u202f234", "0.0123",
    ]  # fmt: skip
    assert signed_si(3.06e-5, "s") == "30.6\u202fµs"
    assert signed_si(7.39e-7, "J") == "739\u202fnJ"
    assert signed_si(0, "J") == "0\u202fJ"
    assert percent(0.97384) == "97.38\u202f%"
    assert percent(None) == number(None) == "-"
    table = Table.of(("a", "b"), [("x", 1.5), ("2 y", -3)])
    assert table.right == (False, True)


def test_distributions():
    found = distribution(np.arange(1000))
    assert len(set(np.diff(found["histogram"]["edges"]))) == 1
    # As many whole numbers in each bar.
    assert found["histogram"]["counts"] == [25] * 40
    assert distribution(np.array([5, 5]))["histogram"]["counts"] == [2]
    assert distribution(np.array([0.25]))["p99"] == 0.25
    assert shares(np.array([0, 2, 2, 8]), 9) == [0.25, 0, 0.5, 0, 0, 0, 0, 0, 0.25]


@pytest.mark.parametrize("name", BOARDS)
def test_commands_that_collect_evidence(name, tmp_path):
    board = BOARDS[name]
    made = collect.commands(board, tmp_path, 3)
    for words in made:
        args = _parser().parse_args(words)
        assert args.call is not None
    kinds = [words[0] for words in made]
    # The learner of the HX8K has 64 inputs; the shipped ones need more.
    learns = name != "hx8k" and any(PRESETS[core].learning for core in board.cores)
    assert kinds[:4] == ["build", "run", "run", "activity"]
    assert kinds[4:] == [*["learn"] * (2 * learns), "bench", "report"]
    # With a build of the learner, its activity comes behind what it has learned.
    more = collect.commands(board, tmp_path, 3, learner_built=True)
    added = [words for words in more if words not in made]
    assert [words[:2] for words in added] == [["activity", "--learn"]] * learns
    for words in added:
        assert more.index(words) == kinds.index("bench")
        assert _parser().parse_args(words).call is not None


def test_builds_of_learners(tmp_path):
    board = BOARDS["icebreaker"]
    assert collect.learner_build(board, tmp_path / "nowhere") is None
    for age, core in enumerate(("learner-icebreaker", "learner-icebreaker", "icebreaker")):
        digest = core_digest(PRESETS[core]).hex()
        path = tmp_path / f"icebreaker-{2 - age}.json"
        path.write_text(json.dumps({"core_digest": digest}))
        os.utime(path, (age, age))
    assert collect.learner_build(board, tmp_path) == tmp_path / "icebreaker-1.json"
    assert collect.learner_build(BOARDS["ulx3s-25f"], tmp_path) is None
