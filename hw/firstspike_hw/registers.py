"""Registers that say which network is loaded."""

from typing import Any

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import (
    GLOBAL_REGISTERS,
    LAYER_REGISTERS,
    MULTISPIKE_LAYER_REGISTERS,
    MULTISPIKE_REGISTERS,
    CoreSpec,
    bits_for,
    layer_register,
)
from firstspike_hw.encoder import coding_signature
from firstspike_hw.rtlil import NO_COLLISION
from firstspike_hw.walker import layer_signature

__all__ = ["Registers"]

#: Registers of a layer that say where its rows stand, and those that do not.
_ROWS = ("weight_row", "state_row", "stride")
_OTHERS = tuple(name for name, _ in LAYER_REGISTERS if name not in _ROWS)
_DYNAMICS = tuple(name for name, _ in MULTISPIKE_LAYER_REGISTERS)


class Registers(wiring.Component):
    """Holds `firstspike.spec.GLOBAL_REGISTERS` and `LAYER_REGISTERS`, write only.

    Those of the layers stand in two memories. As flip-flops with a multiplexer behind them, they
    would be a tenth of a small core.

    Timing: a write shows in the next cycle, of a layer two cycles later.
    Reset: those of the whole core are 0; the layers' keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Widths, and how many layers there are.

    Members
    -------
    write : In(1), address : In(8), value : In(32)
        Write a register; see `firstspike.spec.layer_register` for addresses.
    next_layer : In(bits_for(max_layers))
        Which layer to show in the next cycle.
    layer : Out(layer_signature(spec))
        Registers of that layer.
    coding : Out(coding_signature(spec))
        How stimuli are encoded.
    early_exit : Out(1), last_layer : Out(bits_for(max_layers)), state_rows : Out(...),
    multispike : Out(1), last_moment : Out(moment_bits)
        Further registers of the whole core.
    """

    write: Signal
    address: Signal
    value: Signal
    next_layer: Signal
    layer: Any
    coding: Any
    early_exit: Signal
    last_layer: Signal
    state_rows: Signal
    multispike: Signal
    last_moment: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        super().__init__(
            {
                "write": In(1),
                "address": In(8),
                "value": In(32),
                "next_layer": In(bits_for(spec.max_layers)),
                "layer": Out(layer_signature(spec)),
                "coding": Out(coding_signature(spec)),
                "early_exit": Out(1),
                "last_layer": Out(bits_for(spec.max_layers)),
                "state_rows": Out(bits_for(spec.state_rows)),
                "multispike": Out(1),
                "last_moment": Out(spec.moment_bits),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()

        registers = (*GLOBAL_REGISTERS, *(MULTISPIKE_REGISTERS if spec.multispike else ()))
        for address, (name, _) in enumerate(registers):
            register = getattr(self if hasattr(self, name) else self.coding, name)
            with m.If(self.write & (self.address == address)):
                m.d.sync += register.eq(self.value)

        for names, attributes in (
            # Synthesis takes flip-flops for so few words; a core with SPRAM has block RAM to spare.
            (_ROWS, {"ram_style": "block"} if spec.memory == "spram" else {}),
            ((*_OTHERS, *(_DYNAMICS if spec.multispike else ())), {}),
        ):
            widths = {name: len(Value.cast(getattr(self.layer, name))) for name in names}
            fields = data.StructLayout(widths)
            layers = memory.Memory(
                shape=unsigned(fields.size),
                depth=spec.max_layers,
                init=[],
                attrs=NO_COLLISION | attributes,
            )
            m.submodules += layers
            read, write = layers.read_port(), layers.write_port(granularity=1)
            shown, written = data.View(fields, read.data), data.View(fields, write.data)
            enable = data.View(fields, write.en)
            m.d.comb += read.addr.eq(self.next_layer)
            for name in names:
                m.d.comb += [
                    Value.cast(getattr(self.layer, name)).eq(shown[name]),
                    written[name].eq(self.value),
                ]
                for layer in range(spec.max_layers):
                    with m.If(self.write & (self.address == layer_register(layer, name))):
                        m.d.comb += [write.addr.eq(layer), enable[name].eq(-1)]
        return m
