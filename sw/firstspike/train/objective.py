"""The loss of STEP networks, and the choice of their output thresholds; docs/training.md."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from firstspike.train.integer import decide
from firstspike.train.plans import Objective

__all__ = ["calibrate", "gate_loss", "step_loss"]


def gate_loss(logits: Tensor, labels: Tensor, caution: Tensor) -> Tensor:
    """Return what outputs on the wrong side of their thresholds cost, shape (T, n).

    Each output is a yes or no of its own: over the threshold if its class is the right one. A
    wrong yes weighs ``caution[t]`` times a wrong no, so an output learns to cross when the odds
    of being right exceed ``caution[t]``.

    Parameters
    ----------
    logits : Tensor, shape (T, n, outputs)
        0 is at the threshold.
    labels : Tensor of int64, shape (n,)
        Right classes.
    caution : Tensor, shape (T,)
        See above.
    """
    right = functional.one_hot(labels, logits.shape[-1]).bool()
    cost = torch.where(
        right, functional.softplus(-logits), functional.softplus(logits) * caution[:, None, None]
    )
    return cost.sum(-1) / (1 + caution[:, None])


def step_loss(logits: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    """Return the loss of a batch: cross-entropy at every step, and the gate.

    Parameters
    ----------
    logits : Tensor, shape (T, n, outputs)
        Of `firstspike.train.step.StepNet`.
    labels : Tensor of int64, shape (n,)
        Right classes.
    objective : Objective
        Weights of the terms.
    """
    steps = len(logits)
    weight = torch.linspace(objective.first, objective.last, steps)
    weight = weight / weight.sum()
    every = labels.expand(steps, -1).flatten()
    cost = functional.cross_entropy(logits.flatten(0, 1), every, reduction="none")
    loss = (cost.view(steps, -1).mean(-1) * weight).sum()
    if objective.gate:
        # Equal factors from one step to the next.
        low, high = torch.tensor([objective.caution, objective.caution_end]).log().tolist()
        caution = torch.linspace(low, high, steps).exp()
        loss = loss + objective.gate * gate_loss(logits, labels, caution).mean()
    return loss


def calibrate(potential: Tensor, theta: Tensor, labels: Tensor, objective: Objective) -> int:
    """Return what to add to all output thresholds, so that early decisions do best.

    Among the shifts that keep within the recipe's mean decision step and share of forced
    decisions, the one with the most right early decisions; of equals the one that decides
    soonest. Where none keeps within them, the one that comes nearest.

    Parameters
    ----------
    potential : Tensor of int64, shape (T, n, outputs)
        On the validation images, never on the test images.
    theta : Tensor of int64, shape (outputs,)
        Thresholds so far.
    labels : Tensor of int64, shape (n,)
        Right classes.
    objective : Objective
        Its ``mean_step`` and ``forced`` are the limits.
    """
    steps = len(potential)
    d = potential - theta
    top = d.amax(-1).flatten().double()
    low = max(1 - int(theta.min()), int(torch.quantile(top[:: max(1, len(top) // 8192)], 0.01)))
    high = max(low, int(top.max()))
    best: tuple[float, float, float] | None = None
    chosen = low
    for shift in sorted({round(s) for s in torch.linspace(low, high, 201).tolist()}):
        early, step, _ = decide(d - shift)
        mean = step.double().mean().item() / steps
        forced = (step == steps).double().mean().item()
        excess = max(0.0, mean - objective.mean_step) + max(0.0, forced - objective.forced)
        right = (early == labels).double().mean().item()
        score = (-excess, right, -mean)
        if best is None or score > best:
            best, chosen = score, shift
    return chosen
