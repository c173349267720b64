"""A core behind a UART: what is the same on every board."""

from amaranth import *
from amaranth.hdl import ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from firstspike.spec import CoreSpec
from firstspike_hw.flash_boot import FlashBoot
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
    flash_offset : int or None
        Where in an SPI flash stands what is loaded first; see `firstspike_hw.flash_boot`. The host
        is not heard before that is done.

    Members
    -------
    rx : In(1)
        From the host; not synchronised.
    tx : Out(1)
        To the host.
    flash_cs, flash_clk, flash_copi : Out(1), flash_cipo : In(1)
        With ``flash_offset``: the flash.
    """

    rx: Signal
    tx: Signal
    flash_cs: Signal
    flash_clk: Signal
    flash_copi: Signal
    flash_cipo: Signal

    def __init__(self, spec: CoreSpec, divisor: int, *, flash_offset: int | None = None):
        self._rx = UartRx(divisor)
        self._tx = UartTx(divisor)
        self._link = FrameLink(spec)
        self._core = make_core(spec)
        self._boot = None if flash_offset is None else FlashBoot(flash_offset)
        flash = {name: Out(1) for name in ("flash_cs", "flash_clk", "flash_copi")}
        flash["flash_cipo"] = In(1)
        super().__init__({"rx": In(1), "tx": Out(1), **({} if self._boot is None else flash)})

    def elaborate(self, platform):
        m = Module()
        core = self._core
        m.submodules.uart_rx = rx = self._rx
        m.submodules.uart_tx = tx = self._tx
        m.submodules.link = link = self._link
        m.submodules.core = ResetInserter(link.restart)(core)
        m.d.comb += [rx.rx.eq(self.rx), self.tx.eq(tx.tx)]
        self._received(m, rx, link)
        connect(m, link.sent, tx.bytes)
        connect(m, link.pixels, core.pixels)
        connect(m, link.requests, core.requests)
        connect(m, core.replies, link.replies)
        connect(m, core.results, link.results)
        connect(m, link.events, core.events)
        if isinstance(core, LearningCore):
            connect(m, link.labels, core.labels)
        else:
            m.d.comb += link.labels.ready.eq(1)
        return m

    def _received(self, m, rx, link):
        """Wire what the link receives: first what the flash holds, then what the host sends."""
        if self._boot is None:
            connect(m, rx.bytes, link.received)
            m.d.comb += link.lost.eq(rx.lost)
            return
        m.submodules.boot = boot = self._boot
        m.d.comb += [
            link.patient.eq(~boot.done),
            self.flash_cs.eq(boot.cs),
            self.flash_clk.eq(boot.clk),
            self.flash_copi.eq(boot.copi),
            boot.cipo.eq(self.flash_cipo),
        ]
        with m.If(boot.done):
            m.d.comb += [
                link.received.payload.eq(rx.bytes.payload),
                link.received.valid.eq(rx.bytes.valid),
                rx.bytes.ready.eq(link.received.ready),
                link.lost.eq(rx.lost),
            ]
        with m.Else():
            m.d.comb += [
                link.received.payload.eq(boot.bytes.payload),
                link.received.valid.eq(boot.bytes.valid),
                boot.bytes.ready.eq(link.received.ready),
                rx.bytes.ready.eq(1),
            ]
