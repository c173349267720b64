"""A simulated board, as a port that `firstspike.board.link.Link` talks to."""

from __future__ import annotations

import numpy as np

from firstspike.spec import CoreSpec
from firstspike_hw.uart import MIN_DIVISOR
from firstspike_sim.board_model import BLOCK, BoardModel, symbols_of

__all__ = ["QUANTUM", "SimulatedBoard", "longest_silence"]

#: Clock cycles between two looks at what was heard: seldom enough to cost little.
QUANTUM = 4096

_FRAME_BITS = 10


def longest_silence(core: CoreSpec, divisor: int) -> int:
    """Return more clock cycles than a board that is at work says nothing."""
    events = core.max_inputs + core.max_neurons
    return 2 * events * (core.state_rows + 8) + 2000 * divisor


class SimulatedBoard:
    """A port with a simulated board behind it, in lockstep with who uses it.

    Time passes while `read` waits, and not while the host thinks: what happens does not depend on
    how fast the host is, and clock cycles can be counted. `Link` takes it with ``timeout=0``.

    Parameters
    ----------
    core : CoreSpec
        The core.
    divisor : int
        Clock cycles a bit of its UART.
    patience : int, optional
        Clock cycles in which nothing happens after which `read` gives up; more than the core needs
        for a stimulus if not given.
    deviation, seed, chip
        See `BoardModel`.

    Raises
    ------
    InputError
        If a tool is missing.
    """

    def __init__(
        self,
        core: CoreSpec,
        *,
        divisor: int = MIN_DIVISOR,
        patience: int | None = None,
        deviation: float = 0.0,
        seed: int = 1,
        chip: str | None = None,
    ) -> None:
        self._model = BoardModel(core, divisor=divisor, deviation=deviation, seed=seed, chip=chip)
        self._patience = longest_silence(core, divisor) if patience is None else patience
        self._block = min(BLOCK, max(1, QUANTUM // (_FRAME_BITS * divisor)))
        self._queue = np.zeros(0, np.uint32)
        self._heard = bytearray()

    @property
    def cycles(self) -> int:
        """Clock cycles so far."""
        return self._model.cycles

    def write(self, data: bytes, /) -> int:
        """Queue bytes for the board."""
        self.send(symbols_of(data))
        return len(data)

    def send(self, symbols: np.ndarray) -> None:
        """Queue symbols for the board, see `firstspike_sim.board_verilog.Symbol`."""
        self._queue = np.concatenate([self._queue, symbols])

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes as soon as there are some; none if nothing happens."""
        left = self._patience
        while not self._heard and left > 0:
            now, self._queue = np.split(self._queue, [self._block])
            cycles = 0 if len(self._queue) else min(left, QUANTUM)
            self._heard += self._model.exchange(now, cycles).data
            left = self._patience if len(now) else left - cycles
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    def close(self) -> None:
        """End the simulation."""
        self._model.close()

    def __enter__(self) -> SimulatedBoard:
        return self

    def __exit__(self, *_) -> None:
        self.close()
