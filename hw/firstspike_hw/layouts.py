"""Shapes of what moves between components; benches and host code pack with them too."""

from amaranth import *
from amaranth.lib import data, enum

from firstspike.spec import (
    ADDRESS_BITS,
    DYNAMICS,
    WIRING,
    CoreSpec,
    bits_for,
    list_fields,
    record_fields,
)

__all__ = [
    "Operation",
    "dynamics_layout",
    "event_layout",
    "input_event_layout",
    "item_layout",
    "list_layout",
    "multispike_only",
    "pixels_layout",
    "potential_layout",
    "record_layout",
    "request_layout",
    "spike_layout",
    "state_layout",
    "wiring_layout",
]


class Operation(enum.Enum, shape=3):
    """What the banks do with the state rows of an item."""

    #: Add a weight row, times a magnitude.
    ADD = 0
    #: Copy the start rows over the state rows, nothing fired.
    START = 1
    #: STEP: let neurons at their threshold fire.
    TICK = 2
    #: RAMP: hand on every potential that is at least 0.
    RAMP = 3
    #: Hand on every potential.
    READ = 4
    #: Multi-spike: keep a row of currents for the row of potentials behind it.
    PICK = 5


def multispike_only(spec: CoreSpec, value: Value) -> Value:
    """Return ``value``, or 0 in a core without multi-spike neurons: what asks for it is left out.

    Such a signal has its bits in every core, since `~` of one without bits is 0, too.
    """
    return value if spec.multispike else Const(0, len(value))


def pixels_layout(spec: CoreSpec) -> data.ArrayLayout:
    """Return the shape of one word of raw pixels; the first pixel is the lowest."""
    return data.ArrayLayout(8, spec.pixels)


def input_event_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of one pre-sorted input event.

    ``end`` closes the stimulus and carries no event; times never fall within a stimulus.
    """
    return data.StructLayout(
        {"index": spec.index_bits, "time": spec.time_bits, "end": 1},
    )


def event_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of an event on its way to a walker."""
    return data.StructLayout({"index": spec.index_bits, "magnitude": spec.magnitude_bits})


def item_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a walker's item: rows that a bank goes through, one a cycle.

    ``words`` is their number less one, and ``stride`` the weight rows from one to the next. An
    ``empty`` item has none (sparse).
    """
    return data.StructLayout(
        {
            "operation": Operation,
            "signed": 1,
            "weight_row": bits_for(spec.weight_rows),
            "stride": spec.index_bits + 1,
            "state_row": bits_for(spec.state_rows),
            "words": bits_for(spec.state_rows),
            "magnitude": spec.magnitude_bits,
            "pairs": int(spec.multispike),
            "empty": int(spec.sparse),
        }
    )


def list_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a list of words of a sparse core, `firstspike.spec.list_fields`."""
    return data.StructLayout(list_fields(spec))


def dynamics_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a layer's `firstspike.spec.DYNAMICS`; empty without multi-spike."""
    return data.StructLayout(
        {name: bits if spec.multispike else 0 for name, bits, _ in DYNAMICS},
    )


def wiring_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a layer's `firstspike.spec.WIRING`; empty without multi-spike."""
    return data.StructLayout(
        {name: bits if spec.multispike else 0 for name, bits, _ in WIRING},
    )


def state_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of one neuron's state; ``potential`` is less the threshold (STEP)."""
    return data.StructLayout({"potential": signed(spec.potential_bits), "fired": 1})


def spike_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a spike: neuron of a layer, and its time or its magnitude."""
    return data.StructLayout(
        {
            "layer": bits_for(spec.max_layers),
            "index": spec.index_bits,
            "time": spec.time_bits,
        }
    )


def potential_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of an output neuron's potential, less its threshold (STEP)."""
    return data.StructLayout(
        {"index": spec.index_bits, "potential": signed(spec.potential_bits)},
    )


def request_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a request of the host; `CoreSpec.address` makes addresses.

    ``address`` is, from its low end, the lane or the part of a word, the row, and the bank.
    """
    return data.StructLayout(
        {"write": 1, "space": spec.space_bits, "address": ADDRESS_BITS, "data": 32}
    )


def record_layout(spec: CoreSpec) -> data.StructLayout:
    """Return the shape of a result: the decision, and what it cost."""
    return data.StructLayout(record_fields(spec))
