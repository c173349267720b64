"""The definition of multi-spike networks, one stimulus at a time, in plain Python integers.

Slow and without cleverness: this is the text of docs/semantics.md, section 11, as code.
"""

from __future__ import annotations

from dataclasses import dataclass

from firstspike.golden.randomness import advance, random_byte
from firstspike.network.multispike import INPUT, MultiSpikeNetwork
from firstspike.spec import INTENSITY_BITS, INTENSITY_MAX, InputCoding, Reset

__all__ = ["MultiSpikeResult", "classify_multispike"]


@dataclass(frozen=True, slots=True)
class MultiSpikeResult:
    """What one stimulus led to; see `firstspike.outcome.Outcome` for the meaning of each."""

    predicted: int
    potential: list[int]
    spike_count: dict[str, list[int]]
    events: int
    synops: int
    macs: int
    ties: int


@dataclass(slots=True)
class _State:
    """Of one layer."""

    potential: list[int]
    current: list[int]
    count: list[int]


def classify_multispike(network: MultiSpikeNetwork, pixels: list[int]) -> MultiSpikeResult:
    """Return what ``network`` does with one stimulus of ``pixels``, intensities 0..255."""
    states = {
        layer.name: _State(
            [0] * layer.neurons if layer.initial is None else layer.initial.tolist(),
            [0] * layer.neurons,
            [0] * layer.neurons,
        )
        for layer in network.layers
    }
    magnitudes = [pixel >> (INTENSITY_BITS - network.input_bits) for pixel in pixels]
    register = network.seed
    events = synops = macs = 0
    for t in range(network.steps):
        register = advance(register)
        spikes: dict[str, list[int]] = {}
        if network.coding is InputCoding.RATE:
            spikes[INPUT] = [int(random_byte(register, i) < x) for i, x in enumerate(pixels)]
        elif network.coding is InputCoding.LATENCY:
            spikes[INPUT] = [
                int(x >= network.intensity_min and t == (INTENSITY_MAX - x) * network.steps >> 8)
                for x in pixels
            ]
        elif t == 0 or network.coding is InputCoding.DIRECT:
            spikes[INPUT] = magnitudes
        else:
            spikes[INPUT] = [0] * len(pixels)
        for layer in network.layers:
            state = states[layer.name]
            arriving = [value for source in layer.sources for value in spikes[source]]
            for j in range(layer.neurons):
                added = sum(int(layer.weights[i, j]) * x for i, x in enumerate(arriving))
                state.current[j] += added
                v = state.potential[j] + state.current[j]
                if layer.bias is not None:
                    v += int(layer.bias[t if len(layer.bias) > 1 else 0, j])
                fires = layer.threshold is not None and v >= layer.threshold
                if fires and layer.threshold is not None and not (layer.once and state.count[j]):
                    v = v - layer.threshold if layer.reset is Reset.SOFT else 0
                    state.count[j] += 1
                else:
                    fires = False
                if layer.leak is not None:
                    v -= v >> layer.leak
                if layer.current_leak is not None:
                    state.current[j] -= state.current[j] >> layer.current_leak
                state.potential[j] = v
                spikes.setdefault(layer.name, []).append(int(fires))
            # The stimulus' numbers are multiplied once, whatever the number of steps.
            for source in layer.sources:
                number = source == INPUT and network.coding.numeric
                if number and t > 0:
                    continue
                here = sum(value != 0 for value in spikes[source])
                events += here
                if number:
                    macs += here * layer.neurons
                else:
                    synops += here * layer.neurons
    output = states[network.layers[-1].name]
    values = output.count if network.counts_spikes else output.potential
    winner = values.index(max(values))
    return MultiSpikeResult(
        predicted=winner,
        potential=values,
        spike_count={name: state.count for name, state in states.items()},
        events=events,
        synops=synops,
        macs=macs,
        ties=values.count(max(values)) - 1,
    )
