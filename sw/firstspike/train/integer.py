"""The integer network as torch tensors: what training evaluates itself with.

Equal to `firstspike.golden` in every bit, which a test checks; written apart from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from firstspike.network import Layer, Network
from firstspike.spec import INTENSITY_BITS, INTENSITY_MAX, Neuron

__all__ = ["Trace", "decide", "trace"]

#: Stimuli computed together; bounds the memory used.
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Trace:
    """What a network does when every stimulus lasts all its steps.

    Attributes
    ----------
    potential : Tensor of int64, shape (T, n, outputs)
        Output potentials after each step. RAMP: shape (1, n, outputs).
    spike_time : dict of str to Tensor of int64, shape (n, neurons)
        By layer; T is never.
    """

    potential: Tensor
    spike_time: dict[str, Tensor]


def _product(events: Tensor, layer: Layer) -> Tensor:
    """Return events @ weights as int64, through float64, which holds these integers exactly."""
    weights = torch.from_numpy(layer.weights).double()
    return (events.double() @ weights).round().long()


def trace(network: Network, images: Tensor) -> Trace:
    """Return what ``network`` does with ``images``, uint8 of shape (n, pixels)."""
    one = _step if network.neuron is Neuron.STEP else _ramp
    parts = [one(network, chunk.long()) for chunk in images.split(_CHUNK)]
    return Trace(
        torch.cat([part.potential for part in parts], dim=1),
        {
            layer.name: torch.cat([part.spike_time[layer.name] for part in parts])
            for layer in network.layers
        },
    )


def _step(network: Network, images: Tensor) -> Trace:
    steps, shift = network.steps, INTENSITY_BITS - network.time_bits
    channel = torch.cat([images, INTENSITY_MAX - images], dim=1) if network.off else images
    times = torch.where(channel >= network.intensity_min, (INTENSITY_MAX - channel) >> shift, steps)
    spike_time = {}
    potential = torch.empty(0)
    for layer in network.layers:
        theta = torch.from_numpy(layer.offset)
        fired = torch.stack([times <= t for t in range(steps)])
        potential = _product(fired.flatten(0, 1), layer).view(steps, len(images), -1)
        over = (potential >= theta).long()
        # argmax finds the first step over the threshold, where there is one.
        times = torch.where(over.any(0), over.argmax(0), steps)
        spike_time[layer.name] = times
    return Trace(potential, spike_time)


def _ramp(network: Network, images: Tensor) -> Trace:
    steps = network.steps
    magnitude = images >> (INTENSITY_BITS - network.time_bits)
    spike_time = {}
    potential = torch.empty(0)
    for layer in network.layers:
        potential = _product(magnitude, layer) + torch.from_numpy(layer.offset)
        level = torch.div(potential, layer.scale, rounding_mode="floor")
        magnitude = level.clamp(0, steps - 1)
        spike_time[layer.name] = torch.where(magnitude > 0, steps - magnitude, steps)
    spike_time[network.layers[-1].name] = torch.full_like(potential, steps)
    return Trace(potential[None], spike_time)


def decide(overshoot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return early decisions, their steps (T where forced) and the decisions at the last step.

    Parameters
    ----------
    overshoot : Tensor of int64, shape (T, n, outputs)
        Potentials minus thresholds, d.
    """
    steps = len(overshoot)
    over = (overshoot >= 0).any(-1).long()
    step = torch.where(over.any(0), over.argmax(0), steps)
    winner = _first_largest(overshoot)
    early = winner.gather(0, step.clamp(max=steps - 1)[None])[0]
    return early, step, winner[-1]


def _first_largest(values: Tensor) -> Tensor:
    """Return the index of the largest value, the lowest one of equals.

    `torch.argmax` does not promise which of equals it returns, except for distinct booleans.
    """
    top = values == values.amax(-1, keepdim=True)
    order = torch.arange(values.shape[-1], 0, -1)
    return (top * order).argmax(-1)
