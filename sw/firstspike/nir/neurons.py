"""The equations of a NIR neuron, as the numbers of a layer: leaks, a gain, a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import nir
import numpy as np

from firstspike.nir.graph import Graph
from firstspike.nir.rules import Rules
from firstspike.spec import LEAK_MAX

__all__ = ["TOLERANCE", "Dynamics", "check_reset", "dynamics", "near_leaks", "thresholds"]

#: How far a share that is lost in a step may lie from a power of two, and a gain from 1: what time
#: constants in single precision bring.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """Of a neuron, or of a current before it.

    Parameters
    ----------
    gain : ndarray of float64, shape (neurons,)
        What an input of 1 adds in a step.
    leak : int or None
        The potential loses ``2 ** -leak`` of itself a step; None: nothing.
    current_leak : int or None
        The same of the current; 0: there is none.
    """

    gain: np.ndarray
    leak: int | None
    current_leak: int | None = 0


def dynamics(graph: Graph, name: str, neurons: int, rules: Rules) -> Dynamics:
    """Return what the node ``name`` does between its spikes.

    Raises
    ------
    InputError
        If a layer of the core cannot do that.
    """
    node: Any = graph.nodes[name]
    if isinstance(node, nir.Threshold):
        return Dynamics(np.ones(neurons), 0)
    r = _values(graph, name, "r", neurons)
    if isinstance(node, nir.IF | nir.I):
        gain = r * rules.dt
        if rules.assumed and not np.allclose(gain, 1, rtol=0, atol=TOLERANCE):
            raise graph.refuse(
                name,
                f"r is {r[0]:g}; by NIR's equation that is {gain[0]:g} of the input in a step of "
                f"{rules.dt:g} s. Say what a step is: --dt 1 if r counts steps, --dt {rules.dt:g} "
                "if it counts seconds",
            )
        return Dynamics(_one(gain), None)
    if np.any(_values(graph, name, "v_leak", neurons) != 0):
        raise graph.refuse(name, f"v_leak is {np.ravel(node.v_leak)[0]:g}, must be 0")
    if isinstance(node, nir.LIF | nir.LI):
        share, leak = _leak(graph, name, "tau", neurons, rules)
        return Dynamics(_one(share * r), leak)
    share, leak = _leak(graph, name, "tau_mem", neurons, rules)
    current_share, current_leak = _leak(graph, name, "tau_syn", neurons, rules)
    gain = share * r * current_share * _values(graph, name, "w_in", neurons)
    return Dynamics(_one(gain), leak, current_leak)


def near_leaks(graph: Graph, rules: Rules) -> tuple[Graph, dict[str, str]]:
    """Return the graph with its time constants moved to the nearest that a core has.

    What an input adds in a step stays as it was.

    Returns
    -------
    Graph
        The other graph.
    dict of str to str
        By node: what was changed.
    """
    nodes, told = dict(graph.nodes), {}
    for name, node in graph.nodes.items():
        for tau, gain in (("tau", "r"), ("tau_mem", "r"), ("tau_syn", "w_in")):
            if not hasattr(node, tau):
                continue
            exact = np.asarray(getattr(node, tau), np.float64)
            if np.any(exact <= 0):
                continue  # refused later, by its name
            share = rules.dt / exact
            shifts = np.arange(LEAK_MAX + 1)
            nearest = np.abs(2.0**-shifts - share.mean()).argmin()
            moved = np.full_like(exact, rules.dt * 2.0**nearest)
            off = float(np.abs(2.0**-nearest - share).max())
            if off <= TOLERANCE:
                continue
            copy = nir.dict2NIRNode(nodes[name].to_dict())
            setattr(copy, tau, moved)
            setattr(copy, gain, np.asarray(getattr(copy, gain)) * share * 2.0**nearest)
            nodes[name] = copy
            word = "keeps {:.6g} of itself a step instead of {:.6g}, {:.3g} off"
            what = word.format(1 - 2.0**-nearest, 1 - float(share.mean()), off)
            told[name] = "; ".join(filter(None, (told.get(name), f"{tau}: {what}")))
    return replace(graph, nodes=nodes), told


def _values(graph: Graph, name: str, key: str, neurons: int) -> np.ndarray:
    """Return a parameter for each neuron; one that stands alone is of all."""
    values = np.asarray(getattr(graph.nodes[name], key), np.float64).ravel()
    if values.size not in (1, neurons):
        raise graph.refuse(
            name, f"{key} has {values.size} values, must have one for each of {neurons} neurons"
        )
    return np.broadcast_to(values, neurons).copy()


def _leak(graph: Graph, name: str, key: str, neurons: int, rules: Rules) -> tuple[np.ndarray, int]:
    """Return which share is lost in a step, and the shift that loses it."""
    tau = _values(graph, name, key, neurons)
    if tau.min() <= 0:
        raise graph.refuse(name, f"{key} is {tau.min():g}, must be above 0")
    share = rules.dt / tau
    low, high = float(share.min()), float(share.max())
    if high - low > TOLERANCE:
        raise graph.refuse(
            name,
            f"{key} differs between neurons, {tau.min():g}..{tau.max():g}; a layer has one leak",
        )
    exact = float(np.exp2(np.round(-np.log2(low))))
    shift = round(np.log2(exact))
    if abs(1 / exact - low) > TOLERANCE or not 0 <= shift <= LEAK_MAX:
        raise graph.refuse(
            name,
            f"{key} is {tau[0]:g} s, in steps of {rules.dt:g} s"
            + (" (as --dt was not given)" if rules.assumed else "")
            + f" it keeps {1 - low:.6g} of itself; a core keeps 1 - 2^-k, k in 0..{LEAK_MAX}: "
            "train for that, or take the nearest, --nearest-leak",
        )
    return share, shift


def _one(gain: np.ndarray) -> np.ndarray:
    """Return the gain, exactly 1 where it is 1 but for single precision."""
    return np.where(np.abs(gain - 1) <= TOLERANCE, 1.0, gain)


def thresholds(graph: Graph, name: str, neurons: int) -> np.ndarray:
    """Return at which potential each neuron fires.

    Raises
    ------
    InputError
        If one is not above 0.
    """
    key = "threshold" if isinstance(graph.nodes[name], nir.Threshold) else "v_threshold"
    values = _values(graph, name, key, neurons)
    if values.min() <= 0:
        raise graph.refuse(name, f"{key} is {values.min():g}, must be above 0")
    return values


def check_reset(graph: Graph, name: str, neurons: int) -> None:
    """Refuse a neuron that goes anywhere but to 0.

    Raises
    ------
    InputError
        If so.
    """
    if isinstance(graph.nodes[name], nir.Threshold):
        return
    values = _values(graph, name, "v_reset", neurons)
    if np.any(values != 0):
        worst = values[np.abs(values).argmax()]
        raise graph.refuse(name, f"v_reset is {worst:g}, must be 0")
