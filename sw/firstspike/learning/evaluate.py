"""How good a learner is, by its golden model with learning off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.golden.learning_fast import classify
from firstspike.learning.labels import assign
from firstspike.learning.plan import Plan
from firstspike.learning.rule import Rule
from firstspike.learning.state import LearningState

__all__ = ["Evaluation", "evaluate", "neuron_labels"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a learner does with images that it does not learn from.

    Attributes
    ----------
    labels : ndarray of int64, shape (neurons,)
        Class of each neuron, -1 for none.
    accuracy : float or None
        Share of images whose winner has their class; None without classes.
    forced : float
        Share of images for which no neuron fired.
    mean_steps : float
        Mean decision step; T where it was forced.
    """

    labels: np.ndarray
    accuracy: float | None
    forced: float
    mean_steps: float


def neuron_labels(plan: Plan, rule: Rule, state: LearningState) -> np.ndarray:
    """Return the class of each neuron: as supervised, or assigned from training images."""
    if state.classes is not None:
        return state.classes
    first = slice(plan.recipe.label_images)
    winner, _ = classify(rule, state, plan.images[first])
    return assign(winner, plan.labels[first], state.neurons)


def evaluate(plan: Plan, rule: Rule, state: LearningState) -> Evaluation:
    """Return how good ``state`` is on the images that ``plan`` keeps for it."""
    labels = neuron_labels(plan, rule, state)
    winner, step = classify(rule, state, plan.test_images)
    known = plan.test_labels >= 0
    right = (labels[winner] == plan.test_labels)[known]
    return Evaluation(
        labels=labels,
        accuracy=float(right.mean()) if len(right) else None,
        forced=float((step == rule.steps).mean()),
        mean_steps=float(step.mean()),
    )
