"""From a NIR graph to a network in floating point: exactly what its equations say, or a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.network.multispike import INPUT
from firstspike.nir.graph import NEURONS, WEIGHTS, Graph
from firstspike.nir.neurons import Dynamics, check_reset, dynamics, thresholds
from firstspike.nir.rules import Rules
from firstspike.nir.stages import Stage, find_stages
from firstspike.spec import INTENSITY_BITS, InputCoding, Reset

__all__ = ["READOUTS", "Converted", "convert"]

#: What is compared at the end.
READOUTS = ("count", "potential")


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """A network, and which node each of its layers is.

    Parameters
    ----------
    network : FloatNetwork
        In floating point.
    nodes : dict of str to str
        By layer: the node whose spikes, or potentials, it brings.
    """

    network: FloatNetwork
    nodes: dict[str, str]


def convert(
    graph: Graph,
    rules: Rules,
    *,
    name: str,
    shape: tuple[int, int],
    steps: int,
    coding: InputCoding,
    input_bits: int = INTENSITY_BITS,
    readout: str | None = None,
) -> Converted:
    """Return the network that ``graph`` is.

    Parameters
    ----------
    graph : Graph
        Dense layers.
    rules : Rules
        What NIR leaves open.
    name : str
        For reports.
    shape : tuple of int
        Rows and columns of an image.
    steps : int
        Steps of a stimulus.
    coding : InputCoding
        How pixels come in.
    input_bits : int
        Of a pixel that comes as a number; integers have no more.
    readout : str, optional
        One of `READOUTS`; without it, spikes are counted if the last layer fires.

    Raises
    ------
    InputError
        If the graph has what a layer has not; the message names the node.
    """
    stages = find_stages(graph)
    sizes: dict[str, int] = {}
    names: dict[str, str] = {}
    layers = []
    for stage in stages:
        output = stage is stages[-1]
        matrices = _matrices(graph, stage, sizes)
        layer = _layer(graph, rules, stage, matrices, steps, _mute(graph, stage, output, readout))
        sizes[stage.name] = layer.weights.shape[1]
        names[stage.name] = _name(stage.name, set(names.values()))
        sources = tuple(names.get(source, INPUT) for source in matrices)
        layers.append(replace(layer, name=names[stage.name], sources=sources))
    network = FloatNetwork(
        name=name,
        layers=tuple(layers),
        steps=steps,
        coding=coding,
        shape=shape,
        labels=tuple(range(sizes[stages[-1].name])),
        input_bits=input_bits,
    )
    return Converted(network, {layer: node for node, layer in names.items()})


def _mute(graph: Graph, stage: Stage, output: bool, readout: str | None) -> bool:
    """Tell whether a layer's potentials are read, so that it never fires."""
    if not output:
        return False
    node = graph.nodes[stage.name]
    if isinstance(node, WEIGHTS) and readout != "potential":
        raise graph.refuse(
            stage.name,
            "is the last node, and what is read of its outputs is not said: --readout potential "
            "adds them up over the steps",
        )
    if not isinstance(node, NEURONS) and readout == "count":
        raise graph.refuse(stage.name, "never fires, so that there is no count to read")
    return readout == "potential" or not isinstance(node, NEURONS)


def _matrices(graph: Graph, stage: Stage, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Return the weights by source, of shape (inputs, neurons); what adds up is added up."""
    found: dict[str, np.ndarray] = {}
    for source, name in stage.weights:
        matrix = np.asarray(graph.nodes[name].weight, np.float64).T
        if source in sizes and matrix.shape[0] != sizes[source]:
            raise graph.refuse(
                name, f"takes {matrix.shape[0]} inputs, {source!r} has {sizes[source]} neurons"
            )
        wide = next(iter(found.values()), matrix).shape[1]
        if matrix.shape[1] != wide:
            raise graph.refuse(name, f"has {matrix.shape[1]} outputs, others before it {wide}")
        found[source] = found[source] + matrix if source in found else matrix
    return found


def _layer(
    graph: Graph,
    rules: Rules,
    stage: Stage,
    matrices: dict[str, np.ndarray],
    steps: int,
    mute: bool,
) -> FloatLayer:
    weights = np.concatenate(list(matrices.values()))
    neurons = weights.shape[1]
    bias = np.zeros(neurons)
    for _, name in stage.weights:
        bias = bias + getattr(graph.nodes[name], "bias", 0.0)
    node = graph.nodes[stage.name]
    done = (
        Dynamics(np.ones(neurons), None)
        if isinstance(node, WEIGHTS)
        else dynamics(graph, stage.name, neurons, rules)
    )
    current_leak, gain = done.current_leak, done.gain
    if stage.current is not None:
        if current_leak != 0:
            raise graph.refuse(stage.current, f"is a second current before {stage.name!r}")
        before = dynamics(graph, stage.current, neurons, rules)
        # A current that loses all of itself in each step is none.
        current_leak, gain = before.leak, gain * before.gain
    threshold, reset = None, Reset.SOFT
    if not mute:
        check_reset(graph, stage.name, neurons)
        each = thresholds(graph, stage.name, neurons)
        threshold = float(each[0])
        if np.any(each != each[0]):
            # Potentials as shares of each neuron's own threshold.
            gain, threshold = gain / each, 1.0
        reset = Reset.SOFT if rules.soft(graph, stage.name) else Reset.HARD
    bias = bias * gain
    return FloatLayer(
        name=stage.name,
        weights=weights * gain,
        sources=(INPUT,),
        threshold=threshold,
        strict=rules.strict(graph, stage.name),
        reset=reset,
        leak=done.leak,
        current_leak=current_leak,
        once=not mute and rules.once(graph, stage.name),
        bias=_through_current(bias, current_leak, steps) if bias.any() else None,
    )


def _through_current(bias: np.ndarray, current_leak: int | None, steps: int) -> np.ndarray:
    """Return what a constant input to a current adds to the potentials, by step."""
    if current_leak == 0:
        return bias[None, :]
    keeps = 1.0 if current_leak is None else 1 - 2.0**-current_leak
    held, rows = np.zeros_like(bias), []
    for _ in range(steps):
        held = held * keeps + bias
        rows.append(held)
    return np.array(rows)


def _name(node: str, taken: set[str]) -> str:
    """Return a name for a layer, made of that of its node."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", node)
    if not re.match(r"[A-Za-z]", name):
        name = f"layer-{name}"
    name = name[:28]
    free, number = name, 1
    while free in taken or free == INPUT:
        number += 1
        free = f"{name}-{number}"
    return free
