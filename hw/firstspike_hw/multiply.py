"""Weights times magnitudes."""

from amaranth import *
from amaranth.hdl import Instance
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CoreSpec
from firstspike_hw.spram import SPRAM_DEVICE

__all__ = ["Products"]

#: Multiplier blocks of the iCE40 UltraPlus; each does two products of 8 bits.
_BLOCKS = 8


class Products(wiring.Component):
    """Multiplies each synapse of a word by the magnitude of an event.

    On an iCE40 UltraPlus the products of a core of up to 16 lanes go into the multiplier blocks,
    registers included. Elsewhere they are sums of shifted weights: written with ``*``, synthesis
    would look for more multiplier blocks than there are.

    Timing: a word a cycle; its products are valid after ``advance`` was high twice.

    Parameters
    ----------
    spec : CoreSpec
        Uses word, weight_bits, magnitude_bits.

    Members
    -------
    advance : In(1)
        Take a word; the products stay otherwise.
    add : In(1)
        Whether this word adds anything; else the products are 0.
    synapses : In(spec.synapses_bits)
        Weights as they stand in memory.
    signed : In(1)
        Two's complement (1-bit weights: 0 is -1, and 1 is +1), not unsigned.
    magnitude : In(spec.magnitude_bits)
        Not there in a core without RAMP neurons, where it is 1.
    products : Out(ArrayLayout(signed(...), spec.word))
        Results.
    """

    advance: Signal
    add: Signal
    synapses: Signal
    signed: Signal
    magnitude: Signal
    products: data.View

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        self._bits = spec.weight_bits + spec.magnitude_bits + 1
        super().__init__(
            {
                "advance": In(1),
                "add": In(1),
                "synapses": In(spec.synapses_bits),
                "signed": In(1),
                "magnitude": In(spec.magnitude_bits),
                "products": Out(data.ArrayLayout(signed(self._bits), spec.word)),
            }
        )

    def elaborate(self, platform):
        spec = self._spec
        m = Module()
        weights = [
            self._weight(m, self.synapses.word_select(lane, spec.weight_bits))
            for lane in range(spec.word)
        ]
        blocks = (
            getattr(platform, "device", None) == SPRAM_DEVICE
            and spec.lanes <= 2 * _BLOCKS
            and spec.weight_bits <= 7
            and spec.word % 2 == 0
        )
        if blocks:
            magnitude = Signal(8)
            m.d.comb += magnitude.eq(Mux(self.add, self.magnitude if spec.ramp else 1, 0))
            for lane in range(0, spec.word, 2):
                low, high = self._block(m, weights[lane], weights[lane + 1], magnitude)
                m.d.comb += [self.products[lane].eq(low), self.products[lane + 1].eq(high)]
            return m
        # Memories are slow: a register stands before the sum, and one behind it.
        taken = [Signal.like(weight, name="taken") for weight in weights]
        magnitude = Signal.like(self.magnitude)
        add = Signal()
        with m.If(self.advance):
            m.d.sync += [magnitude.eq(self.magnitude), add.eq(self.add)]
            for lane, weight in enumerate(weights):
                m.d.sync += taken[lane].eq(weight)
                with m.If(add):
                    m.d.sync += self.products[lane].eq(_times(taken[lane], magnitude))
                with m.Else():
                    m.d.sync += self.products[lane].eq(0)
        return m

    def _weight(self, m: Module, synapse: Value) -> Signal:
        """Return a synapse as a number."""
        bits = self._spec.weight_bits
        weight = Signal(signed(bits + 1), name="weight")
        if bits == 1:
            # 0 and 1, or -1 and +1.
            m.d.comb += weight.eq(Cat(synapse | self.signed, self.signed & ~synapse))
        else:
            m.d.comb += weight.eq(Cat(synapse, self.signed & synapse[-1]))
        return weight

    def _block(
        self, m: Module, low: Signal, high: Signal, magnitude: Signal
    ) -> tuple[Value, Value]:
        """Return two products from one multiplier block, in its mode of two 8-bit multipliers."""
        weights = Signal(16)
        result = Signal(32)
        m.d.comb += [weights[:8].eq(low), weights[8:].eq(high)]
        m.submodules += Instance(
            "SB_MAC16",
            p_MODE_8x8=1,
            p_A_SIGNED=1,
            p_A_REG=1,
            p_B_REG=1,
            p_TOP_8x8_MULT_REG=1,
            p_BOT_8x8_MULT_REG=1,
            # The product itself, not the sum behind it.
            p_TOPOUTPUT_SELECT=2,
            p_BOTOUTPUT_SELECT=2,
            i_CLK=ClockSignal(),
            i_CE=self.advance,
            i_A=weights,
            i_B=Cat(magnitude, magnitude),
            i_C=Const(0, 16),
            i_D=Const(0, 16),
            **{
                f"i_{name}": Const(0)
                for name in (
                    *("AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT"),
                    *("ORSTTOP", "ORSTBOT", "OLOADTOP", "OLOADBOT", "ADDSUBTOP", "ADDSUBBOT"),
                    *("OHOLDTOP", "OHOLDBOT", "CI", "ACCUMCI", "SIGNEXTIN"),
                )
            },
            o_O=result,
        )
        return result[:16], result[16:]


def _times(weight: Signal, magnitude: Signal) -> Value:
    """Return a product as a sum; without bits of magnitude, the weight."""
    if len(magnitude) == 0:
        return weight
    terms = [Mux(magnitude[bit], weight, 0) << bit for bit in range(len(magnitude))]
    while len(terms) > 1:
        terms = [
            terms[i] + terms[i + 1] if i + 1 < len(terms) else terms[i]
            for i in range(0, len(terms), 2)
        ]
    return terms[0]
