"""From pixels to spike times; docs/semantics.md, section 1."""

from __future__ import annotations

import numpy as np

from firstspike.errors import InputError
from firstspike.network import Network
from firstspike.spec import INTENSITY_BITS, INTENSITY_MAX, Neuron

__all__ = ["encode", "step_times"]


def encode(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the spike time of every input.

    Parameters
    ----------
    network : Network
        Its coding is used.
    images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
        Intensities.

    Returns
    -------
    ndarray of int64, shape (n, inputs)
        Steps; T is never.

    Raises
    ------
    InputError
        If the images are not of the network's shape.
    """
    if images.dtype != np.uint8:
        raise InputError(f"images: dtype is {images.dtype}, must be uint8")
    flat = images.reshape(len(images), -1).astype(np.int64)
    if flat.shape[1] != network.pixels:
        raise InputError(
            f"images: {flat.shape[1]} pixels each, the network takes {network.pixels} "
            f"({network.shape[0]} x {network.shape[1]})"
        )
    shift = INTENSITY_BITS - network.time_bits
    if network.neuron is Neuron.RAMP:
        magnitude = flat >> shift
        return np.where(magnitude > 0, network.steps - magnitude, network.steps)
    if network.off:
        flat = np.concatenate([flat, INTENSITY_MAX - flat], axis=1)
    return step_times(flat, network.time_bits, network.intensity_min)


def latency_times(intensity: np.ndarray, steps: int, intensity_min: int) -> np.ndarray:
    """Return the spike times of inputs with the coding `latency`, as int64; T is never."""
    times = (INTENSITY_MAX - intensity.astype(np.int64)) * steps >> INTENSITY_BITS
    return np.where(intensity >= intensity_min, times, steps)


def step_times(intensity: np.ndarray, time_bits: int, intensity_min: int) -> np.ndarray:
    """Return the spike times of STEP inputs with these intensities, as int64; T is never."""
    times = (INTENSITY_MAX - intensity.astype(np.int64)) >> (INTENSITY_BITS - time_bits)
    return np.where(intensity >= intensity_min, times, 1 << time_bits)
