"""A simulated board that a host talks to as to a serial port."""

from __future__ import annotations

from collections import deque

from amaranth.sim import Simulator

from firstspike.spec import CoreSpec
from firstspike_hw.top import System
from firstspike_hw.uart import MIN_DIVISOR

__all__ = ["SimulatedBoard"]

_PERIOD = 1e-8
_FRAME_BITS = 10


class SimulatedBoard:
    """Runs `System` in Amaranth's simulator, as long as somebody reads.

    Parameters
    ----------
    spec : CoreSpec
        Its core.
    patience : int
        Clock cycles without a byte after which `read` gives up.
    """

    def __init__(self, spec: CoreSpec, *, patience: int = 20_000) -> None:
        self._dut = System(spec, MIN_DIVISOR)
        self._patience = patience
        self._to_board: deque[int] = deque()
        self._from_board = bytearray()
        self._cycles = 0
        self._simulator = Simulator(self._dut)
        self._simulator.add_clock(_PERIOD)
        self._simulator.add_process(self._count)
        self._simulator.add_process(self._send)
        self._simulator.add_process(self._receive)

    def write(self, data: bytes, /) -> int:
        """Queue bytes for the board's receiver."""
        self._to_board.extend(data)
        return len(data)

    def read(self, size: int, /) -> bytes:
        """Let time pass until there are ``size`` bytes, or nothing happens any more."""
        last = self._cycles
        while len(self._from_board) < size:
            before = len(self._from_board)
            self._simulator.advance()
            if self._to_board or len(self._from_board) > before:
                last = self._cycles
            if self._cycles - last > self._patience:
                break
        taken = bytes(self._from_board[:size])
        del self._from_board[:size]
        return taken

    async def _count(self, ctx) -> None:
        async for _ in ctx.tick():
            self._cycles += 1

    async def _send(self, ctx) -> None:
        ctx.set(self._dut.rx, 1)
        for _ in range(_FRAME_BITS):
            await ctx.tick().repeat(MIN_DIVISOR)
        while True:
            while not self._to_board:
                await ctx.tick()
            value = self._to_board[0]
            for bit in (0, *(value >> i & 1 for i in range(8)), 1):
                ctx.set(self._dut.rx, bit)
                await ctx.tick().repeat(MIN_DIVISOR)
            self._to_board.popleft()

    async def _receive(self, ctx) -> None:
        while True:
            _, _, level = await ctx.tick().sample(self._dut.tx)
            if level:
                continue
            # In the start bit; on to the middle of the first data bit.
            await ctx.tick().repeat(MIN_DIVISOR // 2)
            value = 0
            for bit in range(8):
                *_, level = await ctx.tick().sample(self._dut.tx).repeat(MIN_DIVISOR)
                value |= level << bit
            await ctx.tick().repeat(MIN_DIVISOR)
            self._from_board.append(value)
