"""Sections of the page that are made of figures."""

from __future__ import annotations

from firstspike.learning.study.figures import Result, spread
from firstspike.learning.study.rows import VARIANTS
from firstspike.learning.study.runs import ACCESSES
from firstspike.markdown import table

__all__ = ["accesses", "in_short", "ratios", "seeds", "variants"]

_CALLED = {"dense": "dense", "skip": "skips w = 0", "cut": "cut", "online": "pruned"}


def in_short(results: list[Result]) -> str:
    """Return a line a row: what is removed, what it costs, and what it gains."""
    lines = []
    for result in results:

        def times(variant: str, measure: str, r: Result = result) -> str:
            return spread(r.ratios(variant, measure), 2)

        removed = [100 - alive for alive in result.values("online", "alive")]
        lines.append(
            [
                f"`{result.name}`",
                str(len(result.seeds)),
                spread(result.values("online", "accuracy"), 2),
                spread(result.points(), 2),
                spread(removed, 1),
                times("dense", "learning_cycles"),
                times("skip", "learning_cycles"),
                times("dense", "inference_cycles"),
                times("skip", "inference_cycles"),
                times("cut", "inference_cycles"),
            ]
        )
    head = ["row", "seeds", "accuracy, %", "points over the best dense", "removed, %",
            "learning: times fewer cycles a stimulus than dense", "than one that skips w = 0",
            "inference: than dense", "than one that skips w = 0", "than one cut once"]  # fmt: skip
    return "## In short\n\nThe network that is pruned while it learns:\n\n" + table(head, lines)


def variants(results: list[Result]) -> str:
    """Return the table of all variants."""
    lines = []
    for result in results:
        for variant in VARIANTS:
            first = variant == VARIANTS[0]

            def figure(name: str, digits: int, variant: str = variant, r: Result = result) -> str:
                return spread(r.values(variant, name), digits)

            learned = variant != "cut"
            passes = next(iter(result.seeds.values()))[variant]["passes"]
            lines.append(
                [
                    f"`{result.name}`" if first else "",
                    str(len(result.seeds)) if first else "",
                    _CALLED[variant],
                    str(passes),
                    figure("accuracy", 2),
                    figure("alive", 1),
                    figure("zero", 1),
                    figure("forced", 1),
                    figure("learning_cycles", 0) if learned else "as dense",
                    figure("learning_over", 3) if learned else "",
                    figure("learning_synops", 0) if learned else "",
                    figure("learning_stdp_visits", 1) if learned else "",
                    figure("inference_cycles", 0),
                    figure("inference_over", 3),
                    figure("inference_synops", 0),
                ]
            )
    head = ["row", "seeds", "variant", "passes", "accuracy, %", "alive, %", "w = 0, %", "forced, %",
            "cycles a learned stimulus", "over floor", "synaptic operations", "STDP visits",
            "cycles an inferred image", "over floor", "synaptic operations"]  # fmt: skip
    return (
        "## All rows\n\nMeans over the stimuli of the whole run, and over the test images. *Over "
        "floor*: cycles over those which the memories' bandwidth alone would need. *w = 0* counts "
        "removed connections, too; *forced* are images for which no neuron fired.\n\n"
        + table(head, lines)
    )


def ratios(results: list[Result]) -> str:
    """Return what pruning gains over each of the others."""
    lines = []
    for result in results:
        for variant in ("dense", "skip", "cut"):
            first = variant == "dense"

            def ratio(name: str, variant: str = variant, r: Result = result) -> str:
                return spread(r.ratios(variant, name), 2)

            lines.append(
                [
                    f"`{result.name}`" if first else "",
                    spread(result.points(), 2) if first else "",
                    f"{_CALLED[variant]} / pruned",
                    ratio("run_cycles"),
                    ratio("learning_cycles"),
                    ratio("learning_synops"),
                    ratio("learning_stdp_visits"),
                    ratio("learning_accesses"),
                    ratio("inference_cycles"),
                    ratio("inference_synops"),
                    ratio("inference_accesses"),
                ]
            )
    head = ["row", "pruned minus best dense, points", "ratio", "learning: cycles of the run",
            "cycles a stimulus", "synaptic operations", "STDP visits", "accesses",
            "inference: cycles", "synaptic operations", "accesses"]  # fmt: skip
    return (
        "## What pruning while learning gains\n\nOver 1: the pruned learner needs less. The two "
        "sides of a row may have different numbers of passes, which the cycles of the run show; "
        "all other figures of learning are a stimulus. The best dense network is the better one of "
        "those that were learned without pruning, *dense* and *skips w = 0*.\n\n"
        + table(head, lines)
    )


def accesses(results: list[Result]) -> str:
    """Return the table of memory accesses by kind."""
    lines = []
    for result in results:
        for phase in ("learning", "inference"):
            for variant in VARIANTS:
                if (phase, variant) == ("learning", "cut"):
                    continue
                first = (phase, variant) == ("learning", "dense")
                names = [f"{phase}_{kind}" for kind in ACCESSES]
                lines.append(
                    [
                        f"`{result.name}`" if first else "",
                        phase if variant == "dense" else "",
                        _CALLED[variant],
                        *(spread(result.values(variant, name), 0) for name in names),
                        spread(result.values(variant, f"{phase}_accesses"), 0),
                        spread(result.saved(phase), 1) if variant == "online" else "",
                    ]
                )
    head = ["row", "phase", "variant", *(kind.replace("_", " ") for kind in ACCESSES), "sum",
            "saved by pruning, %"]  # fmt: skip
    return (
        "## Memory accesses\n\nA stimulus. Every synaptic operation also reads and writes the "
        "state of a neuron. A removed connection is struck out of both masks, which is not "
        "counted: at most two writes a stimulus on the mean over a run. Pixels, lists of events "
        "and tables of changes are the same on both sides and not counted. The dense core has no "
        "masks.\n\n" + table(head, lines)
    )


def seeds(results: list[Result]) -> str:
    """Return accuracy and ratios of every seed."""
    lines = []
    for result in results:
        for at, seed in enumerate(result.seeds):
            values = [f"{result.values(variant, 'accuracy')[at]:.2f}" for variant in VARIANTS]
            ratios = [
                f"{result.ratios('dense', name)[at]:.2f}"
                for name in ("run_cycles", "learning_cycles", "inference_cycles")
            ]
            alive = f"{result.values('online', 'alive')[at]:.2f}"
            lines.append([f"`{result.name}`", str(seed), *values, alive, *ratios])
    head = ["row", "seed", *(f"{_CALLED[v]}, %" for v in VARIANTS), "alive, %",
            "learning: cycles of the run, dense / pruned", "a stimulus", "inference"]  # fmt: skip
    return "## Every seed\n\n" + table(head, lines)
