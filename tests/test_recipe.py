"""Recipes are read strictly.

Mutants tried, each of which a test here refused: `done` not called for one of the mappings;
`float_epochs` allowed to equal `epochs`; the last layer of another size than 10; a name that stands
twice; `prune` taken by STEP networks; `begin` allowed at or after `end`; the version not compared;
torch imported by the module.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firstspike.errors import InputError
from firstspike.spec import Neuron, WeightKind
from firstspike.train.recipe import load_recipe


def step(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "data": "digits",
        "neuron": "step",
        "layers": [
            {"name": "a", "neurons": 12, "weights": "pm1"},
            {"name": "b", "neurons": 10, "weight_bits": 4},
        ],
        "training": {"epochs": 3},
    } | changes


def ramp(**changes: Any) -> dict[str, Any]:
    return step(neuron="ramp") | changes


def write(folder: Path, content: Any) -> Path:
    path = folder / "r.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def refused(folder: Path, content: Any) -> str:
    with pytest.raises(InputError) as caught:
        load_recipe(write(folder, content))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_short_recipe_has_defaults(tmp_path):
    recipe = load_recipe(write(tmp_path, step()))
    assert recipe.name == "r"
    assert recipe.neuron is Neuron.STEP
    assert (recipe.time_bits, recipe.steps, recipe.intensity_min, recipe.off) == (3, 8, 1, False)
    assert [layer.kind for layer in recipe.layers] == [WeightKind.PM1, WeightKind.SIGNED]
    assert [layer.weight_bits for layer in recipe.layers] == [1, 4]
    assert recipe.training.batch == 256
    assert recipe.objective is not None
    assert recipe.prune is None


def test_ramp_recipes_have_their_own_keys(tmp_path):
    recipe = load_recipe(write(tmp_path, ramp(prune={"share": 0.5})))
    assert recipe.time_bits == 4
    assert recipe.objective is None
    assert recipe.prune is not None
    assert (recipe.prune.share, recipe.prune.begin, recipe.prune.end) == (0.5, 0.2, 0.7)
    for key, value in (("objective", {}), ("off", True), ("intensity_min", 3)):
        assert f"{key}: unknown key" in refused(tmp_path, ramp(**{key: value}))
    assert "prune: unknown key" in refused(tmp_path, step(prune={"share": 0.5}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version: is 2, this release reads version 1"),
        ({"data": "cifar"}, "data: is 'cifar', must be one of digits, mnist, fashion-mnist"),
        ({"neuron": "relu"}, "neuron: is 'relu', must be one of step, ramp"),
        ({"time_bits": 2}, "time_bits: is 2, must be an integer in 3..8"),
        ({"potential_bits": 30}, "potential_bits: is 30"),
        ({"validation": 0}, "validation: is 0"),
        ({"lauers": []}, "lauers: unknown key"),
        ({"layers": []}, "layers: must be a list"),
        ({"layers": [{"name": "a", "neurons": 9}]}, "layers: the last one has 9 neurons"),
        ({"layers": [{"name": "a", "neurons": 10}] * 2}, "layers: names are a, a"),
        ({"layers": [{"name": "a", "neurons": 10, "bits": 2}]}, "layers[0].bits: unknown key"),
        (
            {"layers": [{"name": "a", "neurons": 10, "weights": "pm1", "weight_bits": 2}]},
            "layers[0].weight_bits: is 2, must be an integer in 1..1",
        ),
        (
            {"layers": [{"name": "a", "neurons": 10, "weight_bits": 1}]},
            "layers[0].weight_bits: is 1, must be an integer in 2..8",
        ),
        ({"training": {}}, "training.epochs: is missing"),
        ({"training": {"epochs": 3, "lr": 1}}, "training.lr: unknown key"),
        ({"training": {"epochs": 3, "learning_rate": 0}}, "training.learning_rate: is 0"),
        ({"training": {"epochs": 3, "float_epochs": 3}}, "training.float_epochs: is 3, must be"),
        ({"objective": {"gate": -1}}, "objective.gate: is -1"),
        ({"objective": {"last": 0}}, "objective.last: is 0"),
        ({"objective": {"gates": 1}}, "objective.gates: unknown key"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, message):
    assert message in refused(tmp_path, step(**changes))


@pytest.mark.parametrize(
    ("prune", "message"),
    [
        ({"share": 1.0}, "prune.share: is 1.0"),
        ({"share": 0.5, "begin": 0.7}, "prune.begin: is 0.7, must be less than end"),
        ({"share": 0.5, "after": 1}, "prune.after: unknown key"),
    ],
)
def test_mistakes_in_pruning_are_named(tmp_path, prune, message):
    assert message in refused(tmp_path, ramp(prune=prune))


def test_every_shipped_recipe_is_valid():
    folder = Path(str(resources.files("firstspike"))) / "recipes"
    paths = [path for path in sorted(folder.glob("*.yaml")) if "kind:" not in path.read_text()]
    assert paths
    for path in paths:
        assert load_recipe(path).name == path.stem


def test_recipes_of_learning_are_told_apart(tmp_path):
    message = "kind: must not stand here; recipes of kind learning: firstspike learn"
    assert message in refused(tmp_path, step(kind="learning"))


def test_recipes_need_no_torch():
    code = "import sys, firstspike.train.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from([*step(), "objective", "prune", "name"]), values)
def test_any_value_is_read_or_refused_in_one_line(key, value):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), step(**{key: value}))
        try:
            load_recipe(path)
        except InputError as error:
            assert "\n" not in str(error)
