"""Registers of a learning core."""

from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import (
    GLOBAL_REGISTERS,
    HANDICAP_MAX,
    LEARNING_REGISTERS,
    MASK_BITS,
    CoreSpec,
    bits_for,
    learning_register,
)
from firstspike_hw.encoder import coding_signature

__all__ = ["LearnerRegisters"]


class LearnerRegisters(wiring.Component):
    """Holds `firstspike.spec.GLOBAL_REGISTERS` as far as they apply, and `LEARNING_REGISTERS`.

    Timing: a write shows in the next cycle. Reset: all 0.

    Parameters
    ----------
    spec : CoreSpec
        Widths.

    Members
    -------
    write : In(1), address : In(8), value : In(32)
        Write a register.
    shown : Out(32)
        The register at ``address``, if it can be read; else 0.
    coding : Out(coding_signature(spec))
        How stimuli are encoded.
    early_exit, learn, supervised, reward : Out(1)
        What is done with a stimulus.
    own, other : Out(range(HANDICAP_MAX + 1)), error_step : Out(16), offset_step : Out(8)
        Handicaps, and steps of thresholds and offsets.
    state_rows : Out(bits_for(state_rows)), last_bank : Out(bits_for(banks))
        Place of the last neuron.
    column_words : Out(...), last_inputs : Out(MASK_BITS)
        See `firstspike_hw.learner.column_walk.ColumnWalk`.
    below : Out(weight_bits + 1), min_fan_in : Out(bits_for(max_inputs + 1)), prunes : Out(1)
        When a synapse is pruned.
    settle : In(1)
        A stimulus was learned from.
    random_load : Out(1), random : In(32)
        The state of the random numbers is set; and is.
    """

    write: Signal
    address: Signal
    value: Signal
    shown: Signal
    coding: Any
    early_exit: Signal
    learn: Signal
    supervised: Signal
    reward: Signal
    own: Signal
    other: Signal
    error_step: Signal
    offset_step: Signal
    state_rows: Signal
    last_bank: Signal
    column_words: Signal
    last_inputs: Signal
    below: Signal
    min_fan_in: Signal
    prunes: Signal
    settle: Signal
    random_load: Signal
    random: Signal

    def __init__(self, spec: CoreSpec):
        super().__init__(
            {
                "write": In(1),
                "address": In(8),
                "value": In(32),
                "shown": Out(32),
                "coding": Out(coding_signature(spec)),
                **{name: Out(1) for name in ("early_exit", "learn", "supervised", "reward")},
                "own": Out(range(HANDICAP_MAX + 1)),
                "other": Out(range(HANDICAP_MAX + 1)),
                "error_step": Out(16),
                "offset_step": Out(8),
                "state_rows": Out(bits_for(spec.state_rows)),
                "last_bank": Out(bits_for(spec.banks)),
                "column_words": Out(bits_for(spec.max_inputs // MASK_BITS)),
                "last_inputs": Out(MASK_BITS),
                "below": Out(spec.weight_bits + 1),
                "min_fan_in": Out(bits_for(spec.max_inputs + 1)),
                "prunes": Out(1),
                "settle": In(1),
                "random_load": Out(1),
                "random": In(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        delay = Signal(24)
        m.d.comb += self.prunes.eq(delay == 0)
        with m.If(self.settle & ~self.prunes):
            m.d.sync += delay.eq(delay - 1)

        coding = dict.fromkeys(self.coding.signature.members)
        for address, (name, _) in enumerate(GLOBAL_REGISTERS):
            # A learning core has one layer, of STEP neurons.
            if name not in ("ramp", "last_layer"):
                register = getattr(self.coding if name in coding else self, name)
                with m.If(self.write & (self.address == address)):
                    m.d.sync += register.eq(self.value)
        for name, _ in LEARNING_REGISTERS:
            here = self.address == learning_register(name)
            if name == "random":
                m.d.comb += self.random_load.eq(self.write & here)
            else:
                with m.If(self.write & here):
                    m.d.sync += (delay if name == "delay" else getattr(self, name)).eq(self.value)
        for name, value in (("delay", delay), ("random", self.random)):
            with m.If(self.address == learning_register(name)):
                m.d.comb += self.shown.eq(value)
        return m
