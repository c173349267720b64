"""An engine's learning beside another's, pass by pass.

A pass of the second engine begins with what the first one had learned before it. If every pass
ends with what the first one has then, the second would have learned the same in one go. So passes
can be made in any order, several at a time, and need not be made again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from firstspike.engines import LearningEngine
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.outcome import LearnOutcome, first_learning_difference
from firstspike.learning.plan import Plan
from firstspike.learning.state import LearningState
from firstspike.outcome import Difference
from firstspike.processes import in_processes
from firstspike.spec import CoreSpec

__all__ = ["Checked", "Keep", "Pass", "check_passes", "learn_passes"]

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A pass of the first engine.

    Attributes
    ----------
    number : int
        From 0.
    start : LearningState
        What it begins with.
    outcome : LearnOutcome
        What happened, and what it ends with.
    """

    number: int
    start: LearningState
    outcome: LearnOutcome


@dataclass(frozen=True, slots=True)
class Checked:
    """A pass of the second engine.

    Attributes
    ----------
    sums : dict of str to int
        See `LearnOutcome.sums`.
    alive : float
        Share of live synapses at the end.
    values : int
        How many values of stimuli were compared.
    seconds : float
        What it took.
    difference : Difference or None
        The first one; stimuli are counted from the beginning of the run.
    """

    sums: dict[str, int]
    alive: float
    values: int
    seconds: float
    difference: Difference | None = None


@dataclass(frozen=True)
class Keep:
    """A folder of passes that were found equal, a file each.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    engine : str
        Name of the second engine.
    design : Mapping
        What it simulates, name of each file and its text: a pass of another design is none.
    """

    folder: Path
    engine: str
    design: Mapping[str, str]

    def path(self, plan: Plan, core: CoreSpec | None, part: Pass) -> Path:
        """Return the file of a pass; its name has digits of all that the pass depends on."""
        digest = hashlib.blake2s(digest_size=8)
        rule = plan.rules[part.number]
        digest.update(repr((rule, core, self.engine, sorted(self.design.items()))).encode())
        order = plan.order(part.number)
        digest.update(plan.images[order].tobytes() + plan.labels[order].tobytes())
        outcome = part.outcome
        for arrays in (part.start.arrays(), outcome.arrays(), outcome.state.arrays()):
            for name, array in arrays.items():
                digest.update(name.encode() + array.tobytes())
        digest.update(repr(outcome.total_cycles).encode())
        name = f"{plan.recipe.name}-{self.engine}-pass-{part.number + 1}-{digest.hexdigest()}"
        return self.folder / f"{name}.json"

    def load(self, path: Path) -> Checked | None:
        """Return what a file holds, None if there is none.

        Raises
        ------
        InputError
            If it is damaged.
        """
        if not path.exists():
            return None
        try:
            return Checked(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}: damaged, must be removed: {error}") from error

    def save(self, path: Path, checked: Checked) -> None:
        """Write a file if there is no difference."""
        if checked.difference is None:
            write_file(path, (json.dumps(asdict(checked), indent=1) + "\n").encode())


def learn_passes(
    plan: Plan, engine: LearningEngine, core: CoreSpec | None, told: Told
) -> list[Pass]:
    """Let the first engine learn the whole run.

    Parameters
    ----------
    plan : Plan
        The run.
    engine : LearningEngine
        What learns.
    core : CoreSpec, optional
        What it runs on.
    told : callable
        Called with the number of stimuli done so far.
    """
    state = plan.first_state()
    parts: list[Pass] = []
    for number in range(len(plan.rules)):
        before = number * len(plan.images)
        outcome = _learn(plan, engine, core, number, state, partial(_shifted, told, before))
        parts.append(Pass(number, state, outcome))
        state = outcome.state
    return parts


def check_passes(
    plan: Plan,
    engine: LearningEngine,
    core: CoreSpec | None,
    parts: Sequence[Pass],
    told: Told,
    *,
    shared: bool = False,
    jobs: int = 1,
    keep: Keep | None = None,
) -> list[Checked]:
    """Let the second engine learn every pass, and compare.

    Parameters
    ----------
    plan, core
        As the first engine had them.
    engine : LearningEngine
        What learns; with ``jobs``, it can be pickled.
    parts : sequence of Pass
        The passes of the first engine.
    told : callable
        Called with the number of stimuli done so far.
    shared : bool
        Compare only what both engines tell.
    jobs : int
        Passes at a time, each in a process of its own if it is more than one.
    keep : Keep, optional
        Where passes may lie that were found equal before, and are left for later.

    Returns
    -------
    list of Checked
        Of each pass, up to the first one that differs.

    Raises
    ------
    InputError
        If a file of a pass is damaged, or what the engine raises.
    """
    done: dict[int, Checked] = {}
    paths: dict[int, Path] = {}
    if keep is not None:
        paths = {part.number: keep.path(plan, core, part) for part in parts}
        kept = {number: keep.load(path) for number, path in paths.items()}
        done = {number: checked for number, checked in kept.items() if checked is not None}
    before = len(done) * len(plan.images)
    told(before)
    missing = [part for part in parts if part.number not in done]
    calls = [partial(_check, plan, engine, core, part, shared) for part in missing]
    told = partial(_shifted, told, before)
    if jobs == 1:
        answers = _one_by_one(calls, len(plan.images), told)
    else:
        answers = in_processes(calls, jobs, told)
    with closing(answers):
        for index, checked in answers:
            number = missing[index].number
            done[number] = checked
            if keep is not None:
                keep.save(paths[number], checked)
            if _ended(done, len(parts)):
                break
    return _until_difference(done)


def _one_by_one(
    calls: Sequence[Callable[[Told], Checked]], count: int, told: Told
) -> Generator[tuple[int, Checked], None, None]:
    for index, call in enumerate(calls):
        yield index, call(partial(_shifted, told, index * count))


def _shifted(told: Told, before: int, done: int) -> None:
    told(before + done)


def _until_difference(done: Mapping[int, Checked]) -> list[Checked]:
    """Return the passes from the first on, without a gap, up to the first one that differs."""
    found: list[Checked] = []
    while len(found) in done and not (found and found[-1].difference):
        found.append(done[len(found)])
    return found


def _ended(done: Mapping[int, Checked], passes: int) -> bool:
    """Tell whether no pass that is missing can change the answer."""
    found = _until_difference(done)
    return len(found) == passes or bool(found and found[-1].difference)


def _learn(
    plan: Plan,
    engine: LearningEngine,
    core: CoreSpec | None,
    number: int,
    state: LearningState,
    told: Told,
) -> LearnOutcome:
    order = plan.order(number)
    images, labels = plan.images[order], plan.labels[order]
    return engine.learn(plan.rules[number], core, state, images, labels, progress=told)


def _check(
    plan: Plan,
    engine: LearningEngine,
    core: CoreSpec | None,
    part: Pass,
    shared: bool,
    told: Told,
) -> Checked:
    start = time.monotonic()
    outcome = _learn(plan, engine, core, part.number, part.start, told)
    seconds = time.monotonic() - start
    difference = first_learning_difference(part.outcome, outcome, shared=shared)
    if difference is not None and not difference.quantity.startswith("final "):
        stimulus, *more = difference.index
        stimulus += part.number * len(plan.images)
        difference = replace(difference, index=(stimulus, *more))
    ours, theirs = part.outcome.arrays(), outcome.arrays()
    return Checked(
        sums=outcome.sums(),
        alive=float(outcome.state.alive.mean()),
        values=sum(array.size for name, array in ours.items() if name in theirs),
        seconds=seconds,
        difference=difference,
    )
