"""Energies of a report: the power model, fed with the files of the evidence."""

from __future__ import annotations

from typing import Any

from firstspike.power import energy
from firstspike.power.memories import held_out_errors
from firstspike.power.result import LABEL
from firstspike.power.saving import saving
from firstspike.report.evidence import Evidence

__all__ = ["modelled"]


def modelled(evidence: Evidence, rate: float | None) -> dict[str, Any] | None:
    """Return the energies that the evidence allows; None without an activity.

    Parameters
    ----------
    evidence : Evidence
        Files that belong together.
    rate : float or None
        Images a second for which energies are told beside the full rate.

    Returns
    -------
    dict
        ``label``; ``inference``, from `firstspike.power.Energy.as_json`; ``at_rate``, the same at
        ``rate``, or None; ``learning``, by ``pruned`` and ``unpruned`` where builds and activities
        of the learner are there; ``saving`` with both; ``held_out``, the model's errors on designs
        of others.

    Raises
    ------
    InputError
        If the core does not reach ``rate``, or the model has no coefficients for the chip.
    """
    if evidence.activity is None:
        return None
    build, activity, run = evidence.build.path, evidence.activity.path, evidence.run.path
    learning = {}
    for learner in evidence.learners:
        key = "pruned" if learner.dump.origin["pruning"] else "unpruned"
        learning[key] = energy(learner.build.path, learner.activity.path, learn=learner.dump.path)
    both = learning.keys() >= {"pruned", "unpruned"}
    at_rate = None if rate is None else energy(build, activity, run=run, rate=rate)
    return {
        "label": LABEL,
        "inference": energy(build, activity, run=run).as_json(),
        "at_rate": None if at_rate is None else at_rate.as_json(),
        "learning": {key: value.as_json() for key, value in learning.items()},
        "saving": saving(learning["pruned"], learning["unpruned"].as_json()) if both else None,
        "held_out": held_out_errors(),
    }
