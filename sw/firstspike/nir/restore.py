"""A graph that `firstspike.nir.exporting` wrote becomes the network again, to the last bit."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nir
import numpy as np

from firstspike.errors import InputError
from firstspike.network import AnyNetwork, load_any_network
from firstspike.network.parts import write_parts
from firstspike.nir.exporting import build_graph
from firstspike.nir.graph import KEY, NEURONS, WEIGHTS, Graph

__all__ = ["is_ours", "restore"]


def is_ours(graph: Graph) -> bool:
    """Tell whether the graph says which network it was."""
    return "network" in graph.metadata


def restore(graph: Graph) -> AnyNetwork:
    """Return the network that was written.

    Raises
    ------
    InputError
        If the graph was changed since, so that it and its metadata contradict each other.
    """
    try:
        description = json.loads(graph.metadata["network"])
        layers = description["layers"]
        arrays: dict[str, np.ndarray] = {}
        for entry in layers:
            arrays |= _arrays(graph, entry)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(
            f"{graph.path}: metadata {KEY}.network do not describe the graph: {error!r}"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        try:
            write_parts(Path(folder), description, arrays)
            network = load_any_network(Path(folder))
        except (InputError, ValueError, OverflowError) as error:
            what = str(error).replace(folder, f"metadata {KEY}.network")
            raise InputError(f"{graph.path}: {what}") from error
    _unchanged(graph, network)
    return network


def _arrays(graph: Graph, entry: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return what weights.npz holds of a layer."""
    name = entry["name"]
    node: Any = graph.nodes[name]
    before = graph.before(name)
    if len(before) == 1 and not isinstance(graph.nodes[before[0]], WEIGHTS):
        before = graph.before(before[0])
    matrices: list[Any] = [graph.nodes[weights] for weights in before]
    arrays = {f"weights.{name}": np.concatenate([_whole(matrix.weight).T for matrix in matrices])}
    alive = [graph.said(weights).get("alive") for weights in before]
    if any(mask is not None for mask in alive):
        arrays[f"alive.{name}"] = np.concatenate([_whole(mask).T for mask in alive])
    said = graph.said(name)
    bias = getattr(matrices[0], "bias", None)
    kind = said.get("neuron")
    if kind == "step":
        fraction = 1 << int(entry.get("fraction_bits", 0))
        arrays[f"threshold.{name}"] = _whole(node.v_threshold * fraction)
    elif kind == "ramp":
        arrays[f"bias.{name}"] = _whole(bias)
    elif bias is not None:
        arrays[f"bias.{name}"] = _whole(bias)[None, :]
    for key in ("bias", "initial"):
        if key in said:
            arrays[f"{key}.{name}"] = _whole(said[key])
    return arrays


def _whole(values: Any) -> np.ndarray:
    exact = np.asarray(values, np.float64)
    whole = np.rint(exact)
    if not np.array_equal(whole, exact):
        raise ValueError("numbers that are not whole")
    return whole.astype(np.int64)


def _unchanged(graph: Graph, network: AnyNetwork) -> None:
    """Refuse a graph that is not the one that ``network`` gives."""
    advice = f"; without the graph's metadata {KEY!r} it is read as any other file"
    again = build_graph(network)
    for name in again.nodes.keys() | graph.nodes.keys():
        if name not in again.nodes or name not in graph.nodes:
            raise InputError(f"{graph.path}: node {name!r}: not as its metadata say{advice}")
        one, other = again.nodes[name], graph.nodes[name]
        if type(one) is not type(other):
            raise graph.refuse(name, f"must be {type(one).__name__} by the metadata{advice}")
        if not isinstance(one, (*WEIGHTS, *NEURONS, nir.I, nir.LI)):
            continue
        for key, value in one.to_dict().items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, getattr(other, key)):
                raise graph.refuse(name, f"{key} is not as the metadata say{advice}")
    if set(again.edges) != set(graph.edges):
        raise InputError(f"{graph.path}: edges are not as the metadata say{advice}")
    if graph.metadata.get("digest") != network.digest:
        raise InputError(
            f"{graph.path}: the digest is {network.digest}, the metadata say "
            f"{graph.metadata.get('digest')!r}{advice}"
        )
