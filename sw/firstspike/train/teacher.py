"""The teacher: a larger network in floating point, for targets that say more than a label."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstspike.train.batches import Splits, batches
from firstspike.train.plans import Teacher, Training

__all__ = ["build_teacher", "teacher_logits", "train_teacher"]

_LEARNING_RATE = 0.001
_DROPOUT = 0.3


def build_teacher(pixels: int, hidden: tuple[int, ...], classes: int) -> nn.Sequential:
    """Return an untrained teacher: dense layers with batch norm, ReLU and dropout."""
    parts: list[nn.Module] = []
    wide = pixels
    for neurons in hidden:
        parts += [nn.Linear(wide, neurons, bias=False), nn.BatchNorm1d(neurons), nn.ReLU()]
        parts += [nn.Dropout(_DROPOUT)]
        wide = neurons
    parts.append(nn.Linear(wide, classes))
    return nn.Sequential(*parts)


def teacher_logits(teacher: nn.Sequential, images: Tensor) -> Tensor:
    """Return the teacher's outputs for uint8 images of shape (n, rows, columns)."""
    return teacher(images.flatten(1).float() / 128 - 1)


def train_teacher(
    splits: Splits,
    plan: Teacher,
    training: Training,
    classes: int,
    progress: Callable[[int], None],
) -> nn.Sequential:
    """Return a trained teacher, in evaluation mode.

    Parameters
    ----------
    splits : Splits
        Only the training images are used.
    plan : Teacher
        Hidden layers and epochs.
    training : Training
        Batch size and augmentation, the same as the student's.
    classes : int
        Number of outputs.
    progress : callable
        Called with the number of epochs done.
    """
    pixels = splits.shape[0] * splits.shape[1]
    teacher = build_teacher(pixels, plan.hidden, classes)
    optimizer = torch.optim.AdamW(teacher.parameters(), lr=_LEARNING_RATE, weight_decay=0.01)
    total = plan.epochs * (len(splits.train_labels) // training.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    for epoch in range(plan.epochs):
        for images, labels in batches(
            splits.train_images, splits.train_labels, training.batch, training.shift, training.flip
        ):
            loss = functional.cross_entropy(
                teacher_logits(teacher, images), labels, label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        progress(epoch + 1)
    return teacher.eval()
