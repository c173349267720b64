"""The far end of a simulated board's wires, and its terminal, at a wire that leads back.

Mutants tried, each seen to fail: time that never stands still; what is not read at once thrown
away; a link that stays, or takes a file's place; signals that stay caught, or are not caught; low
stop bits that are not told.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from firstspike.errors import InputError
from firstspike.spec import CoreSpec
from firstspike_sim import board_server
from firstspike_sim.board_model import BLOCK, FarEnd, symbols_of
from firstspike_sim.board_server import BoardServer, serve
from firstspike_sim.board_verilog import Symbol, disturbance

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
    def disturb(first, bits, skip=0):
        return symbols_of([disturbance(skip, first, bits)], Symbol.DISTURB)

    for first in range(1, 9):
        heard = wire.exchange(np.concatenate([disturb(first, 1), symbols_of(b"AB")]), 1000)
        assert heard.data == bytes([ord("A") ^ 1 << (first - 1), ord("B")])
    heard = wire.exchange(np.concatenate([disturb(1, 1, skip=2), symbols_of(b"ABCD")]), 1000)
    assert heard.data == b"ABBD"
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


def read_all(descriptor, size, seconds=20.0):
    """Return ``size`` bytes from a terminal, fewer if they do not come."""
    data = b""
    while len(data) < size and select.select([descriptor], [], [], seconds)[0]:
        data += os.read(descriptor, size - len(data))
    return data


def test_terminal(tmp_path):
    link = tmp_path / "board"
    link.symlink_to("/dev/null")
    far_end = FarEnd(WIRE, bit=4)
    with BoardServer(far_end, divisor=4, awake=10_000, link=link) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        assert str(link.readlink()) == server.path
        for number in range(2):
            # Opened and closed again, and whatever bytes there are.
            terminal = os.open(link, os.O_RDWR | os.O_NOCTTY)
            data = bytes(range(256)) * 4 + bytes([number])
            assert os.write(terminal, data) == len(data)
            assert read_all(terminal, len(data)) == data
            os.close(terminal)
        # Time stands still when nothing has happened for a while.
        while (before := far_end.cycles) < 82_000:
            time.sleep(0.05)
        time.sleep(0.3)
        assert far_end.cycles < before + 20_000
        resting = far_end.cycles
        time.sleep(0.5)
        assert far_end.cycles == resting

        # Nothing is lost while a reader sleeps, though time is; then nobody seems to be there.
        terminal = os.open(link, os.O_RDWR | os.O_NOCTTY)
        data = np.random.default_rng(1).bytes(20_000)
        writer = threading.Thread(target=os.write, args=(terminal, data))
        writer.start()
        time.sleep(0.5)
        assert read_all(terminal, len(data)) == data
        writer.join()
        os.close(terminal)
        server.stop()
        thread.join()
    assert not link.is_symlink()
    server.close()


def test_terminal_that_nobody_reads(monkeypatch):
    monkeypatch.setattr(board_server, "_STALL", 0.2)
    far_end = FarEnd(WIRE, bit=4)
    with BoardServer(far_end, divisor=4, awake=1000) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        terminal = os.open(server.path, os.O_RDWR | os.O_NOCTTY)
        # More than terminals keep; time would stand still if none of it were thrown away.
        os.write(terminal, bytes(30_000))
        deadline = time.monotonic() + 60
        while far_end.cycles < 40 * 30_000 and time.monotonic() < deadline:
            time.sleep(0.05)
        termios.tcflush(terminal, termios.TCIFLUSH)
        os.write(terminal, b"here")
        found = b""
        while not found.endswith(b"here") and select.select([terminal], [], [], 20)[0]:
            found += os.read(terminal, 1 << 16)
        assert found.endswith(b"here") and len(found) < 30_000
        os.close(terminal)
        server.stop()
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(monkeypatch, tmp_path, number):
    monkeypatch.setattr(
        board_server, "BoardModel", lambda _, divisor, **__: FarEnd(WIRE, bit=divisor)
    )
    said = []

    def announce(path):
        said.append((path, str(Path(path).readlink())))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), number)).start()

    before = signal.getsignal(number)
    serve(CoreSpec(), link=tmp_path / "board", announce=announce)
    assert said[0][0] == str(tmp_path / "board") and said[0][1].startswith("/dev/")
    assert not (tmp_path / "board").is_symlink()
    assert signal.getsignal(number) == before


def test_links_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    for link, message in (
        (tmp_path / "file", "is not a symbolic link"),
        (tmp_path / "none" / "board", "cannot be made: No such file"),
    ):
        with pytest.raises(InputError, match=message):
            BoardServer(FarEnd(WIRE, bit=4), divisor=4, awake=100, link=link)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
