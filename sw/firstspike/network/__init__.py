"""Integer networks, in memory and in files."""

from __future__ import annotations

from firstspike.network.files import load_network, save_network
from firstspike.network.model import VERSION, Layer, Network
from firstspike.network.multispike import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.network.multispike_files import load_any_network, save_multispike

__all__ = [
    "VERSION",
    "AnyNetwork",
    "Layer",
    "MultiSpikeLayer",
    "MultiSpikeNetwork",
    "Network",
    "load_any_network",
    "load_network",
    "save_multispike",
    "save_network",
]

#: What every engine takes.
AnyNetwork = Network | MultiSpikeNetwork
