"""NIR files for tests, made by hand with the nir package.

`norse` and `spikingjelly` are graphs as those libraries build them, with seconds as they should be;
files that they wrote themselves are in nir_files.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np

PIXELS, HIDDEN, OUTPUTS = 64, 12, 10


def weights(seed: int = 1, scale: float = 0.4) -> tuple[nir.Affine, nir.Linear]:
    """Return two layers' weights, in single precision as frameworks have them."""
    rng = np.random.default_rng(seed)
    return (
        nir.Affine(
            (scale * rng.normal(size=(HIDDEN, PIXELS))).astype(np.float32),
            (0.1 * rng.normal(size=HIDDEN)).astype(np.float32),
        ),
        nir.Linear((scale * rng.normal(size=(OUTPUTS, HIDDEN))).astype(np.float32)),
    )


def full(n: int, value: float) -> np.ndarray:
    return np.full(n, value, np.float32)


def arrays(n: int, values: dict[str, Any]) -> dict[str, Any]:
    return {key: np.array(full(n, 1) * value) for key, value in values.items()}


def lif(n: int, **changes: Any) -> nir.LIF:
    """Return neurons that keep 7/8 in a step of 0.1 ms, and to which an input of 1 adds 1."""
    values = {"tau": 8e-4, "r": 8.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | changes
    return nir.LIF(**arrays(n, values))


def cuba(n: int, **changes: Any) -> nir.CubaLIF:
    """Return neurons with a current that keeps a half in a step of 0.1 ms."""
    values = {"tau_syn": 2e-4, "tau_mem": 4e-4, "r": 4.0, "v_leak": 0.0, "v_threshold": 1.0}
    values |= {"v_reset": 0.0, "w_in": 2.0} | changes
    return nir.CubaLIF(**arrays(n, values))


def integrate(n: int, **changes: Any) -> nir.IF:
    """Return neurons to which an input of 1 adds 1 in a step of 0.1 ms."""
    values = {"r": 1e4, "v_threshold": 1.0, "v_reset": 0.0} | changes
    return nir.IF(**arrays(n, values))


def chain(*nodes: nir.NIRNode, shape: tuple[int, ...] = (8, 8)) -> nir.NIRGraph:
    """Return a graph of nodes named 0, 1, 2 ... from a flattened image to the output."""
    named: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array(shape)})}
    named["flatten"] = nir.Flatten({"input": np.array(shape)}, 0, -1)
    named |= {str(i): node for i, node in enumerate(nodes)}
    named["output"] = nir.Output({"output": np.array([OUTPUTS])})
    names = list(named)
    edges = list(pairwise(names))
    return nir.NIRGraph(named, edges, type_check=False)


def plain(hidden: nir.NIRNode | None = None, output: nir.NIRNode | None = None) -> nir.NIRGraph:
    """Return two layers: nodes 0 and 2 are weights, 1 and 3 neurons."""
    first, second = weights()
    return chain(first, hidden or lif(HIDDEN), second, output or lif(OUTPUTS))


def norse() -> nir.NIRGraph:
    """Return two layers of LIFBoxCell, with steps of 1 ms: r is 1, so inputs are scaled too."""
    first, second = weights(scale=3.0)
    same = {"tau": 1 / 125.0, "r": 1.0}
    return chain(first, lif(HIDDEN, **same), second, lif(OUTPUTS, **same))


def spikingjelly() -> nir.NIRGraph:
    """Return an IFNode, and an LIFNode(tau=2.0, decay_input=False), with steps of 0.1 ms."""
    first, second = weights()
    return chain(first, integrate(HIDDEN, r=1 / 1e-4), second, lif(OUTPUTS, tau=2.0 * 1e-4, r=2.0))


def write(folder: Path, graph: nir.NIRGraph, name: str = "net.nir") -> Path:
    path = folder / name
    nir.write(path, graph)
    return path
