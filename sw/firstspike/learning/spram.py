"""What lies where in the SPRAM of a bank of a learning core.

The byte of a synapse is its input's number in the 512 words of its neuron's row. Behind the
synapses of a row lies the mask of its neuron, `MASK_BITS` inputs a word; behind all rows lie the
row masks, two words an input.
"""

from __future__ import annotations

import numpy as np

from firstspike.spec import MASK_BITS, SPRAM_COLUMN_ROW, SPRAM_MASK_ROW, CoreSpec

__all__ = ["pack", "places", "unpack"]

#: Words of a row of neurons.
_ROW = 512


def places(core: CoreSpec, inputs: int, neurons: int) -> np.ndarray:
    """Return the words that a layer uses in every bank, ascending, int64."""
    rows = np.arange(-(-neurons // core.banks))[:, None] * _ROW
    used = [(rows + np.arange(-(-inputs // 2))).ravel()]
    if core.pruning:
        used.append((rows + SPRAM_COLUMN_ROW + np.arange(-(-inputs // MASK_BITS))).ravel())
        used.append(SPRAM_MASK_ROW + np.arange(2 * inputs))
    return np.sort(np.concatenate(used))


def pack(core: CoreSpec, weights: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Return the words of all banks, int64 of shape (banks, core.weight_rows).

    Parameters
    ----------
    core : CoreSpec
        Uses banks, pruning.
    weights : ndarray of integers, shape (inputs, neurons)
        Synapses.
    alive : ndarray of bool, shape (inputs, neurons)
        Which ones there are.
    """
    inputs, neurons = weights.shape
    words = np.zeros((core.banks, core.weight_rows), np.int64)
    i, j = np.indices((inputs, neurons))
    bank, row = j % core.banks, j // core.banks
    np.add.at(words, (bank, row * _ROW + i // 2), weights.astype(np.int64) << 8 * (i % 2))
    if core.pruning:
        bits = alive.astype(np.int64)
        column = row * _ROW + SPRAM_COLUMN_ROW + i // MASK_BITS
        np.add.at(words, (bank, column), bits << i % MASK_BITS)
        np.add.at(words, (bank, SPRAM_MASK_ROW + 2 * i + row // 16), bits << row % 16)
    return words


def unpack(
    core: CoreSpec, words: np.ndarray, inputs: int, neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the synapses, and which are alive by the row masks and by the column masks.

    Returns
    -------
    tuple of ndarray, shape (inputs, neurons)
        Of uint8, bool and bool.
    """
    i, j = np.indices((inputs, neurons))
    bank, row = j % core.banks, j // core.banks
    weights = words[bank, row * _ROW + i // 2] >> 8 * (i % 2) & 255
    if not core.pruning:
        every = np.ones((inputs, neurons), bool)
        return weights.astype(np.uint8), every, every
    rows = words[bank, SPRAM_MASK_ROW + 2 * i + row // 16] >> row % 16 & 1
    columns = words[bank, row * _ROW + SPRAM_COLUMN_ROW + i // MASK_BITS] >> i % MASK_BITS & 1
    return weights.astype(np.uint8), rows.astype(bool), columns.astype(bool)
