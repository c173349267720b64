"""Random cores, networks and stimuli, and what happened in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from firstspike.errors import InputError
from firstspike.fit import check_fit, potential_range, state_words
from firstspike.golden.encoding import encode
from firstspike.network import Layer, Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Neuron, WeightKind, weight_range

__all__ = [
    "Case",
    "draw_case",
    "draw_core",
    "draw_images",
    "draw_network",
    "features",
    "least_potential_bits",
]


@dataclass(frozen=True, slots=True)
class Case:
    """Something to run.

    Attributes
    ----------
    network, core : Network, CoreSpec
        The network fits the core.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli: random, dense, dark and silent ones.
    early_exit : bool
        Whether a stimulus ends with its decision.
    """

    network: Network
    core: CoreSpec
    images: np.ndarray
    early_exit: bool


def draw_core(rng: np.random.Generator) -> CoreSpec:
    """Return a small core: any arrangement of up to 32 lanes, any width of weights."""
    banks, word = [(1, 2), (2, 1), (2, 2), (4, 1), (4, 4), (8, 2), (1, 16), (1, 32), (2, 8)][
        int(rng.integers(9))
    ]
    ramp = bool(rng.random() < 0.8)
    return CoreSpec(
        banks=banks,
        word=word,
        weight_bits=int(rng.integers(1, 9)),
        time_bits=int(rng.choice([3, 3, 4, 4, 5, 6, 8])),
        ramp=ramp,
        potential_bits=24,
        max_inputs=int(rng.choice([64, 100, 128])),
        weight_rows=1024,
        state_rows=16,
        pixels=int(rng.choice([4, 8, 16, 32])),
    )


def _kind(rng: np.random.Generator, core: CoreSpec) -> tuple[WeightKind, int]:
    """Return a kind of weights, and their bits, that the core's synapses hold."""
    if core.weight_bits == 1:
        return (WeightKind.PM1, WeightKind.UNSIGNED)[int(rng.integers(2))], 1
    kind = list(WeightKind)[int(rng.integers(3))]
    if kind is WeightKind.PM1:
        return kind, 1
    low = 2 if kind is WeightKind.SIGNED else 1
    # The core's own width is what meets the ends of its range.
    bits = core.weight_bits if rng.random() < 0.6 else rng.integers(low, core.weight_bits + 1)
    return kind, int(bits)


def _layer(
    rng: np.random.Generator, core: CoreSpec, name: str, neuron: Neuron, shape: tuple[int, int]
) -> Layer:
    """Return a layer whose neurons spike now and then; some neurons are alike."""
    kind, bits = _kind(rng, core)
    low, high = weight_range(kind, bits)
    if kind is WeightKind.PM1:
        weights = rng.choice([-1, 1], shape)
    else:
        weights = rng.integers(low, high + 1, shape)
        weights[rng.random(shape) < rng.choice([0, 0, 0.5])] = 0
    # An output that nothing can reach is refused.
    weights[int(rng.integers(shape[0]))] = high
    twins = int(rng.integers(shape[1]))
    weights[:, :twins] = weights[:, -1:] if rng.random() < 0.5 else weights[:, :twins]
    most = np.maximum(weights, 0).sum(axis=0)
    if neuron is Neuron.STEP:
        share = rng.choice([0.02, 0.2, 0.5, 1.0]) * (rng.random() if rng.random() < 0.7 else 1)
        return Layer(name, neuron, kind, bits, weights, np.maximum(1, (share * most).astype(int)))
    bias = rng.integers(-most.max() - 1, most.max() + 1, shape[1])
    return Layer(name, neuron, kind, bits, weights, bias, int(rng.integers(1, most.max() + 2)))


def draw_network(
    rng: np.random.Generator, core: CoreSpec, *, neuron: Neuron | None = None
) -> Network:
    """Return a network of 1 to 4 layers that fits ``core``."""
    while True:
        kind = neuron
        if kind is None:
            kind = Neuron.RAMP if core.ramp and rng.random() < 0.4 else Neuron.STEP
        off = kind is Neuron.STEP and bool(rng.random() < 0.4)
        pixels = int(rng.integers(1, core.max_inputs // (2 if off else 1)))
        widths = [pixels * (2 if off else 1)]
        for _ in range(int(rng.integers(1, min(4, core.max_layers) + 1))):
            choice = (1, 2, core.lanes, core.lanes + 1, int(rng.integers(1, 3 * core.lanes + 2)))
            widths.append(min(48, choice[int(rng.integers(5))]))
        layers = tuple(
            _layer(rng, core, f"layer{i}", kind, shape) for i, shape in enumerate(pairwise(widths))
        )
        rows = int(rng.choice(np.array([d for d in range(1, pixels + 1) if pixels % d == 0])))
        network = Network(
            name="random",
            layers=layers,
            time_bits=int(rng.integers(max(3, core.time_bits - 2), core.time_bits + 1)),
            shape=(rows, pixels // rows),
            labels=tuple(range(widths[-1])),
            off=off,
            intensity_min=int(rng.choice([1, 1, 128, 255, int(rng.integers(1, 256))])),
        )
        try:
            check_fit(network, core)
        except InputError:
            continue
        return network


def draw_images(rng: np.random.Generator, network: Network, count: int) -> np.ndarray:
    """Return ``count`` stimuli of different kinds, in random order."""
    shape = (count, network.pixels)
    images = rng.integers(0, 256, shape).astype(np.uint8)
    images *= rng.random(shape) < rng.choice([0.1, 0.5, 1.0], (count, 1))
    bright, dark, silent = rng.random((3, count)) < 0.12
    images[bright] = 255
    images[dark] //= 16
    images[silent] = 0
    return images


def least_potential_bits(network: Network) -> int:
    """Return the fewest bits that hold every potential of ``network``."""
    most = 127
    for layer in network.layers:
        low, high = potential_range(layer, network.steps)
        idle = -1 - layer.inputs
        most = max(most, int(high.max()), -1 - int(low.min()), -1 - idle, layer.scale)
    return most.bit_length() + 1


def draw_case(seed: int, *, core: CoreSpec | None = None, count: int = 6) -> Case:
    """Return the case number ``seed``; without ``core``, on a core of its own."""
    rng = np.random.default_rng(seed)
    given = core
    core = draw_core(rng) if core is None else core
    network = draw_network(rng, core)
    if given is None and rng.random() < 0.7:
        core = replace(core, potential_bits=least_potential_bits(network))
    images = draw_images(rng, network, count)
    return Case(network, core, images, bool(rng.random() < 0.6))


def features(case: Case, outcome: Outcome) -> Counter[str]:
    """Return how often something worth testing happened, by name."""
    network, core = case.network, case.core
    n = len(case.images)
    step = network.neuron is Neuron.STEP
    times = encode(network, case.images)
    words = state_words(network, core)
    # The busiest step of the input, as a layer of one row has it.
    most = max((times == t).sum(axis=1).max() for t in range(network.steps))
    counters = outcome.counters
    seen: Counter[str] = Counter()
    seen[f"{network.neuron.value} network"] += 1
    seen[f"{len(network.layers)} layers"] += 1
    for layer in network.layers:
        seen[f"{layer.kind.value} weights"] += 1
        seen["negative weights"] += int(layer.weights.min() < 0)
        seen["a part of a word"] += layer.neurons % core.lanes > 0
        seen["one neuron"] += layer.neurons == 1
    seen["several words"] += max(words) > 1
    seen["row-parallel"] += core.banks == 1
    seen["1-bit core"] += core.weight_bits == 1
    seen["8-bit core"] += core.weight_bits == 8
    seen["no magnitude"] += not core.ramp
    seen["fewer steps than the core"] += network.time_bits < core.time_bits
    seen["OFF channel"] += network.off
    seen["a part of a word of pixels"] += network.pixels % core.pixels > 0
    seen["narrowest potentials"] += core.potential_bits == least_potential_bits(network)
    seen["on to the last step"] += step and not case.early_exit
    seen["ties"] += int((counters["ties"] > 0).sum())
    seen["forced"] += int(outcome.forced.sum())
    seen["silent"] += int((times == network.steps).all(axis=1).sum())
    seen["forwarding"] += bool(words[0] == 1 and most > 2)
    if step:
        decided = outcome.decision_step < network.steps
        seen["decided"] += int(decided.sum())
        seen["decided late"] += int((decided & (outcome.decision_step > 0)).sum())
        seen["several over"] += int((counters["over_threshold"] > 1).sum())
        seen["another one last"] += int((outcome.last_predicted != outcome.predicted).sum())
        quiet = [(times == t).any(axis=1) for t in range(network.steps)]
        seen["steps without events"] += n * network.steps - int(np.sum(quiet))
        for layer, rows in zip(network.layers, words, strict=True):
            found = outcome.spike_time[layer.name]
            at_once = max((found == t).sum(axis=1).max() for t in range(network.steps))
            seen["spikes in the queue"] += bool(rows > 1 and at_once > core.lanes)
    for layer in network.layers[:-1]:
        seen["hidden spikes"] += int((outcome.spike_time[layer.name] < network.steps).sum())
        seen["hidden clipped"] += int(not step and (outcome.spike_time[layer.name] == 1).sum())
    if outcome.total_cycles is not None:
        encoding = network.steps + 2 * (-(-network.pixels // core.pixels)) + 8
        waited = outcome.total_cycles - int((counters["cycles"] + 2).sum())
        seen["encoder-bound" if waited > encoding else "core-bound"] += 1
    return seen
