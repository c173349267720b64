"""Cores by name and from files; shipped networks by name.

Mutants tried, each of which a test here refused: defaults of `ramp` and of `memory` exchanged for
constants; core_yaml that leaves a field out; the version not checked; unknown keys taken; an error
of CoreSpec that does not name the file; a folder that hides a shipped network.
"""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firstspike.cores import PRESETS, core_yaml, load_core
from firstspike.errors import InputError
from firstspike.shipped import find_network, find_recipe, networks, recipes
from firstspike.spec import CoreSpec


def refused(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_and_their_files(name, tmp_path):
    core = load_core(name)
    assert core == PRESETS[name]
    (tmp_path / "core.yaml").write_text(core_yaml(core))
    assert load_core(str(tmp_path / "core.yaml")) == core
    assert set(yaml.safe_load(core_yaml(core))) == {"version", *(f.name for f in fields(CoreSpec))}


def test_what_is_left_out_has_its_default(tmp_path):
    (tmp_path / "core.yaml").write_text("version: 1\n")
    assert load_core(str(tmp_path / "core.yaml")) == CoreSpec() == load_core("default")
    (tmp_path / "core.yml").write_text("version: 1\nword: 8\nramp: false\n")
    assert load_core(str(tmp_path / "core.yml")) == CoreSpec(word=8, ramp=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("banks: 4\n", "core.yaml: version: is missing"),
        ("version: 2\n", "core.yaml: version: is 2, this release reads version 1"),
        ("version: 1\nbanks: 3\n", "core.yaml: banks is 3, must be a power of two"),
        ("version: 1\nbanks: 32\n", "core.yaml: banks is 32, must be an integer in 1..16"),
        ("version: 1\nbanks: four\n", "core.yaml: banks: is 'four', must be an integer"),
        ("version: 1\nramp: 1\n", "core.yaml: ramp: is 1, must be true or false"),
        ("version: 1\nmemory: 7\n", "core.yaml: memory: is 7, must be a text"),
        ("version: 1\nmemory: dram\n", "core.yaml: memory is 'dram', must be 'block' or 'spram'"),
        ("version: 1\nmemory: spram\n", "core.yaml: memory is 'spram', which has 16384 words"),
        (
            "version: 1\nlanes: 4\n",
            "core.yaml: lanes: unknown key; known here: version, banks, word",
        ),
        ("version: 1\nbanks: 1\nword: 1\n", "core.yaml: banks x word is 1, must be at least 2"),
    ],
)
def test_wrong_files(tmp_path, text, message):
    (tmp_path / "core.yaml").write_text(text)
    assert message in refused(lambda: load_core(str(tmp_path / "core.yaml")))


def test_no_such_core():
    message = f"core is 'big', must be one of {', '.join(PRESETS)}, or a file core.yaml"
    assert refused(lambda: load_core("big")) == message
    assert "cannot be read: No such file" in refused(lambda: load_core("absent.yaml"))


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in fields(CoreSpec)]),
        st.integers(-2, 70000) | st.booleans() | st.sampled_from(["block", "spram", "x"]),
        max_size=4,
    )
)
def test_any_values(tmp_path_factory, values):
    """A file is a core with exactly its values, or refused with its name."""
    path = tmp_path_factory.getbasetemp() / "core.yaml"
    path.write_text(yaml.safe_dump({"version": 1} | values))
    try:
        assert asdict(load_core(str(path))) == asdict(CoreSpec()) | values
    except InputError as error:
        assert "core.yaml: " in str(error)


def test_shipped_names(tmp_path, monkeypatch):
    assert {"digits", "mnist", "fashion-mnist"} <= networks().keys()
    assert {"digits", "mnist", "fashion-mnist"} <= recipes().keys()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert find_network("digits") == networks()["digits"]
    assert find_network("./digits").resolve() == tmp_path / "digits"
    assert find_recipe("digits") == recipes()["digits"]
    (tmp_path / "own.yaml").write_text("")
    assert find_recipe("own.yaml").resolve() == tmp_path / "own.yaml"
    assert "network is 'absent', must be a folder or one of digits" in refused(
        lambda: find_network("absent")
    )
    assert "recipe is 'absent', must be a file or one of" in refused(lambda: find_recipe("absent"))
