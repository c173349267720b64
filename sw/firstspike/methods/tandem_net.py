"""A network of which the first layers spike, with the gradient of the ReLUs that it comes from.

See `firstspike.methods.tandem`.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstspike.errors import InputError
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.quantize import scale_for
from firstspike.methods.spiking import Rule, scan
from firstspike.methods.surrogate import Triangle
from firstspike.network.multispike import INPUT
from firstspike.spec import INTENSITY_MAX, InputCoding, WeightKind, weight_range

__all__ = ["TandemNet", "largest"]

_PERCENTILE = 0.999
_INPUT_BITS = 8


class TandemNet(nn.Module):
    """Dense layers of which the first ones spike.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    steps : int
        Of a stimulus.
    bits : int
        Of a weight.
    dropout : float
        Share of activations of layers that do not spike yet that are left out in training.
    fan_in : int
        Most synapses of a neuron that a layer has when it is rounded; 0: all.
    """

    def __init__(
        self, sizes: list[int], *, steps: int, bits: int, dropout: float, fan_in: int = 0
    ) -> None:
        super().__init__()
        self.dense = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        self.parts = nn.ModuleList(self.dense)
        self.dropout = nn.Dropout(dropout)
        self.steps = steps
        self._top = weight_range(WeightKind.SIGNED, bits)[1]
        self._bits = bits
        self._fan_in = fan_in
        #: Of the layers that are rounded: which synapses there are, of shape (neurons, inputs).
        self.masks: list[Tensor] = []
        #: Of the same: what a weight of 1, and a potential of 1, stand for.
        self.scales: list[float] = []
        self.units: list[float] = []
        #: Of the layers that spike.
        self.thresholds: list[float] = []

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, outputs) of pixels 0..1 (n, inputs)."""
        values, train = pixels, pixels[None]
        for number in range(len(self.dense) - 1):
            weight, bias = self._rounded(number)
            values = functional.linear(values, weight, bias).relu()
            if number < len(self.thresholds):
                train = self._spikes(number, train, weight, bias)
                # The second term is 0, and has the gradient.
                values = train.sum(dim=0) + (values - values.detach())
            else:
                values = self.dropout(values)
        return functional.linear(values, *self._rounded(len(self.dense) - 1))

    def _spikes(self, number: int, train: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return what a layer sends, each spike with its value, of shape (steps, n, neurons)."""
        unit, threshold = self.units[number], self.thresholds[number]
        with torch.no_grad():
            currents = functional.linear(train, weight)
            rest = self.steps - len(currents)
            currents = torch.cat([currents, torch.zeros(rest, *currents.shape[1:])])
            currents[0] += bias
            # As integers, so that a neuron that just reaches its threshold does.
            whole = (currents / unit).round()
            spikes, _ = scan(Rule(float(round(threshold / unit))), whole, Triangle())
        return spikes * threshold

    def _rounded(self, number: int) -> tuple[Tensor, Tensor]:
        """Return weights and biases, rounded once the layer is; gradients go through."""
        dense = self.dense[number]
        if number >= len(self.scales):
            return dense.weight, dense.bias
        scale, unit = self.scales[number], self.units[number]
        alive = dense.weight * self.masks[number]
        weight = (alive / scale).round().clamp(-self._top, self._top) * scale
        bias = (dense.bias / unit).round() * unit
        return (
            alive + (weight - alive).detach(),
            dense.bias + (bias - dense.bias).detach(),
        )

    def advance(self, inputs: Tensor) -> None:
        """Freeze the last layer that was rounded, round the next, and let it spike.

        Of each neuron's synapses, only the largest stay, as many as it may have. The outputs are
        rounded as well, but never spike.

        Parameters
        ----------
        inputs : Tensor of float32, shape (n, pixels)
            Calibration images, pixels 0..1.

        Raises
        ------
        InputError
            If the next layer is silent.
        """
        self.eval()
        self.freeze()
        number = len(self.scales)
        weight = self.dense[number].weight
        mask = largest(weight.detach(), self._fan_in or weight.shape[1])
        with torch.no_grad():
            weight *= mask
        self.masks.append(mask)
        if number < len(self.dense) - 1:
            with torch.no_grad():
                active = self._activations(number, inputs).flatten()
            most = active.kthvalue(max(1, round(_PERCENTILE * active.numel()))).values
            if not most > 0:
                raise InputError(f"layer hidden{number + 1} is silent; train it longer")
            self.thresholds.append(float(most) / self.steps)
        self.scales.append(0.0)
        self.units.append(0.0)
        self._set_grid(number)

    def freeze(self) -> None:
        """Give the last layer that was rounded the numbers that it has on the core."""
        if not self.scales:
            return
        number = len(self.scales) - 1
        self._set_grid(number)
        with torch.no_grad():
            pair = self.dense[number].weight, self.dense[number].bias
            for parameter, whole in zip(pair, self._rounded(number), strict=True):
                parameter.copy_(whole)
                parameter.requires_grad_(False)

    def _activations(self, number: int, inputs: Tensor) -> Tensor:
        """Return what a layer that does not spike yet, the first of these, has for images."""
        values = inputs[None]
        for before in range(number):
            values = self._spikes(before, values, *self._rounded(before))
        return self.dense[number](values.sum(dim=0)).relu()

    def _set_grid(self, number: int) -> None:
        """Choose what a weight of 1 stands for, and move the threshold to the nearest integer."""
        scale = scale_for(self.dense[number].weight.detach().double().numpy(), self._bits)
        value = self.thresholds[number - 1] if number else 1 / INTENSITY_MAX
        unit = scale * value
        self.scales[number], self.units[number] = scale, unit
        if number < len(self.thresholds):
            self.thresholds[number] = max(1, round(self.thresholds[number] / unit)) * unit

    def to_floats(self, name: str, shape: tuple[int, int]) -> FloatNetwork:
        """Return the spiking network; a spike counts 1, so its value goes into the next layer."""
        layers: list[FloatLayer] = []
        source, value = INPUT, 1.0
        for number, dense in enumerate(self.dense):
            threshold = self.thresholds[number] if number < len(self.dense) - 1 else None
            layers.append(
                FloatLayer(
                    name="output" if threshold is None else f"hidden{number + 1}",
                    weights=dense.weight.detach().double().numpy().T * value,
                    sources=(source,),
                    threshold=threshold,
                    initial=dense.bias.detach().double().numpy(),
                    mask=self.masks[number].numpy().T if self._fan_in else None,
                )
            )
            source, value = layers[-1].name, threshold or 1.0
        return FloatNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=InputCoding.ONCE,
            shape=shape,
            labels=tuple(range(self.dense[-1].out_features)),
            input_bits=_INPUT_BITS,
        )


def largest(weight: Tensor, count: int) -> Tensor:
    """Return, for each row, which ``count`` of its entries are the largest in size, as booleans."""
    kept = weight.abs().topk(min(count, weight.shape[1]), dim=1).indices
    return torch.zeros_like(weight, dtype=torch.bool).scatter_(1, kept, True)
