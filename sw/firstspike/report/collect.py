"""All evidence for a board, and the report on it, from one command; ``make report`` runs it.

python -m firstspike.report.collect BOARD -o FOLDER
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import time
from pathlib import Path

from firstspike.board.protocol import core_digest
from firstspike.boards import BOARDS, Board
from firstspike.cli import main as firstspike
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.network import load_network
from firstspike.shipped import find_network

__all__ = ["commands", "learner_build", "main"]

#: The first one that fits is reported on; recipes of learning are called like them.
_NETWORKS = ("mnist", "digits")
#: Images that the simulated core runs beside the golden model, and that the netlist runs.
_COMPARED = 200
_SWITCHED = 20
#: An image every so often, as a sensor would send them: static power weighs more then.
_RATE = 100


def commands(
    board: Board, folder: Path, seeds: int, *, learner_built: bool = False
) -> list[list[str]]:
    """Return the commands that make the evidence in ``folder``/evidence, and the report.

    Parameters
    ----------
    board : Board
        Its first core is reported on; the first one that learns does, if a shipped recipe fits.
    folder : Path
        Where everything goes.
    seeds : int
        How often the design is placed and routed.
    learner_built : bool
        Count how often the learner's nets switch, too: a build of it is in the evidence, so that
        it has energies.

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
    learner = _learner(board)
    recipe = None if learner is None else _fitting(learner, "-stdp")
    if learner is not None and recipe is not None:
        for name, options in (("pruned", []), ("unpruned", ["--no-prune"])):
            made.append(
                ["learn", recipe, "--core", learner, *options, "-o", str(folder / name),
                 "--dump", str(evidence / f"learn-{name}.npz")]
            )  # fmt: skip
        if learner_built:
            made.append(
                ["activity", "--learn", recipe, *few, "--core", learner, *cells,
                 "-o", str(evidence / "activity-learn.json")]
            )  # fmt: skip
    made.append(["bench", "--runs", "3", "-o", str(evidence / "bench.json")])
    made.append(
        ["report", network, "--board", board.name, *on, "--from", str(evidence),
         "--rate", str(_RATE), "-o", str(folder / "report.html")]
    )  # fmt: skip
    return made


def _learner(board: Board) -> str | None:
    return next((name for name in board.cores if PRESETS[name].learning), None)


def learner_build(board: Board, builds: Path) -> Path | None:
    """Return the newest record in ``builds`` of a build of the board's learner, if there is one."""
    learner = _learner(board)
    if learner is None:
        return None
    digest = core_digest(PRESETS[learner]).hex()
    records = sorted(builds.glob(f"{board.name}-*.json"), key=lambda path: path.stat().st_mtime)
    found = [path for path in records if json.loads(path.read_text()).get("core_digest") == digest]
    return found[-1] if found else None


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
    parser.add_argument("--builds", type=Path, help="where a build of the learner may lie")
    args = parser.parse_args(arguments)
    board, evidence = BOARDS[args.board], args.folder / "evidence"
    _remove_old(evidence)
    record = None if args.builds is None else learner_build(board, args.builds)
    if record is not None:
        evidence.mkdir(parents=True, exist_ok=True)
        shutil.copy(record, evidence)
    made = commands(board, args.folder, args.seeds, learner_built=record is not None)
    for words in made:
        print(f"$ {shlex.join(['firstspike', *words])}", flush=True)
        begun = time.monotonic()
        status = firstspike(words)
        if status:
            return status
        print(f"({time.monotonic() - begun:.0f} s)\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
