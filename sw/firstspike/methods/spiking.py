"""Multi-spike networks that gradients flow through: the rule of docs/semantics.md 11.2 in torch.

What a reset takes off a potential is a constant to the gradient, so that errors reach a neuron
through what it sent, not through what sending cost it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from firstspike.golden.randomness import random_bytes
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.simulate import Course
from firstspike.methods.surrogate import Surrogate, fire
from firstspike.network.multispike import INPUT
from firstspike.spec import INTENSITY_MAX, InputCoding, Reset

__all__ = ["Rule", "SpikingNet", "State", "input_trains", "scan", "start", "step"]

#: Steps since a neuron fired, if it never did.
_NEVER = 1000.0
_INPUT_BITS = 8
#: Of random spikes; the default of `MultiSpikeNetwork`.
_SEED = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """How the neurons of a layer work; see `FloatLayer`."""

    threshold: float | None
    strict: bool = False
    reset: Reset = Reset.SOFT
    leak: int | None = None


class State(NamedTuple):
    """Of a layer between two steps.

    Attributes
    ----------
    potential : Tensor of float32, shape (n, neurons)
        After reset and leak.
    since : Tensor of float32, shape (n, neurons)
        Steps since a neuron fired, counted to the next step.
    """

    potential: Tensor
    since: Tensor


def start(current: Tensor) -> State:
    """Return the state that a stimulus starts with, for currents of shape (n, neurons)."""
    return State(torch.zeros_like(current), torch.full_like(current, _NEVER))


def step(rule: Rule, state: State, current: Tensor, surrogate: Surrogate) -> tuple[State, Tensor]:
    """Return the state after a step, and who fires in it, 0 or 1.

    Parameters
    ----------
    rule : Rule
        Of the layer.
    state : State
        Before.
    current : Tensor of float32, shape (n, neurons)
        What arrives, and the bias.
    surrogate : Surrogate
        Slopes of the spikes.
    """
    potential, since = state.potential + current, state.since
    fires = torch.zeros_like(potential)
    if rule.threshold is not None:
        fires = fire(potential, rule.threshold, rule.strict, surrogate, since)
        fired = fires.detach()
        if rule.reset is Reset.SOFT:
            potential = potential - rule.threshold * fired
        else:
            potential = potential * (1 - fired)
        since = torch.where(fired > 0, 0.0, since)
    if rule.leak is not None:
        potential = potential - potential / (1 << rule.leak)
    return State(potential, since + 1), fires


def scan(rule: Rule, currents: Tensor, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
    """Return the spikes of all steps, and the potential after the last.

    Parameters
    ----------
    rule : Rule
        Of the layer.
    currents : Tensor of float32, shape (steps, n, neurons)
        What arrives, and the bias.
    surrogate : Surrogate
        Slopes of the spikes.

    Returns
    -------
    tuple of Tensor
        Spikes, shape (steps, n, neurons), and potentials, shape (n, neurons).
    """
    state, trains = start(currents[0]), []
    for current in currents:
        state, fires = step(rule, state, current, surrogate)
        trains.append(fires)
    return torch.stack(trains), state.potential


def input_trains(coding: InputCoding, steps: int, pixels: int) -> Callable[[Tensor], Tensor]:
    """Return a function from pixels 0..1 (n, pixels) to what they bring, by step.

    It returns float32 of shape (1, n, pixels) where all steps are equal (DIRECT), and
    (steps, n, pixels) of zeros and ones where pixels spike (RATE, seed 1).
    """
    if coding is InputCoding.DIRECT:
        return lambda values: values[None]
    noise = torch.from_numpy(random_bytes(_SEED, steps, pixels)).float()[:, None]
    return lambda values: (values * INTENSITY_MAX > noise + 0.5).float()


class SpikingNet(nn.Module):
    """Dense layers of such neurons; pixels are numbers in every step, or random spikes.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    rules : list of Rule
        Of each layer but the pixels.
    steps : int
        Of a stimulus.
    surrogate : Surrogate
        Slopes of all spikes.
    bias : bool
        Layers have biases, added in every step.
    norm : bool
        Currents of the hidden layers are normalised over images and steps; what that does in the
        end is folded into weights and biases.
    dropout : float
        Share of hidden neurons that are left out in training, the same in all steps of an image.
    gain : float
        What the outputs are multiplied with to be logits.
    coding : InputCoding
        DIRECT; or RATE: the very spikes of semantics 11.1, so that training hears the noise that
        the core makes.
    """

    def __init__(
        self,
        sizes: list[int],
        rules: list[Rule],
        *,
        steps: int,
        surrogate: Surrogate,
        bias: bool = False,
        norm: bool = False,
        dropout: float = 0.0,
        gain: float = 1.0,
        coding: InputCoding = InputCoding.DIRECT,
    ) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.dense = [nn.Linear(a, b, bias=bias) for a, b in pairs]
        self.norms = [nn.BatchNorm1d(b) for _, b in pairs[:-1]] if norm else []
        # So that torch knows of them.
        self.parts = nn.ModuleList([*self.dense, *self.norms])
        self.dropout = nn.Dropout(dropout)
        self.rules = rules
        self.steps = steps
        self.surrogate = surrogate
        self.gain = gain
        self.coding = coding
        self.sent = input_trains(coding, steps, sizes[0])

    def run(self, pixels: Tensor) -> Course:
        """Return what the network does with pixels 0..1 of shape (n, inputs)."""
        trains = {}
        sent, potential = self.sent(pixels), pixels
        for number, dense in enumerate(self.dense):
            # All steps at once; pixels are the same in each.
            currents = dense(sent.flatten(0, 1))
            if number < len(self.norms):
                currents = self.norms[number](currents)
            currents = currents.unflatten(0, sent.shape[:2])
            currents = currents.expand(self.steps, -1, -1)
            spikes, potential = scan(self.rules[number], currents, self.surrogate)
            trains[self._name(number)] = spikes
            sent = spikes * self.dropout(torch.ones_like(spikes[0]))
        return Course(trains, potential)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, outputs): potentials, or counts of spikes if the outputs fire."""
        course = self.run(pixels)
        if self.rules[-1].threshold is None:
            return course.potential * self.gain
        return course.spikes[self._name(len(self.rules) - 1)].sum(dim=0) * self.gain

    def to_floats(self, name: str, shape: tuple[int, int]) -> FloatNetwork:
        """Return the network as it is after training, for images of ``shape``."""
        layers, source = [], INPUT
        for number, (dense, rule) in enumerate(zip(self.dense, self.rules, strict=True)):
            weights, bias = folded(dense, *self.norms[number : number + 1])
            layers.append(
                FloatLayer(
                    name=self._name(number),
                    weights=weights,
                    sources=(source,),
                    threshold=rule.threshold,
                    strict=rule.strict,
                    reset=rule.reset,
                    leak=rule.leak,
                    bias=bias,
                )
            )
            source = layers[-1].name
        return FloatNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=self.coding,
            shape=shape,
            labels=tuple(range(self.dense[-1].out_features)),
            input_bits=_INPUT_BITS,
        )

    def _name(self, number: int) -> str:
        return "output" if number == len(self.dense) - 1 else f"hidden{number + 1}"


def folded(
    dense: nn.Linear, norm: nn.BatchNorm1d | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return weights (inputs, neurons), and biases (1, neurons), with the normalisation in them."""
    weights = dense.weight.detach().double().numpy().T
    bias: np.ndarray | None = None
    if dense.bias is not None:
        bias = dense.bias.detach().double().numpy()
    if norm is not None:
        assert norm.running_mean is not None and norm.running_var is not None
        factor = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
        moved = (norm.bias.detach().double() - factor * norm.running_mean.double()).numpy()
        weights = weights * factor.numpy()
        bias = moved if bias is None else moved + bias * factor.numpy()
    return weights, None if bias is None else bias[None]
