"""Stimuli as the core takes them."""

from __future__ import annotations

import numpy as np

from firstspike.golden.multispike import input_events
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.spec import CoreSpec

__all__ = ["pixel_words", "spike_events"]


def pixel_words(images: np.ndarray, core: CoreSpec) -> np.ndarray:
    """Return the words of all stimuli, in order.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, pixels)
        Stimuli.
    core : CoreSpec
        Uses pixels.

    Returns
    -------
    ndarray of uint8, shape (n * words, core.pixels)
        The last word of a stimulus is filled up with 0.
    """
    n, pixels = images.shape
    words = -(-pixels // core.pixels)
    padded = np.zeros((n, words * core.pixels), np.uint8)
    padded[:, :pixels] = images
    return padded.reshape(-1, core.pixels)


def spike_events(network: MultiSpikeNetwork, images: np.ndarray) -> list[dict[str, int]]:
    """Return the pre-sorted events of all stimuli of a network that takes spikes."""
    of_image = input_events(network)
    events = []
    for image in images:
        for pixel, step in of_image(image):
            events.append({"index": pixel, "time": step, "end": 0})
        events.append({"index": 0, "time": 0, "end": 1})
    return events
