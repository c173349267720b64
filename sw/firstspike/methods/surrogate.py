"""Slopes that stand in for the derivative of a spike, which is 0 nearly everywhere.

All are functions of ``z = V / theta - 1``, which is 0 where a neuron just fires, or of the steps
since it last fired. Formulas from the papers: `Triangle` and `Exponential` from Rathi et al., ICLR
2020 (arXiv 2005.01807), whose constants are the defaults; `ZerothOrder` from Mukhoty et al.,
NeurIPS 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = [
    "Arctangent",
    "Exponential",
    "Gaussian",
    "Sigmoid",
    "Surrogate",
    "Triangle",
    "Watched",
    "ZerothOrder",
    "fire",
]


class Surrogate(Protocol):
    """What gives slopes."""

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes by ``z``, all of one shape.

        Parameters
        ----------
        z : Tensor of float32
            Potentials in thresholds, less 1.
        since : Tensor of float32
            Steps since a neuron fired last before this one, 1 or more; large if it never did.
        """
        ...


@dataclass(frozen=True, slots=True)
class Triangle:
    """``height * max(0, 1 - |z| / width)``."""

    width: float = 1.0
    height: float = 0.3

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        return self.height * (1 - z.abs() / self.width).clamp(min=0)


@dataclass(frozen=True, slots=True)
class Exponential:
    """``height * exp(-decay * since)``: what spiked of late learns, however far from firing."""

    height: float = 0.3
    decay: float = 0.01

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        return self.height * (-self.decay * since).exp()


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """The derivative of ``1 / (1 + exp(-steepness * z))``."""

    steepness: float = 4.0

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        value = (self.steepness * z).sigmoid()
        return self.steepness * value * (1 - value)


@dataclass(frozen=True, slots=True)
class Arctangent:
    """The derivative of ``arctan(pi steepness z / 2) / pi``: it reaches far."""

    steepness: float = 2.0

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        return self.steepness / 2 / (1 + (math.pi / 2 * self.steepness * z) ** 2)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """The density of a normal distribution of deviation ``delta``."""

    delta: float = 0.5

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        height = 1 / (self.delta * math.sqrt(2 * math.pi))
        return height * (-0.5 * (z / self.delta) ** 2).exp()


@dataclass(frozen=True, slots=True)
class ZerothOrder:
    """LocalZO: mean over ``samples`` normal ``x`` of ``|x| / (2 delta)`` where ``|z| < |x| delta``.

    It is a difference quotient of the spike itself, over a random distance. Far from the threshold
    it is exactly 0. Its mean is `mean`. Draws from torch's global generator.
    """

    delta: float = 0.5
    samples: int = 5

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        total = torch.zeros_like(z)
        far = z.abs() / self.delta
        for _ in range(self.samples):
            distance = torch.randn_like(z).abs()
            total += torch.where(far < distance, distance, 0.0)
        return total / (2 * self.delta * self.samples)

    @property
    def mean(self) -> Gaussian:
        """The surrogate that this one is on average."""
        return Gaussian(self.delta)


class Watched:
    """A surrogate of which is known how many slopes were not 0.

    Parameters
    ----------
    surrogate : Surrogate
        The one that is watched.
    """

    def __init__(self, surrogate: Surrogate) -> None:
        self._surrogate = surrogate
        self._active = 0
        self._all = 0

    def slope(self, z: Tensor, since: Tensor) -> Tensor:
        """Return slopes; see `Surrogate`."""
        slopes = self._surrogate.slope(z, since)
        self._active += int(slopes.count_nonzero())
        self._all += slopes.numel()
        return slopes

    @property
    def share(self) -> float:
        """Share of slopes that were not 0."""
        return self._active / self._all


def fire(
    potential: Tensor, threshold: float, strict: bool, surrogate: Surrogate, since: Tensor
) -> Tensor:
    """Return 1 where a neuron fires, 0 elsewhere, with the slopes of ``surrogate``.

    Parameters
    ----------
    potential, since : Tensor of float32, shape (n, neurons)
        See `Surrogate`.
    threshold : float
        At which neurons fire.
    strict : bool
        They fire above it, not at it.
    surrogate : Surrogate
        Of what goes back.
    """
    with torch.no_grad():
        fires = potential > threshold if strict else potential >= threshold
        slope = surrogate.slope(potential / threshold - 1, since) / threshold
    # The second term is 0, and has the gradient.
    return fires.to(potential.dtype) + slope * (potential - potential.detach())
