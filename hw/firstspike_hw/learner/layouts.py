"""Shapes of what moves inside a learning core."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec, bits_for

__all__ = [
    "Operation",
    "mask_position",
    "row_signature",
    "synapse_port_signature",
    "synapse_row",
    "tap_signature",
    "word_port_signature",
]


class Operation(enum.Enum, shape=3):
    """What a lane does with a row of its state memory."""

    #: Add a synapse to the potential.
    ADD = 0
    #: The potential becomes what a stimulus starts with, plus an amount, below 0.
    START = 1
    #: What a stimulus starts with changes by an amount, and stays minus a threshold.
    CHANGE = 2
    #: Compare the potential with the largest so far.
    SCAN = 3
    #: What a stimulus starts with becomes an amount.
    LOAD = 4


def row_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what a lane is told to do with a row, seen from the one who tells.

    ``amount`` is valid two cycles after ``valid``.
    """
    return wiring.Signature(
        {
            "valid": Out(1),
            "operation": Out(Operation),
            "row": Out(bits_for(spec.state_rows)),
            "amount": Out(signed(spec.potential_bits)),
        }
    )


def synapse_port_signature(spec: CoreSpec) -> wiring.Signature:
    """Return the port of a bank's synapses and row masks, seen from the one who asks.

    ``weight_read`` and ``mask_read`` fetch; ``weight`` and ``mask`` hold what was fetched in the
    cycle before, until the next fetch. ``weight_write`` stores ``weight_data`` in
    ``weight_write_row``; ``mask_write``, one bit a part of 16 rows, stores ``mask_data``.
    """
    parts = spec.mask_parts
    return wiring.Signature(
        {
            "weight_read": Out(1),
            "weight_write": Out(1),
            "weight_row": Out(spec.synapse_bits),
            "weight_write_row": Out(spec.synapse_bits),
            "weight_data": Out(spec.weight_bits),
            "weight": In(spec.weight_bits),
            "mask_read": Out(1),
            "mask_write": Out(parts),
            "mask_row": Out(bits_for(spec.max_inputs)),
            "mask_data": Out(spec.state_rows),
            "mask": In(spec.state_rows),
        }
    )


def word_port_signature() -> wiring.Signature:
    """Return the port of a bank's words where it has only one, seen from the one who asks.

    ``word`` is what was read in the cycle before, until the next access.
    """
    return wiring.Signature(
        {
            "enable": Out(1),
            "write": Out(1),
            "address": Out(14),
            "bytes": Out(2),
            "data": Out(16),
            "word": In(16),
        }
    )


def synapse_row(spec: CoreSpec, source: Value, row: Value) -> Value:
    """Return where a bank keeps the synapse from input ``source`` to its neuron in ``row``.

    In an SPRAM this counts bytes, from an even address on; see `CoreSpec.synapse_bits`.
    """
    if spec.memory == "spram":
        return Cat(source, C(0, 10 - len(source)), row)[: spec.synapse_bits]
    return (source * spec.state_rows + row)[: spec.synapse_bits]


def tap_signature(spec: CoreSpec) -> wiring.Signature:
    """Return what a lane says of each potential that it writes, for a bench to listen to."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "row": Out(bits_for(spec.state_rows)),
            "potential": Out(signed(spec.potential_bits)),
            "fires": Out(1),
        }
    )


def mask_position(mask: Signal) -> tuple[Value, Value]:
    """Return the lowest bit that is set in ``mask``, as a number, and the mask without it."""
    width = len(mask)
    number = C(0, bits_for(width))
    for k in reversed(range(width)):
        number = Mux(mask[k], k, number)
    return number, mask & (mask - 1)[:width]
