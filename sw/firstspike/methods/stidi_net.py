"""Networks of neurons that fire once on ramps, and desired displacements of their spikes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.quantize import scale_for
from firstspike.methods.ramps import fire_once, move_inputs, weight_gradient
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike import INPUT
from firstspike.spec import InputCoding, WeightKind, weight_range

__all__ = ["Pass", "RampLayer", "RampNet"]

#: Sign weights: how far the numbers behind them may go, in what a weight of 1 stands for.
_FARTHEST = 2.0
_READOUT = "readout"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a layer did with a batch.

    Attributes
    ----------
    times, fired : ndarray of int64, shape (n, inputs) and (n, neurons)
        When inputs and neurons spiked; T: never.
    slopes : ndarray of float32, shape (n, neurons)
        Of the potentials at the spikes: thresholds in a stimulus.
    potentials : ndarray of float32, shape (n, neurons)
        After the last step: thresholds.
    weights : ndarray of float32, shape (inputs, neurons)
        That it had: thresholds in a stimulus.
    share : float
        Of the threshold that was enough, since so many of the inputs were there.
    """

    times: np.ndarray
    fired: np.ndarray
    slopes: np.ndarray
    potentials: np.ndarray
    weights: np.ndarray
    share: float


class RampLayer:
    """Weights and potentials at the start, in shares of the threshold, and how they are rounded.

    A weight of 1 takes a potential from 0 to the threshold in as many steps as a stimulus has.

    Attributes
    ----------
    weight : Tensor of float32, shape (inputs, neurons)
        As trained.
    initial : Tensor of float32, shape (neurons,)
        Potentials at the start.
    bits : int
        Of a weight, once `round_to` was called; 0: they are not rounded.
    scale : float
        What a weight of 1 in the integers stands for.
    """

    def __init__(self, inputs: int, neurons: int, steps: int, gain: float) -> None:
        self.weight = torch.randn(inputs, neurons) * (gain / math.sqrt(inputs))
        self.initial = torch.zeros(neurons)
        self.bits, self.scale = 0, 1.0
        self._steps = steps

    def round_to(self, bits: int) -> None:
        """Have weights of ``bits`` bits from now on; 1: -1 and +1."""
        weights = self.weight.double().numpy()
        self.bits = bits
        self.scale = float(np.abs(weights).mean()) if bits == 1 else scale_for(weights, bits)

    def whole(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return weights, potentials at the start and the threshold as the core has them.

        Without rounding they have the same scale, but are no integers.
        """
        weights, initial = self.weight.numpy(), self.initial.numpy() * (self._steps / self.scale)
        threshold = self._steps / self.scale
        if self.bits == 0:
            return weights, initial, threshold
        if self.bits == 1:
            weights = np.where(weights >= 0, 1, -1)
        else:
            top = weight_range(WeightKind.SIGNED, self.bits)[1]
            weights = np.rint(weights / self.scale).clip(-top, top)
        return weights.astype(np.float32), np.rint(initial), float(max(1, round(threshold)))

    def limit(self) -> None:
        """Keep the numbers behind sign weights near to where signs change."""
        if self.bits == 1:
            self.weight.clamp_(-_FARTHEST * self.scale, _FARTHEST * self.scale)

    def take(self, times: np.ndarray, fires: bool, share: float = 1.0) -> Pass:
        """Return what the layer does with inputs that spike at ``times``.

        Only ``share`` of them are there, so that as much of the threshold is enough.
        """
        weights, initial, threshold = self.whole()
        fired, slopes, potentials = fire_once(
            times,
            weights,
            (initial * share).astype(np.float32),
            threshold * share if fires else math.inf,
            self._steps,
        )
        unit = self.scale / share
        return Pass(
            times, fired, slopes * unit, potentials * (unit / self._steps), weights * unit, share
        )


class RampNet:
    """Dense layers of such neurons.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    steps : int
        Of a stimulus, T.
    by_potential : bool
        The outputs never fire, and the largest potential wins; if not, the earliest spike does.
    least_slope : float
        Slopes are taken for at least this, in thresholds in a stimulus.
    sharpness : float
        Of the classes' probabilities: what times (shares of a stimulus) or potentials
        (thresholds) are multiplied with.
    gain : float
        Spread of the first weights, times the square root of the inputs.
    dropout : float
        Share of hidden spikes that are left out in training.
    """

    def __init__(
        self,
        sizes: list[int],
        *,
        steps: int,
        by_potential: bool,
        least_slope: float,
        sharpness: float,
        gain: float,
        dropout: float = 0.0,
    ) -> None:
        self.layers = [RampLayer(a, b, steps, gain) for a, b in itertools.pairwise(sizes)]
        self.steps = steps
        self.by_potential = by_potential
        self.least_slope = least_slope
        self.sharpness = sharpness
        self.dropout = dropout

    @property
    def parameters(self) -> list[Tensor]:
        """All that is trained."""
        return [each for layer in self.layers for each in (layer.weight, layer.initial)]

    def run(self, times: np.ndarray, *, training: bool = False) -> list[Pass]:
        """Return what all layers do with inputs that spike at ``times``."""
        passes: list[Pass] = []
        share = 1.0
        for number, layer in enumerate(self.layers):
            last = number == len(self.layers) - 1
            passes.append(layer.take(times, not (last and self.by_potential), share))
            times = passes[-1].fired
            if training and self.dropout and not last:
                out = torch.rand(times.shape).numpy() < self.dropout
                times = np.where(out, self.steps, times)
                share = 1.0 - self.dropout
        return passes

    def scores(self, last: Pass) -> np.ndarray:
        """Return what is compared, of the outputs: the larger the better."""
        return last.potentials if self.by_potential else (self.steps - last.fired) / self.steps

    def learn(self, times: np.ndarray, labels: np.ndarray) -> float:
        """Leave the gradients of a batch in the parameters; return the mean cross-entropy."""
        passes = self.run(times, training=True)
        scores = torch.from_numpy(self.scores(passes[-1])).double() * self.sharpness
        told = scores.log_softmax(dim=1).numpy()
        n = len(labels)
        loss = -float(told[np.arange(n), labels].mean())
        wrong = np.exp(told)
        wrong[np.arange(n), labels] -= 1
        wrong *= self.sharpness / n
        if self.by_potential:
            self._back(passes, wrong.astype(np.float32))
        else:
            # Later where a class is too likely.
            self._back(passes, self._errors(passes[-1], wrong))
        return loss

    def _errors(self, done: Pass, desired: np.ndarray) -> np.ndarray:
        """Return what desired displacements of spikes, as shares of T, ask of the potentials.

        Of the falling kind: where it is above 0, the potential is to be lower.
        """
        return (desired / np.maximum(done.slopes, self.least_slope)).astype(np.float32)

    def _back(self, passes: list[Pass], errors: np.ndarray) -> None:
        """Leave gradients, layer by layer; ``errors`` are those of the outputs' potentials."""
        for number in reversed(range(len(passes))):
            done, layer = passes[number], self.layers[number]
            gradient = weight_gradient(done.times, done.fired, errors, self.steps)
            layer.weight.grad = torch.from_numpy(gradient / np.float32(self.steps * done.share))
            layer.initial.grad = torch.from_numpy(errors.sum(axis=0))
            if number:
                moved = move_inputs(done.times, done.fired, errors, done.weights, self.steps)
                # A hidden spike is to move against what raises the loss.
                errors = self._errors(passes[number - 1], -moved)

    def to_floats(self, name: str, shape: tuple[int, int]) -> FloatNetwork:
        """Return the network as it is, before integers are stored."""
        layers, source = [], INPUT
        for number, layer in enumerate(self.layers):
            weights, initial, threshold = layer.whole()
            fires = number < len(self.layers) - 1 or not self.by_potential
            layers.append(
                FloatLayer(
                    name=self._name(number),
                    weights=weights.astype(np.float64),
                    sources=(source,),
                    threshold=threshold if fires else None,
                    current_leak=None,
                    once=fires,
                    initial=initial.astype(np.float64),
                )
            )
            source = layers[-1].name
        if not self.by_potential:
            layers.append(
                FloatLayer(
                    name=_READOUT,
                    weights=np.eye(layers[-1].weights.shape[1]),
                    sources=(source,),
                    threshold=None,
                    current_leak=None,
                )
            )
        return FloatNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=InputCoding.LATENCY,
            shape=shape,
            labels=tuple(range(self.layers[-1].weight.shape[1])),
        )

    def to_integers(self, name: str, shape: tuple[int, int]) -> MultiSpikeNetwork:
        """Return the integers that a rounded network computes with."""
        floats = self.to_floats(name, shape)
        kinds = [
            (WeightKind.PM1 if layer.bits == 1 else WeightKind.SIGNED, layer.bits)
            for layer in self.layers
        ]
        # The one that tells the earliest spike has weights of 0 and 1.
        kinds.append((WeightKind.UNSIGNED, 1))
        layers = []
        for layer, (kind, wide) in zip(floats.layers, kinds, strict=False):
            layers.append(
                MultiSpikeLayer(
                    name=layer.name,
                    sources=layer.sources,
                    kind=kind,
                    weight_bits=wide,
                    weights=layer.weights.astype(np.int64),
                    threshold=None if layer.threshold is None else int(layer.threshold),
                    current_leak=None,
                    once=layer.once,
                    initial=None if layer.initial is None else layer.initial.astype(np.int64),
                )
            )
        return MultiSpikeNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=InputCoding.LATENCY,
            shape=shape,
            labels=floats.labels,
        )

    def _name(self, number: int) -> str:
        return "output" if number == len(self.layers) - 1 else f"hidden{number + 1}"
