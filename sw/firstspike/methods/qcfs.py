"""An activation with as many levels as a spike count has, and the network that is trained with it.

A trained network of such activations is a multi-spike network whose counts approach them: the
activation is ``theta / L * clip(floor(a L / theta + 1 / 2), 0, L)`` for a trained ``theta`` a
layer, and the neuron starts at half its threshold. It is the QCFS activation that FTBC starts
from (formula as given in arXiv 2403.18388).
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import InputCoding, Reset

__all__ = ["Levels", "LevelsNet", "to_floats"]

_FIRST_THRESHOLD = 2.0


class Levels(nn.Module):
    """The activation; gradients go straight through the rounding where nothing is clipped.

    Parameters
    ----------
    levels : int
        L.
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels
        self.threshold = nn.Parameter(torch.tensor(_FIRST_THRESHOLD))

    def forward(self, current: Tensor) -> Tensor:
        """Return activations 0..threshold of the same shape."""
        scaled = current / self.threshold * self.levels + 0.5
        inside = scaled.clamp(0.5, self.levels + 0.5) - 0.5
        level = scaled.floor().clamp(0, self.levels)
        return (inside + (level - inside).detach()) * (self.threshold / self.levels)


class LevelsNet(nn.Module):
    """Dense layers with that activation; the last one has none.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    levels : int
        L.
    dropout : float
        Share of hidden activations that are left out in training.
    """

    def __init__(self, sizes: list[int], levels: int, dropout: float) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        self.active = nn.ModuleList(Levels(levels) for _ in pairs[:-1])
        self.dropout = nn.Dropout(dropout)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, outputs) of pixels 0..1 (n, inputs)."""
        for dense, active in zip(self.dense, self.active, strict=False):
            pixels = self.dropout(active(dense(pixels)))
        return self.dense[-1](pixels)


def to_floats(
    model: LevelsNet, name: str, steps: int, shape: tuple[int, int], input_bits: int
) -> FloatNetwork:
    """Return the multi-spike network of a trained one.

    A spike of a hidden neuron stands for its threshold, which is folded into the next layer. The
    outputs add up what comes in.

    Parameters
    ----------
    model : LevelsNet
        Trained.
    name, steps, shape, input_bits
        Of the network.
    """
    layers = []
    source, carried = INPUT, 1.0
    parts: list[Any] = list(model.dense)
    for number, dense in enumerate(parts):
        hidden = number < len(model.active)
        active: Any = model.active[number] if hidden else None
        threshold = float(active.threshold.detach()) if hidden else None
        weights = dense.weight.detach().double().numpy().T * carried
        bias = dense.bias.detach().double().numpy()
        layers.append(
            FloatLayer(
                name=f"hidden{number + 1}" if hidden else "output",
                weights=weights,
                sources=(source,),
                threshold=threshold,
                reset=Reset.SOFT,
                bias=bias[None],
                initial=None if threshold is None else 0 * bias + threshold / 2,
            )
        )
        source, carried = layers[-1].name, threshold or 1.0
    return FloatNetwork(
        name=name,
        layers=tuple(layers),
        steps=steps,
        coding=InputCoding.DIRECT,
        shape=shape,
        labels=tuple(range(parts[-1].out_features)),
        input_bits=input_bits,
    )
