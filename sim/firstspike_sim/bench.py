"""Run a component in Amaranth's simulator, with streams that pause at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from amaranth.sim import Simulator

__all__ = ["FLOWS", "PERIOD", "pauses", "pulse", "put", "set_members", "simulate", "take"]

#: Of the simulated clock, in seconds.
PERIOD = 1e-8

#: Chances of a pause of those who offer and of those who take, by name.
FLOWS = {
    "free": (0.0, 0.0),
    "idle": (0.6, 0.0),
    "stalled": (0.0, 0.6),
    "both": (0.4, 0.4),
}


def simulate(
    dut: Any,
    *benches: Callable,
    background: Iterable[Callable] = (),
    cycles: int = 100_000,
) -> None:
    """Run all ``benches`` to their end.

    Parameters
    ----------
    dut : Component
        With a clock ``sync``, or purely combinational.
    *benches : coroutine functions of a simulator context
        What must come to its end.
    background : iterable of coroutine functions
        What is dropped when they have; must wait with plain ``ctx.tick()`` alone, since an
        unfinished ``repeat`` or ``until`` raises when it is collected.
    cycles : int
        Cycles after which the run has failed.

    Raises
    ------
    TimeoutError
        If the benches take longer than ``cycles``.
    """

    async def watchdog(ctx):
        await ctx.delay(cycles * PERIOD)
        raise TimeoutError(f"not finished after {cycles} cycles")

    simulator = Simulator(dut)
    simulator.add_clock(PERIOD)
    for bench in benches:
        simulator.add_testbench(bench)
    for bench in (*background, watchdog):
        simulator.add_testbench(bench, background=True)
    simulator.run()


def pauses(chance: float, seed: object) -> Iterator[bool]:
    """Yield for ever whether a cycle is a pause; the same for the same ``seed``."""
    generator = random.Random(f"{seed} {chance}")
    while True:
        yield generator.random() < chance


def set_members(ctx: Any, interface: Any, values: dict[str, Any]) -> None:
    """Set members of ``interface`` by name."""
    for name, value in values.items():
        ctx.set(getattr(interface, name), value)


async def pulse(ctx: Any, signal: Any) -> None:
    """Keep ``signal`` high for one cycle."""
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


async def put(ctx: Any, port: Any, payloads: Iterable[Any], idle: Iterator[bool]) -> None:
    """Offer ``payloads`` one after the other; pause in the cycles that ``idle`` names."""
    for payload in payloads:
        while next(idle):
            await ctx.tick()
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        taken = False
        while not taken:
            *_, taken = await ctx.tick().sample(port.ready)
        ctx.set(port.valid, 0)


async def take(ctx: Any, port: Any, received: list, stall: Iterator[bool], more: Callable) -> None:
    """Append to ``received`` while ``more()``; be unready in the cycles that ``stall`` names.

    Raises
    ------
    AssertionError
        If an offer is withdrawn, or changes while it waits.
    """
    waiting = None
    while more():
        ready = not next(stall)
        ctx.set(port.ready, ready)
        *_, valid, payload = await ctx.tick().sample(port.valid, port.payload)
        if waiting is not None:
            assert valid, "an offer was withdrawn"
            assert payload == waiting, "an offer changed while it waited"
        if valid and ready:
            received.append(payload)
        waiting = payload if valid and not ready else None
    ctx.set(port.ready, 0)
