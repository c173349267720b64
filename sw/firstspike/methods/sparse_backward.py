"""Products of a backward pass that go through active neurons alone, and what that gains.

Where the slope of a spike is exactly 0, so may the gradient by its current be, and all of its
products with weights and with what was sent are 0. Here those are left out: for each entry that is
not 0, a row of the weights, or of what was sent, is added up. Results are those of the dense
products, but for rounding. Normalised currents have no such gradient, for a mean of the batch goes
into all of its entries.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SparseLinear", "backward_times", "dense_products", "sparse_products"]

_REPEATS = 5


def dense_products(gradient: Tensor, sent: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by what was sent, and by the weights.

    Parameters
    ----------
    gradient : Tensor of float32, shape (n, neurons)
        By the currents.
    sent : Tensor of float32, shape (n, inputs)
        Spikes or numbers that came in.
    weight : Tensor of float32, shape (neurons, inputs)
        Of the layer.
    """
    return gradient @ weight, gradient.t() @ sent


def sparse_products(gradient: Tensor, sent: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `dense_products` does, from entries of ``gradient`` that are not 0."""
    return _gathered(gradient, weight), _gathered(gradient.t(), sent)


def _gathered(left: Tensor, right: Tensor) -> Tensor:
    """Return the product of both, from rows of ``right`` that an entry of ``left`` asks for."""
    row, column = left.nonzero(as_tuple=True)
    starts = torch.searchsorted(row, torch.arange(len(left)))
    values = left[row, column]
    return functional.embedding_bag(column, right, starts, mode="sum", per_sample_weights=values)


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sent: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(sent, weight)
        return sent @ weight.t()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor]:
        sent, weight = ctx.saved_tensors
        by_sent, by_weight = sparse_products(gradients[0], sent, weight)
        return by_sent if ctx.needs_input_grad[0] else None, by_weight


class SparseLinear(nn.Linear):
    """A dense layer whose backward pass goes through active neurons alone."""

    def forward(self, input: Tensor) -> Tensor:
        """Return currents (n, neurons) of what is sent (n, inputs)."""
        currents = _Products.apply(input, self.weight)
        return currents if self.bias is None else currents + self.bias


def backward_times(
    n: int, inputs: int, neurons: int, share: float, seed: int = 0
) -> dict[str, float]:
    """Measure both kinds of products on random numbers.

    Parameters
    ----------
    n, inputs, neurons : int
        Images, and the layer's size.
    share : float
        Of the gradient's entries that are not 0.
    seed : int
        Of the numbers.

    Returns
    -------
    dict
        What was asked for, the shortest ``dense`` and ``sparse`` time in milliseconds, and their
        quotient ``speedup``, above 1 where sparse products are faster.
    """
    draw = torch.Generator().manual_seed(seed)
    active = torch.rand(n, neurons, generator=draw) < share
    gradient = torch.randn(n, neurons, generator=draw) * active
    sent = (torch.rand(n, inputs, generator=draw) < 0.5).float()
    weight = torch.randn(neurons, inputs, generator=draw)
    taken = []
    for products in (dense_products, sparse_products):
        products(gradient, sent, weight)
        best = float("inf")
        for _ in range(_REPEATS):
            start = time.perf_counter()
            products(gradient, sent, weight)
            best = min(best, time.perf_counter() - start)
        taken.append(1000 * best)
    dense, sparse = taken
    return {
        "images": n,
        "inputs": inputs,
        "neurons": neurons,
        "share": float(active.float().mean()),
        "dense": dense,
        "sparse": sparse,
        "speedup": dense / sparse,
    }
