"""Walks visit each live synapse exactly once, in order; an update keeps within its bounds.

Proved for as many cycles as it says, from the reset on, whatever the inputs, masks, weights and
tables; that the promises are not empty is shown by covers and by mutants that break them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.learner.column_walk import ColumnWalk
from firstspike_hw.learner.contracts import FeedContract, UpdaterContract, WalkContract
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.updater import Updater
from firstspike_sim.formal import Mode, Verdict, mutant, prove

pytestmark = pytest.mark.formal


def make_spec(rows: int, inputs: int, weight_bits: int = 8) -> CoreSpec:
    return CoreSpec(
        banks=2, word=1, weight_bits=weight_bits, ramp=False, max_layers=1, max_inputs=inputs,
        state_rows=rows, weight_rows=inputs * rows, learning=True, pruning=True,
    )  # fmt: skip


@dataclass
class Case:
    component: Any
    contract: Any
    spec: CoreSpec
    depth: int
    #: What stands in the class, and what breaks it.
    mutants: list[tuple[str, str]]

    def prove(self, mode: Mode, *, component: Any = None) -> Verdict:
        made = (component or self.component)(self.spec)
        return prove(self.contract(made), mode, self.depth)


CASES = {
    "feed": Case(
        Feed,
        FeedContract,
        make_spec(2, 16),
        12,
        [
            ("free.eq(Mux(self.valid, rest == 0, left == 0))", "free.eq(self.valid | (left == 0))"),
            ("queue_moves.eq(~fetched | free | (mask == 0))", "queue_moves.eq(1)"),
        ],
    ),
    "walk": Case(
        ColumnWalk,
        WalkContract,
        make_spec(1, 32),
        9,
        [
            ("takes.eq(self.advance & (~walked | (rest == 0)))", "takes.eq(self.advance)"),
            ("self.done.eq(~fetching & ~fetched & ~walked)", "self.done.eq(~fetching & ~fetched)"),
        ],
    ),
    "updater": Case(
        Updater,
        UpdaterContract,
        make_spec(1, 16, weight_bits=2),
        14,
        [
            ("Mux(total > top, top, total)", "total"),
            ("moved.eq(Mux(total < 0, 0, ", "moved.eq(Mux(0, 0, "),
            ("kept | Mux(dead, 0, ", "kept | Mux(0, 0, "),
            ("(self.fan_in > self.min_fan_in)", "(self.fan_in >= self.min_fan_in)"),
            ("port.mask & ~(1 << self.row)", "port.mask"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_promise_is_kept(name):
    assert CASES[name].prove(Mode.BOUNDED) is Verdict.PASS


@pytest.mark.parametrize("name", CASES)
def test_promise_is_not_empty(name):
    assert CASES[name].prove(Mode.COVER) is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "broken"), [(name, pair) for name, case in CASES.items() for pair in case.mutants]
)
def test_mutant_fails(name, broken):
    case = CASES[name]
    assert case.prove(Mode.BOUNDED, component=mutant(case.component, *broken)) is Verdict.FAIL
