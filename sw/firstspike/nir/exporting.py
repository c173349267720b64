"""Networks as NIR graphs: the equations as far as NIR has them, and the rest as metadata."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import nir
import numpy as np

from firstspike.files import write_file
from firstspike.network import AnyNetwork, Layer, MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.model import describe
from firstspike.network.multispike import INPUT, describe_multispike
from firstspike.nir.graph import KEY
from firstspike.nir.rules import DT
from firstspike.spec import Neuron

__all__ = ["build_graph", "export_file"]


def export_file(network: AnyNetwork, path: Path) -> dict[str, Any]:
    """Write ``network`` to the NIR file ``path``.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    content = io.BytesIO()
    nir.write(content, build_graph(network))  # pyright: ignore[reportArgumentType]
    write_file(path, content.getvalue())
    return {"nir": str(path), "digest": network.digest}


def build_graph(network: AnyNetwork) -> nir.NIRGraph:
    """Return ``network`` as a graph, with steps of 0.1 ms.

    A layer is a neuron of its name, `Linear` or `Affine` before it, one for each source, and a
    current between them where there is one. What NIR lacks stands in metadata; docs/nir.md.
    """
    return _Builder(network).graph()


class _Builder:
    """Nodes and edges while they are made."""

    def __init__(self, network: AnyNetwork) -> None:
        self._network = network
        self._nodes: dict[str, nir.NIRNode] = {}
        self._edges: list[tuple[str, str]] = []
        self._taken = {layer.name for layer in network.layers}

    def graph(self) -> nir.NIRGraph:
        network = self._network
        off = not isinstance(network, MultiSpikeNetwork) and network.off
        shape = np.array([2, *network.shape] if off else network.shape)
        entry = self._add("input", nir.Input({"input": shape}))
        flat = self._add("flatten", nir.Flatten({"input": shape}, 0, -1), entry)
        before = flat
        for layer in network.layers:
            if isinstance(layer, MultiSpikeLayer):
                self._multispike(layer, flat)
            else:
                self._single(layer, before)
                before = layer.name
        last = network.layers[-1]
        self._add("output", nir.Output({"output": np.array([last.neurons])}), last.name)
        multispike = isinstance(network, MultiSpikeNetwork)
        description = describe_multispike(network) if multispike else describe(network)
        told = {"dt": DT, "digest": network.digest, "network": json.dumps(description)}
        return nir.NIRGraph(self._nodes, self._edges, metadata={KEY: told})

    def _add(self, name: str, node: nir.NIRNode, *before: str, **metadata: Any) -> str:
        """Add a node that is no layer's own, under a free name."""
        while name in self._nodes or name in self._taken:
            name += "_"
        self._put(name, node, *before, **metadata)
        return name

    def _put(self, name: str, node: nir.NIRNode, *before: str, **metadata: Any) -> None:
        if metadata:
            node.metadata = {KEY: metadata}
        self._nodes[name] = node
        self._edges += [(source, name) for source in before]

    def _weights(
        self,
        layer: Layer | MultiSpikeLayer,
        source: str,
        rows: slice,
        bias: np.ndarray | None = None,
    ) -> str:
        """Add the weights that take what ``source`` brings; ``bias`` makes them an `Affine`."""
        weight = layer.weights[rows].T.astype(np.float64)
        alive = {} if layer.alive is None else {"alive": layer.alive[rows].T.astype(np.uint8)}
        node = nir.Linear(weight) if bias is None else nir.Affine(weight, bias.astype(np.float64))
        return self._add(f"{layer.name}_weights", node, source, **alive)

    def _multispike(self, layer: MultiSpikeLayer, flat: str) -> None:
        network = self._network
        assert isinstance(network, MultiSpikeNetwork)
        said: dict[str, Any] = {}
        # A bias of each step, and one behind a current, are nothing that NIR has.
        affine = layer.bias is not None and len(layer.bias) == 1 and not layer.has_current
        before = []
        for number, (source, rows) in enumerate(network.rows(layer)):
            bias = layer.bias[0] if affine and number == 0 and layer.bias is not None else None
            origin = flat if source == INPUT else source
            before.append(self._weights(layer, origin, rows, bias=bias))
        if layer.bias is not None and not affine:
            said["bias"] = layer.bias
        if layer.initial is not None:
            said["initial"] = layer.initial
        if layer.has_current:
            node = _reader(layer.current_leak, layer.neurons)
            before = [self._add(f"{layer.name}_current", node, *before)]
        if layer.threshold is None:
            node = _reader(layer.leak, layer.neurons)
        else:
            said |= {"reset": layer.reset.value, "fires": "at"}
            if layer.once:
                said["once"] = 1
            node = _neuron(layer.leak, np.full(layer.neurons, float(layer.threshold)))
        self._put(layer.name, node, *before, **said)

    def _single(self, layer: Layer, before: str) -> None:
        everything = slice(None)
        if layer.neuron is Neuron.STEP:
            weights = self._weights(layer, before, everything)
            theta = layer.offset / (1 << layer.fraction_bits)
            said: dict[str, Any] = {"reset": "hard", "fires": "at", "once": 1}
            self._put(layer.name, _neuron(None, theta), weights, neuron="step", **said)
            return
        weights = self._weights(layer, before, everything, bias=layer.offset)
        if layer is self._network.layers[-1]:
            node = _reader(None, layer.neurons)
        else:
            node = _neuron(None, np.full(layer.neurons, float(layer.scale)))
        self._put(layer.name, node, weights, neuron="ramp")


def _neuron(leak: int | None, threshold: np.ndarray) -> nir.NIRNode:
    """Return a neuron to which an input of 1 adds 1 a step."""
    ones, zeros = np.ones_like(threshold), np.zeros_like(threshold)
    if leak is None:
        return nir.IF(r=ones / DT, v_threshold=threshold, v_reset=zeros)
    keeps = ones * 2.0**leak
    return nir.LIF(tau=keeps * DT, r=keeps, v_leak=zeros, v_threshold=threshold, v_reset=zeros)


def _reader(leak: int | None, neurons: int) -> nir.NIRNode:
    """Return a potential, or a current, to which an input of 1 adds 1 a step."""
    ones = np.ones(neurons)
    if leak is None:
        return nir.I(r=ones / DT)
    return nir.LI(tau=ones * 2.0**leak * DT, r=ones * 2.0**leak, v_leak=np.zeros(neurons))
