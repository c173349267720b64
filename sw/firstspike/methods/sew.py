"""Residual blocks of spikes: deep stacks whose blocks start as the identity.

Fang, Yu, Chen, Huang, Masquelier, Tian, NeurIPS 2021 (arXiv 2102.04159); formulas from the paper. A
block gets spikes ``s``, makes ``a`` of them by two layers, and hands on

    ADD  a + s        AND  a s        IAND  s (1 - a)

Currents are normalised, and the last normalisation of a block starts with a factor of 0: its
neurons are silent at first, or, for AND, fire in every step, so that the block hands on what it
got. Normalisation is folded into weights and biases in the end. ADD hands on numbers. On the core
they are the spikes of all layers that were added up, each with the same weights; AND and IAND are
layers of neurons that forget (docs/semantics.md, section 11.3).

For comparison, the same layers are trained without joins, `plain`, from where normalisation
usually starts, a factor of 1.

What differs: dense layers, and networks that are small enough for a core, or deep.
"""

from __future__ import annotations

import torch

from firstspike.errors import InputError
from firstspike.methods.fitting import accuracy, fit
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.sew_net import Join, SewNet
from firstspike.methods.surrogate import Sigmoid
from firstspike.methods.variant import Progress, Variant
from firstspike.train.batches import Splits

__all__ = ["train"]


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, one for each join, and one without.

    Raises
    ------
    InputError
        If there is more than one width.
    """
    if len(recipe.hidden) != 1:
        raise InputError(
            f"{recipe.path}: hidden: is {list(recipe.hidden)}, must name one width, that of all "
            "layers of a residual network"
        )
    joins = [join for join in Join if recipe.options[join] > 0]
    parts = len(recipe.steps) * len(joins)
    variants: list[Variant] = []
    for steps in recipe.steps:
        for join in joins:
            torch.manual_seed(seed)
            net = SewNet(
                splits.shape[0] * splits.shape[1],
                recipe.hidden[0],
                10,
                blocks=int(recipe.options[join]),
                join=join,
                steps=steps,
                surrogate=Sigmoid(recipe.options["slope"]),
            )
            begin = len(variants)
            fit(net, recipe, splits, seed, lambda done, n=begin: progress((n + done) / parts))
            floats = net.to_floats(recipe.name, splits.shape)
            quantized = quantize_network(floats, recipe.weight_bits)
            facts = {
                "blocks": len(net.pairs),
                "float_accuracy": accuracy(net, splits.test_images, splits.test_labels),
                "validation_accuracy": accuracy(
                    net, splits.validation_images, splits.validation_labels
                ),
                "weight_error": quantized.errors,
            }
            variants.append(Variant(f"{join}-{steps}", quantized.network, floats, facts))
    return variants
