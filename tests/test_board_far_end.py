"""The far end of a simulated board's wires, at a wire that leads back to it.

Mutants tried, each seen to fail: ...
"""

from __future__ import annotations

import numpy as np
import pytest

from firstspike_sim.board_model import BLOCK, FarEnd, symbols_of
from firstspike_sim.board_verilog import Symbol

pytestmark = pytest.mark.rtl

#: A wire that leads back. After a long break it says 0x55 for ever, in bits of 100 cycles; after
#: a longer one it ends the simulation.
WIRE = """\
module system(input clk, input rst, input rx, output tx);
  reg talks = 0;
  reg [15:0] low = 0;
  reg [11:0] shift = 12'b111010101010;
  reg [6:0] count = 0;
  reg [3:0] place = 0;
  assign tx = talks ? shift[place] : rx;
  always @(posedge clk) begin
    low <= rx ? 0 : low + 1;
    if (low == 5000) talks <= 1;
    if (low == 20000) $finish;
    count <= count == 99 ? 0 : count + 1;
    if (count == 99) place <= place == 11 ? 0 : place + 1;
  end
endmodule
"""
BIT = 6.5


@pytest.fixture(scope="module")
def wire():
    with FarEnd(WIRE, bit=BIT) as far_end:
        yield far_end


def test_bytes_in_their_time(wire):
    data = bytes(range(256)) * 8
    before = wire.cycles
    heard = wire.exchange(symbols_of(data), 1000)
    assert (heard.data, heard.bad) == (data, ())
    # No gap between two bytes, and the wait ended early.
    assert 0 <= wire.cycles - before - 10 * BIT * len(data) < 10 * BIT


def test_as_many_bytes_as_fit(wire):
    data = np.random.default_rng(1).bytes(BLOCK)
    assert wire.exchange(symbols_of(data), 1000).data == data
    with pytest.raises(ValueError, match="4097 symbols"):
        wire.exchange(symbols_of(bytes(BLOCK + 1)))
    with pytest.raises(ValueError, match="-1 cycles"):
        wire.exchange(symbols_of([]), -1)


def test_wait(wire):
    before = wire.cycles
    assert wire.exchange(symbols_of([]), 5000).data == b""
    assert wire.cycles - before in (5000, 5001)
    wire.exchange(symbols_of([100], Symbol.IDLE))
    assert abs(wire.cycles - before - 5000 - 100 * BIT) < 4


def test_low_stop_bits_and_breaks(wire):
    symbols = np.concatenate(
        [
            symbols_of(b"a"),
            symbols_of(b"b", Symbol.BAD_STOP),
            symbols_of(b"c"),
            symbols_of([9], Symbol.BREAK),
            symbols_of(b"d"),
            symbols_of([10], Symbol.BREAK),
            symbols_of(b"e"),
            symbols_of([200], Symbol.BREAK),
            symbols_of(b"f"),
        ]
    )
    heard = wire.exchange(symbols, 1000)
    # A byte of zeros has nine low bits; however long a break is, it is one byte.
    assert heard.data == b"abc\0d\0e\0f"
    assert heard.bad == (1, 5, 7)


def test_disturbed_wire(wire):
    def disturb(first, bits):
        return symbols_of([first << 16 | bits], Symbol.DISTURB)

    for first in range(1, 9):
        heard = wire.exchange(np.concatenate([disturb(first, 1), symbols_of(b"AB")]), 1000)
        assert heard.data == bytes([ord("A") ^ 1 << (first - 1), ord("B")])
    heard = wire.exchange(np.concatenate([disturb(3, 4), symbols_of(b"A")]), 1000)
    assert heard.data == bytes([ord("A") ^ 0b111100])
    pause = symbols_of([2], Symbol.IDLE)
    symbols = np.concatenate([disturb(9, 1), symbols_of(b"A"), pause, symbols_of(b"B")])
    heard = wire.exchange(symbols, 1000)
    assert (heard.data, heard.bad) == (b"AB", (0,))


def test_bits_of_another_length():
    """The far end's own receiver takes what is 4 % off, and not what is 10 % off."""
    for bit, right in ((100, True), (104, True), (96, True), (112, False), (90, False)):
        with FarEnd(WIRE, bit=bit) as far_end:
            far_end.exchange(symbols_of([100], Symbol.BREAK))
            heard = far_end.exchange(symbols_of([]), 50_000)
            assert (b"\x55" in heard.data and not heard.bad) == right, bit


def test_a_board_that_ends():
    with FarEnd(WIRE, bit=BIT) as far_end:
        with pytest.raises(RuntimeError, match="simulated board stopped"):
            far_end.exchange(symbols_of([10_000], Symbol.BREAK))
        far_end.close()
        far_end.close()
