"""A core behind a UART: what is the same on every board."""

from amaranth import *
from amaranth.hdl import ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from firstspike.spec import CoreSpec
from firstspike_hw.learner.core import LearningCore
from firstspike_hw.link.link import FrameLink
from firstspike_hw.make import make_core
from firstspike_hw.uart import UartRx, UartTx

__all__ = ["System"]


class System(wiring.Component):
    """A core that a host reaches over two wires; docs/board.md has the protocol.

    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        The core.
    divisor : int
        Clock cycles a bit of the UART.

    Members
    -------
    rx : In(1)
        From the host; not synchronised.
    tx : Out(1)
        To the host.
    """

    rx: Signal
    tx: Signal

    def __init__(self, spec: CoreSpec, divisor: int):
        self._rx = UartRx(divisor)
        self._tx = UartTx(divisor)
        self._link = FrameLink(spec)
        self._core = make_core(spec)
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        core = self._core
        m.submodules.uart_rx = rx = self._rx
        m.submodules.uart_tx = tx = self._tx
        m.submodules.link = link = self._link
        m.submodules.core = ResetInserter(link.restart)(core)
        m.d.comb += [rx.rx.eq(self.rx), self.tx.eq(tx.tx)]
        connect(m, rx.bytes, link.received)
        connect(m, link.sent, tx.bytes)
        connect(m, link.pixels, core.pixels)
        connect(m, link.requests, core.requests)
        connect(m, core.replies, link.replies)
        connect(m, core.results, link.results)
        connect(m, link.events, core.events)
        m.d.comb += link.lost.eq(rx.lost)
        if isinstance(core, LearningCore):
            connect(m, link.labels, core.labels)
        else:
            m.d.comb += link.labels.ready.eq(1)
        return m
