"""What a method leaves behind: a multi-spike network in floating point, before it is quantised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.errors import InputError
from firstspike.spec import InputCoding, Reset

__all__ = ["FloatLayer", "FloatNetwork"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FloatLayer:
    """A dense layer, by the rule of docs/semantics.md, section 11.2, in floating point.

    Spikes count 1: a method whose spikes carry a value has it folded into the next layer.

    Parameters
    ----------
    name : str
        Unique in the network.
    weights : ndarray of float64, shape (inputs, neurons)
        Rows of all sources, one after the other.
    sources : tuple of str
        Layers before it, or ``input``.
    threshold : float or None
        At which a neuron fires; None: it never does, and its potential is what is read.
    strict : bool
        It fires above its threshold, not at it.
    reset : Reset
        What becomes of the potential then.
    leak, current_leak : int or None
        Shifts; see `firstspike.network.MultiSpikeLayer`.
    once : bool
        A neuron fires at most once.
    bias : ndarray of float64, shape (1, neurons) or (steps, neurons), or None
        Added in every step.
    initial : ndarray of float64, shape (neurons,), or None
        Potentials that a stimulus starts with.
    mask : ndarray of bool, shape (inputs, neurons), or None
        Which synapses there are.

    Raises
    ------
    InputError
        If a number is not finite, or shapes disagree.
    """

    name: str
    weights: np.ndarray
    sources: tuple[str, ...]
    threshold: float | None
    strict: bool = False
    reset: Reset = Reset.SOFT
    leak: int | None = None
    current_leak: int | None = 0
    once: bool = False
    bias: np.ndarray | None = None
    initial: np.ndarray | None = None
    mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        neurons = self.weights.shape[-1]
        for name, array, wide in (
            ("weights", self.weights, 2),
            ("bias", self.bias, 2),
            ("initial", self.initial, 1),
        ):
            if array is None:
                continue
            if array.ndim != wide or array.shape[-1] != neurons:
                raise InputError(f"layer {self.name!r}: {name} has the shape {array.shape}")
            if not np.isfinite(array).all():
                place = np.argwhere(~np.isfinite(array))[0].tolist()
                raise InputError(f"layer {self.name!r}: {name}{place} is not a finite number")
        if self.threshold is not None and not 0 < self.threshold < float("inf"):
            raise InputError(
                f"layer {self.name!r}: threshold is {self.threshold}, must be above 0 and finite"
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FloatNetwork:
    """Layers, and how pixels come in: as numbers 0..1, or as spikes.

    Parameters
    ----------
    name : str
        For reports.
    layers : tuple of FloatLayer
        The last one is the output.
    steps : int
        Steps of a stimulus.
    coding : InputCoding
        How pixels come in.
    shape : tuple of int
        Rows and columns of an image.
    labels : tuple of int
        Class of each output neuron.
    input_bits : int
        Bits of a pixel that are used.
    intensity_min : int
        Pixels below it never spike (LATENCY).
    """

    name: str
    layers: tuple[FloatLayer, ...]
    steps: int
    coding: InputCoding
    shape: tuple[int, int]
    labels: tuple[int, ...]
    input_bits: int = 8
    intensity_min: int = 1
