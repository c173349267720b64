"""Classes of stimuli and of neurons: what may be given, and what is assigned."""

from __future__ import annotations

import numpy as np

from firstspike.errors import InputError
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState

__all__ = ["assign", "check_labels"]


def check_labels(rule: Rule, state: LearningState, labels: np.ndarray | None, n: int) -> np.ndarray:
    """Return the labels of ``n`` stimuli; -1 for each if there are none.

    Raises
    ------
    InputError
        If there are more or fewer, or one is no class that supervised learning has neurons for.
    """
    if labels is None:
        return np.full(n, -1)
    if labels.shape != (n,) or labels.dtype != np.int64:
        raise InputError(f"labels must be int64 of shape ({n},), one an image")
    if not isinstance(rule, Supervised):
        return labels
    known = np.append(np.unique(state.group), -1)
    bad = ~np.isin(labels, known)
    if bad.any():
        i = int(np.argmax(bad))
        raise InputError(
            f"labels[{i}] is {labels[i]}, must be -1 or a class that has neurons: "
            f"{', '.join(map(str, known[:-1]))}"
        )
    return labels


def assign(winner: np.ndarray, labels: np.ndarray, neurons: int) -> np.ndarray:
    """Return the class of each neuron: that of most stimuli which it won.

    Parameters
    ----------
    winner : ndarray of int64, shape (n,)
        Who won each stimulus, of training images, with learning off; -1 is left out.
    labels : ndarray of int64, shape (n,)
        Classes of the stimuli; -1 is left out.
    neurons : int
        Number of neurons.

    Returns
    -------
    ndarray of int64, shape (neurons,)
        The lowest class of equals; -1 where a neuron won nothing.
    """
    counted = (winner >= 0) & (labels >= 0)
    won = np.zeros((neurons, int(labels.max(initial=0)) + 1), np.int64)
    np.add.at(won, (winner[counted], labels[counted]), 1)
    return np.where(won.any(axis=1), won.argmax(axis=1), -1)
