"""Whether a network does, step by step, what the NIR graph does that it came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nir
import numpy as np

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.network import MultiSpikeNetwork
from firstspike.nir.convert import Converted
from firstspike.nir.execute import Course, execute
from firstspike.nir.graph import NEURONS, Graph
from firstspike.nir.rules import Rules
from firstspike.nir.trains import Trains, arrivals, spike_trains

__all__ = ["check"]

#: Distance of a potential from its threshold, as a share of both, at which rounding in floating
#: point may decide; time constants in single precision are no better.
_TIE = 1e-5
#: Neurons by steps by images at a time; bounds the memory used.
_CHUNK = 20_000_000


def check(
    graph: Graph,
    rules: Rules,
    converted: Converted,
    network: MultiSpikeNetwork,
    images: np.ndarray,
    labels: np.ndarray | None,
    *,
    original: Graph | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Run ``images`` on the graph, on the network in floating point, and on the integers.

    Parameters
    ----------
    graph : Graph
        Executed by NIR's equations.
    rules : Rules
        What NIR leaves open.
    converted : Converted
        The network in floating point, which must fire when the graph does.
    network : MultiSpikeNetwork
        The same in integers, whose differences are counted.
    images : ndarray of uint8, shape (n, pixels)
        Stimuli.
    labels : ndarray of int64, shape (n,), or None
        Their classes.
    original : Graph, optional
        With time constants that are not in ``graph``: how far the two differ is told too.
    progress : callable, optional
        Called with the number of images done so far.

    Returns
    -------
    dict
        ``images``, ``steps``; ``ties``, images in which floating point decided a tie differently;
        of the integers against the graph ``equal`` (share of equal neurons by steps), ``alike``
        (spikes of both, as a share of the spikes of either), ``predicted_alike`` (share of
        images), ``first_difference``; ``accuracy_float`` and ``accuracy`` with labels.

    Raises
    ------
    InputError
        If the network in floating point and the graph differ, by more than ties.
    """
    floats = converted.network
    sizes = sum(layer.weights.shape[1] for layer in floats.layers) + floats.shape[0]
    chunk = max(1, _CHUNK // (sizes * floats.steps))
    total = _Tally()
    moved = _Tally()
    for first in range(0, len(images), chunk):
        some = images[first : first + chunk]
        arriving = arrivals(network, some)
        told = _graph_trains(graph, rules, converted, arriving)
        total.ties += _same(graph, told, spike_trains(floats, arriving), converted, first)
        integers = spike_trains(network, arriving)
        _is_golden(network, some, integers)
        total.add(told.trains, integers, first)
        if original is not None:
            before = _graph_trains(original, rules, converted, arriving)
            moved.add(before.trains, told.trains, first)
        if labels is not None:
            known = labels[first : first + chunk]
            total.right_float += int((told.trains.predicted == known).sum())
            total.right += int((integers.predicted == known).sum())
        if progress is not None:
            progress(first + len(some))
    n = len(images)
    facts: dict[str, Any] = {"images": n, "steps": floats.steps, "ties": total.ties}
    facts |= total.facts(n)
    if labels is not None:
        facts |= {"accuracy_float": total.right_float / n, "accuracy": total.right / n}
    if original is not None:
        facts["nearest_leak"] = moved.facts(n)
    return facts


class _Told:
    """What the graph did, and how near to its thresholds."""

    def __init__(self, trains: Trains, course: Course) -> None:
        self.trains = trains
        self.course = course


class _Tally:
    """Of the differences between two networks."""

    def __init__(self) -> None:
        self.ties = self.right = self.right_float = 0
        self._places = self._equal = self._both = self._either = self._predicted = 0
        self._first: dict[str, Any] | None = None

    def add(self, one: Trains, other: Trains, first: int) -> None:
        """Count; ``first`` is the number of the first image."""
        self._predicted += int((one.predicted == other.predicted).sum())
        for name, train in one.spikes.items():
            also = other.spikes[name]
            self._places += train.size
            self._equal += int((train == also).sum())
            self._both += int((train & also).sum())
            self._either += int((train | also).sum())
        if self._first is None:
            self._first = _first_difference(one, other, first)

    def facts(self, n: int) -> dict[str, Any]:
        """Return the shares."""
        return {
            "equal": self._equal / self._places if self._places else 1.0,
            "alike": self._both / self._either if self._either else 1.0,
            "predicted_alike": self._predicted / n,
            "first_difference": self._first,
        }


def _first_difference(one: Trains, other: Trains, first: int) -> dict[str, Any] | None:
    """Return the first difference by image, then by step, then by layer."""
    places = []
    for number, (name, train) in enumerate(one.spikes.items()):
        for step, image, neuron in np.argwhere(train != other.spikes[name]).tolist():
            places.append((image, step, number, neuron, name, bool(train[step, image, neuron])))
    if not places:
        return None
    image, step, _, neuron, name, fires = min(places)
    return {
        "image": first + image,
        "step": step,
        "layer": name,
        "neuron": neuron,
        "fires": "in the graph" if fires else "in the integers",
    }


def _graph_trains(
    graph: Graph, rules: Rules, converted: Converted, arriving: Callable[[int], np.ndarray]
) -> _Told:
    floats = converted.network
    last = floats.layers[-1]
    output = converted.nodes[last.name]
    mute = output if last.threshold is None else None
    course = execute(graph, rules, arriving, floats.steps, mute)
    spikes = {
        layer.name: np.array(course.spikes[converted.nodes[layer.name]])
        for layer in floats.layers
        if layer.threshold is not None
    }
    if last.threshold is not None:
        values = spikes[last.name].sum(axis=0)
    elif isinstance(graph.nodes[output], (*NEURONS, nir.I, nir.LI, nir.CubaLI)):
        values = course.potential[output][-1]
    else:
        (end,) = (name for name in graph.nodes if isinstance(graph.nodes[name], nir.Output))
        values = np.sum(course.potential[end], axis=0)
    return _Told(Trains(spikes, values.argmax(axis=1)), course)


def _same(graph: Graph, told: _Told, floats: Trains, converted: Converted, first: int) -> int:
    """Return in how many images ties were decided differently; refuse other differences."""
    names = list(told.trains.spikes)
    differ = {name: told.trains.spikes[name] != floats.spikes[name] for name in names}
    images = np.any([flags.any(axis=(0, 2)) for flags in differ.values()], axis=0)
    for image in np.flatnonzero(images).tolist():
        steps = {name: flags[:, image].any(axis=1) for name, flags in differ.items()}
        step, name = min(
            ((int(there.argmax()), name) for name, there in steps.items() if there.any()),
            key=lambda place: (place[0], names.index(place[1])),
        )
        node = converted.nodes[name]
        v = told.course.potential[node][step][image]
        theta = getattr(graph.nodes[node], "v_threshold", None)
        theta = graph.nodes[node].threshold if theta is None else theta
        far = np.abs(v - theta) > _TIE * (np.abs(theta) + np.abs(v).max())
        wrong = np.flatnonzero(far & differ[name][step, image])
        if wrong.size:
            j = int(wrong[0])
            raise InputError(
                f"{graph.path}: node {node!r}: neuron {j}, image {first + image}, step {step}: the "
                f"graph's potential is {v[j]:.9g}, and the network made of it does otherwise; "
                "nothing was written"
            )
    return int(images.sum())


def _is_golden(network: MultiSpikeNetwork, images: np.ndarray, trains: Trains) -> None:
    """Make sure that the trains are those of the engines."""
    outcome = run_multispike(network, images)
    for layer in network.layers:
        if not (trains.spikes[layer.name].sum(axis=0) == outcome.spike_count[layer.name]).all():
            raise RuntimeError(f"layer {layer.name}: other spikes than the golden model's")
    if not (trains.predicted == outcome.predicted).all():
        raise RuntimeError("other decisions than the golden model's")
