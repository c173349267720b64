"""`firstspike learn` and `compare --learn`: recipes, runs that are broken off, what they write."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml

from digits_recipe import BASE
from firstspike import data, engines, golden
from firstspike.arrays import load_arrays
from firstspike.board.protocol import core_digest
from firstspike.cli import main
from firstspike.cores import load_core
from firstspike.golden import learning_fast
from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
from firstspike.learning import LearningState, run
from firstspike.learning.checkpoint import Checkpoint
from firstspike.learning.labels import assign
from firstspike.learning.plan import make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.network import load_network
from firstspike.spec import COUNTERS

TAUGHT = {
    "neurons": 80,
    "classes": 10,
    "stages": [
        {"potentiate": 16, "depress": 16, "bound": "room", "other": 262144, "reward": True},
        {"potentiate": 300, "depress": 0, "bound": "hard", "own": 300, "error_step": 10},
    ],
}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRSTSPIKE_DATA", str(tmp_path / "none"))
    return tmp_path


def recipe(**changes) -> str:
    """Write a recipe; None leaves a key out."""
    content = {key: value for key, value in (BASE | changes).items() if value is not None}
    Path("recipe.yaml").write_text(yaml.safe_dump(content))
    return "recipe.yaml"


def learned(capsys, *arguments: str, **changes) -> dict:
    assert main(["learn", recipe(**changes), "-o", "net", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments: str) -> str:
    """Run a command that must not; return its only line."""
    before = sorted(Path().rglob("*"))
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert sorted(Path().rglob("*")) == before
    return err


def content(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_what_is_printed(place, capsys):
    facts = learned(capsys, "--limit", "700")
    assert facts == json.loads(Path("net/learning.json").read_text()) | {
        "engine": "golden",
        "core": "learner",
    }
    assert (facts["images"], facts["passes"], facts["stimuli"]) == (700, 2, 1400)
    assert (facts["seed"], facts["rule"], facts["prune"]) == (0, "unsupervised", True)
    assert (facts["inputs"], facts["neurons"], facts["evaluated_on"]) == (64, 20, "test")
    assert [phase["seen"] for phase in facts["phases"]] == [500, 1000, 1400]
    assert [phase["stimuli"] for phase in facts["phases"]] == [500, 500, 400]
    assert [phase["pass"] for phase in facts["phases"]] == [1, 2, 2]
    for name, total in facts["counters"].items():
        assert name in COUNTERS
        assert total == sum(phase["counters"][name] for phase in facts["phases"])
    assert facts["counters"]["pruned"] == round((1 - facts["alive"]) * 64 * 20)
    assert 0 < facts["labelled_neurons"] <= 20
    assert facts["accuracy"] == facts["phases"][-1]["accuracy"] > 0.4
    assert main(["learn", recipe(), "-o", "other", "--limit", "50"]) == 0
    assert "synops each" in capsys.readouterr().out


@pytest.mark.parametrize("changes", [{}, TAUGHT, {"weight_bits": 4, "prune": None}])
def test_the_network_runs_like_any_other(place, capsys, changes):
    facts = learned(capsys, **changes)
    assert main(["run", "net", "--data", "digits", "--json"]) == 0
    ran = json.loads(capsys.readouterr().out)
    for name in ("accuracy", "forced", "mean_steps", "digest"):
        assert ran[name] == facts[name], name
    network = load_network(Path("net"))
    assert network.layers[0].fraction_bits == 8 - changes.get("weight_bits", 8)
    assert network.layers[0].alive is not None
    assert network.layers[0].alive.mean() == facts["alive"]
    assert facts["accuracy"] > 0.45


def test_labels_come_from_training_images(place, capsys):
    learned(capsys)
    network = load_network(Path("net"))
    images, labels = data.load("digits").split("train")
    winner = golden.run(network, images[:300].reshape(300, -1)).predicted
    assert list(network.labels) == assign(winner, labels[:300], 20).tolist()


@pytest.mark.parametrize("changes", [{}, TAUGHT])
def test_the_dump_is_what_happened(place, capsys, changes):
    """The definition, given what the dump says that learning began with, ends where it says."""
    facts = learned(capsys, "--limit", "300", "--dump", "d.npz", "--seed", "5", **changes)
    with np.load("d.npz") as file:
        dump = dict(file)
    images, labels = data.load("digits").split("train")
    images = images[:300].reshape(300, -1)
    n = facts["stimuli"]
    assert sorted(dump["order"][:300].tolist()) == list(range(300))
    assert dump["order"][:300].tolist() != dump["order"][300:].tolist()
    assert np.array_equal(dump["label"], labels[dump["order"]])
    assert int(dump["seed"]) == facts["seed"] == 5
    parsed = load_learning_recipe(Path("recipe.yaml"))
    start = LearningState(
        weights=dump["weights0.output"],
        alive=np.ones(dump["alive.output"].shape, bool),
        threshold=dump["threshold0.output"],
        offset=np.zeros(max(1, parsed.classes), np.int64),
        # The dump has the register in the end; it is walked back to the start.
        lfsr=backwards(int(dump["lfsr"]), n),
        seen=0,
        classes=run_classes(parsed.classes, parsed.neurons),
    )
    winners, steps, counters = [], [], []
    # The first ones do not depend on the core.
    names = dump["counter_names"][:8].tolist()
    state = start
    for number, rule in enumerate(parsed.rules):
        learner = Learner(rule, state)
        for i in dump["order"][300 * number : 300 * (number + 1)].tolist():
            times = step_times(images[i], rule.time_bits, rule.intensity_min).tolist()
            result = learner.learn(times, int(labels[i]))
            winners.append(result.winner)
            steps.append(result.decision_step)
            counters.append([getattr(result, name) for name in names])
        state = learner.state()
    assert dump["winner"].tolist() == winners
    assert dump["decision_step"].tolist() == steps
    assert dump["counters"][:, :8].tolist() == counters
    assert np.array_equal(dump["weights.output"], state.weights)
    assert np.array_equal(dump["alive.output"], state.alive)
    assert np.array_equal(dump["threshold.output"], state.settled().threshold)
    layer = load_network(Path("net")).layers[0]
    assert np.array_equal(layer.weights, dump["weights.output"])
    assert np.array_equal(layer.offset, dump["threshold.output"])
    assert json.loads(str(dump["phases"])) == facts["phases"]
    assert int(dump["total_cycles"]) == facts["total_cycles"]
    origin = json.loads(str(dump["provenance"]))
    assert (origin["kind"], origin["engine"]) == ("learn", "golden")
    assert origin["core_digest"] == core_digest(load_core("learner")).hex()
    assert (origin["network"], origin["network_digest"]) == (facts["network"], facts["digest"])
    assert (origin["seed"], origin["pruning"]) == (5, facts["prune"])
    assert (origin["data"], origin["recipe"]) == ("digits", parsed.name)


def run_classes(classes: int, neurons: int) -> np.ndarray | None:
    """Blocks of eight neurons, classes in ascending order."""
    blocks = neurons // 8
    return np.repeat(np.arange(blocks) * classes // blocks, 8) if classes else None


def backwards(register: int, stimuli: int) -> int:
    for _ in range(32 * stimuli):
        out = register >> 31
        register = ((register ^ 0x80200003) << 1 | 1) if out else register << 1
    return register


# --- broken off, and resumed


@pytest.mark.parametrize("changes", [{}, TAUGHT])
@pytest.mark.parametrize("stops", [(1,), (97,), (149, 150), (100, 101, 250), (299,)])
def test_resumed_at_any_stimulus_to_the_same_bits(place, capsys, monkeypatch, changes, stops):
    changes = changes | {"report": 100, "prune": {"below": 150, "after": 40}}
    learned(capsys, "--dump", "whole.npz", "--limit", "150", **changes)
    Path("net").rename("whole")
    original = learning_fast.learn
    left = list(stops)

    def breaking(rule, state, *arguments, **options):
        """Learn, but break off before the stimuli that are asked for."""
        if state.seen in left:
            left.remove(state.seen)
            raise KeyboardInterrupt
        return original(rule, state, *arguments, **options)

    monkeypatch.setattr(learning_fast, "learn", breaking)
    monkeypatch.setattr(run, "_PIECE", 1)
    command = ["learn", "recipe.yaml", "-o", "net", "--dump", "d.npz", "--limit", "150"]
    for number in range(len(stops)):
        assert main([*command, *(["--resume"] if number else [])]) == 130
        assert sorted(path.name for path in Path("net").iterdir()) == ["unfinished"]
    assert not left
    capsys.readouterr()
    monkeypatch.setattr(run, "_PIECE", 5000)
    facts = learned(capsys, "--resume", "--dump", "d.npz", "--limit", "150", **changes)
    assert sorted(path.name for path in Path("net").iterdir()) == [
        "learning.json",
        "network.yaml",
        "weights.npz",
    ]
    ours, theirs = content("net"), content("whole")
    assert ours["network.yaml"] == theirs["network.yaml"]
    assert ours["weights.npz"] == theirs["weights.npz"]
    whole = json.loads(theirs["learning.json"])
    # A core is loaded again for each piece.
    for phase in (facts, whole, *facts["phases"], *whole["phases"]):
        del phase["total_cycles"]
    for name in set(whole) - {"seconds", "stimuli_per_second"}:
        assert facts[name] == whole[name], name
    ours, theirs = dumped("d.npz"), dumped("whole.npz")
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert np.array_equal(array, theirs[name]), name


def test_broken_off_between_records_and_checkpoint(place, capsys, monkeypatch):
    """What was learned after the checkpoint is learned again, in pieces of another length."""
    learned(capsys, "--dump", "whole.npz", "--limit", "200")
    save = Checkpoint.save

    def breaking(self, state, notes):
        if notes["done"] == 140:
            raise KeyboardInterrupt
        save(self, state, notes)

    command = ["learn", "recipe.yaml", "-o", "net", "--dump", "d.npz", "--limit", "200"]
    with monkeypatch.context() as patch:
        patch.setattr(run, "_PIECE", 70)
        patch.setattr(Checkpoint, "save", breaking)
        assert main(command) == 130
    capsys.readouterr()
    assert Path("net/unfinished/records-000000000140.npz").is_file()
    monkeypatch.setattr(run, "_PIECE", 100)
    assert main([*command, "--resume"]) == 0
    ours, theirs = dumped("d.npz"), dumped("whole.npz")
    assert all(np.array_equal(array, theirs[name]) for name, array in ours.items())


def dumped(path: str) -> dict[str, np.ndarray]:
    """Return what a dump says of stimuli and learner; the rest is of the command and its pieces."""
    with np.load(path) as file:
        return {
            name: array
            for name, array in file.items()
            if name not in ("provenance", "phases", "total_cycles")
        }


@pytest.fixture
def unfinished(place, capsys, monkeypatch) -> Path:
    """Leave a run that was broken off."""
    engine = engines.GoldenEngine.learn

    def breaking(self, rule, core, state, images, labels, **options):
        if state.seen:
            raise KeyboardInterrupt
        return engine(self, rule, core, state, images, labels, **options)

    with monkeypatch.context() as patch:
        patch.setattr(engines.GoldenEngine, "learn", breaking)
        assert main(["learn", recipe(), "-o", "net"]) == 130
    capsys.readouterr()
    return Path("net/unfinished/checkpoint.npz")


def test_an_unfinished_run_is_not_lost(unfinished, capsys):
    command = ("learn", "recipe.yaml", "-o", "net")
    assert "holds an unfinished run: go on with --resume, or remove" in refused(capsys, *command)
    message = "is of a run with another recipe, other images or options; remove"
    for other in (["--seed", "1"], ["--limit", "9"], ["--no-prune"], ["--epochs", "3"]):
        assert message in refused(capsys, *command, "--resume", *other)
    assert "without --dump; resume" in refused(capsys, *command, "--resume", "--dump", "d.npz")
    recipe(neurons=21)
    assert message in refused(capsys, *command, "--resume")
    recipe()
    assert main([*command, "--resume"]) == 0


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04"])
def test_a_damaged_checkpoint(unfinished, capsys, damage):
    unfinished.write_bytes(damage)
    line = refused(capsys, "learn", "recipe.yaml", "-o", "net", "--resume")
    assert "checkpoint.npz: damaged" in line


def test_a_checkpoint_without_its_parts(unfinished, capsys):
    arrays = load_arrays(unfinished)
    for name in sorted(arrays):
        np.savez(unfinished, **{key: value for key, value in arrays.items() if key != name})  # type: ignore[arg-type]
        refused(capsys, "learn", "recipe.yaml", "-o", "net", "--resume")


def test_nothing_to_resume(place, capsys):
    line = refused(capsys, "learn", recipe(), "-o", "net", "--resume")
    assert "net: holds no unfinished run, so nothing to resume" in line


# --- options


def test_options_that_change_the_recipe(place, capsys):
    facts = learned(capsys, "--limit", "200", "--epochs", "3", "--seed", "9", "--no-prune")
    assert (facts["stimuli"], facts["seed"], facts["prune"], facts["alive"]) == (600, 9, False, 1.0)
    other = learned(capsys, "--limit", "200", "--epochs", "3", "--seed", "8", "--no-prune")
    assert other["digest"] != facts["digest"]
    again = learned(capsys, "--limit", "200", "--epochs", "3", "--seed", "9", "--no-prune")
    assert again["digest"] == facts["digest"]


def test_the_order_is_that_of_seed_and_pass(place):
    parsed = load_learning_recipe(Path(recipe()))
    plans = [make_plan(parsed, seed=seed, limit=50) for seed in (0, 1, 1)]
    orders = [plan.order(number).tolist() for plan in plans for number in (0, 1)]
    assert orders[2:4] == orders[4:]
    assert len({tuple(order) for order in orders}) == 4
    assert all(sorted(order) == list(range(50)) for order in orders)
    unmoved = make_plan(load_learning_recipe(Path(recipe(shuffle=False))), limit=50)
    assert unmoved.order(1).tolist() == list(range(50))


def test_more_passes_than_the_recipe_has_repeat_the_last_one(place):
    recipe(**TAUGHT)
    parsed = load_learning_recipe(Path("recipe.yaml"))
    first, last = parsed.rules
    assert parsed.passes(1, prune=True) == (first,)
    assert parsed.passes(4, prune=True) == (first, last, last, last)
    assert parsed.passes(None, prune=False) == tuple(
        rule.without_pruning() for rule in parsed.rules
    )


def test_validation_images_are_not_learned(place, capsys):
    facts = learned(capsys, validation=297)
    assert (facts["images"], facts["evaluated_on"]) == (1000, "validation")
    assert "validation: is 1297, must be less than the 1297" in refused(
        capsys, "learn", recipe(validation=1297), "-o", "net2"
    )


def test_own_images(place, capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez("own.npz", images=images)
    facts = learned(capsys, "--data", "own.npz", shuffle=False)
    assert (facts["data"], facts["images"], facts["accuracy"]) == ("own.npz", 40, None)
    assert facts["labelled_neurons"] == 0
    line = refused(capsys, "learn", recipe(**TAUGHT), "-o", "n", "--data", "own.npz")
    assert "own.npz: has no labels, which recipe.yaml needs (classes)" in line
    np.savez("own.npz", images=images, labels=np.arange(40) % 3)
    facts = learned(capsys, "--data", "own.npz", "--epochs", "20")
    assert facts["evaluated_on"] == "train"
    assert facts["accuracy"] > 0.5
    np.savez("own.npz", images=images, labels=np.full(40, 11))
    line = refused(capsys, "learn", recipe(**TAUGHT), "-o", "n", "--data", "own.npz")
    assert "labels[0] is 11, must be -1 or a class that has neurons: 0, 1, 2" in line
    line = refused(capsys, "learn", recipe(), "-o", "n", "--data", "mnist")
    assert "mnist: its images are not of the size that recipe.yaml takes" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--core", "default"], "the core has learning: false, so it cannot learn"),
        (["--core", "none"], "core is 'none', must be one of"),
        (["--limit", "0"], "must be an integer of at least 1"),
        (["--epochs", "0"], "must be an integer of at least 1"),
        (["--data", "none"], "none"),
    ],
)
def test_options_that_are_refused(place, capsys, arguments, message):
    assert message in refused(capsys, "learn", recipe(), "-o", "net", *arguments)


def test_the_first_core_that_fits(place, capsys):
    assert learned(capsys, "--limit", "9", neurons=112)["core"] == "learner-376"
    facts = learned(capsys, "--limit", "9", "--core", "learner-digits")
    assert facts["core"] == "learner-digits"
    assert facts["counters"]["cycles"] > 0
    facts = learned(capsys, "--limit", "9", neurons=500)
    assert facts["core"] is None
    assert "cycles" not in facts["counters"]
    line = refused(capsys, "learn", recipe(neurons=500), "-o", "n", "--engine", "rtl")
    assert "recipe.yaml: fits no learning core that has a name, give one: --core" in line


def test_recipes_of_training_are_told_apart(place, capsys):
    line = refused(capsys, "learn", "mnist", "-o", "net")
    assert "kind: is missing, must be learning (others are for firstspike train)" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version: is 2, this release reads version 1"),
        ({"kind": "train"}, "kind: is 'train', must be one of learning"),
        ({"neurons": None}, "neurons: is missing"),
        ({"neurons": 0}, "neurons: is 0, must be an integer in 1..4096"),
        ({"classes": 17}, "classes: is 17, must be an integer in 2..16"),
        ({"classes": 4}, "neurons is 20, must be more than 24: a class has blocks of 8"),
        ({"initial": {}}, "initial.threshold: is missing"),
        ({"initial": {"threshold": 2}}, "initial.threshold: is 2, must be a number in 0.0..1.0"),
        ({"prune": {"below": 256}}, "prune.below: is 256, must be an integer in 0..255"),
        ({"prune": {"below": 5, "share": 1}}, "prune.share: unknown key"),
        ({"prune": {"below": 5, "min_fan_in": 0}}, "prune.min_fan_in: is 0, must be an integer"),
        ({"weight_bits": 4}, "prune.below: is 60, must be an integer in 0..15"),
        ({"weight_bits": 1}, "weight_bits: is 1, must be an integer in 2..8"),
        ({"stages": []}, "stages: must be a list of mappings, not empty"),
        ({"stages": [{}]}, "stages[0].potentiate: is missing"),
        ({"stages": [{"potentiate": 256, "depress": 1}]}, "stages[0].potentiate: 256 times a soft"),
        (
            {"stages": [{"potentiate": [], "depress": 1}]},
            "potentiate: has 0 numbers, must have one",
        ),
        ({"initial": {"threshold": 0.1, "kept": 2}}, "initial.kept: is 2, must be an integer in 1"),
        ({"prune": {"below": [1, 2]}}, "prune.below: has 2 numbers, must have one for each of 1"),
        ({"stages": [{"potentiate": [1, 2], "depress": 1}]}, "potentiate: has 2 numbers, must"),
        ({"stages": [{"potentiate": 1, "depress": 1, "own": 3}]}, "stages[0].own: unknown key"),
        ({"stages": [{"potentiate": 1, "depress": 1, "bound": "x"}]}, "bound: is 'x', must be one"),
        ({"extra": 1}, "extra: unknown key"),
    ],
)
def test_mistakes_in_recipes_are_named(place, capsys, changes, message):
    assert message in refused(capsys, "learn", recipe(**changes), "-o", "net")


def test_one_number_for_each_pass(place):
    listed = {
        "passes": 3,
        "potentiate": [7, 0.5, 3],
        "depress": 2,
        "homeostasis": [3, 2, 0],
        "bound": "hard",
        "prune": {"below": [0, 20, 30], "after": 7},
    }
    plain = {"potentiate": 1, "depress": 0.25, "bound": "hard", "depress_bound": "room"}
    recipe(stages=[listed, plain])
    rules = load_learning_recipe(Path("recipe.yaml")).rules
    assert [rule.up[9] for rule in rules] == [7, 1, 3, 1]
    assert [rule.down[100] for rule in rules] == [2, 2, 2, 25]
    assert [rule.homeostasis for rule in rules] == [3, 2, 0, 0]
    assert [rule.pruning and rule.pruning.below for rule in rules] == [None, 20, 30, 60]
    assert [rule.pruning and rule.pruning.after for rule in rules] == [None, 7, 7, 100]


def test_inputs_without_synapses(place, capsys):
    """A checkerboard, of both channels."""
    facts = learned(
        capsys,
        initial={"threshold": 0.1, "period": 2, "kept": 1},
        prune=None,
        off_channel=True,
    )
    assert facts["alive"] == 0.5
    alive = load_network(Path("net")).layers[0].alive
    assert alive is not None
    board = np.indices((8, 8)).sum(axis=0).ravel() % 2 == 0
    assert np.array_equal(alive, np.repeat(np.tile(board, 2)[:, None], 20, axis=1))
    assert facts["accuracy"] > 0.3


def test_every_shipped_recipe_is_valid():
    folder = Path(str(resources.files("firstspike"))) / "recipes"
    paths = [path for path in sorted(folder.glob("*.yaml")) if "kind: learning" in path.read_text()]
    assert {"digits-stdp", "mnist-stdp", "fashion-mnist-stdp"} <= {path.stem for path in paths}
    for path in paths:
        assert load_learning_recipe(path).name == path.stem


# --- two engines that learn


def compare(capsys, *arguments: str, status: int = 0) -> dict:
    command = ["compare", "--learn", "recipe.yaml", "--engines", "golden,golden", *arguments]
    assert main([*command, "--json"]) == status
    facts = json.loads(capsys.readouterr().out)
    assert main(command) == status
    assert ("equal: " in capsys.readouterr().out) == (status == 0)
    return facts


def test_engines_that_agree(place, capsys):
    recipe()
    facts = compare(capsys, "--limit", "100")
    assert (facts["equal"], facts["difference"], facts["stimuli"]) == (True, None, 200)
    assert facts["engines"]["golden"]["stdp_visits"] > 0


@pytest.mark.parametrize(
    ("break_it", "quantity", "index"),
    [
        (lambda outcome: outcome.winner.__setitem__(7, 3), "winner", [7]),
        (lambda outcome: outcome.counters["ties"].__setitem__(9, 99), "counters.ties", [9]),
        (
            lambda outcome: (
                outcome.winner.__setitem__(50, -5),
                outcome.counters["ties"].__setitem__(9, 99),
            ),
            "counters.ties",
            [9],
        ),
        (lambda outcome: outcome.state.weights.__setitem__((3, 2), 254), "final weights", [3, 2]),
        (lambda outcome: outcome.state.threshold.__setitem__(4, 9), "final threshold", [4]),
    ],
)
def test_the_first_difference_is_named(place, capsys, monkeypatch, break_it, quantity, index):
    original = learning_fast.learn
    calls = 0

    def other(*arguments, **options):
        nonlocal calls
        outcome = original(*arguments, **options)
        if calls % 2:
            break_it(outcome)
        calls += 1
        return outcome

    monkeypatch.setattr(learning_fast, "learn", other)
    recipe()
    facts = compare(capsys, "--limit", "100", "--epochs", "1", status=1)
    assert facts["difference"]["quantity"] == quantity
    assert facts["difference"]["index"] == index


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--learn", "recipe.yaml", "digits"], "needs a network NET or --learn RECIPE, not both"),
        ([], "needs a network NET or --learn RECIPE, not both"),
        (["--learn", "recipe.yaml", "--split", "train"], "--split and --no-early-exit go with NET"),
        (["--learn", "recipe.yaml", "--no-early-exit"], "--split and --no-early-exit go with NET"),
        (
            ["digits", "--data", "digits", "--epochs", "2"],
            "--epochs, --seed, --no-prune and --gain go",
        ),
        (
            ["digits", "--data", "digits", "--seed", "0"],
            "--epochs, --seed, --no-prune and --gain go",
        ),
        (["digits", "--data", "digits", "--gain"], "--epochs, --seed, --no-prune and --gain go"),
        (
            ["digits", "--data", "digits", "--no-prune"],
            "--epochs, --seed, --no-prune and --gain go",
        ),
    ],
)
def test_comparisons_that_are_refused(place, capsys, arguments, message):
    recipe()
    line = refused(capsys, "compare", "--engines", "golden,golden", *arguments)
    assert message in line


def test_engines_that_cannot_learn(place, capsys, monkeypatch):
    recipe()
    monkeypatch.delattr(engines.GoldenEngine, "learn")
    line = refused(capsys, "compare", "--learn", "recipe.yaml", "--engines", "golden,golden")
    assert "engine golden cannot learn, must be one of golden, rtl" in line
