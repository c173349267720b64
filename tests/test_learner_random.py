"""Random learners on random learning cores: the definition, the golden model, and the hardware.

What these saw fail: a stimulus without any spike whose forced winner was wrong, of which the core
reported the neuron that learned instead. Mutants are those of the components, in their own tests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from firstspike.golden.learning_fast import learn
from firstspike.learning import LearningState, LearnOutcome
from firstspike.learning.image import learner_image
from firstspike.learning.outcome import first_learning_difference
from firstspike.spec import COUNTERS, CoreSpec
from firstspike_sim.collect import build_learn_outcome
from firstspike_sim.learner import run_learner
from firstspike_sim.learner_cases import (
    LearnerCase,
    by_definition,
    draw_learner,
    learner_features,
    rearranged,
)
from firstspike_sim.rtl import RtlEngine

#: What a suite of random learners must have met.
WANTED = {
    "unsupervised", "supervised", "8 bits", "4 bits", "3 bits", "masks", "OFF channel",
    "seen before", "fewer steps than the core", "a part of a row", "a part of a word",
    "ties", "several over", "forced", "decided late", "silent", "all white",
    "steps without events", "full queue", "renewal of the offset",
    "right, learned", "right, not learned", "wrong", "no label", "lowest threshold",
    "highest threshold", "a weight at its top", "a live weight of 0",
}  # fmt: skip
#: And with masks.
OF_MASKS = {
    "dead at the start", "an event that reaches nobody in a bank", "a word without live inputs",
    "kills", "kills in the last synapse of a word", "kills of a whole word", "fan-in guard",
    "too early to prune",
}  # fmt: skip
#: And where each learner has a core of its own.
OF_CORES = {"2 banks", "4 banks", "8 banks", "16 banks", "no masks", "masks in parts"}


def golden(case: LearnerCase) -> LearnOutcome:
    return learn(case.rule, case.state, case.images, case.labels, core=case.core)


def pysim(case: LearnerCase) -> tuple[LearnOutcome, list[LearningState]]:
    """Return what the hardware makes of a case, and the state after each stimulus."""
    states: list[LearningState] = []
    run = run_learner(
        case.core,
        learner_image(case.core, case.rule, case.state),
        case.images,
        case.labels,
        case.state.neurons,
        watch=lambda read: states.append(read()),
        inputs=case.state.inputs,
        groups=len(case.state.offset),
    )
    records = np.array(run.records, np.int64)
    return build_learn_outcome(case.rule, case.core, records, states[-1], run.cycles), states


def check_equal(
    outcome: LearnOutcome, expected: LearnOutcome, what: object, *, state: bool = True
) -> None:
    """Compare all that both have; `total_cycles` is left to the caller."""
    common = outcome.counters.keys() & expected.counters.keys()
    parts = []
    for part in (outcome, expected):
        counters = {name: part.counters[name] for name in sorted(common)}
        parts.append(
            replace(part, counters=counters, state=part.state if state else expected.state)
        )
    difference = first_learning_difference(*parts)
    assert difference is None, f"{what}: {difference}"


def check_states(found: list[LearningState], expected: list[LearningState], what: object) -> None:
    """Compare what the core's memories hold after each stimulus; they do not count stimuli."""
    assert len(found) == len(expected)
    for n, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        arrays = theirs.arrays()
        for name, array in ours.arrays().items():
            if name not in ("seen", "classes"):
                assert np.array_equal(array, arrays[name]), f"{what}: {name} after stimulus {n}"


def check_pysim(case: LearnerCase, what: object) -> None:
    expected = golden(case)
    defined, after = by_definition(case)
    check_equal(expected, defined, f"{what}, golden")
    found, states = pysim(case)
    assert set(found.counters) | {"macs"} == set(COUNTERS)
    assert found.counters.keys() <= expected.counters.keys()
    check_states(states, after, what)
    check_equal(found, expected, what, state=False)


def missing(seen: Counter, wanted: set[str]) -> set[str]:
    return {name for name in wanted if not seen[name]}


def features(case: LearnerCase) -> Counter[str]:
    defined, states = by_definition(case)
    check_equal(golden(case), defined, "golden")
    return learner_features(case, defined, states)


def few_that_show_all(wanted: set[str], seeds: range) -> list[int]:
    """Return cases that have met all that is wanted, with little to simulate."""
    found: dict[int, set[str]] = {}
    costs: dict[int, int] = {}
    for seed in seeds:
        case = draw_learner(seed)
        found[seed] = {name for name, times in features(case).items() if times} & wanted
        # Most of the time goes into loading, and each bank is simulated.
        writes = case.state.weights.size + (2 << case.core.weight_bits)
        costs[seed] = (writes + 300) * (case.core.banks + 6)
    chosen: list[int] = []
    left = set(wanted)
    while left:
        seed = max(seeds, key=lambda seed: len(found[seed] & left) / costs[seed])
        assert found[seed] & left, f"never met: {left}"
        chosen.append(seed)
        left -= found[seed]
    return chosen


def test_golden_against_the_definition():
    seen = Counter()
    for seed in range(200):
        seen += features(draw_learner(seed))
    assert not missing(seen, WANTED | OF_MASKS | OF_CORES)


def test_pysim():
    chosen = few_that_show_all(WANTED | OF_MASKS | OF_CORES, range(400))
    for seed in chosen:
        check_pysim(draw_learner(seed), f"case {seed}")
    assert len(chosen) > 5


def single_port(case: LearnerCase) -> LearnerCase:
    """Return the same learner on a core whose banks have one port for synapses and masks."""
    return replace(case, core=replace(case.core, memory="spram", weight_rows=1 << 14))


def test_pysim_single_port():
    """Words of masks between synapses; mutants: no wait for the word of a column's mask, the high
    word of a row mask taken for the low one, a synapse fetched again while a later one waits.
    """
    wanted = OF_MASKS | {
        "wrong",
        "renewal of the offset",
        "full queue",
        "no masks",
        "masks in parts",
    }
    chosen = few_that_show_all(wanted, range(200))
    for seed in chosen:
        check_pysim(single_port(draw_learner(seed)), f"case {seed}")
    assert len(chosen) > 3


@pytest.mark.slow
def test_pysim_at_length():
    seen = Counter()
    for seed in range(1000, 1060):
        case = draw_learner(seed)
        check_pysim(case, f"case {seed}")
        seen += features(case)
    assert not missing(seen, WANTED | OF_MASKS)


@pytest.mark.parametrize("kind", ["unsupervised", "supervised"])
def test_every_number_of_banks(kind):
    """The same bits, whatever the number of banks."""
    wanted = {kind, "kills", "ties", "wrong" if kind == "supervised" else "renewal of the offset"}
    for seed in range(400):
        case = draw_learner(seed)
        if (
            case.core.weight_bits < 8
            and 9 <= case.state.neurons <= 24
            and case.state.inputs <= 20
            and not missing(features(case), wanted)
        ):
            break
    else:
        raise AssertionError(f"no case has {wanted}")
    defined, after = by_definition(case)
    for banks in (2, 4, 8) if kind == "supervised" else (2, 4, 8, 16):
        # Events, operations, visits and decisions are compared with the definition.
        found, states = pysim(rearranged(case, banks))
        check_states(states, after, f"case {seed}, {banks} banks")
        check_equal(found, defined, f"case {seed}, {banks} banks", state=False)


#: Cores for many learners each; those from the second one on `make test` leaves out.
CORES = {
    "masks": {"banks": 4, "weight_bits": 8, "time_bits": 4, "pruning": True, "rows": 3},
    "no masks": {"banks": 4, "weight_bits": 4, "time_bits": 5, "pruning": False, "rows": 4},
    "16 banks": {"banks": 16, "weight_bits": 4, "time_bits": 3, "pruning": True, "rows": 2},
    "masks in parts": {"banks": 2, "weight_bits": 3, "time_bits": 4, "pruning": True, "rows": 33},
    "8 banks": {"banks": 8, "weight_bits": 8, "time_bits": 8, "pruning": True, "rows": 5},
    "single port": {"banks": 4, "weight_bits": 8, "time_bits": 4, "pruning": True, "rows": 18},
}


def core(banks: int, weight_bits: int, time_bits: int, *, pruning: bool, rows: int) -> CoreSpec:
    return CoreSpec(
        banks=banks, word=1, weight_bits=weight_bits, time_bits=time_bits, ramp=False,
        max_layers=1, max_inputs=48, state_rows=rows, weight_rows=48 * rows, learning=True,
        pruning=pruning,
    )  # fmt: skip


@pytest.mark.rtl
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n != "masks" else ()) for n in CORES]
)
def test_rtl(name):
    """Verilog; half of the runs with pauses, each from another power-up."""
    spec = core(**CORES[name])
    if name == "single port":
        spec = replace(spec, memory="spram", weight_rows=1 << 14)
    seen = Counter()
    seeds = range(12) if name == "masks" else range(40)
    for seed in seeds:
        case = draw_learner(seed, core=spec, count=40)
        expected = golden(case)
        pause = 120 * (seed % 2)
        engine = RtlEngine(pause=pause, seed=seed + 1)
        found = engine.learn(case.rule, spec, case.state, case.images, case.labels)
        check_equal(found, expected, f"case {seed}")
        if pause:
            # A run takes longer, and that is all.
            assert found.total_cycles is not None
            assert expected.total_cycles is not None
            assert found.total_cycles > expected.total_cycles
        else:
            assert found.total_cycles == expected.total_cycles, f"case {seed}"
        seen += features(case)
    of_bits = {"8 bits", "4 bits", "3 bits"}
    supervision = {
        "supervised", "right, learned", "right, not learned", "wrong", "no label",
        "lowest threshold", "highest threshold",
    }  # fmt: skip
    rare = {"highest threshold", "lowest threshold", "fewer steps than the core"}
    wanted = WANTED - of_bits - rare
    wanted -= supervision if spec.banks > 8 else set()
    wanted -= set() if spec.pruning else {"masks"}
    assert not missing(seen, wanted | (OF_MASKS if spec.pruning else set()))
