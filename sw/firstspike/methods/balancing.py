"""A network of ReLUs without biases, and the thresholds at which spikes do what it does.

Threshold balancing as in Rathi et al., ICLR 2020 (arXiv 2005.01807): layer by layer, the threshold
is the largest input current that a neuron of the layer gets in any step of calibration images,
times a factor. Formulas from the paper, nothing of its code.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from firstspike.errors import InputError
from firstspike.methods.spiking import Rule, SpikingNet, input_trains, scan
from firstspike.methods.surrogate import Surrogate, Triangle
from firstspike.spec import InputCoding

__all__ = ["ReluNet", "balance", "spiking"]


class ReluNet(nn.Module):
    """Dense layers with ReLUs between them, without biases.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    dropout : float
        Share of hidden activations that are left out in training.
    """

    def __init__(self, sizes: list[int], dropout: float) -> None:
        super().__init__()
        self.sizes = sizes
        self.dense = [nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)]
        self.parts = nn.ModuleList(self.dense)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, outputs) of pixels 0..1 (n, inputs)."""
        for dense in self.dense[:-1]:
            pixels = self.dropout(dense(pixels).relu())
        return self.dense[-1](pixels)


def balance(
    model: ReluNet,
    inputs: Tensor,
    *,
    steps: int,
    scaling: float,
    coding: InputCoding = InputCoding.DIRECT,
) -> list[float]:
    """Return a threshold for each hidden layer.

    Parameters
    ----------
    model : ReluNet
        Trained.
    inputs : Tensor of float32, shape (n, pixels)
        Calibration images, pixels 0..1.
    steps : int
        For which currents are looked at.
    scaling : float
        Times which the largest current is the threshold.
    coding : InputCoding
        DIRECT or RATE.

    Raises
    ------
    InputError
        If a layer gets no current above 0, so that it never spikes.
    """
    thresholds: list[float] = []
    sent = input_trains(coding, steps, inputs.shape[1])(inputs)
    for number, dense in enumerate(model.dense[:-1], 1):
        with torch.no_grad():
            currents = dense(sent).expand(steps, -1, -1)
            largest = float(currents.max())
            if not largest > 0:
                raise InputError(
                    f"layer hidden{number} of the trained network gets no current above 0; "
                    "train it longer"
                )
            thresholds.append(scaling * largest)
            sent, _ = scan(Rule(thresholds[-1], strict=True), currents, Triangle())
    return thresholds


def spiking(
    model: ReluNet,
    thresholds: list[float],
    *,
    steps: int,
    surrogate: Surrogate,
    dropout: float = 0.0,
    coding: InputCoding = InputCoding.DIRECT,
) -> SpikingNet:
    """Return the spiking network with a copy of the weights of ``model``.

    Neurons lose their threshold when they fire, and nothing else; the outputs add up. Its logits
    are what ``model`` has, as far as spikes can tell.

    Parameters
    ----------
    model : ReluNet
        Trained.
    thresholds : list of float
        Of the hidden layers.
    steps, surrogate, dropout, coding
        Of the spiking network.
    """
    net = SpikingNet(
        model.sizes,
        [*(Rule(threshold, strict=True) for threshold in thresholds), Rule(None)],
        steps=steps,
        surrogate=surrogate,
        dropout=dropout,
        gain=math.prod(thresholds) / steps,
        coding=coding,
    )
    with torch.no_grad():
        for copy, dense in zip(net.dense, model.dense, strict=True):
            copy.weight.copy_(dense.weight)
    return net
