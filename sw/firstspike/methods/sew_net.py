"""Deep stacks of spiking layers with joins, that gradients flow through.

See `firstspike.methods.sew`.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from torch import Tensor, nn

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.spiking import Rule, folded, scan
from firstspike.methods.surrogate import Surrogate
from firstspike.network.multispike import INPUT
from firstspike.spec import InputCoding, Reset

__all__ = ["Join", "SewNet"]

_RULE = Rule(1.0, reset=Reset.HARD)
_INPUT_BITS = 8


class Join(StrEnum):
    """What becomes of spikes ``s`` that a block gets, and spikes ``a`` that it makes of them."""

    ADD = "add"
    AND = "and"
    IAND = "iand"
    PLAIN = "plain"


class _Layer(nn.Module):
    """Dense, with normalised currents, and neurons that start from 0 when they fire."""

    def __init__(self, inputs: int, neurons: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, neurons, bias=False)
        self.norm = nn.BatchNorm1d(neurons)

    def run(self, sent: Tensor, steps: int, surrogate: Surrogate) -> Tensor:
        """Return spikes (steps, n, neurons) for what was sent in each step, or in all."""
        currents = self.norm(self.dense(sent.flatten(0, 1))).unflatten(0, sent.shape[:2])
        return scan(_RULE, currents.expand(steps, -1, -1), surrogate)[0]


class SewNet(nn.Module):
    """A layer, blocks of two layers and a join each, and outputs that add up.

    With a join, a block starts as the identity.

    Parameters
    ----------
    pixels, width, outputs : int
        Numbers of inputs, of neurons in each hidden layer, and of classes.
    blocks : int
        How many.
    join : Join
        Of all blocks.
    steps : int
        Of a stimulus; pixels are there in every step.
    surrogate : Surrogate
        Slopes of all spikes.
    """

    def __init__(
        self,
        pixels: int,
        width: int,
        outputs: int,
        *,
        blocks: int,
        join: Join,
        steps: int,
        surrogate: Surrogate,
    ) -> None:
        super().__init__()
        self.stem = _Layer(pixels, width)
        self.pairs = [(_Layer(width, width), _Layer(width, width)) for _ in range(blocks)]
        # So that torch knows of them.
        self.parts = nn.ModuleList([part for pair in self.pairs for part in pair])
        self.output = nn.Linear(width, outputs)
        self.join = join
        self.steps = steps
        self.surrogate = surrogate
        if join is not Join.PLAIN:
            # What fires in every step changes nothing in AND, what is silent nothing elsewhere.
            for _, last in self.pairs:
                nn.init.zeros_(last.norm.weight)
                nn.init.constant_(last.norm.bias, 1.0 if join is Join.AND else 0.0)

    def course(self, pixels: Tensor) -> list[Tensor]:
        """Return what the first layer and each block send, each of shape (steps, n, width).

        Parameters
        ----------
        pixels : Tensor of float32, shape (n, pixels)
            Numbers 0..1.
        """
        sent = self.stem.run(pixels[None], self.steps, self.surrogate)
        found = [sent]
        for first, last in self.pairs:
            inner = first.run(sent, self.steps, self.surrogate)
            sent = self._joined(sent, last.run(inner, self.steps, self.surrogate))
            found.append(sent)
        return found

    def _joined(self, s: Tensor, a: Tensor) -> Tensor:
        if self.join is Join.ADD:
            return a + s
        if self.join is Join.AND:
            return a * s
        if self.join is Join.IAND:
            return s * (1 - a)
        return a

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, outputs): mean potentials."""
        return self.output(self.course(pixels)[-1].mean(dim=0))

    def to_floats(self, name: str, shape: tuple[int, int]) -> FloatNetwork:
        """Return the network as it is after training, for images of ``shape``."""
        layers = [_exported("stem", self.stem, (INPUT,))]
        # Whose spikes add up to what a block gets.
        sources = ("stem",)
        for number, (first, last) in enumerate(self.pairs, 1):
            block = f"block{number}"
            layers.append(_exported(f"{block}a", first, sources))
            layers.append(_exported(f"{block}b", last, (f"{block}a",)))
            if self.join is Join.ADD:
                sources = (*sources, f"{block}b")
            elif self.join is Join.PLAIN:
                sources = (f"{block}b",)
            else:
                layers.append(_gate(block, self.join, sources[0], last.dense.out_features))
                sources = (block,)
        weights = self.output.weight.detach().double().numpy().T
        layers.append(
            FloatLayer(
                name="output",
                weights=np.tile(weights, (len(sources), 1)),
                sources=sources,
                threshold=None,
                bias=self.output.bias.detach().double().numpy()[None],
            )
        )
        return FloatNetwork(
            name=name,
            layers=tuple(layers),
            steps=self.steps,
            coding=InputCoding.DIRECT,
            shape=shape,
            labels=tuple(range(self.output.out_features)),
            input_bits=_INPUT_BITS,
        )


def _exported(name: str, layer: _Layer, sources: tuple[str, ...]) -> FloatLayer:
    weights, bias = folded(layer.dense, layer.norm)
    return FloatLayer(
        name=name,
        weights=np.tile(weights, (len(sources), 1)),
        sources=sources,
        threshold=_RULE.threshold,
        reset=_RULE.reset,
        bias=bias,
    )


def _gate(name: str, join: Join, before: str, width: int) -> FloatLayer:
    """Return the layer that joins what block ``name`` gets, from ``before``, and makes."""
    one = np.eye(width)
    return FloatLayer(
        name=name,
        weights=np.concatenate([one, one if join is Join.AND else -one]),
        sources=(before, f"{name}b"),
        threshold=2.0 if join is Join.AND else 1.0,
        reset=Reset.HARD,
        leak=0,
    )
