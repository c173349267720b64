"""Whether a learner fits a learning core: sizes, and potentials that never wrap."""

from __future__ import annotations

import numpy as np

from firstspike.errors import InputError
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState
from firstspike.spec import CLASS_BLOCK, LEARNED_THRESHOLD_MAX, RISE_LIMIT, CoreSpec

__all__ = ["check_learning_fit"]


def check_learning_fit(rule: Rule, state: LearningState, core: CoreSpec) -> None:
    """Refuse a learner that ``core`` cannot run.

    Raises
    ------
    InputError
        Naming what does not fit, what the learner needs and what the core has.
    """
    if not core.learning:
        raise InputError("the core has learning: false, so it cannot learn: use a learning core")

    def require(what: str, needs: int, has: int) -> None:
        if needs > has:
            raise InputError(f"learner does not fit the core: {what} {needs}, the core has {has}")

    if rule.weight_bits != core.weight_bits:
        raise InputError(
            f"learner does not fit the core: weight_bits is {rule.weight_bits}, the core learns "
            f"weights of {core.weight_bits}"
        )
    if not core.pruning and (rule.pruning is not None or not state.alive.all()):
        raise InputError("learner does not fit the core: it prunes, the core has pruning: false")
    if isinstance(rule, Supervised) and core.banks > CLASS_BLOCK:
        raise InputError(
            f"learner does not fit the core: classes have blocks of {CLASS_BLOCK} neurons, the "
            f"core has {core.banks} banks"
        )
    if rule.off and state.inputs // 2 % core.pixels:
        raise InputError(
            f"learner does not fit the core: with an OFF channel the {state.inputs // 2} pixels "
            f"must be whole words of {core.pixels}"
        )
    rise = int(np.bincount(state.group).max()) * rule.homeostasis
    if rise >= RISE_LIMIT:
        raise InputError(
            f"learner does not fit the core: homeostasis is {rule.homeostasis}, times the neurons "
            f"of a class {rise}, must be below {RISE_LIMIT}"
        )
    require("time_bits", rule.time_bits, core.time_bits)
    require("inputs", state.inputs, core.max_inputs)
    require("state_rows", -(-state.neurons // core.banks), core.state_rows)
    # A potential starts at minus the threshold, less the handicap, and may take in every weight.
    handicap = max(rule.own, rule.other) if isinstance(rule, Supervised) else 0
    low = -LEARNED_THRESHOLD_MAX - handicap
    high = (state.inputs * rule.weight_max << rule.fraction_bits) - 1
    limit = 1 << (core.potential_bits - 1)
    if low < -limit or high >= limit:
        raise InputError(
            f"learner does not fit the core: potentials can meet {low}..{high}, the core has "
            f"{core.potential_bits} bits: {-limit}..{limit - 1} (threshold, handicap, inputs)"
        )
