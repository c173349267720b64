"""A simulated chip, and the bits on its two wires."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from firstspike.spec import CoreSpec
from firstspike_hw.uart import MIN_DIVISOR
from firstspike_sim.board_verilog import BIT_FRACTIONS, TOPLEVEL, Symbol, far_end
from firstspike_sim.translation import system_verilog
from firstspike_sim.verilator import build_model

__all__ = ["BLOCK", "BoardModel", "FarEnd", "Heard", "symbols_of"]

#: Most symbols that are sent at once: they fit in a pipe, so nobody waits for the other for ever.
BLOCK = 4096

_REPORT = 1 << 31
_BAD_STOP = 1 << 8


def symbols_of(data: bytes | Iterable[int], kind: Symbol = Symbol.BYTE) -> np.ndarray:
    """Return symbols of ``kind``, uint32, one for each value in ``data``."""
    return np.array(list(data), np.uint32) | np.uint32(kind << 24)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from the chip.

    Attributes
    ----------
    data : bytes
        Bytes, those with a low stop bit included.
    bad : tuple of int
        Which of ``data`` had a low stop bit.
    """

    data: bytes
    bad: tuple[int, ...]


class FarEnd:
    """A chip, compiled, in a process of its own, and what is at the far end of its wires.

    Time passes during `exchange` and at no other time. Use it in a ``with`` statement, or call
    `close`.

    Parameters
    ----------
    chip : str
        Verilog of module ``system``, with ports clk, rst, rx and tx.
    bit : float
        Length of the far end's bits in clock cycles, at least 4.
    seed : int
        Of the random contents that registers and memories start with.

    Attributes
    ----------
    cycles : int
        Clock cycles so far.

    Raises
    ------
    InputError
        If a tool is missing.
    RuntimeError
        If the simulation does not start.
    """

    def __init__(self, chip: str, *, bit: float, seed: int = 1) -> None:
        self.cycles = 0
        model = build_model({"system.v": chip, "board.sv": far_end()}, TOPLEVEL)
        self._failure: BaseException | None = None
        self._folder = tempfile.TemporaryDirectory()
        work = Path(self._folder.name)
        for name in ("symbols", "heard"):
            os.mkfifo(work / name)
        # Opened to read as well, it is open at once; the other one is, too, as it does not block.
        self._to = os.open(work / "symbols", os.O_RDWR)
        self._from = os.open(work / "heard", os.O_RDONLY | os.O_NONBLOCK)
        plusargs = [f"+{name}={work / name}" for name in ("symbols", "heard")]
        plusargs.append(f"+bit={round(BIT_FRACTIONS * bit)}")

        def run() -> None:
            try:
                model.run("firstspike_sim.benches.board", work, plusargs, seed=seed)
            except RuntimeError as error:
                self._failure = error

        # Children inherit which signals are blocked: an interrupt from a keyboard is for us.
        kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._thread = threading.Thread(target=run, daemon=True)
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, kept)
        try:
            self.exchange(np.zeros(0, np.uint32), 16)
        except RuntimeError:
            self.close()
            raise

    def exchange(self, symbols: np.ndarray, cycles: int = 0) -> Heard:
        """Send symbols, let some time pass, and return what came meanwhile.

        Parameters
        ----------
        symbols : ndarray of uint32, shape (n,)
            What the far end does, `BLOCK` at most; see `symbols_of` and `Symbol`.
        cycles : int
            Clock cycles to wait for afterwards; fewer if something is heard and then no more, and
            2**24 - 1 at most.

        Raises
        ------
        RuntimeError
            If the simulation has ended.
        ValueError
            If there are too many symbols or cycles.
        """
        if len(symbols) > BLOCK:
            raise ValueError(f"{len(symbols)} symbols, must be at most {BLOCK}")
        if not 0 <= cycles < 1 << 24:
            raise ValueError(f"{cycles} cycles, must be in 0..{(1 << 24) - 1}")
        report = symbols_of([cycles], Symbol.REPORT)
        os.write(self._to, np.concatenate([symbols, report]).astype(">u4").tobytes())
        heard = bytearray()
        while True:
            while not select.select([self._from], [], [], 1.0)[0]:
                self._check_alive()
            got = os.read(self._from, 1 << 16)
            if not got:
                self._check_alive()
            heard += got
            if len(heard) % 4 == 0 and heard and heard[-1] & 0x80:
                break
        words = np.frombuffer(heard, "<u4")
        self.cycles += (int(words[-1]) - self.cycles) % _REPORT
        octets = words[:-1]
        bad = np.flatnonzero(octets & _BAD_STOP)
        return Heard(octets.astype(np.uint8).tobytes(), tuple(bad.tolist()))

    def _check_alive(self) -> None:
        """Raise if the process is gone; it may still be about to start."""
        if not self._thread.is_alive():
            raise RuntimeError(f"the simulated board stopped: {self._failure}")

    def close(self) -> None:
        """End the simulation; may be called again."""
        if self._to < 0:
            return
        # Whether it waits to read or to write, that ends.
        os.close(self._to)
        os.close(self._from)
        self._to = -1
        self._thread.join()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self.close()


class BoardModel(FarEnd):
    """`firstspike_hw.top.System` as a chip, or another chip that does the same.

    Parameters
    ----------
    core : CoreSpec
        The core.
    divisor : int
        Clock cycles a bit of its UART.
    deviation : float
        By which part of it the bits of the far end are longer, such as 0.02 for 2 %.
    seed : int
        See `FarEnd`.
    chip : str, optional
        See `FarEnd`; that of `firstspike_hw.top.System` if not given.

    Raises
    ------
    InputError, RuntimeError
        See `FarEnd`.
    """

    def __init__(
        self,
        core: CoreSpec,
        *,
        divisor: int = MIN_DIVISOR,
        deviation: float = 0.0,
        seed: int = 1,
        chip: str | None = None,
    ) -> None:
        if chip is None:
            chip = system_verilog(core, divisor)
        super().__init__(chip, bit=divisor * (1 + deviation), seed=seed)
