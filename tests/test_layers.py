"""Who may import whom.

Mutants tried, each of which a test here refused: numpy imported in spec; firstspike_hw in golden;
golden in firstspike_hw; firstspike.errors in the board's protocol; torch in network; numba there,
or loaded with the command line; amaranth in engines; the future import in hw/; a module without
`__all__`, and one with a name in it that does not exist; filelock not declared.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root in (ROOT / "hw", ROOT / "sw", ROOT / "sim")
    for path in sorted(root.rglob("*.py"))
}
STANDARD = sys.stdlib_module_names
#: Methods that train, and files of torch; recipes and networks in floating point do without.
TORCH = {
    name for name in SOURCES if name.startswith(("firstspike.methods.", "firstspike.pytorch."))
} - {f"firstspike.methods.{name}" for name in ("floats", "quantize", "recipe", "variant")}


def imported(path: Path) -> set[str]:
    """Return full names of all modules that a file imports, at any place in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_sources_are_found():
    assert {"firstspike.spec", "firstspike.golden", "firstspike_hw", "firstspike_sim"} <= set(
        SOURCES
    )


@pytest.mark.parametrize("module", SOURCES)
def test_imports(module):
    names = imported(SOURCES[module])
    packages = tops(SOURCES[module]) - STANDARD

    def uses(package: str) -> bool:
        return any(within(name, package) for name in names)

    if module == "firstspike.spec":
        assert packages == set()
    if module in ("firstspike.board.framing", "firstspike.board.protocol"):
        # The hardware takes them.
        within_reach = ("firstspike.spec", "firstspike.board.framing")
        ours = {name for name in names if within(name, "firstspike")}
        assert packages <= {"firstspike"}
        assert all(any(within(name, other) for other in within_reach) for name in ours)
    if within(module, "firstspike.golden"):
        assert packages <= {"firstspike", "numpy"}
    if module not in COMPILED:
        assert "numba" not in packages
    if within(module, "firstspike_hw"):
        assert not uses("firstspike.golden")
        assert "firstspike_sim" not in packages
    if within(module, "firstspike"):
        assert not packages & {"amaranth", "cocotb", "firstspike_hw", "firstspike_sim"}
    if not within(module, "firstspike.train") and module not in TORCH:
        assert "torch" not in packages


#: What is compiled, and is imported by the engine when it learns, not before.
COMPILED = ("firstspike.compiled", "firstspike.learning_cost")

#: Distributions of packages whose names differ.
DISTRIBUTIONS = {"yaml": "pyyaml", "PIL": "pillow", "cocotb_tools": "cocotb"}


@pytest.mark.parametrize("module", SOURCES)
def test_what_is_imported_is_declared(module):
    """An installation with the extras that the command line names has all that it needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"]]
    if within(module, "firstspike.train") or module in TORCH:
        declared += extras["train"]
    if module in COMPILED:
        declared += extras["learn"]
    if within(module, "firstspike.learning.study"):
        declared += extras["train"]
    if within(module, "firstspike.nir"):
        declared += extras["nir"]
    if within(module, "firstspike.report"):
        declared += extras["report"]
    if within(module, "firstspike_hw") or within(module, "firstspike_sim"):
        declared += extras["hw"]
    if within(module, "firstspike_sim"):
        declared += extras["sim"]
    names = {re.match(r"[a-z0-9-]+", text, re.I)[0].lower() for text in declared}  # type: ignore[index]
    ours = {"firstspike", "firstspike_hw", "firstspike_sim"}
    for package in tops(SOURCES[module]) - STANDARD - ours:
        assert DISTRIBUTIONS.get(package, package).replace("_", "-").lower() in names


@pytest.mark.parametrize("module", SOURCES)
def test_annotations(module):
    """Amaranth reads annotations when a class is made, so they must not be turned into text."""
    postponed = "__future__" in tops(SOURCES[module])
    if within(module, "firstspike_hw"):
        assert not postponed
    elif not SOURCES[module].name == "__init__.py":
        assert postponed


@pytest.mark.parametrize("module", SOURCES)
def test_all_is_said(module):
    tree = ast.parse(SOURCES[module].read_text())
    lists = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__all__"
    ]
    # A package may be empty, and cocotb finds its benches by itself.
    if not lists and (SOURCES[module].name == "__init__.py" or "benches" in module):
        return
    assert len(lists) == 1, "no __all__"
    defined = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    assert set(lists[0]) <= defined


def test_torch_is_not_loaded_by_the_command_line(monkeypatch):
    """`firstspike run` works where only numpy, pyyaml, rich and pillow are installed."""
    for blocked in (
        "torch",
        "numba",
        "amaranth",
        "cocotb",
        "matplotlib",
        "firstspike_hw",
        "firstspike_sim",
    ):
        monkeypatch.setitem(sys.modules, blocked, None)
    for name in [name for name in sys.modules if within(name, "firstspike")]:
        monkeypatch.delitem(sys.modules, name)
    cli = importlib.import_module("firstspike.cli")
    assert cli.main(["run", "digits", "--data", "digits", "--limit", "1"]) == 0
