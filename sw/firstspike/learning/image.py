"""From a learner, or a network that learned, to what is written into a learning core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from firstspike.fit import check_fit
from firstspike.learning import spram
from firstspike.learning.fit import check_learning_fit
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState
from firstspike.memimage import Write
from firstspike.network import Network
from firstspike.spec import (
    GLOBAL_REGISTERS,
    LEARNING_REGISTERS,
    MASK_BITS,
    CoreSpec,
    Space,
    learning_register,
)

__all__ = ["learner_image", "network_image", "synapse_rows"]


@dataclass(frozen=True, slots=True)
class _Coding:
    """How stimuli become spike times; see `firstspike.network.Network`."""

    pixels: int
    time_bits: int
    intensity_min: int
    off: bool


def learner_image(core: CoreSpec, rule: Rule, state: LearningState) -> list[Write]:
    """Return all writes that make ``core`` learn with ``rule`` from ``state`` on.

    Raises
    ------
    InputError
        If the learner does not fit.
    """
    check_learning_fit(rule, state, core)
    pixels = state.inputs // (2 if rule.off else 1)
    coding = _Coding(pixels, rule.time_bits, rule.intensity_min, rule.off)
    supervised = isinstance(rule, Supervised)
    writes = list(_layer(core, state.weights, state.alive, state.threshold))
    pruning = rule.pruning
    values = {
        "learn": 1,
        "supervised": int(supervised),
        "offset_step": rule.homeostasis,
        "below": 0 if pruning is None else pruning.below,
        "min_fan_in": 0 if pruning is None else pruning.min_fan_in,
        "delay": 0 if pruning is None else max(0, pruning.after - 1 - state.seen),
        "random": state.lfsr,
    }
    if isinstance(rule, Supervised):
        values |= {
            "reward": int(rule.reward),
            "own": rule.own,
            "other": rule.other,
            "error_step": rule.error_step,
        }
    writes += _registers(core, coding, state.neurons, values, early_exit=True)
    sizes = np.bincount(state.group, minlength=len(state.offset))
    for group, (offset, size) in enumerate(zip(state.offset, sizes, strict=True)):
        writes.append(_register("offset", int(offset), group))
        writes.append(_register("rise", int(size) * rule.homeostasis, group))
    for row in range(-(-state.neurons // core.banks)):
        writes.append(_register("row_class", int(state.group[row * core.banks]), row))
    for address, amount in enumerate(rule.tables().ravel().tolist()):
        writes.append(Write(Space.UPDATES, address, amount))
    return writes


def network_image(network: Network, core: CoreSpec, *, early_exit: bool) -> list[Write]:
    """Return all writes that load ``network`` into the learning core ``core``, not to learn.

    Raises
    ------
    InputError
        If the network does not fit.
    """
    check_fit(network, core)
    layer = network.layers[0]
    coding = _Coding(network.pixels, network.time_bits, network.intensity_min, network.off)
    threshold = layer.offset << (core.fraction_bits - layer.fraction_bits)
    alive = layer.alive if layer.alive is not None else np.ones(layer.weights.shape, bool)
    writes = list(_layer(core, layer.weights, alive, threshold))
    writes += _registers(core, coding, network.outputs, {}, early_exit=early_exit)
    writes.append(_register("offset", 0, 0))
    for row in range(-(-network.outputs // core.banks)):
        writes.append(_register("row_class", 0, row))
    return writes


def synapse_rows(core: CoreSpec, inputs: int, neurons: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the synapses are: bank and row of each, int64 of shape (inputs, neurons)."""
    i, j = np.indices((inputs, neurons))
    return j % core.banks, i * core.state_rows + j // core.banks


def _layer(
    core: CoreSpec, weights: np.ndarray, alive: np.ndarray, threshold: np.ndarray
) -> Iterator[Write]:
    """Write synapses, masks, fan-in and thresholds."""
    for j, value in enumerate(threshold.tolist()):
        address = core.address(Space.START, j % core.banks, j // core.banks)
        yield Write(Space.START, address, -value & (1 << core.potential_bits) - 1)
    if core.pruning:
        for j, count in enumerate(alive.sum(axis=0).tolist()):
            yield Write(Space.FAN_IN, j, count)
    if core.memory == "spram":
        yield from _words(core, weights, alive)
    else:
        yield from _blocks(core, weights, alive)


def _words(core: CoreSpec, weights: np.ndarray, alive: np.ndarray) -> Iterator[Write]:
    """Write synapses and masks to memories that hold both."""
    words = spram.pack(core, weights, alive)
    for bank in range(core.banks):
        for row in spram.places(core, *weights.shape).tolist():
            address = core.address(Space.WEIGHTS, bank, row)
            yield Write(Space.WEIGHTS, address, int(words[bank, row]))


def _blocks(core: CoreSpec, weights: np.ndarray, alive: np.ndarray) -> Iterator[Write]:
    """Write synapses and masks to memories of their own."""
    banks, rows = synapse_rows(core, *weights.shape)
    for bank, row, weight in zip(
        banks.ravel().tolist(), rows.ravel().tolist(), weights.ravel().tolist(), strict=True
    ):
        yield Write(Space.WEIGHTS, core.address(Space.WEIGHTS, bank, row), weight)
    if not core.pruning:
        return
    for (bank, i, part), word in np.ndenumerate(row_masks(core, alive)):
        yield Write(Space.ROW_MASKS, core.address(Space.ROW_MASKS, bank, i, part), int(word))
    stride = core.max_inputs // MASK_BITS
    for (j, word), mask in np.ndenumerate(column_masks(alive)):
        yield Write(Space.COLUMN_MASKS, j * stride + word, int(mask))


def row_masks(core: CoreSpec, alive: np.ndarray) -> np.ndarray:
    """Return which rows of a bank an input reaches, int64 of shape (banks, inputs, parts)."""
    inputs, neurons = alive.shape
    bits = np.zeros((inputs, core.mask_parts * 16, core.banks), np.int64)
    j = np.arange(neurons)
    bits[:, j // core.banks, j % core.banks] = alive
    words = bits.reshape(inputs, core.mask_parts, 16, core.banks) << np.arange(16)[:, None]
    return words.sum(axis=2).transpose(2, 0, 1)


def column_masks(alive: np.ndarray) -> np.ndarray:
    """Return which inputs reach a neuron, int64 of shape (neurons, words)."""
    inputs, neurons = alive.shape
    words = -(-inputs // MASK_BITS)
    bits = np.zeros((neurons, words * MASK_BITS), np.int64)
    bits[:, :inputs] = alive.T
    return (bits.reshape(neurons, words, MASK_BITS) << np.arange(MASK_BITS)).sum(axis=2)


def _register(name: str, value: int, index: int = 0) -> Write:
    return Write(Space.REGISTERS, learning_register(name, index), value)


def _registers(
    core: CoreSpec, coding: _Coding, neurons: int, learning: dict[str, int], *, early_exit: bool
) -> Iterator[Write]:
    inputs = coding.pixels * (2 if coding.off else 1)
    pixel_words = -(-coding.pixels // core.pixels)
    in_last = coding.pixels - (pixel_words - 1) * core.pixels
    columns = -(-inputs // MASK_BITS)
    values = {
        "early_exit": int(early_exit),
        "state_rows": -(-neurons // core.banks) - 1,
        "time_shift": core.time_bits - coding.time_bits,
        "intensity_min": coding.intensity_min,
        "off": int(coding.off),
        "input_words": pixel_words - 1,
        "last_mask": (1 << in_last) - 1,
        "last_bank": (neurons - 1) % core.banks,
        "column_words": columns - 1,
        "last_inputs": (1 << (inputs - (columns - 1) * MASK_BITS)) - 1,
        **dict.fromkeys([name for name, _ in LEARNING_REGISTERS[3:-1]], 0),
    } | learning
    for address, (name, _) in enumerate(GLOBAL_REGISTERS):
        if name in values:
            yield Write(Space.REGISTERS, address, values.pop(name))
    for name, value in values.items():
        yield _register(name, value)
