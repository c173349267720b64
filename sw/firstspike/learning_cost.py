"""What one learned stimulus costs a core, from the live synapses that it met.

`account` is called by `firstspike.golden.learning_fast` once a stimulus, compiled into it.
"""

from __future__ import annotations

import numba
import numpy as np

from firstspike.spec import CoreSpec

__all__ = ["COSTS", "account", "parameters"]

#: What `account` writes, in this order.
COSTS = ("floor_cycles",)


def parameters(core: CoreSpec | None, pixels: int) -> np.ndarray:
    """Return what `account` must know of a core and a layer, as one array of integers.

    The first is the number of banks, 0 without a core: `account` is not called then.
    """
    if core is None:
        return np.zeros(2, np.int64)
    return np.array([core.banks, -(-pixels // core.pixels)], np.int64)


@numba.njit(nogil=True)
def account(core, order, begin, last, row_live, column_live, updates, killed, swept, out):
    """Write the costs of one stimulus to ``out``.

    Parameters
    ----------
    core : ndarray of int64
        From `parameters`.
    order : ndarray of int64, shape (inputs,)
        Inputs by spike time; those of step ``t`` are ``order[begin[t] : begin[t + 1]]``.
    begin : ndarray of int64, shape (T + 1,)
        Inputs that never spike come after ``begin[T]``.
    last : int
        The last step that was run: the decision step, or T-1.
    row_live : ndarray of int32, shape (inputs, banks)
        Live synapses of each input in each bank, before this stimulus' updates.
    column_live : ndarray of int32, shape (neurons, words)
        Live synapses of each neuron in each word of 16 inputs, before this stimulus' updates.
    updates : ndarray of int64, shape (number of columns updated, 4)
        Of each column, in order: neuron, synapses visited, changed, and removed. No two are of one
        neuron.
    killed : ndarray of int64, shape (2, inputs)
        Inputs whose synapse is removed, ascending; those of column ``u`` are
        ``killed[u, : updates[u, 3]]``.
    swept : int
        The class whose best neuron was looked for, or -1 (supervised learning).
    out : ndarray of int64, shape (len(COSTS),)
        Written here.
    """
    cycles = 0
    for t in range(last + 1):
        busiest = 0
        for bank in range(core[0]):
            live = 0
            for k in range(begin[t], begin[t + 1]):
                live += row_live[order[k], bank]
            busiest = max(busiest, live)
        cycles += busiest
    for u in range(len(updates)):
        cycles += updates[u, 1]
    out[0] = max(cycles, core[1])
