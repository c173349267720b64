"""One interface over everything that can run a network."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from firstspike import golden
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.learning import LearningState, LearnOutcome, Rule
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec

__all__ = ["ENGINES", "Engine", "GoldenEngine", "LearningEngine", "open_engine"]


class Engine(Protocol):
    """Runs a network on a core."""

    def run(
        self,
        network: AnyNetwork,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """Return what happened.

        Parameters
        ----------
        network : Network or MultiSpikeNetwork
            What to run.
        core : CoreSpec
            What to run it on.
        images : ndarray of uint8, shape (n, pixels)
            Stimuli, in order.
        early_exit : bool
            End a stimulus with the step of its first output spike.
        progress : callable, optional
            Called with the number of stimuli done so far.
        trace : Path, optional
            Write a VCD of the run there.

        Raises
        ------
        InputError
            If network, core and images do not fit each other, or a trace cannot be made.
        """
        ...


class LearningEngine(Protocol):
    """An engine that can learn."""

    def learn(
        self,
        rule: Rule,
        core: CoreSpec | None,
        state: LearningState,
        images: np.ndarray,
        labels: np.ndarray | None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> LearnOutcome:
        """Return what ``rule`` makes of ``state`` with ``images``.

        Parameters
        ----------
        rule : Rule
            How it learns.
        core : CoreSpec or None
            What it runs on; None, for the golden model alone: leave out cycles and accesses.
        state : LearningState
            What it starts from; not changed.
        images : ndarray of uint8, shape (n, pixels)
            Stimuli, in order.
        labels : ndarray of int64, shape (n,), or None
            Their classes, -1 for none.
        progress : callable, optional
            Called with the number of stimuli done so far.

        Raises
        ------
        InputError
            If rule, core, state, images and labels do not fit each other, or a package is missing.
        """
        ...


class GoldenEngine:
    """The golden model, with the cost model's cycles."""

    def run(
        self,
        network: AnyNetwork,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """See `Engine.run`."""
        if trace is not None:
            raise InputError("engine golden has no clock, so no trace: use pysim or rtl")
        if isinstance(network, MultiSpikeNetwork):
            return run_multispike(network, images, core=core, progress=progress)
        return golden.run(network, images, core=core, early_exit=early_exit, progress=progress)

    def learn(
        self,
        rule: Rule,
        core: CoreSpec | None,
        state: LearningState,
        images: np.ndarray,
        labels: np.ndarray | None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> LearnOutcome:
        """See `LearningEngine.learn`."""
        try:
            fast = importlib.import_module("firstspike.golden.learning_fast")
        except ModuleNotFoundError as error:
            raise InputError(
                f"learning needs the package {error.name}: pip install 'firstspike[learn]'"
            ) from error
        return fast.learn(rule, state, images, labels, core=core, progress=progress)


#: Where each engine's class is.
ENGINES = {
    "golden": ("firstspike.engines", "GoldenEngine"),
    "pysim": ("firstspike_sim.pysim", "PysimEngine"),
    "rtl": ("firstspike_sim.rtl", "RtlEngine"),
    "netlist": ("firstspike_sim.netlist", "NetlistEngine"),
    "board": ("firstspike.board.engine", "BoardEngine"),
}


def open_engine(name: str, **options: Any) -> Engine:
    """Return the engine called ``name``.

    Parameters
    ----------
    name : str
        A key of `ENGINES`.
    **options
        Of its class: the engine ``board`` takes ``port`` and ``baud``, ``netlist`` a ``family``.

    Raises
    ------
    InputError
        If there is none, or what it needs is not installed.
    """
    if name not in ENGINES:
        raise InputError(f"engine is {name!r}, must be one of {', '.join(ENGINES)}")
    module, attribute = ENGINES[name]
    try:
        return getattr(importlib.import_module(module), attribute)(**options)
    except ModuleNotFoundError as error:
        raise InputError(
            f"engine {name} needs the package {error.name}: pip install 'firstspike[sim]'"
        ) from error
