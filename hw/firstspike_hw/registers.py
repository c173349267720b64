"""Registers that say which network is loaded."""

from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import GLOBAL_REGISTERS, LAYER_REGISTERS, CoreSpec, bits_for, layer_register
from firstspike_hw.encoder import coding_signature
from firstspike_hw.walker import layer_signature

__all__ = ["Registers"]


class Registers(wiring.Component):
    """Holds `firstspike.spec.GLOBAL_REGISTERS` and `LAYER_REGISTERS`, write only.

    Timing: a write shows in the next cycle. Reset: all 0, which is no network.

    Parameters
    ----------
    spec : CoreSpec
        Widths, and how many layers there are.

    Members
    -------
    write : In(1), address : In(8), value : In(32)
        Write a register; see `firstspike.spec.layer_register` for addresses.
    number : In(bits_for(max_layers))
        Which layer to show.
    layer : Out(layer_signature(spec))
        Registers of that layer.
    coding : Out(coding_signature(spec))
        How stimuli are encoded.
    early_exit : Out(1), last_layer : Out(bits_for(max_layers)), state_rows : Out(...)
        Further registers of the whole core.
    """

    write: Signal
    address: Signal
    value: Signal
    number: Signal
    layer: Any
    coding: Any
    early_exit: Signal
    last_layer: Signal
    state_rows: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "write": In(1),
                "address": In(8),
                "value": In(32),
                "number": In(bits_for(spec.max_layers)),
                "layer": Out(layer_signature(spec)),
                "coding": Out(coding_signature(spec)),
                "early_exit": Out(1),
                "last_layer": Out(bits_for(spec.max_layers)),
                "state_rows": Out(bits_for(spec.state_rows)),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()

        for address, (name, _) in enumerate(GLOBAL_REGISTERS):
            register = getattr(self if hasattr(self, name) else self.coding, name)
            with m.If(self.write & (self.address == address)):
                m.d.sync += register.eq(self.value)

        for name, _ in LAYER_REGISTERS:
            shown = getattr(self.layer, name)
            values = Signal(
                data.ArrayLayout(Shape.cast(shown.shape()), spec.max_layers), name=f"layers_{name}"
            )
            for layer in range(spec.max_layers):
                with m.If(self.write & (self.address == layer_register(layer, name))):
                    m.d.sync += values[layer].eq(self.value)
            m.d.comb += shown.eq(values[self.number])
        return m
