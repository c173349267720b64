"""Power and energy of a core on a chip: a model, with the error that it has on designs of others.

`energy` is what ``firstspike power`` and ``firstspike report`` call; `held_out_errors` is the
model's error, which stands beside every figure; `systems` are published systems to compare with.
"""

from __future__ import annotations

from firstspike.power.energy import energy
from firstspike.power.memories import held_out_errors
from firstspike.power.result import LABEL, Energy, Part, Power, Range
from firstspike.power.saving import saving
from firstspike.power.systems import System, systems

__all__ = [
    "LABEL",
    "Energy",
    "Part",
    "Power",
    "Range",
    "System",
    "energy",
    "held_out_errors",
    "saving",
    "systems",
]
