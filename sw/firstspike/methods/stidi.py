"""STiDi-BP: spikes on ramps, one for each neuron, moved to where each layer wants them.

After Mirsadeghi, Shalchian, Kheradpisheh, Masquelier, Neurocomputing 2021 (STiDi-BP), and with
convolutions and sign weights, arXiv 2108.13621. Public are the ideas: pixels and neurons spike
once, the brighter the earlier; a spike becomes a slope of the potential; the derivative of a
spike's time by its potential is made linear; layers learn from displacements of their own spikes,
without a recursion back through time. The exact rule is not public. This one is ours, of the same
ideas. Times are shares of a stimulus here, and potentials shares of the threshold:

* Forward: ``V_j(t) = v0_j + sum_i w_ij (t - t_i)+``; ``t_j`` is the first step with ``V_j >= 1``,
  and T if there is none. Steps are whole: see `firstspike.methods.ramps`.
* Desired displacements of the outputs: ``d_o = sharpness (p_o - y_o)``, where ``p`` is the softmax
  of ``-sharpness t``, and ``y`` is 1 for the right class: it is to come earlier, the others later
  in proportion to how likely they look.
* Of a time by its potential: ``dt/dV = -1 / max(slope, least_slope)``; the slope of ``V_j`` at
  ``t_j`` is the sum of the weights of what has come; of a silent neuron, at the end.
* Weights: ``dV_j/dw_ij = (t_j - t_i)+``, so ``w_ij`` falls with ``d_j / slope_j (t_j - t_i)+``.
* Hidden neurons: ``d_i = sum_j (d_j / slope_j) w_ij`` over neurons of the next layer with
  ``t_j >= t_i``; with that they learn as outputs do.

With ``readout: 1`` the outputs never fire, and their potentials are compared: then ``p`` is the
softmax of ``sharpness V``, and ``sharpness (p - y)`` takes the place of ``d / slope``.

Adam makes the steps, on batches. Real weights are trained as they are, then rounded in each step;
sign weights are -1 and +1 from the first step on, and gradients go to the numbers behind them. The
integer network is what was trained, bit for bit.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from firstspike.errors import InputError
from firstspike.golden.encoding import latency_times
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.stidi_net import RampNet
from firstspike.methods.variant import Progress, Variant
from firstspike.train.batches import Splits, batches

__all__ = ["accuracy", "train"]

_CHUNK = 1000
_INTENSITY_MIN = 1


def train(recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress) -> list[Variant]:
    """Return the networks: for each number of steps with real and with sign weights.

    Raises
    ------
    InputError
        If real weights are to have one bit, or all epochs are to be rounded.
    """
    if recipe.weight_bits == 1:
        raise InputError(
            f"{recipe.path}: weight_bits: is 1, must be in 2..8; networks of sign weights are made "
            "beside those of so many bits"
        )
    epochs, rounded = recipe.training.epochs, int(recipe.options["rounded"])
    if rounded >= epochs:
        raise InputError(f"{recipe.path}: options: rounded: is {rounded}, must be below {epochs}")
    work, done = 2 * len(recipe.steps), 0
    variants = []
    for steps in recipe.steps:
        for kind, bits in (("real", recipe.weight_bits), ("sign", 1)):
            begin, done = done / work, done + 1
            torch.manual_seed(seed)
            net = RampNet(
                [splits.shape[0] * splits.shape[1], *recipe.hidden, 10],
                steps=steps,
                by_potential=bool(recipe.options["readout"]),
                least_slope=recipe.options["least_slope"],
                sharpness=recipe.options["sharpness"],
                gain=recipe.options["gain"],
                dropout=recipe.training.hidden_dropout,
            )
            facts = _fit(
                net,
                recipe,
                splits,
                (0 if bits == 1 else epochs - rounded, bits),
                lambda share, begin=begin: progress(begin + share / work),
            )
            validation = splits.validation_images, splits.validation_labels
            facts["validation_accuracy"] = accuracy(net, *validation)
            name = f"{kind}-{steps}"
            variants.append(Variant(name, net.to_integers(name, splits.shape), facts=facts))
    return variants


def _times(images: Tensor, steps: int) -> np.ndarray:
    """Return when the pixels of uint8 images spike, int64 of shape (n, pixels)."""
    return latency_times(images.flatten(1).numpy(), steps, _INTENSITY_MIN)


def accuracy(net: RampNet, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose best output, lowest index of equals, is right."""
    right = 0
    for chunk, wanted in zip(images.split(_CHUNK), labels.split(_CHUNK), strict=True):
        scores = net.scores(net.run(_times(chunk, net.steps))[-1])
        right += int((scores.argmax(axis=1) == wanted.numpy()).sum())
    return right / len(labels)


def _fit(
    net: RampNet,
    recipe: MethodRecipe,
    splits: Splits,
    rounding: tuple[int, int],
    progress: Progress,
) -> dict[str, float]:
    """Train ``net``, its weights rounded from the first epoch of ``rounding`` on, to its bits."""
    plan = recipe.training
    optimizer = torch.optim.Adam(net.parameters, lr=plan.learning_rate)
    per_epoch = len(splits.train_labels) // plan.batch
    facts: dict[str, float] = {}
    for epoch in range(plan.epochs):
        if epoch == rounding[0]:
            if epoch:
                facts["float_accuracy"] = accuracy(net, splits.test_images, splits.test_labels)
            for layer in net.layers:
                layer.round_to(rounding[1])
        stream = batches(
            splits.train_images, splits.train_labels, plan.batch, plan.shift, plan.flip
        )
        for number, (images, labels) in enumerate(stream):
            done = epoch * per_epoch + number
            pace = min(1.0, (done + 1) / per_epoch)
            pace *= 0.5 * (1 + math.cos(math.pi * done / (per_epoch * plan.epochs)))
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * pace
            net.learn(_times(images, net.steps), labels.numpy())
            optimizer.step()
            for layer in net.layers:
                layer.limit()
        progress((epoch + 1) / plan.epochs)
    return facts
