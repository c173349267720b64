"""Power and energy of a core on a chip: a model, with the error that it has on designs of others.

`energy` is what ``firstspike power`` and ``firstspike report`` call.
"""

from __future__ import annotations

from firstspike.power.result import LABEL, Energy, Part, Power, Range

__all__ = ["LABEL", "Energy", "Part", "Power", "Range"]
