"""Lists of words: what each input or neuron brings to the banks of a sparse core.

A word is in a bank's list of a source if any of its synapses is not 0. All banks go through a list
together, so it is as long as the longest of theirs; the others are filled up with words of zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from firstspike.spec import CoreSpec, list_fields

__all__ = ["Lists", "list_entries", "live_words", "pack_lists"]


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a layer, one behind the other.

    Parameters
    ----------
    words : list of list of int
        Words of the synapse memory, by bank and row.
    lengths : ndarray of int64, shape (sources,)
        Rows of each source.
    """

    words: list[list[int]]
    lengths: np.ndarray


def live_words(codes: np.ndarray, core: CoreSpec) -> np.ndarray:
    """Return how many words of each bank have a synapse that is not 0.

    Parameters
    ----------
    codes : ndarray of int64, shape (sources, neurons)
        Weights of a layer.
    core : CoreSpec
        Its banks and words.

    Returns
    -------
    ndarray of int64, shape (sources, banks)
        Words.
    """
    return _by_word(codes, core).any(axis=2).sum(axis=1)


def pack_lists(codes: np.ndarray, targets: np.ndarray, apart: int, core: CoreSpec) -> Lists:
    """Return the lists of a layer.

    Parameters
    ----------
    codes : ndarray of int64, shape (sources, neurons)
        Weights as they stand in memory, not negative.
    targets : ndarray of int64, shape (sources,)
        State row of the layer's first word, as each source reaches it.
    apart : int
        How far the next one is from it.
    core : CoreSpec
        Its banks and words.
    """
    table = _by_word(codes, core)
    live = table.any(axis=2)
    lengths = live.sum(axis=1).max(axis=1)
    shifts = range(0, core.synapses_bits, core.weight_bits)
    # The words of each bank that live come first, in order; a word of zeros goes anywhere in the
    # layer.
    order = np.argsort(~live, axis=1, kind="stable")
    words: list[list[int]] = [[] for _ in range(core.banks)]
    for source, (length, first) in enumerate(zip(lengths.tolist(), targets.tolist(), strict=True)):
        for bank in range(core.banks):
            for place in order[source, :length, bank].tolist():
                synapses = zip(table[source, place, :, bank].tolist(), shifts, strict=True)
                packed = sum(code << shift for code, shift in synapses)
                words[bank].append(packed | first + apart * place << core.synapses_bits)
    return Lists(words, lengths)


def list_entries(lengths: np.ndarray, first: int, core: CoreSpec) -> Iterator[int]:
    """Yield the entries of `Space.LISTS` for lists that follow each other from row ``first`` on."""
    fields = list_fields(core)
    for length in lengths.tolist():
        values = {"first": first, "last": length - 1, "empty": 0}
        if length == 0:
            values = {"first": 0, "last": 0, "empty": 1}
        entry = low = 0
        for name, bits in fields.items():
            entry |= values[name] << low
            low += bits
        yield entry
        first += length


def _by_word(codes: np.ndarray, core: CoreSpec) -> np.ndarray:
    """Return weights by source, word, lane and bank; lanes without a neuron hold 0."""
    sources, neurons = codes.shape
    words = -(-neurons // core.lanes)
    table = np.zeros((sources, words * core.lanes), np.int64)
    table[:, :neurons] = codes
    return table.reshape(sources, words, core.word, core.banks)
