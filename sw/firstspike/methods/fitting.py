"""Training that methods share: batches, rates, accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.variant import Progress
from firstspike.spec import INTENSITY_MAX
from firstspike.train.batches import Splits, batches

__all__ = ["accuracy", "fit", "numbers"]

_CHUNK = 1000

#: From logits and labels to a number that is to fall.
Loss = Callable[[Tensor, Tensor], Tensor]


def numbers(images: Tensor) -> Tensor:
    """Return pixels as numbers 0..1, float32 of shape (n, pixels), of uint8 images."""
    return images.flatten(1).float() / INTENSITY_MAX


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit, lowest index of equals, is right."""
    model.eval()
    right = 0
    with torch.no_grad():
        for chunk, wanted in zip(images.split(_CHUNK), labels.split(_CHUNK), strict=True):
            right += int((model(numbers(chunk)).argmax(dim=1) == wanted).sum())
    return right / len(labels)


def fit(
    model: nn.Module,
    recipe: MethodRecipe,
    splits: Splits,
    seed: int,
    progress: Progress,
    *,
    loss: Loss = functional.cross_entropy,
    epochs: int | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    clip: float | None = None,
    before_epoch: Callable[[], None] | None = None,
) -> None:
    """Train ``model`` with Adam; the rate rises over an epoch, then falls along a cosine.

    Parameters
    ----------
    model : Module
        From pixels 0..1 to logits.
    recipe : MethodRecipe
        Epochs, batch, rates, how images are moved.
    splits : Splits
        Images.
    seed : int
        Of the order of the images, and of what is left out.
    progress : callable
        Called with the share that is done.
    loss : callable
        Of logits and labels.
    epochs : int, optional
        In place of the recipe's.
    optimizer : Optimizer, optional
        In place of Adam. The rate of a group of parameters is the recipe's, times its ``share`` if
        it has one.
    clip : float, optional
        Norm that all gradients together are cut down to.
    before_epoch : callable, optional
        Called before each epoch.
    """
    plan = recipe.training
    total = plan.epochs if epochs is None else epochs
    torch.manual_seed(1 + seed)
    if optimizer is None:
        optimizer = torch.optim.Adam(model.parameters(), lr=plan.learning_rate)
    per_epoch = len(splits.train_labels) // plan.batch
    for epoch in range(total):
        if before_epoch is not None:
            before_epoch()
        model.train()
        stream = batches(
            splits.train_images, splits.train_labels, plan.batch, plan.shift, plan.flip
        )
        for number, (images, labels) in enumerate(stream):
            done = epoch * per_epoch + number
            warm = min(1.0, (done + 1) / per_epoch)
            pace = warm * 0.5 * (1 + math.cos(math.pi * done / (per_epoch * total)))
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * pace * group.get("share", 1.0)
            found = loss(model(numbers(images)), labels)
            optimizer.zero_grad()
            found.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
        progress((epoch + 1) / total)
