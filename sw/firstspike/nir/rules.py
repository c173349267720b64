"""What NIR leaves open: the length of a step, what becomes of a potential, and ties."""

from __future__ import annotations

from dataclasses import dataclass

import nir

from firstspike.errors import InputError
from firstspike.nir.graph import Graph
from firstspike.spec import Reset

__all__ = ["DT", "FIRES", "Rules", "rules_of"]

#: Seconds; snnTorch and SpikingJelly write their time constants for such steps.
DT = 1e-4
#: When a neuron fires.
FIRES = ("above", "at")

_RESETS = tuple(reset.value for reset in Reset)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a graph's equations are taken.

    Parameters
    ----------
    dt : float
        Length of a step in seconds.
    assumed : bool
        Neither the file nor a person said so.
    reset : str or None
        Of neurons whose node does not tell: ``soft`` or ``hard``. None: by NIR's equation, hard.
    fires : str
        Of neurons whose node does not tell: ``above`` their threshold, or ``at`` it.
    """

    dt: float = DT
    assumed: bool = True
    reset: str | None = None
    fires: str = "above"

    def soft(self, graph: Graph, name: str) -> bool:
        """Tell whether a neuron's threshold is taken off when it fires.

        Raises
        ------
        InputError
            If nobody says what becomes of its potential, or two say different things.
        """
        told = _choice(graph, name, "reset", _RESETS)
        if told and self.reset and told != self.reset:
            raise graph.refuse(name, f"its metadata say reset {told}, not {self.reset}")
        reset = told or self.reset
        if isinstance(graph.nodes[name], nir.Threshold):
            return False
        if reset is None and name in graph.unreset:
            raise graph.refuse(
                name, "v_reset is missing; say what its neurons do: --reset hard or --reset soft"
            )
        return reset == Reset.SOFT.value

    def strict(self, graph: Graph, name: str) -> bool:
        """Tell whether a neuron fires above its threshold only."""
        return (_choice(graph, name, "fires", FIRES) or self.fires) == "above"

    def once(self, graph: Graph, name: str) -> bool:
        """Tell whether a neuron fires at most once."""
        return bool(graph.said(name).get("once", False))


def rules_of(graph: Graph, dt: float | None, reset: str | None, fires: str | None) -> Rules:
    """Return the rules for ``graph``, of which a person may have told some.

    Raises
    ------
    InputError
        If the length of a step is none.
    """
    told = graph.metadata.get("dt")
    given = dt if dt is not None else told
    try:
        length = DT if given is None else float(given)
    except (TypeError, ValueError):
        length = -1.0
    if not 0 < length < float("inf"):
        raise InputError(f"{graph.path}: dt is {given}, must be a number of seconds above 0")
    return Rules(length, given is None, reset, fires or "above")


def _choice(graph: Graph, name: str, key: str, choices: tuple[str, ...]) -> str | None:
    value = graph.said(name).get(key)
    if value is not None and value not in choices:
        raise graph.refuse(
            name, f"its metadata say {key} {value!r}, must be {' or '.join(choices)}"
        )
    return value
