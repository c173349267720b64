"""Bytes from a model of an SPI flash, and a whole chip that is loaded from one.

Mutants tried, each seen to fail: the flash not woken, or read without rest, or a sector further on;
an address or a magic with its bits the other way round; half of the magic not compared; no end
without the magic; the length inverted, or with its bytes or their bits exchanged; a byte too many;
an end after any 255 bytes; a clock that runs while a byte waits, or at the end; the flash left
selected, or selected late; a byte's bits the other way round; any offset taken. In the chip: noise
on its UART that damages what the flash gives; a host that is not heard afterwards.
"""

import gc
import itertools
import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from firstspike import golden
from firstspike.board import protocol
from firstspike.board.flash import flash_image
from firstspike.board.framing import Deframer, frame
from firstspike.board.protocol import MAGIC, Command, Reply
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, WeightKind
from firstspike_hw.flash_boot import FlashBoot
from firstspike_hw.top import System

PERIOD = 1e-6
OFFSET = 0x123000
#: Cycles of the preamble, and of the length behind it.
PREAMBLE = 4 * (2048 + 24)
#: Cycles that a flash needs to wake up, 30 us at 100 MHz; its clock has an edge every two.
WAKING = 3000


class Flash:
    """Answers commands AB and 03; asleep at first, as after it configured an FPGA.

    Its output is unknown for one and a half cycles from each falling edge of its clock.
    """

    def __init__(self, wires, content):
        self._wires = wires
        self._content = content
        self._random = random.Random(len(content))
        self._output = 1
        self.edges = 0
        self.commands = []

    async def listen(self, ctx):
        dut = self._wires
        awake_at = None
        bits, address = [], None
        was_clk, was_cs = 0, 0
        while True:
            await ctx.changed(dut.clk, dut.cs)
            clk, cs = ctx.get(dut.clk), ctx.get(dut.cs)
            self.edges += clk != was_clk
            if cs != was_cs:
                assert not clk and not was_clk, "selected or not while the clock is high"
                if was_cs and len(bits) == 8 and self._number(bits) == 0xAB:
                    awake_at = self.edges + WAKING // 2
                if was_cs:
                    assert len(bits) == 8 or len(bits) >= 32, "a command cut off"
                    self.commands.append(self._number(bits[:8]))
                bits, address = [], None
            elif cs and clk and not was_clk:
                bits.append(ctx.get(dut.copi))
                if len(bits) == 32 and self._number(bits[:8]) == 0x03:
                    assert awake_at is not None and self.edges >= awake_at, "read while it sleeps"
                    address = self._number(bits[8:])
            elif cs and was_clk and not clk and address is not None:
                byte, bit = divmod(len(bits) - 32, 8)
                self._output = self._content.get(address + byte, 0xFF) >> (7 - bit) & 1
            was_clk, was_cs = clk, cs

    async def drive(self, ctx):
        while True:
            await ctx.negedge(self._wires.clk)
            ctx.set(self._wires.cipo, self._random.getrandbits(1))
            await ctx.delay(1.5 * PERIOD)
            ctx.set(self._wires.cipo, self._output)

    @staticmethod
    def _number(bits):
        return int("".join(map(str, bits)) or "0", 2)


def image(data, *, magic=MAGIC, length=None):
    """Return the contents of a flash, by address."""
    length = len(data) if length is None else length
    stored = magic + length.to_bytes(3, "little") + data
    return {OFFSET + i: byte for i, byte in enumerate(stored)}


def read(content, *, stall=0.0, most=None):
    """Return the bytes that came, whether that was all, and the flash."""
    dut = FlashBoot(OFFSET)
    flash = Flash(dut, content)
    received = []
    over = False

    async def consumer(ctx):
        nonlocal over
        rng = random.Random(1)
        await ctx.tick().repeat(PREAMBLE - 8)
        for cycle in itertools.count():
            if over or len(received) == most:
                break
            assert cycle < 50_000, "it goes on"
            ctx.set(dut.bytes.ready, rng.random() >= stall)
            *_, moved, byte, over = await ctx.tick().sample(
                dut.bytes.valid & dut.bytes.ready, dut.bytes.payload, dut.done
            )
            if moved:
                received.append(byte)
        ctx.set(dut.bytes.ready, 1)
        if over:
            edges = flash.edges
            for _ in range(100):
                await ctx.tick()
                assert not ctx.get(dut.bytes.valid) and ctx.get(dut.done)
            assert flash.edges == edges and not ctx.get(dut.cs)

    simulator = Simulator(dut)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(consumer)
    simulator.add_testbench(flash.listen, background=True)
    simulator.add_testbench(flash.drive, background=True)
    simulator.run()
    return bytes(received), bool(over), flash


@pytest.mark.parametrize(("size", "stall"), [(0, 0.0), (1, 0.9), (7, 0.99), (300, 0.5)])
def test_all_bytes(size, stall):
    data = random.Random(size).randbytes(size)
    # What follows in the flash does not come.
    content = image(data + b"more", length=size)
    received, over, flash = read(content, stall=stall)
    assert received == data
    assert over
    assert flash.commands == [0xAB, 0x03]


@pytest.mark.parametrize("length", [0x010000, 0x000102, 0xFF0000])
def test_long_lengths(length):
    data = random.Random(length).randbytes(0x104)
    received, over, _ = read(image(data, length=length), most=0x104)
    if length == 0x000102:
        assert (received, over) == (data[:length], True)
    else:
        assert (received, over) == (data, False)


@pytest.mark.parametrize(
    "content",
    [
        {},
        dict.fromkeys(range(OFFSET, OFFSET + 64), 0),
        {address - 4096: byte for address, byte in image(b"abc").items()},
        *(
            image(b"abc", magic=(int.from_bytes(MAGIC, "big") ^ 1 << bit).to_bytes(4, "big"))
            for bit in (0, 18, 31)
        ),
    ],
    ids=lambda content: "",
)
def test_nothing_without_the_magic(content):
    received, over, _ = read(content)
    assert (received, over) == (b"", True)


def test_clock_pauses_while_a_byte_waits():
    dut = FlashBoot(OFFSET)
    flash = Flash(dut, image(b"abc"))

    async def consumer(ctx):
        await ctx.tick().repeat(PREAMBLE + 50)
        assert ctx.get(dut.bytes.valid) and ctx.get(dut.bytes.payload) == ord("a")
        edges = flash.edges
        await ctx.tick().repeat(200)
        assert flash.edges == edges
        assert ctx.get(dut.bytes.valid) and ctx.get(dut.bytes.payload) == ord("a")

    simulator = Simulator(dut)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(consumer)
    simulator.add_testbench(flash.listen, background=True)
    simulator.add_testbench(flash.drive, background=True)
    simulator.run()


@pytest.mark.parametrize("offset", [-4096, 1 << 24, 100])
@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_offset(offset):
    with pytest.raises(ValueError, match=f"offset is {offset}, must be a multiple of 4096"):
        FlashBoot(offset)
    gc.collect()


class Wires:
    """The flash's wires of a whole chip, called like those of the part that drives them."""

    def __init__(self, chip):
        self.cs, self.clk = chip.flash_cs, chip.flash_clk
        self.copi, self.cipo = chip.flash_copi, chip.flash_cipo


CORE = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=4,
    potential_bits=8,
    max_inputs=16,
    weight_rows=16,
    state_rows=4,
    pixels=4,
)
DIVISOR = 4


def small_network():
    weights = np.array([[1, -2, 3, -4, 5], [-1, 2, -3, 4, -5], [7, -7, 6, -6, 0]])
    layer = Layer("a", Neuron.STEP, WeightKind.SIGNED, 4, weights, np.array([3, 2, 5, 4, 4]), 1)
    return Network("hand", (layer,), 3, (1, 3), tuple(range(5)), intensity_min=9)


def test_chip_that_is_loaded_from_flash():
    """Every frame of the flash is taken, whatever the UART's wire does; then the host is heard."""
    network = small_network()
    stored = flash_image(network, CORE)
    chip = System(CORE, DIVISOR, flash_offset=OFFSET)
    flash = Flash(Wires(chip), {OFFSET + i: byte for i, byte in enumerate(stored)})
    orders = len(Deframer(4096).feed(stored[7:]))
    pixels = np.array([[200, 0, 255]], np.uint8)
    expected = golden.run(network, pixels, core=CORE)
    [body] = protocol.encode_pixels(bytes(pixels[0].tolist()), CORE)
    replies = []
    heard = Deframer(4096)

    async def hear(ctx):
        while True:
            await ctx.negedge(chip.tx)
            await ctx.delay(1.5 * DIVISOR * PERIOD)
            byte = 0
            for bit in range(8):
                byte |= ctx.get(chip.tx) << bit
                await ctx.delay(DIVISOR * PERIOD)
            replies.extend(heard.feed(bytes([byte])))

    async def host(ctx):
        rng = random.Random(3)
        ctx.set(chip.rx, 1)
        for cycle in itertools.count():
            if len(replies) == orders:
                break
            assert cycle < 10_000, f"{len(replies)} of {orders} replies"
            ctx.set(chip.rx, len(replies) >= orders - 2 or rng.random() < 0.9)
            await ctx.delay(7 * PERIOD)
        ctx.set(chip.rx, 1)
        await ctx.delay(100 * DIVISOR * PERIOD)
        command = protocol.command(orders, Command.PIXELS, body)
        for byte in frame(command):
            for bit in (0, *(byte >> i & 1 for i in range(8)), 1):
                ctx.set(chip.rx, bit)
                await ctx.delay(DIVISOR * PERIOD)
        for _ in range(100):
            await ctx.delay(100 * PERIOD)

    simulator = Simulator(chip)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(host)
    for bench in (hear, flash.listen, flash.drive):
        simulator.add_testbench(bench, background=True)
    simulator.run()

    assert [reply[0] for reply in replies] == list(range(orders + 1))
    assert [reply[1] for reply in replies[:-1]] == [Reply.IDENTITY] + [Reply.DONE] * (orders - 1)
    assert replies[-1][1] == Reply.RESULT
    result = protocol.decode_result(replies[-1][2:], CORE)
    assert result.winner == expected.predicted[0]
    assert result.step == expected.decision_step[0]
