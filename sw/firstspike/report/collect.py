"""All evidence for a board, and the report on it, from one command; ``make report`` runs it.

python -m firstspike.report.collect BOARD -o FOLDER
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from firstspike.boards import BOARDS, Board
from firstspike.cli import main as firstspike
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.network import load_network
from firstspike.shipped import find_network

__all__ = ["commands", "main"]

#: The first one that fits is reported on; recipes of learning are called like them.
_NETWORKS = ("mnist", "digits")
#: Images that the simulated core runs beside the golden model, and that the netlist runs.
_COMPARED = 200
_SWITCHED = 20
#: An image every so often, as a sensor would send them: static power weighs more then.
_RATE = 100


def commands(board: Board, folder: Path, seeds: int) -> list[list[str]]:
    """Return the commands that make the evidence in ``folder``/evidence, and the report.

    Parameters
    ----------
    board : Board
        Its first core is reported on; the first one that learns does, if a shipped recipe fits.
    folder : Path
        Where everything goes.
    seeds : int
        How often the design is placed and routed.

    Raises
    ------
    InputError
        If none of the networks fits the core.
    """
    core = board.cores[0]
    network = _fitting(core)
    if network is None:
        raise InputError(f"core {core}: none of {', '.join(_NETWORKS)} fits it")
    evidence = folder / "evidence"
    on = ["--core", core]
    cells = ["--family", board.family]
    few = ["--limit", str(_SWITCHED)]
    run = ["run", network, "--data", network, *on]
    made = [
        ["build", "--board", board.name, *on, "--seeds", str(seeds), "-o", str(evidence)],
        [*run, "--dump", str(evidence / "run.npz")],
        [*run, "--engine", "rtl", "--limit", str(_COMPARED), "--dump", str(evidence / "rtl.npz")],
        ["activity", network, "--data", network, *few, *on, *cells,
         "-o", str(evidence / "activity.json")],
    ]  # fmt: skip
    learner = next((name for name in board.cores if PRESETS[name].learning), None)
    recipe = None if learner is None else _fitting(learner, "-stdp")
    if learner is not None and recipe is not None:
        for name, options in (("pruned", []), ("unpruned", ["--no-prune"])):
            made.append(
                ["learn", recipe, "--core", learner, *options, "-o", str(folder / name),
                 "--dump", str(evidence / f"learn-{name}.npz")]
            )  # fmt: skip
    made.append(["bench", "--runs", "3", "-o", str(evidence / "bench.json")])
    made.append(
        ["report", network, "--board", board.name, *on, "--from", str(evidence),
         "--rate", str(_RATE), "-o", str(folder / "report.html")]
    )  # fmt: skip
    return made


def _fitting(core: str, suffix: str = "") -> str | None:
    """Return the first network, or the first learner, that fits a core."""
    for name in _NETWORKS:
        try:
            check_fit(load_network(find_network(name + suffix)), PRESETS[core])
        except InputError:
            continue
        return name + suffix
    return None


def _remove_old(evidence: Path) -> None:
    """Remove what an earlier call left: files of this folder alone, of these names."""
    for pattern in ("*.json", "*.npz", "*.bin", "*.bit"):
        for path in evidence.glob(pattern):
            path.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Make everything; return the exit status of the first command that fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m firstspike.report.collect")
    parser.add_argument("board", choices=BOARDS)
    parser.add_argument("-o", dest="folder", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(arguments)
    _remove_old(args.folder / "evidence")
    for words in commands(BOARDS[args.board], args.folder, args.seeds):
        print(f"$ {shlex.join(['firstspike', *words])}", flush=True)
        begun = time.monotonic()
        status = firstspike(words)
        if status:
            return status
        print(f"({time.monotonic() - begun:.0f} s)\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
