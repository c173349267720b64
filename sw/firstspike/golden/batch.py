"""The golden model for many stimuli at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firstspike.cost import predict
from firstspike.fit import check_fit
from firstspike.golden.encoding import encode
from firstspike.network import Layer, Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Neuron

__all__ = ["run", "run_times"]

#: Stimuli computed together; bounds the memory used.
_CHUNK = 2000


def run(
    network: Network,
    images: np.ndarray,
    *,
    core: CoreSpec | None = None,
    early_exit: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Return what ``network`` does with ``images``.

    Parameters
    ----------
    network : Network
        STEP or RAMP.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Stimuli.
    core : CoreSpec, optional
        Predict the accesses and cycles of this core too, and refuse a network that does not fit.
    early_exit : bool
        End a stimulus with the step of its first output spike (STEP).
    progress : callable, optional
        Called with the number of stimuli done so far.

    Raises
    ------
    InputError
        If images and network do not fit each other, or the network does not fit the core.
    """
    if core is not None:
        check_fit(network, core)
    times = [encode(network, images[i : i + _CHUNK]) for i in range(0, len(images), _CHUNK)]
    return _run(network, times, core, early_exit, progress)


def run_times(
    network: Network, times: np.ndarray, *, core: CoreSpec | None = None, early_exit: bool = True
) -> Outcome:
    """Return what ``network`` does with inputs that spike at ``times``.

    Parameters
    ----------
    network : Network
        STEP or RAMP.
    times : ndarray of int64, shape (n, inputs)
        Steps; T is never.
    core, early_exit
        See `run`.

    Raises
    ------
    InputError
        If the network does not fit the core.
    """
    if core is not None:
        check_fit(network, core)
    return _run(network, [times], core, early_exit, None)


def _run(
    network: Network,
    times: list[np.ndarray],
    core: CoreSpec | None,
    early_exit: bool,
    progress: Callable[[int], None] | None,
) -> Outcome:
    """Return what happens with spike times, given in chunks."""
    parts = []
    done = 0
    for chunk in times:
        if network.neuron is Neuron.STEP:
            parts.append(_step(network, chunk, early_exit))
        else:
            parts.append(_ramp(network, chunk))
        done += len(chunk)
        if progress is not None:
            progress(done)
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    outcome = Outcome(
        predicted=joined["predicted"],
        decision_step=joined["decision_step"],
        forced=joined["forced"],
        last_predicted=joined["last_predicted"],
        potential=joined["potential"],
        spike_time={layer.name: joined[f"time.{layer.name}"] for layer in network.layers},
        counters={key: joined[key] for key in ("forced", "over_threshold", "ties")},
    )
    named = {key[6:]: joined[key] for key in joined if key.startswith("named.")}
    return predict(network, core, np.concatenate(times), outcome, named, early_exit=early_exit)


def _multiply(events: np.ndarray, layer: Layer) -> np.ndarray:
    """Return events @ weights, in the units of the threshold, exactly, as int64.

    Integers below 2 ** 24 are exact in single precision in any order of summation, and a matrix
    product in floating point is many times faster than one in integers.
    """
    weights = layer.scaled_weights
    most = int(np.abs(weights).sum(axis=0).max()) * int(events.max(initial=0))
    if most < 1 << 24:
        return (events.astype(np.float32) @ weights.astype(np.float32)).astype(np.int64)
    return events @ weights


def _largest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the largest value of each row, lowest of equals, and the ties."""
    winner = values.argmax(axis=1)
    top = values.max(axis=1, keepdims=True)
    return winner, (values == top).sum(axis=1) - 1


def _step(network: Network, times: np.ndarray, early_exit: bool) -> dict[str, np.ndarray]:
    n, never = len(times), network.steps
    potential = [np.zeros((n, layer.neurons), np.int64) for layer in network.layers]
    spike_time = [np.full((n, layer.neurons), never) for layer in network.layers]
    theta = network.layers[-1].offset
    predicted = np.zeros(n, np.int64)
    decision_step = np.full(n, never)
    ties = np.zeros(n, np.int64)
    over = np.zeros(n, np.int64)
    open_ = np.arange(n)
    for t in range(never):
        arriving = times[open_] == t
        for number, layer in enumerate(network.layers):
            v = potential[number][open_] + _multiply(arriving, layer)
            potential[number][open_] = v
            arriving = (spike_time[number][open_] == never) & (v >= layer.offset)
            spike_time[number][open_] = np.where(arriving, t, spike_time[number][open_])
        decides = arriving.any(axis=1) & (decision_step[open_] == never)
        now = open_[decides]
        if len(now):
            d = potential[-1][now] - theta
            predicted[now], ties[now] = _largest(d)
            over[now] = (d >= 0).sum(axis=1)
            decision_step[now] = t
            if early_exit:
                open_ = open_[~decides]
    last, last_ties = _largest(potential[-1] - theta)
    forced = decision_step == never
    result = {
        "predicted": np.where(forced, last, predicted),
        "decision_step": decision_step,
        "forced": forced.astype(np.int64),
        "last_predicted": last,
        "potential": potential[-1],
        "over_threshold": over,
        "ties": np.where(forced, last_ties, ties),
    }
    for layer, time in zip(network.layers, spike_time, strict=True):
        result[f"time.{layer.name}"] = time
    return result


def _ramp(network: Network, times: np.ndarray) -> dict[str, np.ndarray]:
    never = network.steps
    result = {}
    v = np.zeros((len(times), 0), np.int64)
    for layer in network.layers:
        v = layer.offset + _multiply(never - times, layer)
        if layer is network.layers[-1]:
            times = np.full(v.shape, never)
        else:
            times = never - np.clip(v // layer.scale, 0, never - 1)
            result[f"named.{layer.name}"] = v >= 0
        result[f"time.{layer.name}"] = times
    winner, ties = _largest(v)
    result |= {
        "predicted": winner,
        "decision_step": np.full(len(v), never),
        "forced": np.zeros(len(v), np.int64),
        "last_predicted": winner,
        "potential": v,
        "over_threshold": (v >= 0).sum(axis=1),
        "ties": ties,
    }
    return result
