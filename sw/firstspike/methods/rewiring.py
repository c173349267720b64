"""Gradient rewiring: networks with few connections, found while the weights are.

Chen, Yu, Fang, Huang, Tian, IJCAI 2021 (arXiv 2105.04916); `firstspike.methods.rewire` has the
rule. Neurons lose half of their potential in every step and start from 0 when they fire; there are
no biases. The authors' neuron takes in half of its current, ``V <- (V + I) / 2``, and fires at 1;
that is one that takes all of it, fires at 2, and loses half afterwards.

One training goes through all shares of connections, from the largest to the smallest. For each, the
prior rewires until the share is reached; then the connections are held, weights are rounded as the
core has them, and what is left is trained. What is dead may come back when the next share's turn
has come.

What differs: few epochs. A fixed prior takes hundreds to reach a share, so its steepness is steered
here. The loss is the cross-entropy of the outputs' mean potential, where the paper has the squared
error of their counts. Dense layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods.compaction import compact
from firstspike.methods.fitting import accuracy, fit
from firstspike.methods.floats import FloatLayer, FloatNetwork
from firstspike.methods.quantize import quantize_network
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.rewire import Rewire
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Arctangent
from firstspike.methods.variant import Progress, Variant
from firstspike.multispike_fit import check_multispike_fit
from firstspike.network import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.spec import Reset
from firstspike.train.batches import Splits

__all__ = ["falling", "live_operations", "rate_for", "train"]

#: Shares of the connections, behind all of them.
_SHARES = (0.3, 0.1, 0.03, 0.01, 0.0073)
#: Half of the potential is lost in a step.
_RULE = Rule(2.0, reset=Reset.HARD, leak=1)
#: Part of a rewiring in which the share falls; it stays in the rest.
_FALL = 0.6
_COUNTED = 1000


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps, one for each share of the connections.

    Raises
    ------
    InputError
        If weights are to have one bit.
    """
    if recipe.weight_bits == 1:
        raise InputError(f"{recipe.path}: weight_bits: is 1, must be in 2..8 for rewiring")
    options = recipe.options
    shares = [share for share in _SHARES if share >= options["least"]]
    rewired = int(options["rewire_epochs"])
    # How long connections are held, of all of them and of each share.
    held = [int(options["held_epochs"])] * len(shares) + [int(options["last_epochs"])]
    each = recipe.training.epochs + rewired * len(shares) + sum(held)
    work = each * len(recipe.steps)
    done = 0

    def part(epochs: int) -> Progress:
        nonlocal done
        begin, done = done, done + epochs
        return lambda share: progress((begin + share * epochs) / work)

    variants: list[Variant] = []
    for steps in recipe.steps:
        torch.manual_seed(seed)
        net = SpikingNet(
            [splits.shape[0] * splits.shape[1], *recipe.hidden, 10],
            [*([_RULE] * len(recipe.hidden)), Rule(None)],
            steps=steps,
            surrogate=Arctangent(),
            dropout=recipe.training.hidden_dropout,
            gain=1 / steps,
        )
        fit(net, recipe, splits, seed, part(recipe.training.epochs))
        # What was left out was, while all were there.
        net.dropout.p = 0.0
        rule = Rewire(net.parameters(), options["rewire_rate"])
        rule.gain = options["steepness"]
        for number, (share, epochs) in enumerate(zip((1.0, *shares), held, strict=True), 1):
            rate = rate_for(share, shares, recipe.training.learning_rate, options["rewire_rate"])
            stage = replace(recipe, training=replace(recipe.training, learning_rate=rate))
            facts: dict[str, Any] = {"rate": rate}
            order = seed + number
            if share < 1:
                before = [dense.weight != 0 for dense in net.dense]
                batches = rewired * (len(splits.train_labels) // recipe.training.batch)
                rule.restart(1 - share, falling(rule.share, share, round(_FALL * batches)))
                fit(net, stage, splits, order, part(rewired), epochs=rewired, optimizer=rule)
                pairs = zip(net.dense, before, strict=True)
                facts["came_back"] = sum(int((d.weight != 0)[~was].sum()) for d, was in pairs)
                facts["rewired_share"] = rule.share
            rule.hold(share, recipe.weight_bits)
            fit(net, stage, splits, order, part(epochs), epochs=epochs, optimizer=rule)
            name = f"rewired-{100 * share:.3g}" if share < 1 else "dense"
            full = net.to_floats(recipe.name, splits.shape)
            full = full if share == 1 else _masked(full)
            variants.append(_variant(f"{name}-{steps}", net, full, recipe, splits, facts))
            rule.release()
    return variants


def falling(start: float, end: float, steps: int) -> Callable[[int], float]:
    """Return the share that is wanted by the number of steps done: it falls by equal factors."""
    return lambda done: start * (end / start) ** min(1.0, done / steps)


def rate_for(share: float, shares: list[float], first: float, last: float) -> float:
    """Return the rate for a share: ``first`` for all connections, ``last`` for the fewest.

    In between, it is as far between them as the share is between these, both by their logarithms:
    the fewer weights there are, the larger they are.

    Parameters
    ----------
    share : float
        One of ``shares``, or 1.
    shares : list of float
        All that are below 1.
    first, last : float
        Rates.
    """
    least = min(shares, default=1.0)
    if least == 1:
        return first
    return first * (last / first) ** (math.log(share) / math.log(least))


def _variant(
    name: str,
    net: SpikingNet,
    full: FloatNetwork,
    recipe: MethodRecipe,
    splits: Splits,
    facts: dict[str, Any],
) -> Variant:
    floats = compact(full)
    quantized = quantize_network(floats, recipe.weight_bits)
    images = splits.validation_images[:_COUNTED].numpy()
    live = [int(_alive(layer).sum()) for layer in full.layers]
    found = {
        "connectivity": sum(live) / sum(layer.weights.size for layer in full.layers),
        "connections": sum(live),
        "connections_by_layer": live,
        "float_accuracy": accuracy(net, splits.test_images, splits.test_labels),
        "validation_accuracy": accuracy(net, splits.validation_images, splits.validation_labels),
        "live_operations": live_operations(quantized.network, images),
        "cycles_with_all_neurons": _cycles(
            quantize_network(full, recipe.weight_bits).network, images
        ),
        "weight_error": quantized.errors,
    }
    return Variant(name, quantized.network, floats, facts | found)


def _masked(network: FloatNetwork) -> FloatNetwork:
    """Return ``network`` with weights of 0 dead."""
    layers = [replace(layer, mask=layer.weights != 0) for layer in network.layers]
    return replace(network, layers=tuple(layers))


def live_operations(network: MultiSpikeNetwork, images: np.ndarray) -> float:
    """Return how many live synapses an image's numbers, once, and spikes go through, on average.

    Parameters
    ----------
    network : MultiSpikeNetwork
        Layers one behind the other.
    images : ndarray of uint8, shape (n, rows, columns)
        Images.
    """
    outcome = run_multispike(network, images)
    sent = images.reshape(len(images), -1) > 0
    total = 0
    for layer in network.layers:
        total += int((sent.sum(axis=0) * _alive(layer).sum(axis=1)).sum())
        sent = outcome.spike_count[layer.name].astype(np.int64)
    return total / len(images)


def _alive(layer: FloatLayer | MultiSpikeLayer) -> np.ndarray:
    """Return which synapses there are."""
    mask = layer.mask if isinstance(layer, FloatLayer) else layer.alive
    return np.ones(layer.weights.shape, bool) if mask is None else mask


def _cycles(network: MultiSpikeNetwork, images: np.ndarray) -> float | None:
    """Return the mean cycles of an image on the core `multispike`, if the network fits it."""
    core = PRESETS["multispike"]
    try:
        check_multispike_fit(network, core)
    except InputError:
        return None
    return float(run_multispike(network, images, core=core).counters["cycles"].mean())
