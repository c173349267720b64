"""From what was learned to a network, like any other."""

from __future__ import annotations

import numpy as np

from firstspike.learning.rule import Rule
from firstspike.learning.state import LearningState
from firstspike.network import Layer, Network
from firstspike.spec import Neuron, WeightKind

__all__ = ["LAYER", "network_of"]

#: Name of the layer that learned.
LAYER = "output"


def network_of(
    rule: Rule,
    state: LearningState,
    labels: np.ndarray,
    *,
    name: str,
    shape: tuple[int, int],
) -> Network:
    """Return the network that ``state`` is, with the thresholds in force.

    Parameters
    ----------
    rule : Rule
        Its coding and weight bits are used.
    state : LearningState
        What was learned.
    labels : ndarray of int64, shape (neurons,)
        Class of each neuron, -1 for none.
    name : str
        Of the network.
    shape : tuple of int
        Rows and columns of an image.
    """
    layer = Layer(
        LAYER,
        Neuron.STEP,
        WeightKind.UNSIGNED,
        rule.weight_bits,
        state.weights.astype(np.int64),
        state.in_force,
        fraction_bits=rule.fraction_bits,
        alive=state.alive,
    )
    return Network(
        name=name,
        layers=(layer,),
        time_bits=rule.time_bits,
        shape=shape,
        labels=tuple(labels.tolist()),
        intensity_min=rule.intensity_min,
        off=rule.off,
    )
