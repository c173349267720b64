"""Hybrid training: a converted network, then a few epochs with the gradient of its spikes.

Rathi, Srinivasan, Panda, Roy, ICLR 2020 (arXiv 2005.01807); formulas from the paper, nothing of its
code. A network of ReLUs without biases is trained and its thresholds balanced. That network needs
many steps; from its weights and thresholds, one to three epochs of backpropagation through time
give one that needs few. Neurons integrate without a leak, fire above their threshold and lose it;
the outputs add up, and the loss is the cross-entropy of their potentials.

What differs: pixels are numbers in every step, or random spikes, but never signed ones; a spike is
heard by the next layer in the step it is sent in, not one later; logits are the potentials times a
constant, so that training starts at the scale that the trained network had.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import torch

from firstspike.methods.balancing import ReluNet, balance, spiking
from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.spiking import SpikingNet
from firstspike.methods.surrogate import Exponential, Surrogate, Triangle
from firstspike.methods.variant import Progress, Variant
from firstspike.spec import InputCoding
from firstspike.train.batches import Splits

__all__ = ["train"]


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: converted at each number of steps, and trained on where they are few.

    With the option ``loose``, also converted with thresholds of that scaling.
    """
    options = recipe.options
    coding = InputCoding.RATE if options["random"] else InputCoding.DIRECT
    torch.manual_seed(seed)
    model = ReluNet(
        [splits.shape[0] * splits.shape[1], *recipe.hidden, 10], recipe.training.hidden_dropout
    )
    few = [steps for steps in recipe.steps if steps <= options["few"]]
    # A step of an epoch of a spiking network costs about what an epoch of the other does.
    work = recipe.training.epochs + sum(few) * options["epochs"]
    done = 0.0

    def advance(epochs: float):
        nonlocal done
        begin, done = done, done + epochs
        return lambda share: progress((begin + share * epochs) / work)

    fit(model, recipe, splits, seed, advance(recipe.training.epochs))
    float_accuracy = accuracy(model, splits.test_images, splits.test_labels)
    inputs = numbers(splits.train_images[: int(options["calibration"])])

    def balanced(scaling: float) -> list[float]:
        return balance(model, inputs, steps=max(recipe.steps), scaling=scaling, coding=coding)

    thresholds = balanced(options["scaling"])
    rules: dict[str, Any] = {"surrogate": _surrogate(options), "coding": coding}
    starts = {"converted": thresholds}
    if options["loose"]:
        starts["loose"] = balanced(options["loose"])
    variants = []
    for (name, levels), steps in itertools.product(starts.items(), recipe.steps):
        net = spiking(model, levels, steps=steps, **rules)
        known = {"float_accuracy": float_accuracy, "thresholds": levels}
        variants.append(_variant(f"{name}-{steps}", net, recipe, splits, known))
    facts = {"float_accuracy": float_accuracy, "thresholds": thresholds}
    tuning = replace(
        recipe,
        training=replace(
            recipe.training, epochs=int(options["epochs"]), learning_rate=options["tuning_rate"]
        ),
    )
    for steps in few:
        net = spiking(
            model,
            thresholds,
            steps=steps,
            **rules,
            dropout=recipe.training.hidden_dropout,
        )
        fit(net, tuning, splits, seed, advance(steps * options["epochs"]))
        variants.append(
            _variant(
                f"hybrid-{steps}", net, recipe, splits, facts | {"epochs": tuning.training.epochs}
            )
        )
    return variants


def _surrogate(options: dict[str, float]) -> Surrogate:
    """Return the slope: of steps since a spike if it is to decay with them, else a triangle."""
    if options["decay"]:
        return Exponential(options["height"], options["decay"])
    return Triangle(options["width"], options["height"])


def _variant(
    name: str, net: SpikingNet, recipe: MethodRecipe, splits: Splits, facts: dict
) -> Variant:
    floats = net.to_floats(recipe.name, splits.shape)
    quantized = quantize_network(floats, recipe.weight_bits)
    validation = accuracy(net, splits.validation_images, splits.validation_labels)
    return Variant(
        name,
        quantized.network,
        floats,
        facts | {"validation_accuracy": validation, "weight_error": quantized.errors},
    )
