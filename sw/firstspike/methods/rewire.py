"""The optimizer of gradient rewiring: connections that come and go while weights are found.

Chen, Yu, Fang, Huang, Tian, IJCAI 2021 (arXiv 2105.04916); formulas from the paper. A weight is
``w = s max(theta, 0)``, with a sign ``s`` that never changes. A connection whose ``theta`` is below
0 is dead, but its gradient is still found, as if it were alive, so it may come back. With the
running means ``m`` of the gradient by ``w`` and ``v`` of its square, as Adam has them, in step k

    eta      = rate / (1 - 0.9^k)
    s theta <- s theta - eta m / (sqrt(v / (1 - 0.999^k)) + eps) - alpha eta sign(theta - mu) s

The last term comes from a Laplace distribution of ``theta``, as a prior: its steepness is
``alpha``, and its middle, ``mu = ln(2 (1 - p)) / alpha``, is where a share of ``p`` is below 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from firstspike.methods.quantize import scale_for
from firstspike.spec import WeightKind, weight_range

__all__ = ["Rewire", "laplace_middle"]

_BETAS = (0.9, 0.999)
_EPS = 1e-8
#: Steps after which it is chosen anew what an integer weight of 1 stands for.
_RESCALE = 100


def laplace_middle(sparsity: float, steepness: float) -> float:
    """Return the middle of the Laplace distribution that has ``sparsity`` of it below 0.

    Parameters
    ----------
    sparsity : float
        0.5 or more, below 1.
    steepness : float
        One over the distribution's scale.
    """
    return math.log(2 * (1 - sparsity)) / steepness


@dataclass(slots=True, eq=False)
class _Synapses:
    """Of one array of weights: ``s``, ``theta``, and moments of the gradient."""

    sign: Tensor
    theta: Tensor
    first: Tensor
    second: Tensor
    held: Tensor | None = None
    scale: float | None = None


class Rewire(torch.optim.Optimizer):
    """Rewires all that it is given; starts with ``theta = |w|``.

    Parameters
    ----------
    parameters : iterable of Parameter
        Weights.
    lr : float
        Rate.
    steepness : float
        ``alpha`` of the prior; 0: there is none.
    sparsity : float
        ``p`` of the prior.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        lr: float,
        *,
        steepness: float = 0.0,
        sparsity: float = 0.5,
    ) -> None:
        super().__init__(parameters, {"lr": lr})
        self.steepness = steepness
        self.sparsity = sparsity
        self._wanted: Callable[[int], float] | None = None
        #: Steepness of the prior, for each factor of e that the share is above the wanted one.
        self.gain = 1.0
        self._done = 0
        self._bits = 0
        self._all: list[tuple[dict[str, Any], torch.nn.Parameter, _Synapses]] = []
        for group in self.param_groups:
            for weight in group["params"]:
                sign = torch.where(weight.detach() < 0, -1.0, 1.0)
                theta = weight.detach().abs().clone()
                none = torch.zeros_like(theta)
                self._all.append((group, weight, _Synapses(sign, theta, none, none.clone())))

    @property
    def share(self) -> float:
        """Share of connections that are alive."""
        alive = sum(int((part.theta > 0).sum()) for _, _, part in self._all)
        return alive / sum(part.theta.numel() for _, _, part in self._all)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore
        """Change all weights, by gradients that autograd left; there is no closure to call."""
        self._done += 1
        self._steer()
        for group, weight, part in self._all:
            assert weight.grad is not None
            part.first.lerp_(weight.grad, 1 - _BETAS[0])
            part.second.lerp_(weight.grad.square(), 1 - _BETAS[1])
            eta = group["lr"] / (1 - _BETAS[0] ** self._done)
            spread = (part.second / (1 - _BETAS[1] ** self._done)).sqrt() + _EPS
            change = part.sign * eta * part.first / spread
            if self.steepness and part.held is None:
                middle = laplace_middle(self.sparsity, self.steepness)
                change += self.steepness * eta * (part.theta - middle).sign()
            part.theta -= change if part.held is None else change * part.held
            # The fewer weights there are, the larger they have to become.
            if part.scale is not None and self._done % _RESCALE == 0:
                part.scale = self._scale(part)
            self._put(weight, part)

    def _steer(self) -> None:
        """Make the prior as steep as the share that is alive is above the one that is wanted."""
        if self._wanted is not None:
            # Of none, the logarithm is not known.
            above = math.log(max(self.share, 1e-9) / self._wanted(self._done))
            self.steepness = self.gain * max(0.0, above)

    def restart(self, sparsity: float, wanted: Callable[[int], float]) -> None:
        """Let the prior lead to a share, from moments of 0.

        Parameters
        ----------
        sparsity : float
            ``p`` of the prior.
        wanted : callable
            From the number of steps that were done to the share that is to be alive by then.
        """
        self.sparsity, self._wanted = sparsity, wanted
        self._forget()

    @torch.no_grad()
    def hold(self, share: float, bits: int) -> None:
        """Keep the largest ``theta``; from now on those alone change, and weights are rounded.

        Parameters
        ----------
        share : float
            Of connections that are kept.
        bits : int
            Of a weight.
        """
        everything = torch.cat([part.theta.flatten() for _, _, part in self._all])
        count = max(1, int(share * everything.numel()))
        least = everything.topk(count).values[-1].clamp(min=0)
        self._bits = bits
        self._wanted, self.steepness = None, 0.0
        self._forget()
        for _, weight, part in self._all:
            part.held = (part.theta >= least) & (part.theta > 0)
            # What is dead can come back once it is let go again.
            part.theta = torch.where(part.held, part.theta, part.theta.clamp(max=0))
            part.scale = self._scale(part)
            self._put(weight, part)

    @torch.no_grad()
    def release(self) -> None:
        """Let all connections change again, and weights be any number."""
        for _, weight, part in self._all:
            part.held = part.scale = None
            self._put(weight, part)

    def _forget(self) -> None:
        self._done = 0
        for _, _, part in self._all:
            part.first.zero_()
            part.second.zero_()

    def _scale(self, part: _Synapses) -> float:
        """Return what an integer weight of 1 stands for."""
        return scale_for((part.theta.clamp(min=0)).double().numpy(), self._bits)

    def _put(self, weight: torch.nn.Parameter, part: _Synapses) -> None:
        value = part.sign * part.theta.clamp(min=0)
        if part.scale is not None:
            top = weight_range(WeightKind.SIGNED, self._bits)[1]
            value = (value / part.scale).round().clamp(-top, top) * part.scale
        weight.copy_(value)
