"""The byte protocol: its definition, and the hardware that speaks it.

Mutants tried, each seen to fail: address and data bytes reversed; the `write` bit stuck; pixels
reversed in a word; one word too many a stimulus; a count of 0 taken as a stimulus; the wrong data
end of a wide pixel word; replies and results swapped; a result taken with its first byte; the
`forced` bit at bit 14; identity asked for during a result forgotten; a reply one byte short.
"""

import gc
import random

import pytest
from amaranth.sim import Simulator
from hypothesis import given
from hypothesis import strategies as st

from firstspike import bytelink
from firstspike.bytelink import Command, Reply, Result
from firstspike.spec import CoreSpec
from firstspike_hw.bytelink import CommandParser, ReplyEncoder
from firstspike_hw.layouts import record_layout

SPECS = {
    "4 pixels": CoreSpec(pixels=4, max_inputs=70),
    "16 pixels": CoreSpec(pixels=16, max_inputs=200, time_bits=8),
    "few": CoreSpec(pixels=8, max_inputs=8, time_bits=3),
}
RESULTS = st.builds(
    Result,
    winner=st.integers(0, 65535),
    last=st.integers(0, 65535),
    step=st.integers(0, 256),
    forced=st.booleans(),
    counters=st.tuples(*[st.integers(0, (1 << 24) - 1)] * len(bytelink.RESULT_COUNTERS)),
)


@given(RESULTS)
def test_result_round_trip(result):
    content = bytelink.encode_result(result)
    assert len(content) == bytelink.REPLY_BYTES[Reply.RESULT]
    assert bytelink.decode_result(content) == result


def test_result_by_hand():
    content = bytes.fromhex(
        "0301 0200 0480 010000 020000 030000 040000 050000 060000 070000 0801ff"
    )
    expected = Result(0x103, 2, 4, True, (1, 2, 3, 4, 5, 6, 7, 0xFF0108))
    assert bytelink.decode_result(content) == expected


@given(st.binary(max_size=40))
def test_foreign_bytes(content):
    identity = bytelink.decode_identity(content)
    assert identity is None or len(content) == bytelink.IDENTITY_BYTES
    if len(content) != bytelink.RESULT_BYTES:
        with pytest.raises(ValueError, match="must have 30"):
            bytelink.decode_result(content)


def test_commands_by_hand():
    assert bytelink.encode_write(2, 0x123456, 0xA1B2C3D4).hex() == "0102563412d4c3b2a1"
    assert bytelink.encode_read(3, 0x123456).hex() == "0203563412"
    spec = SPECS["4 pixels"]
    assert bytelink.encode_stimulus(b"\x01\x02\x03\x04\x05", spec).hex() == "0302000102030405000000"
    identity = bytelink.encode_identity(spec)
    assert identity.startswith(b"FSPK\x01") and len(identity) == 16
    assert bytelink.decode_identity(identity) == bytelink.Identity(1, bytelink.core_digest(spec), 4)
    assert bytelink.core_digest(spec) != bytelink.core_digest(SPECS["few"])


@pytest.mark.parametrize("pixels", [b"", bytes(73)])
def test_stimulus_of_wrong_size(pixels):
    with pytest.raises(ValueError, match=r"must have 1\.\.72"):
        bytelink.encode_stimulus(pixels, SPECS["4 pixels"])


def test_value_too_large():
    with pytest.raises(ValueError, match="address is 16777216"):
        bytelink.encode_read(0, 1 << 24)


def simulate(dut, bench, sinks):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    for sink in sinks:
        simulator.add_testbench(sink, background=True)
    simulator.run()


def sink(stream, received, unpack, stall):
    async def bench(ctx):
        rng = random.Random(3)
        while True:
            ctx.set(stream.ready, rng.random() >= stall)
            *_, moved, payload = await ctx.tick().sample(
                stream.valid & stream.ready, stream.payload
            )
            if moved:
                received.append(unpack(payload))

    return bench


async def send(ctx, stream, payload):
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    moved = False
    while not moved:
        *_, moved = await ctx.tick().sample(stream.ready)
    ctx.set(stream.valid, 0)


def unpack_request(request):
    return ("request", request.write, request.space, request.address, request.data)


def random_commands(spec, rng, n):
    """Return bytes of commands, and what the parser should make of them."""
    sent, expected = b"", []
    for _ in range(n):
        kind = rng.choice([*Command, "unknown"])
        space, address, data = rng.randrange(4), rng.getrandbits(24), rng.getrandbits(32)
        if kind is Command.WRITE:
            sent += bytelink.encode_write(space, address, data)
            expected.append(("request", 1, space, address, data))
        elif kind is Command.READ:
            sent += bytelink.encode_read(space, address)
            expected.append(("request", 0, space, address, None))
        elif kind is Command.STIMULUS:
            words = rng.randint(1, bytelink.max_words(spec))
            pixels = rng.randbytes(words * spec.pixels)
            sent += bytelink.encode_stimulus(pixels, spec)
            expected += [
                ("pixels", *pixels[i : i + spec.pixels]) for i in range(0, len(pixels), spec.pixels)
            ]
        elif kind == "unknown":
            sent += rng.choice([b"\x06", b"\x80", b"\xff", b"\x03\x00\x00"])
        else:
            sent += bytes([kind])
            if kind is not Command.NOTHING:
                expected.append((kind.name.lower(),))
    return sent, expected


def play_parser(spec, sent, *, idle=0.0, stall=0.0):
    dut = CommandParser(spec)
    received = []

    async def source(ctx):
        rng = random.Random(1)
        for byte in sent:
            while rng.random() < idle:
                await ctx.tick()
            await send(ctx, dut.bytes, byte)
        for _ in range(30):
            await ctx.tick()

    async def pulses(ctx):
        while True:
            *_, identify, restart, ready = await ctx.tick().sample(
                dut.identify, dut.restart, dut.bytes.ready
            )
            assert ready or not (identify or restart)
            received.extend([("identify",)] * identify + [("restart",)] * restart)

    simulate(
        dut,
        source,
        [
            pulses,
            sink(dut.requests, received, unpack_request, stall),
            sink(dut.pixels, received, lambda word: ("pixels", *word), stall),
        ],
    )
    # Nobody cares for the data of a read.
    return [(*r[:4], None) if r[:2] == ("request", 0) else r for r in received]


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.3, 0), (0, 0.6), (0.3, 0.6)])
def test_parser(name, idle, stall):
    rng = random.Random(f"{name} {idle} {stall}")
    sent, expected = random_commands(SPECS[name], rng, 24)
    assert {entry[0] for entry in expected} == {"request", "pixels", "identify", "restart"}
    assert play_parser(SPECS[name], sent, idle=idle, stall=stall) == expected


@pytest.mark.parametrize("name", ["4 pixels", "few"])
def test_parser_comes_back_after_zeros(name):
    spec = SPECS[name]
    rng = random.Random(name)
    sane = bytelink.encode_write(1, 2, 3)
    starts = [rng.randbytes(rng.randint(1, 12)) for _ in range(8)]
    # The longest there is: all bits of the count set.
    starts.append(b"\x03\xff\xff")
    for start in starts:
        received = play_parser(spec, start + bytes(bytelink.resync_bytes(spec)) + sane)
        assert received[-1] == ("request", 1, 1, 2, 3)
        assert ("request", 1, 1, 2, 3) not in received[:-1]


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("stall", [0.0, 0.7])
def test_encoder(name, stall):
    spec = SPECS[name]
    rng = random.Random(name)
    dut = ReplyEncoder(spec)
    replies = [rng.getrandbits(32) for _ in range(12)]
    results = [
        Result(
            rng.getrandbits(spec.index_bits),
            rng.getrandbits(spec.index_bits),
            rng.randint(0, spec.steps),
            rng.random() < 0.5,
            tuple(rng.getrandbits(24) for _ in bytelink.RESULT_COUNTERS),
        )
        for _ in range(12)
    ]
    received = []
    asked = 0

    async def reply_source(ctx):
        for reply in replies:
            await ctx.delay(rng.randrange(60) * 1e-6)
            await send(ctx, dut.replies, reply)

    async def result_source(ctx):
        for result in results:
            record = {
                "winner": result.winner,
                "last": result.last,
                "step": result.step,
                "forced": result.forced,
                **dict(zip(bytelink.RESULT_COUNTERS, result.counters, strict=True)),
            }
            await ctx.delay(rng.randrange(60) * 1e-6)
            await send(ctx, dut.results, record)

    async def bench(ctx):
        nonlocal asked
        while len(received) < 12 * (5 + 31 + 17):
            ctx.set(dut.identify, 1)
            await ctx.tick()
            ctx.set(dut.identify, 0)
            asked += 1
            await ctx.tick().repeat(400)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    for background in (reply_source, result_source, sink(dut.bytes, received, int, stall)):
        simulator.add_testbench(background, background=True)
    simulator.run()

    seen = {reply: [] for reply in Reply}
    content = bytes(received)
    while content:
        kind = Reply(content[0])
        size = 1 + bytelink.REPLY_BYTES[kind]
        seen[kind].append(content[1:size])
        content = content[size:]
    assert [int.from_bytes(data, "little") for data in seen[Reply.DATA]] == replies
    assert [bytelink.decode_result(data) for data in seen[Reply.RESULT]] == results
    assert seen[Reply.IDENTITY] == [bytelink.encode_identity(spec)] * asked


def test_counters_are_those_of_the_record():
    names = list(record_layout(CoreSpec()).members)
    assert names == ["winner", "last", "step", "forced", *bytelink.RESULT_COUNTERS]


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_indices_too_wide():
    with pytest.raises(ValueError, match="need 18 bits"):
        ReplyEncoder(CoreSpec(banks=16, word=16, state_rows=1024))
    gc.collect()
