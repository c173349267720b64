"""A picture of one stimulus in text: who spiked when, and how the outputs stood at the decision."""

from __future__ import annotations

import numpy as np

from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import Neuron

__all__ = ["draw"]

_SHADES = " ▁▂▃▄▅▆▇█"
#: Most characters of a row of neurons, and most rows of steps.
_WIDE = 64
_HIGH = 32
_BAR = 24


def draw(network: Network, pixels: np.ndarray, outcome: Outcome) -> str:
    """Return the picture of the only stimulus in ``outcome``.

    Parameters
    ----------
    network : Network
        What ran.
    pixels : ndarray of uint8, shape (pixels,)
        The stimulus.
    outcome : Outcome
        Its result, of one stimulus.
    """
    parts = [_image(pixels.reshape(network.shape))]
    step = network.neuron is Neuron.STEP
    # The outputs of a RAMP network do not spike.
    layers = network.layers if step else network.layers[:-1]
    spikes = {layer.name: outcome.spike_time[layer.name][0] for layer in layers}
    ends = np.concatenate([outcome.decision_step[:1], *spikes.values()])
    end = int(ends[ends < network.steps].max(initial=0)) + 1
    parts += [_layer(name, times, network.steps, end) for name, times in spikes.items()]
    return "\n\n".join([*parts, _outputs(network, outcome)])


def _image(image: np.ndarray) -> str:
    """Return the image with two pixels above each other in a character cell."""
    shades = " ░▒▓█"
    return "\n".join(
        "".join(shades[value * len(shades) // 256] * 2 for value in row) for row in image.tolist()
    )


def _layer(name: str, times: np.ndarray, steps: int, end: int) -> str:
    """Return the raster of a layer up to step ``end``: steps downwards, neurons across.

    A cell stands for one neuron, or for several where the layer is wide: its height is the share
    of them that spiked in this step (or group of steps).
    """
    neurons = len(times)
    spiked = int((times < steps).sum())
    lines = [f"{name}: {spiked} of {neurons} neurons spiked"]
    cells = min(neurons, _WIDE)
    cell = np.arange(neurons) * cells // neurons
    size = np.bincount(cell, minlength=cells)
    group = -(-end // _HIGH)
    for start in range(0, end, group):
        now = (times >= start) & (times < start + group)
        count = np.bincount(cell[now], minlength=cells)
        # Rounded up, so that a single spike is seen.
        shade = -(-count * (len(_SHADES) - 1) // size)
        row = "".join(_SHADES[s] for s in shade.tolist())
        lines.append(f"{start:>5} |{row}| {int(now.sum())}")
    return "\n".join(lines)


def _outputs(network: Network, outcome: Outcome) -> str:
    """Return the table of output neurons and the decision."""
    layer = network.layers[-1]
    potential = outcome.potential[0]
    step = network.neuron is Neuron.STEP
    times = outcome.spike_time[layer.name][0]
    winner = int(outcome.predicted[0])
    most = max(1, int(np.abs(potential).max()))
    lines = ["output  class  spike  potential" + ("  threshold" if step else "")]
    for j in range(layer.neurons):
        time = "-" if times[j] == network.steps else str(times[j])
        bar = "#" * (int(potential[j]) * _BAR // most) if potential[j] > 0 else ""
        theta = f"  {layer.offset[j]:>9}" if step else ""
        mark = " <" if j == winner else ""
        lines.append(
            f"{j:>6}  {network.labels[j]:>5}  {time:>5}  {potential[j]:>9}{theta}  {bar}{mark}"
        )
    if not step:
        how = "largest potential"
    elif outcome.forced[0]:
        how = "no output spiked: the largest distance to the threshold decided after the last step"
    else:
        how = f"first output spike, in step {outcome.decision_step[0]} of {network.steps}"
    lines.append(f"\nclass {network.labels[winner]} ({how})")
    return "\n".join(lines)
