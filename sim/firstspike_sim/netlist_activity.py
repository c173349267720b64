"""How often the nets of a core's netlist switch, and how often its memories are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstspike.spec import CoreSpec
from firstspike_sim.batch import Batch, run_batch
from firstspike_sim.jobs import Job
from firstspike_sim.netlist import board_for, netlist_design
from firstspike_sim.netlist_meter import make_meter
from firstspike_sim.netlist_verilog import cell_counts
from firstspike_sim.translation import core_netlist

__all__ = ["Activity", "MeteredNetlist"]


@dataclass(frozen=True, slots=True)
class Activity:
    """What was counted while stimuli ran.

    Attributes
    ----------
    cycles : int
        Clock cycles.
    transitions : dict of str to int
        By class of cell: of all nets that such cells drive.
    accesses : ndarray of int64, shape (memories, 2)
        Cycles in which each memory reads, and writes.
    """

    cycles: int
    transitions: dict[str, int]
    accesses: np.ndarray

    def __add__(self, other: Activity) -> Activity:
        """Return what was counted in both."""
        return Activity(
            self.cycles + other.cycles,
            {name: n + other.transitions[name] for name, n in self.transitions.items()},
            self.accesses + other.accesses,
        )


class MeteredNetlist:
    """The netlist of a core with a meter in it.

    Parameters
    ----------
    core : CoreSpec
        The core.
    family : str or None
        ``ice40`` or ``ecp5``; None: what suits the core.

    Attributes
    ----------
    family : str
        Whose cells they are.

    Raises
    ------
    InputError
        If the family cannot have the core, or synthesis fails.
    """

    def __init__(self, core: CoreSpec, family: str | None) -> None:
        board = board_for(core, family)
        self.family = board.family
        netlist = core_netlist(core, board)
        module = netlist["modules"]["core"]
        self._cells = cell_counts(module)
        self._meter = make_meter(module)
        self._design = netlist_design(netlist, board.family, self._meter.verilog)

    def measure(
        self, job: Job, *, progress: Callable[[int], None] | None = None
    ) -> tuple[Batch, Activity]:
        """Return what the core said, and what was counted; loading and reading are left out."""
        batch = run_batch(job, self._design, progress=progress)
        return batch, Activity(*self._meter.read(batch.activity))

    def facts(self, activity: Activity) -> dict[str, Any]:
        """Return what was counted, ready for JSON; docs/netlist.md has the keys."""
        cycles = activity.cycles
        return {
            "cycles": cycles,
            "cells": self._cells,
            "toggles": {name: n / cycles for name, n in activity.transitions.items()},
            "outputs": self._meter.outputs,
            "memories": [
                {"cell": kind, "name": name, "reads": reads / cycles, "writes": writes / cycles}
                for (kind, name), (reads, writes) in zip(
                    self._meter.memories, activity.accesses.tolist(), strict=True
                )
            ],
        }
