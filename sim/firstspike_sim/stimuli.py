"""Stimuli as the core takes them."""

from __future__ import annotations

import numpy as np

from firstspike.spec import CoreSpec

__all__ = ["pixel_words"]


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
