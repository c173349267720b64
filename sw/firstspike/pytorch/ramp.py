"""From a network of ReLUs to RAMP layers: what an activation of T - 1 stands for, and integers.

A RAMP layer computes ``V = b + sum w a`` and ``a' = clip(floor(V / s), 0, T - 1)`` with integers
(docs/semantics.md, section 3). Let ``T - 1`` stand for the value ``top`` of an activation, and a
weight of 1 for ``unit``: then V stands for ``V unit top / (T - 1)``, the bias is
``b (T - 1) / (unit top)``, and ``s = top' / (unit top)``, with ``s // 2`` added to the bias so that
``floor`` rounds to the nearest.
"""

from __future__ import annotations

import numpy as np

from firstspike.errors import InputError
from firstspike.methods.quantize import scale_for
from firstspike.network import Layer, Network
from firstspike.network.model import OFFSET_MAX
from firstspike.pytorch.program import Program
from firstspike.spec import Neuron, WeightKind, weight_range

__all__ = ["to_ramp", "top_for"]

#: Values that are tried for the largest activation, as shares of the largest that was seen.
_SHARES = np.linspace(0.1, 1.0, 46)


def top_for(values: np.ndarray, levels: int) -> float:
    """Return what the largest level stands for, so that rounding to levels changes least.

    Parameters
    ----------
    values : ndarray of float64
        Activations, at least 0.
    levels : int
        Above 0.
    """
    largest = float(values.max())
    if largest <= 0:
        return 1.0
    tops = _SHARES * largest
    errors = [
        float(((np.rint((values / top).clip(0, 1) * levels) * (top / levels) - values) ** 2).sum())
        for top in tops
    ]
    return float(tops[int(np.argmin(errors))])


def to_ramp(
    program: Program,
    pixels: np.ndarray,
    *,
    name: str,
    shape: tuple[int, int],
    bits: int,
    time_bits: int,
) -> tuple[Network, dict[str, float]]:
    """Return the network, and what the largest activation of each hidden layer stands for.

    Parameters
    ----------
    program : Program
        Of ReLUs.
    pixels : ndarray of float64, shape (n, inputs)
        Training images, 0..1, by which activations are scaled.
    name, shape
        Of the network.
    bits : int
        Of a weight, 2..8.
    time_bits : int
        T is 2 to the power of it.

    Raises
    ------
    InputError
        If the integers are out of the range of network files.
    """
    levels = (1 << time_bits) - 1
    most = weight_range(WeightKind.SIGNED, bits)[1]
    top, tops, layers = 1.0, {}, []
    for number, (stage, values) in enumerate(
        zip(program.stages, program.run(pixels), strict=True), 1
    ):
        last = number == len(program.stages)
        unit = scale_for(stage.weights, bits)
        weights = np.rint(stage.weights / unit).clip(-most, most).astype(np.int64)
        bias = stage.bias * levels / (unit * top)
        scale = 1
        title = "output" if last else f"hidden{number}"
        if not last:
            following = min(stage.top, top_for(values, levels))
            scale = max(1, round(following / (unit * top)))
            # Whole numbers change what the largest activation stands for.
            tops[title] = scale * unit * top
            bias = bias + scale // 2
        if np.abs(bias).max() > OFFSET_MAX:
            raise InputError(
                f"{stage.name}: a bias becomes {np.abs(bias).max():.0f}, must be within "
                f"{OFFSET_MAX}: its weights are too small beside it"
            )
        layers.append(
            Layer(
                title,
                Neuron.RAMP,
                WeightKind.SIGNED,
                bits,
                weights,
                np.rint(bias).astype(np.int64),
                scale,
            )
        )
        top = tops.get(title, top)
    network = Network(
        name=name,
        layers=tuple(layers),
        time_bits=time_bits,
        shape=shape,
        labels=tuple(range(layers[-1].neurons)),
    )
    return network, tops
