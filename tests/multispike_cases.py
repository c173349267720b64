"""Small multi-spike networks that tests change a number of."""

from __future__ import annotations

import numpy as np

from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.spec import InputCoding, WeightKind

__all__ = ["layer", "network"]


def layer(**changes) -> MultiSpikeLayer:
    values = {
        "name": "a",
        "sources": ("input",),
        "kind": WeightKind.SIGNED,
        "weight_bits": 4,
        "weights": np.ones((4, 3), np.int64),
        "threshold": 4,
    }
    return MultiSpikeLayer(**(values | changes))


def network(*layers: MultiSpikeLayer, **changes) -> MultiSpikeNetwork:
    values = {
        "name": "n",
        "layers": layers,
        "steps": 4,
        "coding": InputCoding.DIRECT,
        "shape": (1, 4),
        "labels": (0, 1, 2),
        "input_bits": 4,
    }
    return MultiSpikeNetwork(**(values | changes))
