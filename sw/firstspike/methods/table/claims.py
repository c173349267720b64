"""What was to be shown of each method, beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firstspike.markdown import table
from firstspike.methods.table.figures import Result, mean, sparse_cycles, spread
from firstspike.methods.table.rows import DATA

__all__ = ["claims"]

#: Points of accuracy within which two networks are called equal.
_EQUAL = 0.5

#: Results by recipe and network.
Found = Mapping[tuple[str, str], Result]


def claims(found: Found) -> str:
    """Return a table of what was to be shown, a line a method and data set."""
    lines: list[list[str]] = []
    for title, published, say in _CLAIMS:
        for data in DATA:
            told = say(found, data)
            if told:
                lines.append([title, published, data, told])
                title = published = ""
    return "### What was to be shown\n\n" + table(["what", "published", "data", "here"], lines)


def _of(found: Found, recipe: str, kind: str) -> list[Result]:
    """Return the networks ``KIND-N`` of a recipe, by ascending number."""
    mine = [
        (float(name.rpartition("-")[2]), result)
        for (of, name), result in found.items()
        if of == recipe and name.rpartition("-")[0] == kind
    ]
    return [result for _, result in sorted(mine, key=lambda pair: pair[0])]


def _percent(result: Result, key: str = "accuracy") -> float:
    return 100 * (mean(result, key) or 0.0)


def _points(left: Result, right: Result) -> str:
    """Return what ``left`` has more than ``right``, in points, paired by seed."""
    theirs = {e["seed"]: e["accuracy"] for e in right.entries}
    pairs = [e["accuracy"] - theirs[e["seed"]] for e in left.entries if e["seed"] in theirs]
    return ("+" if sum(pairs) >= 0 else "") + spread(pairs, 2, 100)


def _hybrid(recipe: str, kind: str) -> Callable[[Found, str], str]:
    """Return what says how many steps conversion needs for what hybrid training has."""

    def say(found: Found, data: str) -> str:
        converted = _of(found, f"{recipe}-{data}", kind)
        told = []
        for trained in _of(found, f"{recipe}-{data}", "hybrid") if converted else []:
            steps, reached = trained.first["steps"], _percent(trained)
            enough = [r for r in converted if _percent(r) >= reached - _EQUAL]
            if enough:
                need = enough[0].first["steps"]
                told.append(
                    f"T = {steps}: {reached:.2f} %, conversion needs {need} "
                    f"({_percent(enough[0]):.2f} %), {need / steps:.1f} x"
                )
            else:
                told.append(f"T = {steps}: {reached:.2f} %, conversion never")
        return "; ".join(told)

    return say


def _ftbc(recipe: str) -> Callable[[Found, str], str]:
    """Return what says how much biases by step gain."""

    def say(found: Found, data: str) -> str:
        told = []
        for gained in _of(found, f"{recipe}-{data}", "ftbc"):
            steps = gained.first["steps"]
            plain = found.get((f"{recipe}-{data}", f"converted-{steps}"))
            if plain is not None:
                told.append(f"T = {steps}: {_points(gained, plain)}")
        return "; ".join(told)

    return say


def _against(recipe: str, kind: str, others: tuple[str, ...]) -> Callable[[Found, str], str]:
    """Return what says how a kind of network of a recipe stands to others of it."""

    def say(found: Found, data: str) -> str:
        told = []
        for ours in _of(found, f"{recipe}-{data}", kind):
            number = ours.first["variant"].rpartition("-")[2]
            beside = [
                f"{other} {_percent(result):.2f}"
                for other in others
                if (result := found.get((f"{recipe}-{data}", f"{other}-{number}"))) is not None
            ]
            told.append(f"{number}: {kind} {_percent(ours):.2f} %, {', '.join(beside)}")
        return "; ".join(told)

    return say


def _stidi(found: Found, data: str) -> str:
    told = []
    for sign in _of(found, f"stidi-{data}", "sign"):
        real = found.get((f"stidi-{data}", f"real-{sign.first['steps']}"))
        if real is not None:
            told.append(
                f"real {_percent(real):.2f} %, sign {_percent(sign):.2f} %: {_points(sign, real)}"
            )
    return "; ".join(told)


def _lenient(recipe: str) -> Callable[[Found, str], str]:
    """Return what says a network's accuracy, and what it were with any tie as a hit."""

    def say(found: Found, data: str) -> str:
        return "; ".join(
            f"{spread(r.values('accuracy'), 2, 100)} %, "
            f"{_percent(r, 'lenient_accuracy'):.2f} with ties as hits, "
            f"{_percent(r, 'last_accuracy'):.2f} after the last step"
            for r in _of(found, f"{recipe}-{data}", recipe)
        )

    return say


def _rewired(found: Found, data: str) -> str:
    """Return what each share of the connections loses, and the cycles."""
    (dense,) = _of(found, f"rewiring-{data}", "dense") or (None,)
    if dense is None:
        return ""
    told = [f"dense {_percent(dense):.2f} %, {mean(dense, 'cycles'):.0f} cycles"]
    for (of, name), result in found.items():
        if of == f"rewiring-{data}" and name.startswith("rewired-"):
            share = 100 * (mean(result, "connectivity") or 0.0)
            there = sparse_cycles(result)
            sparse = f" ({spread(there, 0)} on a sparse core)" if there else ""
            told.append(
                f"{share:.2g} %: {_points(result, dense)}, "
                f"{mean(result, 'cycles'):.0f} cycles{sparse}"
            )
    return "; ".join(told)


def _budgets(found: Found, data: str) -> str:
    mine = [r for (of, _), r in found.items() if of == f"tandem-budgets-{data}"]
    return "; ".join(
        f"{r.first['variant'].split('-')[1]} {spread(r.values('accuracy'), 2, 100)} %" for r in mine
    )


def _stacks(found: Found, data: str) -> str:
    mine = [r for (of, _), r in found.items() if of == f"sew-{data}"]
    return "; ".join(
        f"{r.first['variant']} ({len(r.first['layers']) - 1} layers) "
        f"{spread(r.values('accuracy'), 2, 100)} %"
        for r in mine
    )


def _one(recipe: str) -> Callable[[Found, str], str]:
    """Return what says the accuracies of a recipe's networks."""

    def say(found: Found, data: str) -> str:
        mine = [r for (of, _), r in found.items() if of == f"{recipe}-{data}"]
        return "; ".join(
            f"{r.first['variant']} {spread(r.values('accuracy'), 2, 100)} %" for r in mine
        )

    return say


def _faster(found: Found, data: str) -> str:
    """Return how much faster a backward pass through active neurons alone is, of the first seed."""
    told = []
    for r in _of(found, f"localzo-sparse-{data}", "sparse"):
        trained = r.first["backward"]
        told += [f"{100 * of['share']:.2g} % active: {of['speedup']:.2f} x" for of in trained]
        told += [
            f"at {100 * of['share']:.2g} % of {of['neurons']} neurons {of['speedup']:.1f} x"
            for of in r.first["backward_by_share"]
            if of["neurons"] == trained[0]["neurons"]
        ]
    return "; ".join(told)


def _best(bits: tuple[int, ...]) -> Callable[[Found, str], str]:
    def say(found: Found, data: str) -> str:
        mine = [
            r for r in found.values() if r.first["data"] == data and r.first["weight_bits"] in bits
        ]
        if not mine:
            return ""
        best = max(mine, key=_percent)
        return f"{spread(best.values('accuracy'), 2, 100)} %, `{best.first['recipe']}`"

    return say


_CLAIMS: tuple[tuple[str, str, Callable[[Found, str], Any]], ...] = (
    (
        "hybrid, five hidden layers: fewer steps at equal accuracy (within 0.5 points)",
        "10-25 x",
        _hybrid("hybrid-deep", "loose"),
    ),
    (
        "the same, against a conversion with tuned thresholds",
        "",
        _hybrid("hybrid-deep", "converted"),
    ),
    ("the same, one hidden layer, pixels as numbers", "", _hybrid("hybrid", "converted")),
    ("S4NN: strict accuracy, ties beside it", "97.4 / 88.0 %, ties as hits", _lenient("s4nn")),
    ("BS4NN: the same", "97.0 / 87.3 %, ties as hits", _lenient("bs4nn")),
    ("STiDi-BP: points from real to sign weights", "-0.6 / -0.8, convolutions", _stidi),
    ("slopes of tuned height, by T", "-", _against("tuned", "tuned", ("untuned",))),
    (
        "LocalZO beside the Gaussian that it is in the mean, by T",
        "-",
        _against("localzo", "localzo", ("gaussian",)),
    ),
    ("LocalZO: speed-up of the backward pass, at the share of active neurons", "100 x", _faster),
    ("TSSL-BP, 784-400-400-10, T = 5", "- / 89.75 %, 100 epochs", _one("tsslbp")),
    (
        "proxy learning, beside its own gradient and conversion, by T",
        "-",
        _against("proxy", "proxy", ("direct", "converted")),
    ),
    ("tandem learning: bits of weights, and synapses a neuron", "-", _budgets),
    ("FTBC: points gained by biases by step, two hidden layers", "-", _ftbc("ftbc")),
    ("the same, five hidden layers", "-", _ftbc("ftbc-deep")),
    (
        "gradient rewiring: points lost by connections left",
        "3.5 at 0.73 %, a deep convolutional net",
        _rewired,
    ),
    ("residual blocks, and layers without joins", "-", _stacks),
    ("best network here, 8 bits or fewer (aim 98.5 / 90.0 %)", "-", _best(tuple(range(1, 9)))),
    ("best network with weights of 1 bit (aim 97.5 / 88.0 %)", "-", _best((1,))),
)
