"""Proof that no potential can leave its width, and that every layer can spike."""

from __future__ import annotations

from typing import Any

import numpy as np

from firstspike.errors import InputError
from firstspike.fit import check_reachable, potential_range
from firstspike.network import Network
from firstspike.spec import Neuron

__all__ = ["prove_widths"]


def prove_widths(network: Network, most_bits: int) -> list[dict[str, Any]]:
    """Return what potentials of each layer can meet, and refuse what cannot be expressed.

    Whatever the stimulus and the order of its events, a stored potential lies between its start
    plus all negative weights and its start plus all positive ones, each times the largest
    magnitude of an event (1 for STEP, T - 1 for RAMP).

    Parameters
    ----------
    network : Network
        Any.
    most_bits : int
        Width of a potential that must not be exceeded, two's complement.

    Returns
    -------
    list of dict
        For each layer: ``layer``, ``low``, ``high``, the ``bits`` that they need, and ``silent``,
        the number of neurons that no stimulus can make spike.

    Raises
    ------
    InputError
        If a layer needs more than ``most_bits``, an output neuron or all neurons of a layer can
        never spike, or no weight of a neuron of the last layer differs from 0.
    """
    check_reachable(network)
    proof = []
    for layer in network.layers:
        low, high = potential_range(layer, network.steps)
        bits = 1 + max(int(high.max()).bit_length(), int(-low.min() - 1).bit_length())
        if bits > most_bits:
            j = int(np.argmax(np.maximum(high, -low - 1)))
            raise InputError(
                f"layer {layer.name!r}: the potential of neuron {j} can meet {low[j]}..{high[j]}, "
                f"which needs {bits} bits; the recipe's potential_bits is {most_bits}"
            )
        last = layer is network.layers[-1]
        # A last RAMP layer is read as potentials, so none of its neurons has to rise above 0.
        silent = high < (1 if network.neuron is Neuron.RAMP and not last else 0)
        silent &= not (network.neuron is Neuron.RAMP and last)
        if silent.all():
            raise InputError(
                f"layer {layer.name!r}: no stimulus makes any of its neurons spike, so the "
                "network cannot tell stimuli apart; train it again with other values"
            )
        dead = ~layer.weights.any(axis=0)
        if last and dead.any():
            raise InputError(
                f"layer {layer.name!r}: all weights of neuron {int(np.argmax(dead))} are 0; "
                "train again with more weight_bits or another learning_rate"
            )
        proof.append(
            {
                "layer": layer.name,
                "low": int(low.min()),
                "high": int(high.max()),
                "bits": bits,
                "silent": int(silent.sum()),
            }
        )
    return proof
