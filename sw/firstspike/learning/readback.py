"""From a learning core's memories back to the state of a learner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firstspike.learning import spram
from firstspike.learning.image import synapse_rows
from firstspike.learning.state import LearningState
from firstspike.spec import MASK_BITS, CoreSpec, Space, learning_register

__all__ = ["read_state", "state_requests"]


def state_requests(core: CoreSpec, state: LearningState) -> list[tuple[Space, int]]:
    """Return what must be read to know a learner of the shape of ``state``: space and address."""
    requests = [
        (Space.START, core.address(Space.START, j % core.banks, j // core.banks))
        for j in range(state.neurons)
    ]
    requests += [
        (Space.REGISTERS, learning_register("offset", group)) for group in range(len(state.offset))
    ]
    requests.append((Space.REGISTERS, learning_register("random")))
    if core.pruning:
        requests += [(Space.FAN_IN, j) for j in range(state.neurons)]
    if core.memory == "spram":
        requests += [
            (Space.WEIGHTS, core.address(Space.WEIGHTS, bank, row))
            for bank in range(core.banks)
            for row in spram.places(core, state.inputs, state.neurons).tolist()
        ]
        return requests
    banks, rows = synapse_rows(core, state.inputs, state.neurons)
    requests += [
        (Space.WEIGHTS, core.address(Space.WEIGHTS, bank, row))
        for bank, row in zip(banks.ravel().tolist(), rows.ravel().tolist(), strict=True)
    ]
    if core.pruning:
        requests += [
            (Space.ROW_MASKS, core.address(Space.ROW_MASKS, bank, i, part))
            for bank in range(core.banks)
            for i in range(state.inputs)
            for part in range(core.mask_parts)
        ]
        stride = core.max_inputs // MASK_BITS
        words = -(-state.inputs // MASK_BITS)
        requests += [
            (Space.COLUMN_MASKS, j * stride + word)
            for j in range(state.neurons)
            for word in range(words)
        ]
    return requests


def read_state(
    core: CoreSpec, state: LearningState, replies: np.ndarray, learned: int
) -> LearningState:
    """Return what a learner that was ``state`` has become.

    Parameters
    ----------
    core : CoreSpec
        The core.
    state : LearningState
        What was loaded.
    replies : ndarray of int64
        Data of each of the `state_requests`; two's complement where negative.
    learned : int
        Stimuli that were learned from since.

    Raises
    ------
    RuntimeError
        If the core's two masks or its counts of live inputs contradict each other.
    """
    inputs, neurons = state.weights.shape
    sizes = [neurons, len(state.offset), 1, neurons if core.pruning else 0]
    threshold, offset, random, fan_in, rest = np.split(replies, np.cumsum(sizes))
    if core.memory == "spram":
        words = np.zeros((core.banks, core.weight_rows), np.int64)
        words[:, spram.places(core, inputs, neurons)] = rest.reshape(core.banks, -1)
        weights, alive, columns = spram.unpack(core, words, inputs, neurons)
    else:
        weights, alive, columns = _from_blocks(core, rest, inputs, neurons)
    if (columns != alive).any():
        raise RuntimeError("the core's row masks and column masks differ")
    if core.pruning and (fan_in != alive.sum(axis=0)).any():
        raise RuntimeError("the core's counts of live inputs and its masks differ")
    return replace(
        state,
        weights=weights,
        alive=alive,
        threshold=-threshold,
        offset=offset,
        lfsr=int(random[0]) & 0xFFFFFFFF,
        seen=state.seen + learned,
    )


def _from_blocks(
    core: CoreSpec, replies: np.ndarray, inputs: int, neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return synapses, and which are alive by the row masks and by the column masks."""
    weights, rest = np.split(replies, [inputs * neurons])
    weights = weights.reshape(inputs, neurons).astype(np.uint8)
    if not core.pruning:
        every = np.ones((inputs, neurons), bool)
        return weights, every, every
    words = -(-inputs // MASK_BITS)
    rows, columns = np.split(rest, [core.banks * inputs * core.mask_parts])
    bits = rows.reshape(core.banks, inputs, core.mask_parts, 1) >> np.arange(16) & 1
    bits = bits.reshape(core.banks, inputs, -1)
    j = np.arange(neurons)
    alive = bits[j % core.banks, :, j // core.banks].T.astype(bool)
    bits = columns.reshape(neurons, words, 1) >> np.arange(MASK_BITS) & 1
    return weights, alive, bits.reshape(neurons, -1)[:, :inputs].T.astype(bool)
