"""Read YAML files strictly: safe, no unknown or doubled key, every error with its place."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from firstspike.errors import InputError

__all__ = ["Fields", "load_yaml"]

#: A larger file is not one of ours.
_MOST_BYTES = 1 << 20
#: What PyYAML raises; those that are no YAMLError come from values that do not fit their tag.
_DAMAGE = (
    yaml.YAMLError,
    RecursionError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
)


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = 60


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that stands twice."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key, mark = key_node.value, key_node.start_mark
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a text", problem_mark=mark)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"key '{key}' stands twice", problem_mark=mark)
        seen.add(key)
    for key_node, _ in node.value:
        # YAML takes the word off for false.
        if key_node.tag == "tag:yaml.org,2002:bool":
            key_node.tag = "tag:yaml.org,2002:str"
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _show(value: object) -> str:
    """Return ``value`` for a message, in one line of bounded length."""
    return _SHORT.repr(value)


def load_yaml(path: Path) -> Fields:
    """Return the mapping in the YAML file ``path``.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, or holds no mapping.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: larger than {_MOST_BYTES} bytes, so not a file of this kind")
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_StrictLoader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file (byte {error.start} is not UTF-8)") from error
    except _DAMAGE as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark is not None else ""
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}:{line} not valid YAML: {what}") from error
    return Fields(path, "", content)


class Fields:
    """A mapping from a file, taken key by key.

    Each method takes one key and checks it; `done` refuses what was not taken.

    Parameters
    ----------
    path : Path
        The file, for messages.
    where : str
        Path of keys that leads here, for messages; empty at the top.
    content : object
        What stands there; must be a mapping with keys of text.
    """

    def __init__(self, path: Path, where: str, content: Any) -> None:
        self.path = path
        self.where = where
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise InputError(f"{self._place()}: must be a mapping of keys to values")
        self._content = dict(content)
        self._known: list[str] = []

    def _place(self, key: str = "") -> str:
        where = ".".join(part for part in (self.where, key) if part)
        return f"{self.path}: {where}" if where else str(self.path)

    def error(self, key: str, problem: str) -> InputError:
        """Return (not raise) an error about ``key``."""
        return InputError(f"{self._place(key)}: {problem}")

    def _take(self, key: str, default: Any) -> tuple[Any, bool]:
        self._known.append(key)
        if key in self._content:
            return self._content.pop(key), True
        if default is ...:
            raise self.error(key, "is missing")
        return default, False

    def has(self, key: str) -> bool:
        """Tell whether ``key`` stands here and was not taken yet."""
        return key in self._content

    def is_list(self, key: str) -> bool:
        """Tell whether a list stands under ``key``, which was not taken yet."""
        return isinstance(self._content.get(key), list)

    def is_text(self, key: str) -> bool:
        """Tell whether a text stands under ``key``, which was not taken yet."""
        return isinstance(self._content.get(key), str)

    def integer(self, key: str, low: int, high: int, default: Any = ...) -> int:
        """Take an integer in ``low..high``."""
        value, given = self._take(key, default)
        if given and (
            isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high
        ):
            raise self.error(key, f"is {_show(value)}, must be an integer in {low}..{high}")
        return value

    def number(self, key: str, low: float, high: float, default: Any = ...) -> float:
        """Take a finite number in ``low..high``."""
        value, given = self._take(key, default)
        if given and (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self.error(key, f"is {_show(value)}, must be a number in {low}..{high}")
        return float(value)

    def boolean(self, key: str, default: Any = ...) -> bool:
        """Take true or false."""
        value, given = self._take(key, default)
        if given and not isinstance(value, bool):
            raise self.error(key, f"is {_show(value)}, must be true or false")
        return value

    def text(self, key: str, default: Any = ..., *, choices: Iterable[str] | None = None) -> str:
        """Take a text, one of ``choices`` if given."""
        value, given = self._take(key, default)
        if given and not isinstance(value, str):
            raise self.error(key, f"is {_show(value)}, must be a text")
        if given and choices is not None and value not in choices:
            raise self.error(key, f"is {_show(value)}, must be one of {', '.join(choices)}")
        return value

    def integers(self, key: str, low: int, high: int, default: Any = ...) -> list[int]:
        """Take a list of integers in ``low..high``."""
        return self._list(key, (int,), low, high, default, "integer")

    def numbers(self, key: str, low: float, high: float, default: Any = ...) -> list[float]:
        """Take a list of finite numbers in ``low..high``."""
        return self._list(key, (int, float), low, high, default, "number")

    def _list(
        self,
        key: str,
        types: tuple[type, ...],
        low: float,
        high: float,
        default: Any,
        what: str,
    ) -> list[Any]:
        value, given = self._take(key, default)
        if not given:
            return value
        if not isinstance(value, list):
            raise self.error(key, f"is {_show(value)}, must be a list of {what}s")
        for i, item in enumerate(value):
            if isinstance(item, bool) or not isinstance(item, types) or not low <= item <= high:
                article = "an" if what == "integer" else "a"
                raise self.error(
                    f"{key}[{i}]", f"is {_show(item)}, must be {article} {what} in {low}..{high}"
                )
        return value

    def mapping(self, key: str) -> Fields:
        """Take a mapping."""
        value, _ = self._take(key, ...)
        return Fields(self.path, ".".join(p for p in (self.where, key) if p), value)

    def mappings(self, key: str) -> list[Fields]:
        """Take a list of mappings."""
        value, _ = self._take(key, ...)
        if not isinstance(value, list) or not value:
            raise self.error(key, "must be a list of mappings, not empty")
        prefix = ".".join(p for p in (self.where, key) if p)
        return [Fields(self.path, f"{prefix}[{i}]", item) for i, item in enumerate(value)]

    def texts(self, key: str, default: Any = ...) -> list[str]:
        """Take a list of texts."""
        value, given = self._take(key, default)
        if given and (
            not isinstance(value, list) or not all(isinstance(item, str) for item in value)
        ):
            raise self.error(key, f"is {_show(value)}, must be a list of texts")
        return value

    def done(self) -> None:
        """Refuse keys that were not taken."""
        for key in self._content:
            raise self.error(key, f"unknown key; known here: {', '.join(self._known)}")
