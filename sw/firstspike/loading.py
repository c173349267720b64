"""From a network of any kind to what is written into a core of any kind."""

from __future__ import annotations

from firstspike.learning.image import network_image
from firstspike.memimage import Write, memory_image
from firstspike.multispike_image import multispike_image
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.spec import CoreSpec

__all__ = ["image_of"]


def image_of(network: AnyNetwork, core: CoreSpec, *, early_exit: bool = True) -> list[Write]:
    """Return all writes that load ``network`` into ``core``.

    Parameters
    ----------
    network : Network or MultiSpikeNetwork
        What to run.
    core : CoreSpec
        Where.
    early_exit : bool
        End a stimulus with the step of its first output spike; a multi-spike network has no such
        step.

    Raises
    ------
    InputError
        If the network does not fit.
    """
    if isinstance(network, MultiSpikeNetwork):
        return multispike_image(network, core)
    image = network_image if core.learning else memory_image
    return image(network, core, early_exit=early_exit)
