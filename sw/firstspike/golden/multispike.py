"""The golden model of multi-spike networks, for many stimuli at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firstspike.cost import total_cycles
from firstspike.errors import InputError
from firstspike.golden.encoding import latency_times
from firstspike.golden.randomness import random_bytes
from firstspike.multispike_cost import multispike_costs, multispike_total
from firstspike.multispike_fit import check_multispike_fit
from firstspike.network.multispike import INPUT, MultiSpikeLayer, MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import (
    INTENSITY_BITS,
    LEARNING_COUNTERS,
    CoreSpec,
    InputCoding,
    Reset,
)

__all__ = ["check_images", "input_events", "input_spikes", "run_multispike"]

#: Stimuli computed together; bounds the memory used.
_CHUNK = 1000

_COUNTED = (
    "events",
    "synops",
    "macs",
    "ties",
    "weight_reads",
    "state_reads",
    "state_writes",
    "cycles",
)


def run_multispike(
    network: MultiSpikeNetwork,
    images: np.ndarray,
    *,
    core: CoreSpec | None = None,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Return what ``network`` does with ``images``.

    Parameters
    ----------
    network : MultiSpikeNetwork
        What runs.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Stimuli.
    core : CoreSpec, optional
        Predict the accesses and cycles of this core too, and refuse a network that does not fit.
    progress : callable, optional
        Called with the number of stimuli done so far.

    Raises
    ------
    InputError
        If images and network do not fit each other, or the network does not fit the core.
    """
    if core is not None:
        check_multispike_fit(network, core)
    check_images(network, images)
    flat = images.reshape(len(images), -1)
    spiking = input_spikes(network)
    parts = []
    for first in range(0, len(flat), _CHUNK):
        parts.append(_run(network, flat[first : first + _CHUNK].astype(np.int64), spiking, core))
        if progress is not None:
            progress(min(first + _CHUNK, len(flat)))
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    none = np.zeros(len(flat), np.int64)
    never = np.full(len(flat), network.steps)
    total = None
    if core is not None and not network.coding.numeric:
        total = multispike_total(joined["cycles"])
    elif core is not None:
        words = -(-network.pixels // core.pixels)
        lists = 1 << network.input_bits
        total = total_cycles(words, lists, joined["cycles"], joined["starts"])
    return Outcome(
        predicted=joined["predicted"],
        decision_step=never,
        forced=none,
        last_predicted=joined["predicted"],
        potential=joined["potential"],
        spike_time={},
        spike_count={layer.name: joined[f"count.{layer.name}"] for layer in network.layers},
        counters={key: joined[key] for key in _COUNTED if key in joined}
        | dict.fromkeys(("forced", "over_threshold", *LEARNING_COUNTERS), none),
        total_cycles=total,
        floor_cycles=joined.get("floor"),
    )


def check_images(network: MultiSpikeNetwork, images: np.ndarray) -> None:
    """Refuse stimuli that are not of the network's shape.

    Raises
    ------
    InputError
        If so.
    """
    if images.dtype != np.uint8:
        raise InputError(f"images: dtype is {images.dtype}, must be uint8")
    pixels = images.reshape(len(images), -1).shape[1]
    if pixels != network.pixels:
        raise InputError(
            f"images: {pixels} pixels each, the network takes {network.pixels} "
            f"({network.shape[0]} x {network.shape[1]})"
        )


def input_spikes(network: MultiSpikeNetwork) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return a function that tells which inputs spike.

    It takes integer pixels (n, pixels) and a step, and returns bool of shape (n, pixels): all False
    if pixels come as numbers.
    """
    if network.coding is InputCoding.RATE:
        noise = random_bytes(network.seed, network.steps, network.pixels)
        return lambda pixels, step: noise[step] < pixels
    if network.coding is InputCoding.LATENCY:
        low, steps = network.intensity_min, network.steps
        return lambda pixels, step: latency_times(pixels, steps, low) == step
    return lambda pixels, _: np.zeros(pixels.shape, bool)


def input_events(network: MultiSpikeNetwork) -> Callable[[np.ndarray], list[tuple[int, int]]]:
    """Return a function that gives the input spikes of an image, in order: input and step."""
    spiking = input_spikes(network)

    def events(image: np.ndarray) -> list[tuple[int, int]]:
        spikes = np.stack([spiking(image, step) for step in range(network.steps)])
        return [(pixel, step) for step, pixel in np.argwhere(spikes).tolist()]

    return events


def _product(events: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return events @ weights, exactly, as int64.

    Integers below 2 ** 24 are exact in single precision in any order of summation, and a matrix
    product in floating point is many times faster than one in integers.
    """
    most = int(np.abs(weights).sum(axis=0).max(initial=0)) * int(events.max(initial=0))
    if most < 1 << 24:
        return (events.astype(np.float32) @ weights.astype(np.float32)).astype(np.int64)
    return events @ weights


class _Layer:
    """State of a layer for a chunk of stimuli."""

    def __init__(self, layer: MultiSpikeLayer, n: int) -> None:
        shape = (n, layer.neurons)
        first = 0 if layer.initial is None else layer.initial
        self._layer = layer
        self.potential = np.zeros(shape, np.int64) + first
        self.current = np.zeros(shape, np.int64)
        self.count = np.zeros(shape, np.int64)

    def tick(self, step: int, added: np.ndarray) -> np.ndarray:
        """Take what arrived in a step; return who fired, of shape (n, neurons)."""
        layer = self._layer
        self.current += added
        v = self.potential + self.current + layer.biases(step)
        fires = np.zeros(v.shape, bool)
        if layer.threshold is not None:
            fires = v >= layer.threshold
            if layer.once:
                fires &= self.count == 0
            soft = layer.reset is Reset.SOFT
            v = np.where(fires, v - layer.threshold if soft else 0, v)
            self.count += fires
        if layer.leak is not None:
            v -= v >> layer.leak
        if layer.current_leak is not None:
            self.current -= self.current >> layer.current_leak
        self.potential = v
        return fires


def _run(
    network: MultiSpikeNetwork,
    pixels: np.ndarray,
    spiking: Callable[[np.ndarray, int], np.ndarray],
    core: CoreSpec | None,
) -> dict[str, np.ndarray]:
    n = len(pixels)
    states = {layer.name: _Layer(layer, n) for layer in network.layers}
    numbers = network.coding.numeric
    magnitudes = pixels >> (INTENSITY_BITS - network.input_bits)
    work = {key: np.zeros(n, np.int64) for key in ("events", "synops", "macs")}
    # What the stimulus adds to each layer's potentials, if it comes as numbers.
    constant: dict[str, np.ndarray] = {}
    for layer in network.layers:
        for source, rows in network.rows(layer):
            if numbers and source == INPUT:
                constant[layer.name] = _product(magnitudes, layer.weights[rows])
                there = (magnitudes > 0).sum(axis=1)
                work["events"] += there
                work["macs"] += there * layer.neurons
    inputs: list[np.ndarray] = []
    course: list[list[np.ndarray]] = []
    for t in range(network.steps):
        spikes = {} if numbers else {INPUT: spiking(pixels, t)}
        for layer in network.layers:
            added = np.zeros((n, layer.neurons), np.int64)
            for source, rows in network.rows(layer):
                if numbers and source == INPUT:
                    if t == 0 or network.coding is InputCoding.DIRECT:
                        added += constant[layer.name]
                    continue
                added += _product(spikes[source], layer.weights[rows])
                here = spikes[source].sum(axis=1)
                work["events"] += here
                work["synops"] += here * layer.neurons
            spikes[layer.name] = states[layer.name].tick(t, added)
        if core is not None:
            if not numbers:
                inputs.append(spikes[INPUT])
            course.append([spikes[layer.name] for layer in network.layers])
    output = states[network.layers[-1].name]
    values = output.count if network.counts_spikes else output.potential
    return {
        "predicted": values.argmax(axis=1),
        "ties": (values == values.max(axis=1, keepdims=True)).sum(axis=1) - 1,
        "potential": values,
        **{f"count.{name}": state.count for name, state in states.items()},
        **work,
        **({} if core is None else multispike_costs(network, core, pixels, inputs, course)),
    }
