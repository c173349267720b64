"""Learning on the core: its rules, its state, its recipes, and runs of it.

What learning computes is in docs/semantics.md, sections 7 to 10, and `firstspike.golden.learning`.
"""

from __future__ import annotations

from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.rule import Pruning, Rule, Supervised, Unsupervised
from firstspike.learning.state import LearningState
from firstspike.learning.tables import Bound, table

__all__ = [
    "Bound",
    "LearnOutcome",
    "LearningState",
    "Pruning",
    "Rule",
    "Supervised",
    "Unsupervised",
    "table",
]
