"""NIR graphs in floating point, by NIR's own equations with steps of a given length.

Node by node, as the file has them: nothing here is folded, scaled or taken for a layer, so that it
can tell whether `firstspike.nir.convert` did that well. Derivatives are taken forwards (Euler):
x(t + dt) = x(t) + dt x'(t); inputs of a step count in that step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nir
import numpy as np

from firstspike.nir.graph import NEURONS, READERS, WEIGHTS, Graph
from firstspike.nir.rules import Rules
from firstspike.nir.stages import order

__all__ = ["Course", "execute"]


@dataclass(slots=True)
class Course:
    """What a graph did.

    Attributes
    ----------
    spikes : dict of str to list of ndarray of bool, shape (n, neurons)
        By node, for each step.
    potential : dict of str to list of ndarray of float64, shape (n, neurons)
        By node, for each step, before a reset.
    """

    spikes: dict[str, list[np.ndarray]] = field(default_factory=dict)
    potential: dict[str, list[np.ndarray]] = field(default_factory=dict)


def execute(
    graph: Graph,
    rules: Rules,
    arriving: Callable[[int], np.ndarray],
    steps: int,
    mute: str | None = None,
) -> Course:
    """Return what ``graph`` does in ``steps`` steps.

    Parameters
    ----------
    graph : Graph
        Without loops.
    rules : Rules
        What NIR leaves open.
    arriving : callable
        Returns what comes in at a step, float64 of shape (n, pixels).
    steps : int
        Their number.
    mute : str, optional
        A neuron that never fires, because its potential is read.
    """
    course = Course()
    names = order(graph)
    states: dict[str, dict[str, Any]] = {name: {} for name in names}
    for step in range(steps):
        sent: dict[str, np.ndarray] = {}
        for name in names:
            node = graph.nodes[name]
            before = [sent[source] for source in graph.before(name)]
            x = sum(before[1:], before[0]) if before else arriving(step)
            if isinstance(node, WEIGHTS):
                sent[name] = x @ np.asarray(node.weight, np.float64).T + getattr(node, "bias", 0.0)
            elif isinstance(node, (*NEURONS, *READERS)):
                v = _potential(node, states[name], x, rules.dt)
                course.potential.setdefault(name, []).append(v)
                if isinstance(node, READERS) or name == mute:
                    sent[name] = v
                    continue
                fires = _fire(graph, name, states[name], v, rules)
                course.spikes.setdefault(name, []).append(fires)
                sent[name] = fires.astype(np.float64)
            else:
                sent[name] = x
                if isinstance(node, nir.Output):
                    course.potential.setdefault(name, []).append(x)
    return course


def _potential(node: Any, state: dict[str, Any], x: np.ndarray, dt: float) -> np.ndarray:
    v = state.get("v", np.zeros_like(x))
    if isinstance(node, nir.Threshold):
        return x
    if isinstance(node, nir.IF | nir.I):
        v = v + dt * node.r * x
    elif isinstance(node, nir.LIF | nir.LI):
        v = v + dt / node.tau * ((node.v_leak - v) + node.r * x)
    else:
        i = state.get("i", np.zeros_like(x))
        i = i + dt / node.tau_syn * (node.w_in * x - i)
        state["i"] = i
        v = v + dt / node.tau_mem * ((node.v_leak - v) + node.r * i)
    state["v"] = v
    return v


def _fire(
    graph: Graph, name: str, state: dict[str, Any], v: np.ndarray, rules: Rules
) -> np.ndarray:
    node = graph.nodes[name]
    theta = node.threshold if isinstance(node, nir.Threshold) else node.v_threshold
    fires = v > theta if rules.strict(graph, name) else v >= theta
    if rules.once(graph, name):
        fires = fires & ~state.get("fired", np.zeros_like(fires))
        state["fired"] = fires | state.get("fired", np.zeros_like(fires))
    if not isinstance(node, nir.Threshold):
        rest = v - theta if rules.soft(graph, name) else np.broadcast_to(node.v_reset, v.shape)
        state["v"] = np.where(fires, rest, v)
    return fires
