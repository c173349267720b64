"""A core behind a UART: what is the same on every board."""

from amaranth import *
from amaranth.hdl import ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from firstspike.spec import CoreSpec
from firstspike_hw.bytelink import ByteLink
from firstspike_hw.learner.core import LearningCore
from firstspike_hw.make import make_core
from firstspike_hw.uart import UartRx, UartTx

__all__ = ["System"]


class System(wiring.Component):
    """A core that a host reaches over two wires; docs/byte-link.md has the protocol.

    Timing: a host must not send requests while a stimulus is at work, nor more than two stimuli
    ahead of their results: there is no flow control, and bytes that find no room are lost.
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
        self._link = ByteLink(spec)
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
        # Pixels only: pre-sorted events have no command.
        m.d.comb += core.events.valid.eq(0)
        if isinstance(core, LearningCore):
            # Nor have labels: over this link a core learns without supervision.
            m.d.comb += core.labels.valid.eq(0)
        return m
