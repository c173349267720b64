"""Deep networks trained with slopes whose height is tuned, so that gradients neither die nor grow.

Ledinauskas, Ruseckas, Jursenas, Buracas 2020 (arXiv 2006.04436), who tune the slope and normalise
the currents; what follows is ours, from those two ideas. An error passes one slope for each layer
that it goes back through. So the gradient of the spikes of the first hidden layer, over that of the
last of H, is proportional to ``height^(H - 1)``: one batch tells the height at which both are
equally large (root mean square),

    height <- height * (rms last / rms first)^(1 / (H - 1))

The normalisation of currents is folded into weights and biases in the end.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

from firstspike.errors import InputError
from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Triangle
from firstspike.methods.variant import Progress, Variant
from firstspike.train.batches import Splits

__all__ = ["gradients", "train", "tuned_height"]


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, with the recipe's height and the tuned one.

    With the option ``deepest``, that for depths of 2, 4, 8 and so on, of layers as wide as the
    first one.

    Raises
    ------
    InputError
        If there is one hidden layer, or no gradient reaches the first one.
    """
    deepest = int(recipe.options["deepest"])
    stacks = _stacks(recipe.hidden[0], deepest) if deepest else {"": recipe.hidden}
    if min(len(hidden) for hidden in stacks.values()) < 2:
        raise InputError(
            f"{recipe.path}: hidden: is {list(recipe.hidden)}, must name two layers or more for "
            "slopes to be tuned"
        )
    batch = recipe.training.batch
    images, labels = numbers(splits.train_images[:batch]), splits.train_labels[:batch]
    # Deep networks take longer.
    work = 2 * len(recipe.steps) * sum(len(hidden) for hidden in stacks.values())
    done = 0
    variants: list[Variant] = []
    for steps, (depth, hidden) in itertools.product(recipe.steps, stacks.items()):
        given = Triangle(recipe.options["width"], recipe.options["height"])
        trial = _net(recipe, hidden, splits, seed, steps, given)
        found = tuned_height(gradients(trial, images, labels))
        tuned = Triangle(given.width, given.height * found)
        for name, surrogate in (("untuned", given), ("tuned", tuned)):
            net = _net(recipe, hidden, splits, seed, steps, surrogate)
            facts = {
                "depth": len(hidden),
                "height": surrogate.height,
                "gradients": gradients(net, images, labels),
            }
            begin, part = done, len(hidden)
            done += part
            fit(
                net,
                recipe,
                splits,
                seed,
                lambda share, begin=begin, part=part: progress((begin + share * part) / work),
            )
            floats = net.to_floats(recipe.name, splits.shape)
            quantized = quantize_network(floats, recipe.weight_bits)
            facts |= {
                "gradients_after": gradients(net, images, labels),
                "float_accuracy": accuracy(net, splits.test_images, splits.test_labels),
                "validation_accuracy": accuracy(
                    net, splits.validation_images, splits.validation_labels
                ),
                "weight_error": quantized.errors,
            }
            variants.append(Variant(f"{name}{depth}-{steps}", quantized.network, floats, facts))
    return variants


def _stacks(width: int, deepest: int) -> dict[str, tuple[int, ...]]:
    """Return hidden layers by what stands for their number in the name of a network."""
    depths = itertools.takewhile(lambda depth: depth <= deepest, (2**n for n in itertools.count(1)))
    return {f"-deep{depth}": (width,) * depth for depth in depths}


def gradients(net: SpikingNet, inputs: Tensor, labels: Tensor) -> list[float]:
    """Return, by hidden layer, the root mean square of the gradient of its spikes.

    Parameters
    ----------
    net : SpikingNet
        Whose outputs add up.
    inputs : Tensor of float32, shape (n, pixels)
        Pixels 0..1.
    labels : Tensor of int64, shape (n,)
        Classes.
    """
    course = net.train().run(inputs)
    hidden = list(course.spikes.values())[:-1]
    loss = functional.cross_entropy(course.potential * net.gain, labels)
    found = torch.autograd.grad(loss, hidden)
    return [float(gradient.square().mean().sqrt()) for gradient in found]


def tuned_height(found: list[float]) -> float:
    """Return how many times as high slopes must be, for `gradients` that were found.

    Raises
    ------
    InputError
        If no gradient reaches the first layer.
    """
    first, last = found[0], found[-1]
    if not first > 0:
        raise InputError(
            "options.width: no gradient reaches the first hidden layer; make the slopes wider"
        )
    return (last / first) ** (1 / (len(found) - 1))


def _net(
    recipe: MethodRecipe,
    hidden: tuple[int, ...],
    splits: Splits,
    seed: int,
    steps: int,
    surrogate: Triangle,
) -> SpikingNet:
    """Return the network that training starts with, the same for a seed."""
    torch.manual_seed(seed)
    return SpikingNet(
        [splits.shape[0] * splits.shape[1], *hidden, 10],
        [*(Rule(1.0) for _ in hidden), Rule(None)],
        steps=steps,
        surrogate=surrogate,
        bias=True,
        norm=True,
        dropout=recipe.training.hidden_dropout,
        gain=1 / steps,
    )
