"""Weights in floating point become integers in the forward pass; gradients go straight through."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from firstspike.spec import WeightKind, weight_range

__all__ = ["clip_latent", "largest", "quantize"]


class _StraightThrough(torch.autograd.Function):
    """Forward: a rounded value. Backward: as if it had not been rounded."""

    @staticmethod
    def forward(ctx: Any, latent: Tensor, value: Tensor) -> Tensor:
        return value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return gradient, None


def largest(kind: WeightKind, bits: int) -> int:
    """Return the largest integer weight."""
    return weight_range(kind, bits)[1]


def quantize(latent: Tensor, kind: WeightKind, bits: int) -> Tensor:
    """Return integer weights, as floating point, whose gradient is that of ``latent``.

    Parameters
    ----------
    latent : Tensor of float32
        1.0 stands for the largest weight; beyond it weights are clipped.
    kind : WeightKind
        ``signed``: round to the nearest. ``pm1``: the sign, and +1 for 0.
    bits : int
        Bits of a weight, 1..8.

    Returns
    -------
    Tensor of float32
        Integers within `firstspike.spec.weight_range`. The gradient is scaled as by
        ``largest(kind, bits)``, the factor between latent and integer weights.
    """
    top = largest(kind, bits)
    scaled = latent * top
    with torch.no_grad():
        if kind is WeightKind.PM1:
            value = torch.where(latent >= 0, 1.0, -1.0)
        else:
            value = scaled.round().clamp(-top, top)
    result = _StraightThrough.apply(scaled, value)
    assert isinstance(result, Tensor)
    return result


def clip_latent(latent: Tensor) -> None:
    """Keep latent weights in -1..1 after an update, so that none gets stuck far outside."""
    with torch.no_grad():
        latent.clamp_(-1.0, 1.0)
