"""Promises that components keep, stated for a prover."""

from collections.abc import Callable
from typing import Any

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import stream, wiring

__all__ = ["StreamContract"]


class StreamContract(Elaboratable):
    """A component whose output streams are watched, and whose input streams behave.

    Promised of each output stream: a payload on offer stays there, unchanged, until it is taken.
    The same is assumed of each input stream. Inputs that are no streams, and ``ready``, do what
    they like.

    Covered of each output stream: a payload that waits for a cycle and is then taken, and a second
    one that is taken.

    Parameters
    ----------
    component : wiring.Component
        What is proved.
    assumptions : callable, optional
        Given the component, returns conditions on its inputs that hold in every cycle; what they
        need to remember, they may add to the module that they are also given.

    Attributes
    ----------
    ports : list of Value
        Inputs of the component, for the prover to choose.
    """

    def __init__(
        self,
        component: wiring.Component,
        assumptions: Callable[[Module, wiring.Component], list[Value]] | None = None,
    ):
        self._component = component
        self._assumptions = assumptions
        self.ports = [
            Value.cast(value)
            for _, member, value in component.signature.flatten(component)
            # The prover cannot show a trace of an input that has no bits.
            if member.flow == wiring.In and len(Value.cast(value))
        ]

    def elaborate(self, platform):
        m = Module()
        component: Any = self._component
        m.submodules.component = component
        # Registers start with their initial values; a reset in the middle may break an offer.
        m.d.comb += Assume(~ResetSignal(), None)
        if self._assumptions is not None:
            m.d.comb += [Assume(condition, None) for condition in self._assumptions(m, component)]
        for name, member in component.signature.members.items():
            if not member.is_signature or not isinstance(member.signature, stream.Signature):
                continue
            offers = getattr(component, name)
            payload = Value.cast(offers.payload)
            waits = Signal(name=f"{name}_waits")
            waiting = Signal(len(payload), name=f"{name}_waiting")
            another = Signal(name=f"{name}_another")
            moves = offers.valid & offers.ready
            m.d.sync += [waits.eq(offers.valid & ~offers.ready), waiting.eq(payload)]
            with m.If(moves):
                m.d.sync += another.eq(1)
            judge = Assume if member.flow == wiring.In else Assert
            with m.If(waits):
                m.d.comb += judge(offers.valid & (payload == waiting), None)
            if member.flow == wiring.Out:
                m.d.comb += [Cover(waits & moves, None), Cover(another & moves, None)]
        return m
