"""From a multi-spike network to what is written into a core."""

from __future__ import annotations

import numpy as np

from firstspike.memimage import (
    Write,
    write_layer_registers,
    write_registers,
    write_start,
    write_synapses,
)
from firstspike.multispike_fit import Placed, check_multispike_fit
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.spec import (
    DYNAMICS,
    WIRING,
    CoreSpec,
    Reset,
    WeightKind,
)

__all__ = ["multispike_image"]


def multispike_image(network: MultiSpikeNetwork, core: CoreSpec) -> list[Write]:
    """Return all writes that load ``network`` into ``core``.

    Raises
    ------
    InputError
        If the network does not fit.
    """
    placed = check_multispike_fit(network, core)
    pixel_words = -(-network.pixels // core.pixels)
    in_last = network.pixels - (pixel_words - 1) * core.pixels
    numbers = network.coding.numeric
    writes = list(
        write_registers(
            {
                "ramp": int(numbers),
                "early_exit": 0,
                "last_layer": len(placed) - 1,
                "state_rows": sum(part.rows for part in placed) - 1,
                "time_shift": core.time_bits - network.input_bits if numbers else 0,
                "intensity_min": 1,
                "off": 0,
                "input_words": pixel_words - 1,
                "last_mask": (1 << in_last) - 1,
                "multispike": 1,
                "last_moment": network.steps - 1,
            }
        )
    )
    state_row = weight_row = first_list = 0
    for number, part in enumerate(placed):
        layer = part.layer
        first = first_list if core.sparse else weight_row
        writes += write_layer_registers(
            number,
            {
                "signed": int(layer.kind is not WeightKind.UNSIGNED),
                "neurons": layer.neurons,
                "words": part.words - 1,
                # Events name neurons by their numbers among all.
                "weight_row": (first - part.first) % (1 << core.first_row_bits),
                "state_row": state_row,
                "stride": 1 if core.sparse else part.stride,
                "scale": layer.threshold or (1 << (core.potential_bits - 1)) - 1,
                "dynamics": _dynamics(part),
                "wiring": _wiring(part),
            },
        )
        initial = np.zeros(layer.neurons, np.int64) if layer.initial is None else layer.initial
        rows = [part.current, initial] if part.pairs else [initial]
        for place, row in enumerate(rows):
            start = np.zeros(part.words * core.lanes, np.int64)
            start[: layer.neurons] = row
            start = start.reshape(part.words, core.word, core.banks)
            writes += write_start(start, state_row + place, len(rows), core)
        codes = part.weights & (1 << core.weight_bits) - 1
        # Biases, which come last, go to potentials, behind their currents.
        to_potentials = np.full(part.stride, not part.to_current)
        to_potentials[len(part.synapses) :] = True
        targets = state_row + (part.pairs & to_potentials)
        synapses, taken = write_synapses(
            codes, weight_row, first_list, targets, part.rows // part.words, core
        )
        writes += synapses
        weight_row += taken
        first_list += part.stride
        state_row += part.rows
    return writes


def _dynamics(part: Placed) -> int:
    """Return the register that says how the neurons of a layer behave."""
    layer = part.layer
    values = {
        "pairs": int(part.pairs),
        "to_current": int(part.to_current),
        "hard": int(layer.reset is Reset.HARD),
        "once": int(layer.once),
        "leaks": int(layer.leak is not None),
        "leak": layer.leak or 0,
        "current_leaks": int(part.current_leak is not None),
        "current_leak": part.current_leak or 0,
        "biases": part.biases,
        "bias_row": part.first + len(part.synapses),
    }
    return _packed(DYNAMICS, values)


def _wiring(part: Placed) -> int:
    """Return the register that says where the spikes of a layer come from."""
    return _packed(
        WIRING, {"base": part.base, "sources": sum(1 << source for source in part.sources)}
    )


def _packed(fields: tuple[tuple[str, int, str], ...], values: dict[str, int]) -> int:
    """Return a register with these fields, the first one lowest."""
    value = low = 0
    for name, bits, _ in fields:
        value |= values[name] << low
        low += bits
    return value
