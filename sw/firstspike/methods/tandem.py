"""Progressive tandem learning: layer after layer of a trained network starts to spike.

Wu, Xu, Han, Zhou, Zhang, Li, Tan, TPAMI 2021 (arXiv 2007.01204); formulas from the paper, nothing
of its code. A network of ReLUs is trained. Then, for each layer in turn: its threshold becomes the
99.9th percentile of its activations, divided by the steps, so that a count of spikes stands for an
activation; its weights, biases and threshold are rounded as the core has them; it is trained with
all layers behind it, and frozen. Forward, a spiking layer gives its counts; back, the gradient goes
through the ReLU with the same weights and the counts that came in. Layers behind make up for what
rounding cost.

Pixels come once, as numbers; neurons keep what is above their threshold. So in the first layer a
count is ``clip(floor(current / theta), 0, T)`` exactly. Behind it spikes come one by one, and a
neuron may fire before what speaks against it has arrived: `count_gaps` tells how often.

With the option ``budgets``, networks of 8, 4 and 2 bits are made, and networks whose neurons have
at most so many synapses, the largest when their layer's turn comes. The layers behind make up for
that as well.

What differs: a fixed number of epochs for each layer, not patience; dense layers without
normalisation; a bias is added at the start, not in shares of a step.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import torch

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods.fitting import accuracy, fit, numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.tandem_net import TandemNet
from firstspike.methods.variant import Progress, Variant
from firstspike.network import MultiSpikeNetwork
from firstspike.train.batches import Splits

__all__ = ["count_gaps", "train"]

_CALIBRATION = 1000
_BITS = (8, 4, 2)
_FAN_INS = (128, 32, 8)


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks, for each number of steps, all from one trained network.

    One for each, or, with ``budgets``, one for each number of bits and limit of synapses.

    Raises
    ------
    InputError
        If weights are to have one bit, or a layer is silent.
    """
    if recipe.weight_bits == 1:
        raise InputError(f"{recipe.path}: weight_bits: is 1, must be in 2..8 for tandem learning")
    options = recipe.options
    sizes = [splits.shape[0] * splits.shape[1], *recipe.hidden, 10]
    stage = replace(
        recipe,
        training=replace(
            recipe.training,
            epochs=int(options["stage_epochs"]),
            learning_rate=options["stage_rate"],
        ),
    )
    fan_in = int(options["fan_in"])
    # What stands for each in a name, its bits, and its limit.
    budgets = {"": (recipe.weight_bits, fan_in)}
    if options["budgets"]:
        budgets = {f"-{bits}bit": (bits, fan_in) for bits in _BITS}
        budgets |= {f"-fan{most}": (recipe.weight_bits, most) for most in _FAN_INS}
    stages = len(budgets) * len(recipe.steps) * (len(sizes) - 1)
    work = recipe.training.epochs + stages * stage.training.epochs
    done = 0

    def part(epochs: int) -> Progress:
        nonlocal done
        begin, done = done, done + epochs
        return lambda share: progress((begin + share * epochs) / work)

    def fresh(steps: int, bits: int, fan_in: int) -> TandemNet:
        return TandemNet(
            sizes,
            steps=steps,
            bits=bits,
            dropout=recipe.training.hidden_dropout,
            fan_in=fan_in,
        )

    torch.manual_seed(seed)
    relus = fresh(1, recipe.weight_bits, 0)
    fit(relus, recipe, splits, seed, part(recipe.training.epochs))
    facts = {"float_accuracy": accuracy(relus, splits.test_images, splits.test_labels)}
    calibration = numbers(splits.train_images[:_CALIBRATION])
    variants = []
    for steps, (name, (bits, most)) in itertools.product(recipe.steps, budgets.items()):
        model = fresh(steps, bits, most)
        model.load_state_dict(relus.state_dict())
        course = []
        for _ in model.dense:
            model.advance(calibration)
            fit(model, stage, splits, seed, part(stage.training.epochs))
            course.append(accuracy(model, splits.validation_images, splits.validation_labels))
        model.freeze()
        floats = model.to_floats(recipe.name, splits.shape)
        quantized = quantize_network(floats, bits)
        found = {
            "fan_in": most,
            "validation_accuracy": course[-1],
            "validation_by_stage": course,
            "count_gaps": count_gaps(quantized.network, splits.validation_images.numpy()),
            "weight_error": quantized.errors,
        }
        variants.append(Variant(f"tandem{name}-{steps}", quantized.network, floats, facts | found))
    return variants


def count_gaps(network: MultiSpikeNetwork, images: np.ndarray) -> list[float]:
    """Return, by hidden layer, the share of counts that are not the quantised activation.

    That is ``clip(floor(current / theta), 0, T)``, for the current of all spikes that came in.

    Parameters
    ----------
    network : MultiSpikeNetwork
        Of the coding ``once``, whose layers neither leak nor have biases by step.
    images : ndarray of uint8, shape (n, rows, columns)
        Images.
    """
    outcome = run_multispike(network, images)
    arrived = images.reshape(len(images), -1).astype(np.int64) >> (8 - network.input_bits)
    gaps = []
    for layer in network.layers:
        if layer.threshold is None:
            continue
        current = arrived @ layer.weights + (0 if layer.initial is None else layer.initial)
        expected = (current // layer.threshold).clip(0, network.steps)
        arrived = outcome.spike_count[layer.name].astype(np.int64)
        gaps.append(float((arrived != expected).mean()))
    return gaps
