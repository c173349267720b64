"""Neurons that fire once, on ramps: when they do, and how that depends on what arrives.

Each spike becomes a slope that starts in its step: ``V_j(t) = v0_j + sum_i w_ij (t - t_i + 1)``
over all ``t_i <= t``. That is docs/semantics.md 11.2 with a current that is kept.
"""

from __future__ import annotations

import numpy as np

from firstspike.compiled import compiler

__all__ = ["fire_once", "move_inputs", "weight_gradient"]

compiled = compiler(__file__)


@compiled
def fire_once(
    times: np.ndarray, weights: np.ndarray, initial: np.ndarray, threshold: float, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return when the neurons of a layer fire.

    Parameters
    ----------
    times : ndarray of int64, shape (n, inputs)
        When inputs spike, 0..T-1; T: never.
    weights : ndarray of float32, shape (inputs, neurons)
        What a slope rises by in a step.
    initial : ndarray of float32, shape (neurons,)
        Potentials at the start.
    threshold : float
        A neuron fires when it is reached; infinite: never.
    steps : int
        Of a stimulus, T.

    Returns
    -------
    tuple of ndarray, shape (n, neurons)
        Steps of the spikes, int64, T: never; slopes of the potentials there, or after the last
        step; and potentials after the last step, as if nothing had fired; float32.
    """
    n, inputs = times.shape
    neurons = weights.shape[1]
    fired = np.full((n, neurons), steps, np.int64)
    slopes = np.empty((n, neurons), np.float32)
    potentials = np.empty((n, neurons), np.float32)
    order = np.empty(inputs, np.int64)
    for b in range(n):
        # Inputs sorted by their steps.
        first = np.zeros(steps + 2, np.int64)
        for i in range(inputs):
            first[times[b, i] + 1] += 1
        for t in range(steps + 1):
            first[t + 1] += first[t]
        place = first.copy()
        for i in range(inputs):
            order[place[times[b, i]]] = i
            place[times[b, i]] += 1
        slope, potential = np.zeros(neurons, np.float32), potentials[b]
        potential[:] = initial
        for t in range(steps):
            for k in range(first[t], first[t + 1]):
                row = weights[order[k]]
                for j in range(neurons):
                    slope[j] += row[j]
            for j in range(neurons):
                potential[j] += slope[j]
            for j in range(neurons):
                if fired[b, j] == steps and potential[j] >= threshold:
                    fired[b, j] = t
                    slopes[b, j] = slope[j]
        for j in range(neurons):
            if fired[b, j] == steps:
                slopes[b, j] = slope[j]
    return fired, slopes, potentials


@compiled
def weight_gradient(
    times: np.ndarray, fired: np.ndarray, errors: np.ndarray, steps: int
) -> np.ndarray:
    """Return what potentials at their spikes say of the weights: errors times ramps, added up.

    Parameters
    ----------
    times, fired : ndarray of int64, shape (n, inputs) and (n, neurons)
        When inputs and neurons spike; T: never. Without a spike, the last step counts.
    errors : ndarray of float32, shape (n, neurons)
        Of the potentials there.
    steps : int
        T.

    Returns
    -------
    ndarray of float32, shape (inputs, neurons)
        ``sum over images of errors_j (t_j - t_i + 1)+``.
    """
    n, inputs = times.shape
    neurons = fired.shape[1]
    gradient = np.zeros((inputs, neurons), np.float32)
    ends = np.empty(neurons, np.float32)
    for b in range(n):
        for j in range(neurons):
            ends[j] = min(fired[b, j], steps - 1) + 1
        error = errors[b]
        for i in range(inputs):
            if times[b, i] == steps:
                continue
            begin = np.float32(times[b, i])
            row = gradient[i]
            for j in range(neurons):
                row[j] += error[j] * max(ends[j] - begin, np.float32(0))
    return gradient


@compiled
def move_inputs(
    times: np.ndarray, fired: np.ndarray, errors: np.ndarray, weights: np.ndarray, steps: int
) -> np.ndarray:
    """Return what potentials at their spikes say of the times of the inputs.

    An input that comes a step later lowers the potentials of all that fire with it or behind it by
    its weights.

    Parameters
    ----------
    times, fired, errors, weights, steps
        See `weight_gradient` and `fire_once`.

    Returns
    -------
    ndarray of float32, shape (n, inputs)
        ``- sum_j errors_j w_ij`` over ``t_i <= t_j``; 0 for inputs that never spike.
    """
    n, inputs = times.shape
    neurons = fired.shape[1]
    moved = np.zeros((n, inputs), np.float32)
    for b in range(n):
        for i in range(inputs):
            if times[b, i] == steps:
                continue
            total = np.float32(0)
            for j in range(neurons):
                if times[b, i] <= fired[b, j]:
                    total -= errors[b, j] * weights[i, j]
            moved[b, i] = total
    return moved
