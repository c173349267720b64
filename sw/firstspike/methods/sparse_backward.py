"""Products of a backward pass that go through active neurons alone, and what that gains.

Where the slope of a spike is exactly 0, so may the gradient by its current be, and all of its
products with weights and with what was sent are 0. Here those are left out: for each entry that is
not 0, a row of the weights, or of what was sent, is added up. Results are those of the dense
products, but for rounding. Normalised currents have no such gradient, for a mean of the batch goes
into all of its entries.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "SparseLinear",
    "backward_times",
    "dense_products",
    "observed_products",
    "random_products",
    "sparse_products",
]

_REPEATS = 15


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


def backward_times(gradient: Tensor, sent: Tensor, weight: Tensor) -> dict[str, float]:
    """Measure both kinds of products; see `dense_products`.

    Returns
    -------
    dict
        Sizes; ``share`` of the gradient's entries that are not 0; the shortest of 15 ``dense``
        and ``sparse`` processor times in milliseconds, and their quotient ``speedup``, above 1
        where sparse products are faster; and ``difference``, the largest between both results, as
        a share of the largest number of them.
    """
    both = (dense_products, sparse_products)
    results = [products(gradient, sent, weight) for products in both]
    taken = [float("inf"), float("inf")]
    # In turns, and of the processor, so that what else the machine does disturbs neither.
    for _ in range(_REPEATS):
        for number, products in enumerate(both):
            start = time.process_time()
            products(gradient, sent, weight)
            taken[number] = min(taken[number], 1000 * (time.process_time() - start))
    dense, sparse = taken
    far = [
        float((a - b).abs().max() / a.abs().max().clamp(min=1e-30))
        for a, b in zip(*results, strict=True)
    ]
    return {
        "images": len(gradient),
        "inputs": weight.shape[1],
        "neurons": weight.shape[0],
        "share": float((gradient != 0).float().mean()),
        "dense": dense,
        "sparse": sparse,
        "speedup": dense / sparse,
        "difference": max(far),
    }


def random_products(
    n: int, inputs: int, neurons: int, share: float, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Return numbers for `backward_times`, of a gradient with so many entries that are not 0."""
    draw = torch.Generator().manual_seed(seed)
    active = torch.rand(n, neurons, generator=draw) < share
    gradient = torch.randn(n, neurons, generator=draw) * active
    sent = (torch.rand(n, inputs, generator=draw) < 0.5).float()
    return gradient, sent, torch.randn(neurons, inputs, generator=draw)


def observed_products(
    layers: Sequence[nn.Linear], loss: Callable[[], Tensor]
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return what the backward pass of ``loss`` multiplies at each of ``layers``.

    Parameters
    ----------
    layers : sequence of Linear
        That a call of ``loss`` goes through.
    loss : callable
        Runs the network.

    Returns
    -------
    list of tuple of Tensor
        Gradient by the currents, what was sent, and weights; see `dense_products`.
    """
    seen: dict[int, tuple[Tensor, Tensor]] = {}

    def watch(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        output.retain_grad()
        seen[id(layer)] = (inputs[0].detach(), output)

    handles = [layer.register_forward_hook(watch) for layer in layers]
    loss().backward()
    for handle in handles:
        handle.remove()
    found = []
    for layer in layers:
        sent, output = seen[id(layer)]
        assert output.grad is not None
        found.append((output.grad, sent, layer.weight.detach()))
    return found
