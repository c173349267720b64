"""What a method makes: networks, each with what is to be known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from firstspike.methods.floats import FloatNetwork
from firstspike.network import MultiSpikeNetwork, Network

__all__ = ["AnyVariant", "Progress", "SingleSpikeVariant", "Variant"]

#: Called with what share of the work is done, 0..1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One multi-spike network of a run.

    Parameters
    ----------
    name : str
        Of the variant; a folder of that name holds the network.
    network : MultiSpikeNetwork
        Integers.
    floats : FloatNetwork or None
        What it was quantised from.
    facts : dict
        Figures that only the method knows, ready for JSON.
    """

    name: str
    network: MultiSpikeNetwork
    floats: FloatNetwork | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class SingleSpikeVariant:
    """One network of a run whose neurons spike once.

    Parameters
    ----------
    name : str
        Of the variant; a folder of that name holds the network.
    network : Network
        Integers.
    facts : dict
        Figures that only the method knows, ready for JSON.
    """

    name: str
    network: Network
    facts: dict[str, Any] = field(default_factory=dict)


#: What a method may leave.
AnyVariant = Variant | SingleSpikeVariant
