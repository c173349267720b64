"""From a network to what is written into a core: the one definition of the packing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from firstspike.fit import check_fit, input_rows, state_words
from firstspike.lists import list_entries, pack_lists
from firstspike.network import Layer, Network
from firstspike.spec import (
    GLOBAL_REGISTERS,
    MULTISPIKE_REGISTERS,
    CoreSpec,
    Neuron,
    Space,
    WeightKind,
    layer_register,
)

__all__ = [
    "Write",
    "memory_image",
    "pack_weights",
    "start_potentials",
    "write_layer_registers",
    "write_registers",
    "write_start",
    "write_synapses",
]


@dataclass(frozen=True, slots=True)
class Write:
    """One request of the host port; ``data`` is unsigned, two's complement where negative."""

    space: Space
    address: int
    data: int


def memory_image(network: Network, core: CoreSpec, *, early_exit: bool) -> list[Write]:
    """Return all writes that load ``network`` into ``core``.

    Raises
    ------
    InputError
        If the network does not fit.
    """
    check_fit(network, core)
    writes = list(_registers(network, core, early_exit))
    state_row = weight_row = 0
    for number, (layer, words) in enumerate(
        zip(network.layers, state_words(network, core), strict=True)
    ):
        first = _first_row(network, number, core)
        codes = _weight_codes(network, number, core)
        targets = np.full(len(codes), state_row)
        synapses, rows = write_synapses(codes, weight_row, first, targets, 1, core)
        writes += synapses
        writes += write_start(start_potentials(layer, core), state_row, 1, core)
        weight_row += rows
        state_row += words
    return writes


def write_synapses(
    codes: np.ndarray, row: int, first_list: int, targets: np.ndarray, apart: int, core: CoreSpec
) -> tuple[list[Write], int]:
    """Return what writes the synapses of a layer, and their number of rows.

    Parameters
    ----------
    codes : ndarray of int64, shape (sources, neurons)
        Weights as they stand in memory.
    row : int
        First row of the synapse memory.
    first_list : int
        Number of the layer's first list (sparse).
    targets : ndarray of int64, shape (sources,)
        State row of the layer's first word, as each source reaches it (sparse).
    apart : int
        How far the next one is from it.
    core : CoreSpec
        Where.
    """
    if not core.sparse:
        packed = pack_weights(codes, core)
        return list(_write_words(packed, row, core)), len(packed[0])
    lists = pack_lists(codes, targets, apart, core)
    entries = enumerate(list_entries(lists.lengths, row, core), start=first_list)
    writes = [Write(Space.LISTS, number, entry) for number, entry in entries]
    return [*writes, *_write_words(lists.words, row, core)], len(lists.words[0])


def _write_words(packed: list[list[int]], first: int, core: CoreSpec) -> Iterator[Write]:
    """Yield what writes words of synapses, by bank and row, from row ``first`` on."""
    for bank in range(core.banks):
        for row, word in enumerate(packed[bank], start=first):
            for part in range(core.parts):
                data = word >> (part * core.part_bits) & (1 << core.part_bits) - 1
                address = core.address(Space.WEIGHTS, bank, row, part)
                yield Write(Space.WEIGHTS, address, data)


def write_start(start: np.ndarray, first: int, apart: int, core: CoreSpec) -> Iterator[Write]:
    """Yield what writes the state that a stimulus starts with.

    Parameters
    ----------
    start : ndarray of int64, shape (rows, word, banks)
        By row, lane and bank.
    first, apart : int
        Row of the first one, and how far the next one is from it.
    core : CoreSpec
        Where.
    """
    for (row, lane, bank), value in np.ndenumerate(start):
        address = core.address(Space.START, bank, first + apart * row, lane)
        yield Write(Space.START, address, int(value) & (1 << core.potential_bits) - 1)


def start_potentials(layer: Layer, core: CoreSpec) -> np.ndarray:
    """Return what a stimulus starts with: minus the threshold (STEP), or the bias (RAMP).

    Returns
    -------
    ndarray of int64, shape (rows, word, banks)
        Neuron ``j`` of the layer stands at ``j`` in reading order; a lane without a neuron
        starts at -1, so that it never fires.
    """
    start = -layer.offset if layer.neuron is Neuron.STEP else layer.offset
    rows = -(-layer.neurons // core.lanes)
    padded = np.full(rows * core.lanes, -1)
    padded[: layer.neurons] = start
    return padded.reshape(rows, core.word, core.banks)


def _weight_codes(network: Network, number: int, core: CoreSpec) -> np.ndarray:
    """Return the weights of a layer as they stand in memory.

    OFF inputs start at a whole word of pixels.
    """
    layer = network.layers[number]
    if core.weight_bits == 1 and layer.kind is WeightKind.PM1:
        codes = (layer.weights > 0).astype(np.int64)
    else:
        codes = layer.scaled_weights & (1 << core.weight_bits) - 1
    sources = layer.inputs
    places = np.arange(sources)
    if number == 0 and network.off:
        sources = input_rows(network, core)
        places[network.pixels :] += sources - layer.inputs
    table = np.zeros((sources, layer.neurons), np.int64)
    table[places] = codes
    return table


def pack_weights(codes: np.ndarray, core: CoreSpec) -> list[list[int]]:
    """Return the words of synapses of a core that is not sparse, by bank and row.

    Each state row of the layer has as many rows here as there are sources. The synapse from ``i``
    to ``j`` stands in row ``j // lanes * sources + i``, in bank ``j % banks``, at bit
    ``(j // banks % word) * weight_bits``.

    Parameters
    ----------
    codes : ndarray of int64, shape (sources, neurons)
        Weights as they stand in memory.
    core : CoreSpec
        Its banks and words.
    """
    sources, neurons = codes.shape
    words = -(-neurons // core.lanes)
    table = np.zeros((sources, words * core.lanes), np.int64)
    table[:, :neurons] = codes
    by_row = table.reshape(sources, words, core.word, core.banks).swapaxes(0, 1)
    lanes = by_row.reshape(words * sources, core.word, core.banks)
    packed = [[0] * (sources * words) for _ in range(core.banks)]
    for bank in range(core.banks):
        rows = packed[bank]
        for lane in range(core.word):
            shift = lane * core.weight_bits
            for row, code in enumerate(lanes[:, lane, bank].tolist()):
                rows[row] |= code << shift
    return packed


def write_registers(values: Mapping[str, int]) -> Iterator[Write]:
    """Yield what writes registers of the whole core, by name."""
    for address, (name, _) in enumerate((*GLOBAL_REGISTERS, *MULTISPIKE_REGISTERS)):
        if name in values:
            yield Write(Space.REGISTERS, address, values[name])


def write_layer_registers(number: int, values: Mapping[str, int]) -> Iterator[Write]:
    """Yield what writes registers of layer ``number``, by name."""
    for name, value in values.items():
        yield Write(Space.REGISTERS, layer_register(number, name), value)


def _registers(network: Network, core: CoreSpec, early_exit: bool) -> Iterator[Write]:
    words = state_words(network, core)
    pixel_words = -(-network.pixels // core.pixels)
    in_last = network.pixels - (pixel_words - 1) * core.pixels
    values = {
        "ramp": int(network.neuron is Neuron.RAMP),
        "early_exit": int(early_exit),
        "last_layer": len(network.layers) - 1,
        "state_rows": sum(words) - 1,
        "time_shift": core.time_bits - network.time_bits,
        "intensity_min": network.intensity_min,
        "off": int(network.off),
        "input_words": pixel_words - 1,
        "last_mask": (1 << in_last) - 1,
    }
    # Registers of a layer keep what another network has left there.
    others = {"dynamics": 0, "wiring": 0} if core.multispike else {}
    if core.multispike:
        values |= {"multispike": 0}
    yield from write_registers(values)
    state_row = 0
    source = input_rows(network, core)
    for number, layer in enumerate(network.layers):
        values = {
            "signed": int(layer.kind is not WeightKind.UNSIGNED),
            "neurons": layer.neurons,
            "words": words[number] - 1,
            "weight_row": _first_row(network, number, core),
            "state_row": state_row,
            "stride": 1 if core.sparse else source,
            "scale": layer.scale,
        }
        yield from write_layer_registers(number, values | others)
        state_row += words[number]
        source = layer.neurons


def _first_row(network: Network, number: int, core: CoreSpec) -> int:
    """Return the first row of a layer's synapses, or the number of its first list (sparse)."""
    sources = [input_rows(network, core), *(layer.neurons for layer in network.layers)]
    words = [1] * number if core.sparse else state_words(network, core)[:number]
    return sum(source * count for source, count in zip(sources, words, strict=False))
