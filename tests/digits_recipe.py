"""A recipe of learning that takes a moment."""

from __future__ import annotations

BASE = {
    "version": 1,
    "kind": "learning",
    "data": "digits",
    "time_bits": 3,
    "neurons": 20,
    "initial": {"threshold": 0.2},
    "prune": {"below": 60, "after": 100, "min_fan_in": 8},
    "report": 500,
    "label_images": 300,
    "stages": [{"passes": 2, "potentiate": 60, "depress": 60, "homeostasis": 1}],
}
