"""Energy by counting operations, as papers do: a convention, not a property of any chip here."""

from __future__ import annotations

from typing import Any

from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.power.dumps import Dump
from firstspike.shipped import find_network

__all__ = ["LABEL", "OPERATIONS", "by_operations"]

LABEL = "literature convention (45 nm, operations alone)"

#: pJ of an operation at 45 nm and 0.9 V: Horowitz, ISSCC 2014, as PMC8934428 (table 3) and
#: PMC10242054 quote it.
OPERATIONS = {
    "float add": 0.9,
    "float multiply and add": 4.6,
    "int8 multiply": 0.2,
    "int32 add": 0.1,
}


def by_operations(dump: Dump) -> dict[str, Any]:
    """Return what papers would print for an image of ``dump``; of learning, for its additions.

    Returns
    -------
    dict
        ``label``; ``synops`` and ``macs`` an image; ``joules`` of them in float arithmetic, an
        addition each, or a multiplication too; ``integer_joules``, with integers. Of an inference
        whose network is found by its name: ``ann_macs`` of a network of the same layers that is not
        spiking, and its ``ann_joules`` and ``ann_integer_joules``, where no input is skipped.
    """
    adds = float(dump.counters["synops"].mean()) if "synops" in dump.counters else 0.0
    macs = float(dump.counters["macs"].mean()) if "macs" in dump.counters else 0.0
    facts: dict[str, Any] = {
        "label": LABEL,
        "synops": adds,
        "macs": macs,
        "joules": _joules(adds, macs, exact=False),
        "integer_joules": _joules(adds, macs, exact=True),
    }
    dense = _dense(dump)
    if dense is not None:
        facts["ann_macs"] = dense
        facts["ann_joules"] = _joules(0, dense, exact=False)
        facts["ann_integer_joules"] = _joules(0, dense, exact=True)
    return facts


def _joules(adds: float, macs: float, *, exact: bool) -> float:
    add = OPERATIONS["int32 add" if exact else "float add"]
    mac = (
        OPERATIONS["int8 multiply"] + OPERATIONS["int32 add"]
        if exact
        else OPERATIONS["float multiply and add"]
    )
    return (adds * add + macs * mac) * 1e-12


def _dense(dump: Dump) -> int | None:
    """Return the multiplications of the same layers as a plain network; None if it is not found."""
    name = dump.origin.get("network")
    if dump.what == "learning" or not isinstance(name, str):
        return None
    try:
        network = load_network(find_network(name))
    except InputError:
        return None
    if network.digest != dump.origin.get("network_digest"):
        return None
    return sum(layer.weights.size for layer in network.layers)
