"""A NIR file, read node by node, so that what cannot be used is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
from nir.serialization import hdf2dict

from firstspike.errors import InputError

__all__ = ["KEY", "NEURONS", "READERS", "WEIGHTS", "Graph", "read_graph"]

#: Under which all that NIR has no place for stands in a node's or a graph's metadata.
KEY = "firstspike"

WEIGHTS = (nir.Affine, nir.Linear)
NEURONS = (nir.IF, nir.LIF, nir.CubaLIF, nir.Threshold)
#: Potentials that never fire.
READERS = (nir.I, nir.LI, nir.CubaLI)

_SUPPORTED = (
    *("Input", "Flatten", "Output"),
    *(kind.__name__ for kind in (*WEIGHTS, *NEURONS, *READERS)),
)
_RESETS = ("IF", "LIF", "CubaLIF")
#: What reading a damaged file raises, in h5py and in nir.
_DAMAGE = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    IndexError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes and what leads where.

    Parameters
    ----------
    path : Path
        The file, for messages.
    nodes : dict of str to nir.NIRNode
        By name.
    edges : tuple of (str, str)
        From one node to another.
    metadata : dict
        What stands under `KEY` in the graph's metadata.
    unreset : frozenset of str
        Neurons of which the file does not say a ``v_reset``.
    """

    path: Path
    nodes: dict[str, Any]
    edges: tuple[tuple[str, str], ...]
    metadata: dict[str, Any]
    unreset: frozenset[str] = frozenset()

    def refuse(self, name: str, what: str) -> InputError:
        """Return (not raise) an error about the node ``name``."""
        kind = type(self.nodes[name]).__name__
        return InputError(f"{self.path}: node {name!r} ({kind}): {what}")

    def before(self, name: str) -> list[str]:
        """Return the nodes that lead to ``name``."""
        return [source for source, target in self.edges if target == name]

    def behind(self, name: str) -> list[str]:
        """Return the nodes that ``name`` leads to."""
        return [target for source, target in self.edges if source == name]

    def said(self, name: str) -> dict[str, Any]:
        """Return what stands under `KEY` in the metadata of the node ``name``."""
        said = self.nodes[name].metadata.get(KEY, {})
        return said if isinstance(said, dict) else {}


def read_graph(path: Path) -> Graph:
    """Return the graph in the file ``path``.

    Raises
    ------
    InputError
        If there is none, a node is of a kind that is not supported, numbers are not finite, shapes
        contradict each other, or an edge leads to no node.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            top = hdf2dict(file["node"])
        kind = top["type"]
        content = {str(name): dict(node) for name, node in top.get("nodes", {}).items()}
        edges = tuple((_text(a), _text(b)) for a, b in top.get("edges", ()))
    except _DAMAGE as error:
        raise InputError(f"{path}: cannot be read as a NIR file: {_short(error)}") from error
    if kind != "NIRGraph":
        raise InputError(f"{path}: holds {kind!r}, must be a NIRGraph")
    nodes = {name: _node(path, name, node) for name, node in content.items()}
    for edge in edges:
        for end in edge:
            if end not in nodes:
                raise InputError(f"{path}: the edge {edge[0]!r} -> {edge[1]!r}: no node {end!r}")
        if edges.count(edge) > 1:
            raise InputError(f"{path}: the edge {edge[0]!r} -> {edge[1]!r} stands twice")
    metadata = top.get("metadata", {})
    said = metadata.get(KEY, {}) if isinstance(metadata, dict) else {}
    return Graph(
        path=path,
        nodes=nodes,
        edges=edges,
        metadata=said if isinstance(said, dict) else {},
        unreset=frozenset(
            name
            for name, node in content.items()
            if node["type"] in _RESETS and "v_reset" not in node
        ),
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _short(value: object) -> str:
    """Return a value, or what an error says, in so many characters as a line has room for."""
    text = str(value) or type(value).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."


def _node(path: Path, name: str, content: dict[str, Any]) -> nir.NIRNode:
    kind = content.get("type")

    def refuse(what: str) -> InputError:
        return InputError(f"{path}: node {name!r} ({kind}): {what}")

    if not isinstance(kind, str):
        raise refuse("type is missing, or no text")
    if kind == "NIRGraph":
        raise refuse("is a graph in the graph, as recurrent layers are; these are not supported")
    if kind not in _SUPPORTED:
        raise refuse(f"is not supported, must be of {', '.join(_SUPPORTED)}")
    numbers = {}
    for key, value in content.items():
        if _is_number(value):
            numbers[key] = value
        elif key not in ("type", "metadata"):
            raise refuse(f"{key} is {_short(value)}, must be a number, or numbers")
    if not isinstance(content.get("metadata", {}), dict):
        raise refuse("metadata is no group")
    for key, value in numbers.items():
        bad = ~np.isfinite(value)
        if bad.any():
            place = np.argwhere(bad)[0].tolist() if np.ndim(value) else ""
            found = np.asarray(value)[bad].flat[0]
            raise refuse(f"{key}{place} is {found}, must be a finite number")
    if kind in (cls.__name__ for cls in (*NEURONS, *READERS)):
        shapes = {key: np.shape(value) for key, value in numbers.items() if key != "w_in"}
        if len(set(shapes.values())) > 1:
            told = ", ".join(f"{key} {list(shape)}" for key, shape in shapes.items())
            raise refuse(f"shapes contradict each other: {told}")
    if kind == "Input":
        shape = np.asarray(numbers.get("shape", 0))
        if shape.ndim != 1 or shape.size == 0 or shape.dtype.kind not in "iu" or shape.min() < 1:
            raise refuse(f"shape is {shape.tolist()}, must be sizes of at least 1")
    for key in ("start_dim", "end_dim"):
        if np.ndim(numbers.get(key, 0)):
            raise refuse(f"{key} is {_short(numbers[key])}, must be one number")
    bias, weight = (np.shape(numbers.get(key, 0)) for key in ("bias", "weight"))
    if kind == "Affine" and bias != weight[:1]:
        raise refuse(
            f"bias is of shape {list(bias)}, weight of {list(weight)}: must be (outputs) and "
            "(outputs, inputs)"
        )
    try:
        return nir.dict2NIRNode(_arrays(content))
    except _DAMAGE as error:
        raise refuse(f"cannot be read: {_short(error)}") from error


def _is_number(value: object) -> bool:
    return isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind in "fiub"


def _arrays(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``content`` with numbers of a neuron as arrays, as nir wants them."""
    if content["type"] in ("Input", "Output", "Flatten"):
        return dict(content)
    return {
        key: np.asarray(value, np.float64) if _is_number(value) else value
        for key, value in content.items()
    }
