"""The definition, one stimulus at a time, in plain Python integers.

Slow and without cleverness: this is the text of docs/semantics.md as code.
"""

from __future__ import annotations

from dataclasses import dataclass

from firstspike.network import Layer, Network
from firstspike.spec import INTENSITY_BITS, INTENSITY_MAX, Neuron

__all__ = ["Result", "classify", "encode"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one stimulus led to; see `firstspike.outcome.Outcome` for the meaning of each."""

    predicted: int
    decision_step: int
    forced: int
    last_predicted: int
    potential: list[int]
    spike_time: dict[str, list[int]]
    events: int
    operations: int
    over_threshold: int
    ties: int


def encode(network: Network, pixels: list[int]) -> list[int]:
    """Return the spike time of every input; T is never."""
    never = 1 << network.time_bits
    shift = INTENSITY_BITS - network.time_bits
    times = []
    if network.neuron is Neuron.RAMP:
        for intensity in pixels:
            magnitude = intensity >> shift
            times.append(never - magnitude if magnitude > 0 else never)
        return times
    channels = [pixels]
    if network.off:
        channels.append([INTENSITY_MAX - intensity for intensity in pixels])
    for channel in channels:
        for intensity in channel:
            spikes = intensity >= network.intensity_min
            times.append((INTENSITY_MAX - intensity) >> shift if spikes else never)
    return times


def classify(network: Network, pixels: list[int], *, early_exit: bool = True) -> Result:
    """Return what ``network`` does with one stimulus of ``pixels``, intensities 0..255."""
    times = encode(network, pixels)
    if network.neuron is Neuron.RAMP:
        return _ramp(network, times)
    return _step(network, times, early_exit)


def _largest(values: list[int]) -> tuple[int, int]:
    """Return the index of the largest value, the lowest one of equals, and how many equal it."""
    winner = 0
    for j, value in enumerate(values):
        if value > values[winner]:
            winner = j
    return winner, sum(value == values[winner] for value in values) - 1


def _step(network: Network, times: list[int], early_exit: bool) -> Result:
    """Step by step, and in each step layer by layer."""
    never = 1 << network.time_bits
    potential = [[0] * layer.neurons for layer in network.layers]
    spike_time = [[never] * layer.neurons for layer in network.layers]
    events = operations = 0
    decision: tuple[int, int, int, int] | None = None

    def overshoot() -> list[int]:
        thresholds = network.layers[-1].offset.tolist()
        finer = network.layers[-1].fraction_bits
        return [(v << finer) - theta for v, theta in zip(potential[-1], thresholds, strict=True)]

    for t in range(never):
        arriving = [i for i, time in enumerate(times) if time == t]
        for number, layer in enumerate(network.layers):
            for i in arriving:
                events += 1
                operations += layer.neurons
                for j in range(layer.neurons):
                    potential[number][j] += int(layer.weights[i, j])
            # Compared once, after all events of the step.
            arriving = []
            for j in range(layer.neurons):
                reached = potential[number][j] << layer.fraction_bits >= layer.offset[j]
                if spike_time[number][j] == never and reached:
                    spike_time[number][j] = t
                    arriving.append(j)
        if arriving and decision is None:
            winner, ties = _largest(overshoot())
            decision = winner, t, ties, sum(d >= 0 for d in overshoot())
            if early_exit:
                break
    last, ties = _largest(overshoot())
    forced = decision is None
    if decision is None:
        decision = last, never, ties, 0
    return Result(
        predicted=decision[0],
        decision_step=decision[1],
        forced=int(forced),
        last_predicted=last,
        potential=[v << network.layers[-1].fraction_bits for v in potential[-1]],
        spike_time={
            layer.name: time for layer, time in zip(network.layers, spike_time, strict=True)
        },
        events=events,
        operations=operations,
        over_threshold=decision[3],
        ties=decision[2],
    )


def _integrate(layer: Layer, times: list[int], never: int) -> tuple[list[int], int]:
    """Return the potentials of a RAMP layer and the number of events that it took."""
    potential = layer.offset.tolist()
    arriving = [(i, never - time) for i, time in enumerate(times) if time != never]
    for i, magnitude in arriving:
        for j in range(layer.neurons):
            potential[j] += int(layer.weights[i, j]) * magnitude
    return potential, len(arriving)


def _ramp(network: Network, times: list[int]) -> Result:
    """Layer by layer: each takes all its events before its threshold ramps down."""
    never = 1 << network.time_bits
    spike_time = {}
    events = operations = 0
    potential: list[int] = []
    for layer in network.layers:
        potential, arrived = _integrate(layer, times, never)
        events += arrived
        operations += arrived * layer.neurons
        times = [never] * layer.neurons
        if layer is not network.layers[-1]:
            for t in range(1, never):
                for j in range(layer.neurons):
                    if times[j] == never and potential[j] >= layer.scale * (never - t):
                        times[j] = t
        spike_time[layer.name] = times
    winner, ties = _largest(potential)
    return Result(
        predicted=winner,
        decision_step=never,
        forced=0,
        last_predicted=winner,
        potential=potential,
        spike_time=spike_time,
        events=events,
        operations=operations,
        over_threshold=sum(v >= 0 for v in potential),
        ties=ties,
    )
