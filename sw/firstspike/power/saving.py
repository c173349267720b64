"""What pruning saves, and what the logic for it costs: one energy beside another."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firstspike.errors import InputError
from firstspike.power.result import LABEL, Energy, Range

__all__ = ["PUBLISHED", "load_energy", "saving"]

#: Per cent: Nguyen, Veeravalli and Fong, ICONS 2021 (arXiv 2010.04351), abstract; another network
#: on another chip, so beside ours and not against it.
PUBLISHED = {
    "source": "arXiv 2010.04351, abstract: Caltech-101, another chip and network",
    "learning_saved": 64.0,
    "inference_saved": 78.24,
    "power_of_pruning": 0.56,
}


def load_energy(path: Path) -> dict[str, Any]:
    """Return what ``firstspike power --json`` printed to ``path``.

    Raises
    ------
    InputError
        If it is not that.
    """
    maker = "firstspike power --build B.json --activity A.json --run R.npz --json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["label"] != LABEL:
            raise ValueError(facts["label"])
        for value in (facts["joules"], facts["power"]["watts"]):
            if Range(**value).low <= 0:
                raise ValueError(f"{value} must be above 0")
        for value in (facts["what"], facts["power"]["device"]):
            if not isinstance(value, str):
                raise TypeError(f"{value!r} must be a text")
        facts["cycles"] = float(facts["cycles"])
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: is not what power --json prints ({error!r}); this makes one: {maker}"
        ) from error
    return facts


def saving(ours: Energy, other: dict[str, Any]) -> dict[str, Any]:
    """Return what ``ours`` takes less than ``other``, per cent, nominal and its range.

    The coefficients of both are the same, so their errors nearly cancel: the range is that of all
    low, all nominal and all high coefficients, one beside the other.

    Parameters
    ----------
    ours : Energy
        Of the core, or the network, that was pruned.
    other : dict
        From `load_energy`.

    Returns
    -------
    dict
        ``energy_saved``, ``power_saved`` (below 0: it takes more), ``cycles_saved`` in per cent,
        and the ``published`` figures of pruning.

    Raises
    ------
    InputError
        If one is of learning and the other of inference, or the chips differ.
    """
    if other["what"] != ours.what:
        raise InputError(f"against is of {other['what']}, must be of {ours.what}")
    if other["power"]["device"] != ours.power.device:
        raise InputError(
            f"against is of {other['power']['device']}, must be of {ours.power.device}"
        )
    return {
        "energy_saved": _saved(ours.joules, Range(**other["joules"])),
        "power_saved": _saved(ours.power.watts, Range(**other["power"]["watts"])),
        "cycles_saved": 100 * (1 - ours.cycles / other["cycles"]),
        "published": PUBLISHED,
    }


def _saved(ours: Range, other: Range) -> dict[str, float]:
    theirs = asdict(other)
    by_level = {name: 100 * (1 - value / theirs[name]) for name, value in asdict(ours).items()}
    low, high = min(by_level.values()), max(by_level.values())
    return asdict(Range(low, by_level["nominal"], high))
