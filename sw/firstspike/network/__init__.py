"""Integer networks, in memory and in files."""

from __future__ import annotations

from firstspike.network.files import load_network, save_network
from firstspike.network.model import VERSION, Layer, Network

__all__ = ["VERSION", "Layer", "Network", "load_network", "save_network"]
