"""What was published, what this core should reach, and what it does reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from firstspike.learning.study.figures import Result, spread
from firstspike.markdown import table

__all__ = ["bars"]

#: Loss of accuracy, in points, that a pruned network may have.
_LOSS = 0.5


def bars(results: list[Result]) -> str:
    """Return the table of figures to reach."""
    by_name = {result.name: result for result in results}
    lines: list[list[str]] = []

    def add(
        what: str,
        published: str,
        least: str,
        aim: str,
        names: tuple[str, ...],
        value: Callable[[Result], str],
        reached: Callable[[Result], str],
    ) -> None:
        for name in names:
            if name in by_name:
                result = by_name[name]
                cells = [f"`{name}`", value(result), reached(result)]
                lines.append([what, published, least, aim, *cells])
                what = published = least = aim = ""

    def met(values: list[float], least: float, aim: float, *, up: bool = True) -> str:
        mean = statistics.fmean(values)
        if mean >= aim if up else mean <= aim:
            return "aim"
        return "least" if (mean >= least if up else mean <= least) else "missed"

    every = tuple(by_name)
    plain = tuple(name for name in by_name if name.endswith("mnist"))
    mnist = tuple(name for name in every if "fashion" not in name)

    def removed(result: Result) -> list[float]:
        return [100 - alive for alive in result.values("online", "alive")]

    def both(result: Result) -> str:
        return f"{spread(removed(result), 1)} %, {spread(result.points(), 2)} points"

    def kept(result: Result, least: float, aim: float) -> str:
        if statistics.fmean(result.points()) < -_LOSS:
            return "missed: too many points"
        return met(removed(result), least, aim)

    add(
        "connections removed on MNIST, at most 0.5 points below the best dense network",
        "92.83 %, a deep convolutional net", "88 %", "93 %", mnist, both,
        lambda r: kept(r, 88, 93),
    )  # fmt: skip
    for what, published, least, aim, measure in (
        ("learning cycles of the run, dense / pruned", 2.1, 1.7, 2.5, "run_cycles"),
        ("inference cycles, dense / pruned", 2.83, 2.0, 3.0, "inference_cycles"),
    ):
        add(
            what, f"{published}", f"{least}", f"{aim:g}", every,
            lambda r, m=measure: spread(r.ratios("dense", m), 2),
            lambda r, m=measure, le=least, a=aim: met(r.ratios("dense", m), le, a),
        )  # fmt: skip
    small = tuple(name for name in mnist if "-104-" in name)
    for what, least, aim, measure in (
        ("cycles a learned MNIST image, N = 104, pruned", 950, 700, "learning_cycles"),
        ("cycles an inferred MNIST image, N = 104, pruned", 560, 350, "inference_cycles"),
    ):
        add(
            what, "-", f"{least}", f"{aim}", small,
            lambda r, m=measure: (
                f"{spread(r.values('online', m), 0)}, {spread(r.points(), 2)} points"
            ),
            lambda r, m=measure, le=least, a=aim: met(r.values("online", m), le, a, up=False),
        )  # fmt: skip
    for phase in ("learning", "inference"):
        add(
            f"cycles over floor, dense, {phase}", "-", "1.10", "1.05", plain,
            lambda r, p=phase: spread(r.values("dense", f"{p}_over"), 3),
            lambda r, p=phase: met(r.values("dense", f"{p}_over"), 1.10, 1.05, up=False),
        )  # fmt: skip
    for phase, published, least, aim in (
        ("learning", "64 % less energy", 40, 65),
        ("inference", "78.24 % less energy", 50, 78),
    ):
        add(
            f"memory accesses saved, {phase}", published, f"{least} %", f"{aim} %", every,
            lambda r, p=phase: f"{spread(r.saved(p), 1)} %",
            lambda r, p=phase, le=least, a=aim: met(r.saved(p), le, a),
        )  # fmt: skip
    for rule, data, published, least, aim in (
        ("unsupervised", "mnist", "87.0 (Diehl & Cook)", 86.5, 90),
        ("unsupervised", "fashion-mnist", "-", 73, 76),
        ("supervised", "mnist", "92 (Spiker-LL), 96.5 (Mirsadeghi)", 94.5, 97),
        ("supervised", "fashion-mnist", "88, 84.8 (the same)", 82, 88),
    ):
        add(
            f"accuracy, {rule}, one layer of 400, {data}, dense, %", published, f"{least}",
            f"{aim}", (f"{rule}-400-{data}",),
            lambda r: spread(r.values("dense", "accuracy"), 2),
            lambda r, le=least, a=aim: met(r.values("dense", "accuracy"), le, a),
        )  # fmt: skip
    add(
        "with labels: connections removed at most 0.5 points below", "-", "50 %", "85 %",
        tuple(name for name in every if name.startswith("supervised")), both,
        lambda r: kept(r, 50, 85),
    )  # fmt: skip
    cells = "[cells of both families](learning-core.md#what-pruning-adds)"
    power = "[modelled, not measured](power.md)"
    lines += [
        ["cells of the logic that prunes", "-", "told", "10 % of LC", "", cells, "-"],
        ["power of the logic that prunes", "0.56 % more", "-", "-", "", power, "-"],
    ]
    head = ["figure", "published", "least", "aim", "row", "here", "reached"]
    return (
        "## Figures to reach\n\n*Published* are figures of others: where nothing else is said, of "
        "Nguyen, Veeravalli and Fong (2021), for their own networks and circuits, some of them "
        "energy; they are no measurements of ours, and ours are none of energy. *Least* and *aim* "
        "are the bars that this project set itself.\n\n" + table(head, lines)
    )
