"""Reading YAML strictly.

Mutants tried, each of which a test here refused: no check for doubled keys; a loader that makes any
Python object; `integer` that takes booleans, or one bound exclusive; `number` that takes NaN;
`choices` ignored; `done` that never raises; `integers` without the check of each item; `_show`
that prints everything; collections taken as keys; no bound on the size of a file; each kind of
exception of PyYAML not caught; the key `off` as a boolean; InputError that keeps line breaks, or
control characters.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstspike import fields
from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml


def read(text: str, tmp_path: Path) -> Fields:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    return load_yaml(path)


def top(**content) -> Fields:
    return Fields(Path("f.yaml"), "", content)


def refused(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_come_back(tmp_path):
    f = read(
        "a: 1\nb: 2.5\nc: yes\nd: text\ne: [1, 2]\nf: {g: 3}\nh: [{i: 4}]\nj: [x, y]\n", tmp_path
    )
    assert f.integer("a", 1, 1) == 1
    assert f.number("b", 0, 3) == 2.5
    assert f.boolean("c") is True
    assert f.text("d", choices=["text"]) == "text"
    assert f.integers("e", 1, 2) == [1, 2]
    assert f.mapping("f").integer("g", 0, 9) == 3
    assert f.mappings("h")[0].integer("i", 0, 9) == 4
    assert f.has("j")
    assert f.texts("j") == ["x", "y"]
    assert not f.has("j")
    f.done()


def test_defaults():
    f = top()
    assert f.integer("a", 1, 2, 7) == 7
    assert f.number("b", 1, 2, 7) == 7.0
    assert f.boolean("c", True) is True
    assert f.text("d", "x", choices=["y"]) == "x"
    assert f.integers("e", 1, 2, [7]) == [7]
    assert f.texts("f", ["z"]) == ["z"]
    f.done()


INTEGER = "must be an integer in 0..2"
MAPPING = "must be a mapping of keys to values"


@pytest.mark.parametrize(
    ("value", "call", "message"),
    [
        (3, lambda f: f.integer("a", 0, 2), f"a: is 3, {INTEGER}"),
        (-1, lambda f: f.integer("a", 0, 2), f"a: is -1, {INTEGER}"),
        (True, lambda f: f.integer("a", 0, 2), f"a: is True, {INTEGER}"),
        (1.0, lambda f: f.integer("a", 0, 2), f"a: is 1.0, {INTEGER}"),
        (1, lambda f: f.integer("b", 0, 2), "b: is missing"),
        (float("nan"), lambda f: f.number("a", 0, 2), "a: is nan, must be a number in 0..2"),
        ("1", lambda f: f.number("a", 0, 2), "a: is '1', must be a number in 0..2"),
        (True, lambda f: f.number("a", 0, 2), "a: is True, must be a number in 0..2"),
        (1, lambda f: f.boolean("a"), "a: is 1, must be true or false"),
        (1, lambda f: f.text("a"), "a: is 1, must be a text"),
        ("z", lambda f: f.text("a", choices=["x", "y"]), "a: is 'z', must be one of x, y"),
        (1, lambda f: f.integers("a", 0, 2), "a: is 1, must be a list of integers"),
        ([0, 3], lambda f: f.integers("a", 0, 2), f"a[1]: is 3, {INTEGER}"),
        ([True], lambda f: f.integers("a", 0, 2), f"a[0]: is True, {INTEGER}"),
        ([1], lambda f: f.mapping("a"), f"a: {MAPPING}"),
        ({1: 2}, lambda f: f.mapping("a"), f"a: {MAPPING}"),
        ([], lambda f: f.mappings("a"), "a: must be a list of mappings, not empty"),
        ([3], lambda f: f.mappings("a"), f"a[0]: {MAPPING}"),
        ([3], lambda f: f.texts("a"), "a: is [3], must be a list of texts"),
        (1, lambda f: f.done(), "a: unknown key; known here:"),
    ],
)
def test_refusals(value, call, message):
    assert refused(lambda: call(top(a=value))) == f"f.yaml: {message}"


def test_unknown_key_lists_known_ones():
    f = top(a=1, bb=2)
    f.integer("a", 0, 9)
    f.integer("b", 0, 9, 0)
    assert refused(f.done) == "f.yaml: bb: unknown key; known here: a, b"


def test_place_of_nested_keys(tmp_path):
    f = read("a:\n  b:\n  - c: x\n", tmp_path)
    inner = f.mapping("a").mappings("b")[0]
    assert refused(lambda: inner.integer("c", 0, 1)).endswith(
        "f.yaml: a.b[0].c: is 'x', must be an integer in 0..1"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: not valid YAML: key 'a' stands twice"),
        ("a: {b: 1, b: 2}\n", "line 1: not valid YAML: key 'b' stands twice"),
        ("? [a]\n: b\n", "line 1: not valid YAML: a key must be a text"),
        ("a: [1\n", "line 2: not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1: not valid YAML"),
        ("a: !!timestamp x\n", "not valid YAML"),
        ("a: !!bool x\n", "not valid YAML"),
        ("a: !!int ''\n", "not valid YAML"),
        ("a: !!map [b]\n", "not valid YAML"),
        ("a: 2026-99-99\n", "not valid YAML"),
        ("a: " + "[" * 5000, "not valid YAML"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("- 1\n", "must be a mapping of keys to values"),
        ("", "must be a mapping of keys to values"),
        ("1: a\n", "must be a mapping of keys to values"),
    ],
)
def test_bad_files(text, message, tmp_path):
    assert message in refused(lambda: read(text, tmp_path))


def test_keys_that_yaml_takes_for_truth(tmp_path):
    f = read("off: true\non: [1]\nyes: no\n", tmp_path)
    assert f.is_list("on")
    assert not f.is_list("off")
    assert (f.boolean("off"), f.integers("on", 0, 1), f.boolean("yes")) == (True, [1], False)
    f.done()


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    assert "cannot be read: No such file" in refused(lambda: load_yaml(tmp_path / "absent"))
    assert "cannot be read: Is a directory" in refused(lambda: load_yaml(tmp_path))
    (tmp_path / "latin").write_bytes(b"a: \xe9\n")
    assert "byte 3 is not UTF-8" in refused(lambda: load_yaml(tmp_path / "latin"))
    monkeypatch.setattr(fields, "_MOST_BYTES", 5)
    assert "larger than 5 bytes" in refused(lambda: read("a: 100\n", tmp_path))


def test_messages_are_short(tmp_path):
    """A value that repeats itself a billion times is refused in a line, at once."""
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    f = read("\n".join(layers), tmp_path)
    assert len(refused(lambda: f.integer("a9", 0, 1))) < 3000
    assert len(refused(lambda: top(a="long\n" * 1000).integer("a", 0, 1))) < 200


def test_a_message_is_one_printable_line():
    assert str(InputError("a\x1b[31m\n b\udc80  c\t")) == "a [31m b c"


@given(st.text(max_size=80) | st.text(alphabet="ab:-[]{}&*!|>?%@'\"\n 0.", max_size=60))
def test_any_text(text):
    """Nothing but InputError comes out of arbitrary text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.yaml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            load_yaml(path)
        except InputError as error:
            assert str(error).startswith(str(path))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.integers() | st.booleans() | st.floats() | st.text(max_size=5) | st.none(),
        max_size=4,
    )
)
def test_a_known_mapping_comes_back(content):
    """What PyYAML writes is read back key by key, and `done` agrees in the end."""
    f = Fields(Path("f"), "", content)
    for key, value in content.items():
        if isinstance(value, int) and not isinstance(value, bool):
            assert f.integer(key, value, value) == value
        else:
            refused(lambda key=key: f.integer(key, -(10**9), 10**9))
    f.done()
