"""Which files of figures belong to a core, a board and a network, and which pieces are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from firstspike.board.protocol import core_digest
from firstspike.boards import Board
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.network import Network
from firstspike.report.files import Source, read_folder
from firstspike.spec import CoreSpec

__all__ = ["Evidence", "Learner", "Subject", "commands", "gather"]

_MHZ = 1_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about.

    Parameters
    ----------
    network : Network
        What runs.
    network_source : str
        The network as a person gave it, for commands that are told.
    core, core_source : CoreSpec, str
        What it runs on, and as it was given.
    board : Board
        Where the core is.
    """

    network: Network
    network_source: str
    core: CoreSpec
    core_source: str
    board: Board

    @property
    def core_digest(self) -> str:
        """What a board with this core answers with, in hexadecimal."""
        return core_digest(self.core).hex()


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner whose energy can be modelled.

    Parameters
    ----------
    dump, build, activity : Source
        What it learned, its core on the board, and how often its nets switch while it learns.
    """

    dump: Source
    build: Source
    activity: Source


@dataclass(frozen=True, slots=True)
class Evidence:
    """The files that a report rests on.

    Parameters
    ----------
    build : Source
        The bitstream's record.
    run : Source
        Of the network on the core: the run of most images.
    checks : tuple of Source
        Further runs of the same, by other engines, which must agree with it.
    activity : Source or None
        How often nets switch while the network runs.
    learns : tuple of Source
        Learning on a core of the board, pruned before unpruned.
    learners : tuple of Learner
        Those of ``learns`` whose core was built, and simulated while it learns.
    bench : Source or None
        Speeds of this machine.
    unused : tuple of (Source, str)
        Files that belong to something else, and to what.
    """

    build: Source
    run: Source
    checks: tuple[Source, ...]
    activity: Source | None
    learns: tuple[Source, ...]
    learners: tuple[Learner, ...]
    bench: Source | None
    unused: tuple[tuple[Source, str], ...]

    @property
    def used(self) -> dict[str, Source]:
        """Every file that is used, by the name that the page gives it."""
        named = {"build": self.build, "run": self.run}
        named |= {f"run-{number}": run for number, run in enumerate(self.checks, 2)}
        if self.activity is not None:
            named["activity"] = self.activity
        for learn in self.learns:
            named[f"learn-{_pruning(learn)}"] = learn
        for learner in self.learners:
            named[f"build-{_pruning(learner.dump)}"] = learner.build
            named[f"activity-{_pruning(learner.dump)}"] = learner.activity
        if self.bench is not None:
            named["bench"] = self.bench
        return named


def _pruning(source: Source) -> str:
    return "pruned" if source.origin["pruning"] else "unpruned"


def commands(subject: Subject, folder: Path) -> dict[str, str]:
    """Return the command that makes each piece, for a person to copy."""
    core = f"--core {subject.core_source}"
    net, board = subject.network_source, subject.board.name
    family = f"--family {subject.board.family}"
    return {
        "build": f"firstspike build {core} --board {board} -o {folder}",
        "run": f"firstspike run {net} --data DATA {core} --dump {folder / 'run.npz'}",
        "activity": f"firstspike activity {net} --data DATA --limit 20 {core} {family} "
        f"-o {folder / 'activity.json'}",
        "activity-learn": f"firstspike activity --learn RECIPE --limit 20 --core CORE {family} "
        f"-o {folder / 'activity-learn.json'}, and a build of that core",
        "learn": f"firstspike learn RECIPE -o NET --core CORE --dump {folder / 'learn.npz'}",
        "bench": f"firstspike bench -o {folder / 'bench.json'}",
    }


def gather(subject: Subject, folder: Path) -> Evidence:
    """Return the evidence in ``folder`` for ``subject``.

    Raises
    ------
    InputError
        If a build or a run is missing, belongs to something else only, or there are two of which
        either could be meant; the message names the command that makes what is missing.
    """
    sources = read_folder(folder)
    told = commands(subject, folder)
    unused: dict[Path, tuple[Source, str]] = {}

    def choose(kind: str, reason: Callable[[Source], str]) -> list[Source]:
        """Return the files of a kind that belong here; remember why the others do not."""
        fitting = []
        for source in sources:
            if source.kind == kind:
                why = reason(source)
                if why:
                    unused[source.path] = (source, why)
                else:
                    fitting.append(source)
        return fitting

    def one(kind: str, fitting: list[Source]) -> Source | None:
        if len(fitting) > 1:
            names = " and ".join(source.path.name for source in fitting[:2])
            raise InputError(f"{folder}: {names} both are {kind}s of this core: remove one")
        return fitting[0] if fitting else None

    def missing(kind: str, what: str) -> InputError:
        others = [f"; {s.path.name} is {why}" for s, why in unused.values() if s.kind == kind]
        return InputError(f"{folder}: no {what}{''.join(others[:1])}: {told[kind]}")

    build = one("build", choose("build", lambda source: _other_build(source, subject)))
    if build is None:
        raise missing("build", f"build of core {subject.core_source} for {subject.board.name}")
    _check_clock(build, told["build"])
    runs = choose("run", lambda source: _other_run(source, subject))
    if not runs:
        raise missing("run", f"run of {subject.network_source} on core {subject.core_source}")
    # The run of most images is told, and the golden model before others: it says most.
    runs.sort(key=lambda s: (-len(s.arrays["label"]), s.origin["engine"] != "golden", s.path))
    for check in runs[1:]:
        _check_same_stimuli(runs[0], check)
    running = choose("activity", lambda source: _other_activity(source, subject))
    builds = [s for s in sources if s.kind == "build" and not _other_learner(s, subject)]
    learns = _learns(folder, choose("learn", lambda source: _other_learner(source, subject)))
    switching = [activity for activity in running if activity.origin["learning"]]
    learners = tuple(
        learner for dump in learns for learner in _learners(folder, dump, builds, switching)
    )
    for learner in learners:
        unused.pop(learner.build.path, None)
    return Evidence(
        build=build,
        run=runs[0],
        checks=tuple(runs[1:]),
        activity=one("activity", [a for a in running if not a.origin["learning"]]),
        learns=learns,
        learners=learners,
        bench=one("bench", choose("bench", lambda source: "")),
        unused=tuple(unused[path] for path in sorted(unused)),
    )


def _other_build(source: Source, subject: Subject) -> str:
    if source.content["board"] != subject.board.name:
        return f"for board {source.content['board']}"
    return _other_core(source, subject)


def _other_core(source: Source, subject: Subject) -> str:
    digest = source.origin.get("core_digest")
    return "" if digest == subject.core_digest else f"of another core, {_core_name(digest)}"


def _core_name(digest: str | None) -> str:
    names = [name for name, core in PRESETS.items() if core_digest(core).hex() == digest]
    return " or ".join(names) or f"digest {digest}"


def _other_run(source: Source, subject: Subject) -> str:
    network = subject.network
    if source.origin.get("network_digest") != network.digest:
        name, digest = source.origin.get("network"), source.origin.get("network_digest")
        return f"of another network, {name} ({digest}, and {network.name} has {network.digest})"
    if "cycles" not in source.arrays["counter_names"].tolist():
        return "without cycles"
    return _other_core(source, subject)


def _other_activity(source: Source, subject: Subject) -> str:
    if source.origin.get("family") != subject.board.family:
        return f"of cells of {source.origin.get('family')}"
    if source.origin.get("learning"):
        return _other_learner(source, subject)
    return _other_core(source, subject) or (
        ""
        if source.origin.get("network_digest") == subject.network.digest
        else f"of another network, {source.origin.get('network')}"
    )


def _other_learner(source: Source, subject: Subject) -> str:
    """Tell why a file is not of a learner of this board, with or without its masks."""
    core = source.origin.get("core")
    here = [subject.core, *(PRESETS[name] for name in subject.board.cores)]
    learners = [asdict(replace(it, pruning=True)) for it in here if it.learning]
    if isinstance(core, dict) and {**core, "pruning": True} in learners:
        return ""
    return f"of a core that {subject.board.name} does not learn with"


def _learners(
    folder: Path, dump: Source, builds: list[Source], activities: list[Source]
) -> list[Learner]:
    """Return the learner of a dump, if its build and its activity are there."""
    keys = ("core_digest", "recipe", "pruning")
    found = [
        [source for source in sources if all(source.origin[k] == dump.origin[k] for k in wanted)]
        for sources, wanted in ((builds, keys[:1]), (activities, keys))
    ]
    for sources in found:
        if len(sources) > 1:
            names = " and ".join(source.path.name for source in sources[:2])
            raise InputError(
                f"{folder}: {names} both belong to {dump.path.name}: remove one of them"
            )
    return [Learner(dump, build, activity) for build, activity in zip(*found, strict=False)]


def _check_clock(build: Source, command: str) -> None:
    clock = build.content["clock_hz"] / _MHZ
    best = max(build.content["fmax_mhz"].values())
    if best < clock:
        raise InputError(
            f"{build.path}: the build failed: it must run at {clock:g} MHz and reaches {best:g}: "
            f"{command}"
        )


def _check_same_stimuli(run: Source, check: Source) -> None:
    for key in ("data", "split", "early_exit"):
        if run.origin[key] != check.origin[key]:
            raise InputError(
                f"{check.path}: {key} is {check.origin[key]!r}, and {run.origin[key]!r} in "
                f"{run.path.name}: runs of one report must be of the same stimuli"
            )


def _learns(folder: Path, found: list[Source]) -> tuple[Source, ...]:
    """Return one dump with pruning and one without, as far as they are there."""
    chosen = []
    for pruning in (True, False):
        of_kind = [source for source in found if source.origin["pruning"] is pruning]
        if len(of_kind) > 1:
            names = " and ".join(source.path.name for source in of_kind[:2])
            which = "with" if pruning else "without"
            raise InputError(f"{folder}: {names} both learn {which} pruning: remove one")
        chosen += of_kind
    for key in ("recipe", "seed", "data"):
        if len(chosen) == 2 and chosen[0].origin[key] != chosen[1].origin[key]:
            raise InputError(
                f"{chosen[1].path}: {key} is {chosen[1].origin[key]!r}, and "
                f"{chosen[0].origin[key]!r} in {chosen[0].path.name}: must be the same"
            )
    return tuple(chosen)
