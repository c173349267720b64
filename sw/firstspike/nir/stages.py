"""Which nodes of a NIR graph make up a layer: weights, perhaps a current, and a neuron."""

from __future__ import annotations

import graphlib
from dataclasses import dataclass

import nir
import numpy as np

from firstspike.errors import InputError
from firstspike.nir.graph import NEURONS, READERS, WEIGHTS, Graph

__all__ = ["Stage", "find_stages", "input_shape", "order"]

_CURRENTS = (nir.I, nir.LI)


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer.

    Parameters
    ----------
    name : str
        The node whose spikes, or potentials, it brings.
    weights : tuple of (str, str)
        Where its inputs come from, the name of a stage or of the input node, and their weights.
    current : str or None
        A node between weights and neuron that keeps a current.
    """

    name: str
    weights: tuple[tuple[str, str], ...]
    current: str | None = None


def order(graph: Graph) -> list[str]:
    """Return the nodes, each behind those that lead to it.

    Raises
    ------
    InputError
        If the graph is recurrent.
    """
    sorter = graphlib.TopologicalSorter({name: graph.before(name) for name in graph.nodes})
    try:
        return list(sorter.static_order())
    except graphlib.CycleError as error:
        loop = list(dict.fromkeys(error.args[1]))
        raise graph.refuse(
            loop[0], f"is part of a loop ({', '.join(loop)}); recurrent graphs are not supported"
        ) from error


def input_shape(graph: Graph) -> tuple[int, ...]:
    """Return the shape of the input node."""
    name = _only(graph, nir.Input)
    return tuple(int(size) for size in np.ravel(graph.nodes[name].input_type["input"]))


def find_stages(graph: Graph) -> list[Stage]:
    """Return the layers, each behind its sources; the last one is the output.

    Raises
    ------
    InputError
        If the graph is anything but dense layers between one input and one output.
    """
    names = order(graph)
    entry, end = _only(graph, nir.Input), _only(graph, nir.Output)
    for name in names:
        if not graph.before(name) and name != entry:
            raise graph.refuse(name, "nothing leads to it")
        if not graph.behind(name) and name != end:
            raise graph.refuse(name, "it leads nowhere; only the output may")
    last = _through(graph, _single(graph, end))
    if not isinstance(graph.nodes[last], (*NEURONS, *READERS, *WEIGHTS)):
        raise graph.refuse(last, "leads to the output, where a neuron must stand")
    stages = []
    for name in names:
        node = graph.nodes[name]
        if name == last:
            continue
        if isinstance(node, NEURONS):
            stages.append(_stage(graph, name))
        elif isinstance(node, READERS):
            for target in graph.behind(name):
                if not (isinstance(node, _CURRENTS) and isinstance(graph.nodes[target], NEURONS)):
                    raise graph.refuse(name, f"does not fire, and leads to {target!r}")
        elif isinstance(node, WEIGHTS):
            for target in graph.behind(name):
                if not isinstance(graph.nodes[target], (*NEURONS, *READERS)):
                    raise graph.refuse(
                        name, f"leads to {target!r}, where a neuron must stand: one behind weights"
                    )
    return [*stages, _stage(graph, last)]


def _only(graph: Graph, kind: type[nir.NIRNode]) -> str:
    found = [name for name, node in graph.nodes.items() if isinstance(node, kind)]
    if len(found) != 1:
        raise InputError(
            f"{graph.path}: {len(found)} nodes of the kind {kind.__name__}, must be one"
        )
    return found[0]


def _single(graph: Graph, name: str) -> str:
    """Return the one node that leads to ``name``."""
    before = graph.before(name)
    if len(before) != 1:
        raise graph.refuse(name, f"{len(before)} nodes lead to it, must be one: {before}")
    return before[0]


def _through(graph: Graph, name: str) -> str:
    """Return the node itself, or what it flattens."""
    while isinstance(graph.nodes[name], nir.Flatten):
        name = _single(graph, name)
    return name


def _stage(graph: Graph, name: str) -> Stage:
    if isinstance(graph.nodes[name], WEIGHTS):
        return Stage(name, (_source(graph, name),))
    before = graph.before(name)
    current = None
    if len(before) == 1 and isinstance(graph.nodes[before[0]], _CURRENTS):
        current = before[0]
        before = graph.before(current)
    for weights in before:
        if not isinstance(graph.nodes[weights], WEIGHTS):
            raise graph.refuse(
                name, f"takes what comes from {weights!r}, must take it from Affine or Linear"
            )
    return Stage(name, tuple(_source(graph, weights) for weights in before), current)


def _source(graph: Graph, weights: str) -> tuple[str, str]:
    before = _single(graph, weights)
    origin = _through(graph, before)
    node = graph.nodes[origin]
    if not isinstance(node, (nir.Input, *NEURONS)):
        raise graph.refuse(weights, f"takes what comes from {origin!r}, must take spikes")
    matrix = np.asarray(graph.nodes[weights].weight)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise graph.refuse(weights, f"weight is of shape {list(matrix.shape)}, must have two sides")
    if isinstance(node, nir.Input):
        shape = _flattened(graph, before)
        if int(np.prod(shape)) != matrix.shape[1] or shape[-1] != matrix.shape[1]:
            raise graph.refuse(
                weights,
                f"takes {matrix.shape[1]} inputs, {before!r} brings the shape {list(shape)}"
                + ("; a Flatten is missing" if int(np.prod(shape)) == matrix.shape[1] else ""),
            )
    return origin, weights


def _flattened(graph: Graph, name: str) -> tuple[int, ...]:
    """Return the shape that the input has behind the node ``name``."""
    node = graph.nodes[name]
    if isinstance(node, nir.Input):
        return input_shape(graph)
    shape = _flattened(graph, _single(graph, name))
    first, last = (int(dim) % len(shape) for dim in (node.start_dim, node.end_dim))
    if first > last:
        return shape
    return (*shape[:first], int(np.prod(shape[first : last + 1])), *shape[last + 1 :])
