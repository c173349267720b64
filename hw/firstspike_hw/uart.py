"""Bytes over two wires: 8 data bits, no parity, one stop bit."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["MIN_DIVISOR", "UartRx", "UartTx"]

#: A bit needs a few cycles to be sampled near its middle.
MIN_DIVISOR = 4
_FRAME_BITS = 10


def _check(divisor: int) -> None:
    if divisor < MIN_DIVISOR:
        raise ValueError(f"divisor is {divisor}, must be at least {MIN_DIVISOR}")


class UartRx(wiring.Component):
    """Receives bytes.

    Each bit is sampled once, in its middle. A byte without a stop bit is dropped, and so is one
    that is complete while the one before it still waits: a byte must be taken within the time that
    the next one needs.

    Timing: a byte is valid from the middle of its stop bit, or ``lost`` is high in the cycle after.

    Parameters
    ----------
    divisor : int
        Clock cycles a bit.

    Members
    -------
    rx : In(1)
        The wire, not synchronised; idle high.
    bytes : Out(stream.Signature(8))
        What came.
    lost : Out(1)
        High for a cycle: a byte was dropped.

    Raises
    ------
    ValueError
        If ``divisor`` is below `MIN_DIVISOR`.
    """

    rx: Signal
    bytes: stream.Interface
    lost: Signal

    def __init__(self, divisor: int):
        _check(divisor)
        self._divisor = divisor
        super().__init__({"rx": In(1), "bytes": Out(stream.Signature(8)), "lost": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules += FFSynchronizer(self.rx, line, init=1)

        m.d.sync += self.lost.eq(0)
        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)

        cycles = Signal(range(self._divisor))
        bits = Signal(range(_FRAME_BITS))
        shift = Signal(8)
        sample = Signal()
        m.d.comb += sample.eq(cycles == 0)
        m.d.sync += cycles.eq(Mux(sample, self._divisor - 1, cycles - 1))
        with m.FSM():
            # A break, or the middle of a byte when the power comes: wait for the line to rise.
            with m.State("SILENT"), m.If(line):
                m.next = "IDLE"
            with m.State("IDLE"):
                m.d.sync += [cycles.eq(self._divisor // 2 - 1), bits.eq(0)]
                with m.If(~line):
                    m.next = "FRAME"
            with m.State("FRAME"), m.If(sample):
                m.d.sync += [bits.eq(bits + 1), shift.eq(Cat(shift[1:], line))]
                with m.If((bits == 0) & line):
                    # Too short for a start bit.
                    m.next = "IDLE"
                with m.If(bits == _FRAME_BITS - 1):
                    # A host with a faster clock may begin the next byte in the next cycle.
                    with m.If(line):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "SILENT"
                    with m.If(line & ~self.bytes.valid):
                        m.d.sync += [self.bytes.valid.eq(1), self.bytes.payload.eq(shift)]
                    with m.Else():
                        m.d.sync += self.lost.eq(1)
        return m


class UartTx(wiring.Component):
    """Sends bytes.

    Timing: ten times ``divisor`` cycles a byte; back to back if the next one is there.

    Parameters
    ----------
    divisor : int
        Clock cycles a bit.

    Members
    -------
    bytes : In(stream.Signature(8))
        What to send.
    tx : Out(1)
        The wire; idle high.

    Raises
    ------
    ValueError
        If ``divisor`` is below `MIN_DIVISOR`.
    """

    bytes: stream.Interface
    tx: Signal

    def __init__(self, divisor: int):
        _check(divisor)
        self._divisor = divisor
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        cycles = Signal(range(self._divisor))
        bits = Signal(range(_FRAME_BITS + 1))
        # The frame less what is on the line: eight data bits and the stop bit.
        level = Signal(init=1)
        shift = Signal(_FRAME_BITS - 1)
        m.d.comb += self.tx.eq(level)
        m.d.comb += self.bytes.ready.eq((bits == 0) | ((bits == 1) & (cycles == 0)))
        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += [
                level.eq(0),
                shift.eq(Cat(self.bytes.payload, 1)),
                bits.eq(_FRAME_BITS),
                cycles.eq(self._divisor - 1),
            ]
        with m.Elif(bits != 0):
            m.d.sync += cycles.eq(cycles - 1)
            with m.If(cycles == 0):
                m.d.sync += [
                    Cat(level, shift).eq(Cat(shift, 1)),
                    bits.eq(bits - 1),
                    cycles.eq(self._divisor - 1),
                ]
        return m
