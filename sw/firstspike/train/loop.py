"""Training from a recipe to a run folder: seeded, and resumed to the very same weights.

A run folder holds ``recipe.yaml`` (a copy), ``checkpoint.pt`` (after the last whole epoch),
``metrics.json`` (a record an epoch, and the result) and ``curve.png``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from firstspike.progress import counted
from firstspike.train.batches import Splits, batches, load_splits
from firstspike.train.evaluate import result, validate
from firstspike.train.model import build, encode
from firstspike.train.objective import step_loss
from firstspike.train.ramp import RampNet
from firstspike.train.recipe import Recipe, load_recipe
from firstspike.train.run import open_run
from firstspike.train.step import StepNet

__all__ = ["train"]


def train(
    recipe_path: Path,
    run_folder: Path,
    *,
    seed: int | None = None,
    resume: bool = False,
    data_folder: Path | None = None,
) -> dict[str, Any]:
    """Train the network of a recipe and leave everything in a run folder.

    Parameters
    ----------
    recipe_path : Path
        The recipe.
    run_folder : Path
        Made if missing.
    seed : int, optional
        In place of the recipe's.
    resume : bool
        Go on from the last whole epoch of the run in ``run_folder``. The weights in the end are
        those of a run that was never broken off, on the same machine.
    data_folder : Path, optional
        Where the data set lies.

    Returns
    -------
    dict
        The result: accuracies on validation and test images, and what quantisation cost.

    Raises
    ------
    InputError
        If recipe or data cannot be used, the folder holds a run and ``resume`` is false, or holds
        another recipe's run and ``resume`` is true.
    """
    recipe = load_recipe(recipe_path)
    splits = load_splits(recipe, data_folder)
    run = open_run(recipe, run_folder, seed, resume)
    with torch.random.fork_rng(devices=[]), _fast_products():
        torch.manual_seed(_seed(run.seed, 0))
        model = build(recipe, splits.shape[0] * splits.shape[1])
        optimizer = torch.optim.Adam(
            model.parameters(), lr=recipe.training.learning_rate, fused=True
        )
        run.restore(model, optimizer)
        with counted(f"training {recipe.name}", recipe.training.epochs) as progress:
            progress(run.epoch)
            while run.epoch < recipe.training.epochs:
                torch.manual_seed(_seed(run.seed, 1 + run.epoch))
                loss = _epoch(recipe, splits, model, optimizer, run.epoch)
                record = {"epoch": run.epoch + 1, "loss": loss}
                run.save(model, optimizer, record | validate(recipe, splits, model))
                progress(run.epoch)
    run.finish(result(recipe, splits, model))
    return run.summary()


def _seed(seed: int, part: int) -> int:
    """Return the seed of one part of a run, so that a resumed run needs no generator's state."""
    return seed * 1_000_003 + part


@contextmanager
def _fast_products() -> Iterator[None]:
    """Let matrix products use bfloat16 where the processor has it.

    Spikes, magnitudes and integer weights up to 8 bits are exact in it, and sums are kept in
    float32; only gradients lose digits.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _epoch(
    recipe: Recipe,
    splits: Splits,
    model: StepNet | RampNet,
    optimizer: torch.optim.Optimizer,
    epoch: int,
) -> float:
    """Train for one pass; return the mean loss."""
    training = recipe.training
    model.train()
    model.set_phase(
        quantized=epoch >= training.float_epochs,
        frozen=epoch >= math.ceil(training.epochs * (1 - training.frozen)),
    )
    per_epoch = len(splits.train_labels) // training.batch
    total = 0.0
    stream = batches(
        splits.train_images, splits.train_labels, training.batch, training.shift, training.flip
    )
    for number, (images, labels) in enumerate(stream):
        done = epoch * per_epoch + number
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * _pace(done, per_epoch, training.epochs)
        if recipe.prune is not None and isinstance(model, RampNet) and number == 0:
            model.prune(_pruned_share(recipe, (epoch + 1) / training.epochs))
        inputs = encode(recipe, images)
        if training.input_dropout:
            keep = torch.rand(inputs.shape[-2:]) >= training.input_dropout
            inputs = inputs * (keep / (1 - training.input_dropout))
        loss = _loss(recipe, model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.after_update()
        total += loss.item()
    return total / per_epoch


def _pace(done: int, per_epoch: int, epochs: int) -> float:
    """Return the learning rate as a share of the largest: up over an epoch, down a cosine."""
    if done < per_epoch:
        return (done + 1) / per_epoch
    return 0.5 * (1 + math.cos(math.pi * done / (per_epoch * epochs)))


def _pruned_share(recipe: Recipe, part: float) -> float:
    """Return the share to be pruned after ``part`` of the training: fast first, then slower."""
    plan = recipe.prune
    assert plan is not None
    way = min(max((part - plan.begin) / (plan.end - plan.begin), 0.0), 1.0)
    return plan.share * (1 - (1 - way) ** 3)


def _loss(recipe: Recipe, logits: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of a batch."""
    if recipe.objective is not None:
        return step_loss(logits, labels, recipe.objective)
    return functional.cross_entropy(logits, labels)
