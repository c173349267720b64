"""Bytes from the board's SPI flash at power-up, as if a host had sent them."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from firstspike.board.protocol import MAGIC

__all__ = ["FlashBoot"]

_RELEASE = 0xAB
_READ = 0x03
_ADDRESS_BITS = 24
#: Sectors that a flash can erase begin at multiples of this.
_SECTOR = 4096

#: So many bits are counted before the length, from 0: in the first half nothing but the first
#: command, at its end; in the second half rest, the second command and the magic.
_PREAMBLE_BITS = 11
#: Bytes are counted above the bits of one.
_LOW = 3
_LENGTH_BYTES = 3
_LENGTH_BITS = 8 * _LENGTH_BYTES
#: Positions of the length's bits in the order in which they come, the latest first.
_ORDER = (*range(16, 24), *range(8, 16), *range(8))


class FlashBoot(wiring.Component):
    """Wakes the flash, reads it from ``offset`` on, and gives what stands there as a stream.

    There must be `firstspike.board.protocol.MAGIC`, the number of bytes (3, least first) and so
    many bytes. Without the magic there is no byte at all. When all is given, the flash is left
    alone until the next reset.

    Timing: four cycles a bit of the flash, 8 288 cycles before the first byte, and no clock for the
    flash while a byte waits. A flash that configured the FPGA sleeps; it is given 3 840 cycles to
    wake up (at 100 MHz: 38 us, where flashes ask for 3 to 30).

    Parameters
    ----------
    offset : int
        Address in the flash, a multiple of 4096.

    Members
    -------
    bytes : Out(stream.Signature(8))
        What was read.
    done : Out(1)
        No byte follows.
    cs, clk, copi : Out(1)
        To the flash; ``cs`` is high while it is selected.
    cipo : In(1)
        From the flash.

    Raises
    ------
    ValueError
        If ``offset`` is no such address.
    """

    bytes: stream.Interface
    done: Signal
    cs: Signal
    clk: Signal
    copi: Signal
    cipo: Signal

    def __init__(self, offset: int):
        if offset % _SECTOR or not 0 <= offset < 1 << _ADDRESS_BITS:
            raise ValueError(f"offset is {offset}, must be a multiple of {_SECTOR} below 16 MiB")
        self._offset = offset
        super().__init__(
            {
                "bytes": Out(stream.Signature(8)),
                "done": Out(1),
                "cs": Out(1),
                "clk": Out(1),
                "copi": Out(1),
                "cipo": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # A bit is two cycles low, where the outputs change, and two cycles high.
        phase = Signal(2)
        tick = Signal()
        with m.If(~self.bytes.valid & ~self.done):
            m.d.sync += phase.eq(phase + 1)
        m.d.comb += [self.clk.eq(phase[1]), tick.eq(phase == 3)]

        # One register counts the bits of the preamble, takes the length in, and counts the bytes
        # against it: upwards, so that it holds the length inverted. What it adds while it shifts
        # does not matter; with this addend, a bit is one cell of iCE40.
        counter = Signal(_LOW + _LENGTH_BITS)
        shifting = Signal()
        addend = Cat(C(1, 1), C(0, _LOW), shifting.replicate(_LENGTH_BITS))
        total = Signal(len(counter) + 2)
        m.d.comb += total.eq(Cat(C(1, 1), counter) + addend)
        following = total[1:]
        full = following[-1]
        length = counter[_LOW:]
        came = [~self.cipo, *(length[i] for i in _ORDER)]
        shifted = Signal(_LENGTH_BITS)
        m.d.comb += [shifted[i].eq(bit) for i, bit in zip(_ORDER, came, strict=False)]
        with m.If(tick):
            m.d.sync += [
                counter.eq(Cat(following[:_LOW], Mux(shifting, shifted, following[_LOW:-1]))),
                self.bytes.payload.eq(Cat(self.cipo, self.bytes.payload[:-1])),
            ]
        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)

        def place(bits: int, constant: int, index) -> Value:
            """Return the bit of ``constant`` at ``index``, the highest first."""
            return C(int(f"{constant:0{bits}b}"[::-1], 2), bits).bit_select(index, 1)

        expected = place(32, int.from_bytes(MAGIC, "big"), counter[:5])
        first = place(8, _RELEASE, counter[:3])
        second = place(32, _READ << _ADDRESS_BITS | self._offset, counter[:5])
        # While the magic is read, it does not matter.
        m.d.comb += self.copi.eq(Mux(counter[5], first, second))
        window = counter[6:10].all()
        second_half = counter[10]
        last = counter[:_LOW].all()
        m.d.sync += self.cs.eq(~self.done)
        with m.FSM() as states:
            with m.State("PREAMBLE"):
                with m.If(counter[_PREAMBLE_BITS]):
                    # The first bit of the length is here.
                    m.d.comb += shifting.eq(1)
                    with m.If(tick):
                        m.next = "LENGTH 0"
                with m.Else():
                    m.d.sync += self.cs.eq(window & (second_half | counter[3:6].all()))
                    with m.If(tick & window & second_half & counter[5] & (self.cipo != expected)):
                        m.next = "DONE"
            for byte in range(_LENGTH_BYTES):
                with m.State(f"LENGTH {byte}"):
                    m.d.comb += shifting.eq(1)
                    with m.If(tick & last):
                        m.next = f"LENGTH {byte + 1}" if byte + 1 < _LENGTH_BYTES else "BYTES"
            with m.State("BYTES"), m.If(tick):
                with m.If(full):
                    m.next = "DONE"
                with m.Elif(last):
                    m.d.sync += self.bytes.valid.eq(1)
            with m.State("DONE"):
                pass
        m.d.comb += self.done.eq(states.ongoing("DONE"))
        return m
