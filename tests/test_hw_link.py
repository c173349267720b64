"""Frames in and out, and the commands that wait between them, each part by itself.

The whole link, with a core behind it, is compared with the golden model's board elsewhere.

Mutants tried, each seen to fail: a request that stands for a cycle after it was taken; an address
that goes on before its word was taken; a byte of the CRC taken from the contents; contents sent
that are not there.
"""

import random
import zlib

import pytest

from firstspike.board import protocol
from firstspike.board.framing import ESCAPE, FLAG, Deframer, frame
from firstspike.board.protocol import Command, Reason, Reply, Status
from firstspike.cores import PRESETS
from firstspike.spec import Space, record_fields
from firstspike_hw.link.buffer import CommandBuffer
from firstspike_hw.link.crc import FrameCrc
from firstspike_hw.link.interpreter import Interpreter
from firstspike_hw.link.receiver import Receiver
from firstspike_hw.link.responder import Responder
from firstspike_hw.link.sender import Sender
from firstspike_sim.bench import FLOWS, pauses, pulse, put, simulate, take

SPECIAL = (FLAG, ESCAPE, FLAG ^ 0x20, ESCAPE ^ 0x20, 0, 0xFF)


def contents(rng, length):
    return bytes(rng.choice(SPECIAL) if rng.random() < 0.3 else rng.randrange(256)
                 for _ in range(length))  # fmt: skip


def test_crc():
    dut = FrameCrc()
    rng = random.Random(1)

    async def bench(ctx):
        for length in (0, 1, 2, 9, 40):
            data = contents(rng, length)
            await pulse(ctx, dut.clear)
            await put(ctx, dut.bytes, data, pauses(0.3, length))
            expected = zlib.crc32(data).to_bytes(4, "little")
            if length % 2:
                # Check it, which is known a cycle later ...
                for part, good in ((b"", 0), (expected[:3], 0), (expected[3:], 1)):
                    await put(ctx, dut.bytes, part, pauses(0.3, 1))
                    await ctx.tick()
                    assert ctx.get(dut.good) == good
            else:
                # ... or give it out.
                ctx.set(dut.drain, 1)
                for byte in expected:
                    assert ctx.get(dut.crc) == byte
                    await put(ctx, dut.bytes, [rng.randrange(256)], pauses(0, 1))
                ctx.set(dut.drain, 0)

    simulate(dut, bench)


@pytest.mark.parametrize("flow", FLOWS)
def test_sender(flow):
    dut = Sender()
    rng = random.Random(flow)
    frames = [contents(rng, rng.randrange(1, 30)) for _ in range(20)]
    expected = b"".join(map(frame, frames))
    offered, taken = FLOWS[flow]
    payloads = [
        {"byte": byte, "last": i == len(content) - 1}
        for content in frames
        for i, byte in enumerate(content)
    ]
    received = []

    async def sink(ctx):
        await take(
            ctx, dut.bytes, received, pauses(taken, 2), lambda: len(received) < len(expected)
        )

    async def source(ctx):
        await put(ctx, dut.contents, payloads, pauses(offered, 1))

    simulate(dut, source, sink)
    assert bytes(received) == expected
    assert bytes([ESCAPE]) in expected[2:-2]


def receive(pieces, *, room=None, patient=False):
    """Return commits, rewinds and the like of a receiver, with what was put before each."""
    dut = Receiver()
    seen, put_so_far = [], bytearray()
    rng = random.Random(len(pieces))

    async def source(ctx):
        ctx.set(dut.patient, patient)
        ctx.set(dut.room, 1)
        for piece in pieces:
            if piece is None:
                await pulse(ctx, dut.lost)
                await ctx.tick()
            else:
                await put(ctx, dut.bytes, piece, pauses(0.2, 1))
        for _ in range(4):
            await ctx.tick()

    async def watch(ctx):
        names = ("put", "data", "commit", "rewind", "restart", "ask")
        while True:
            *_, wrote, data, commit, rewind, restart, ask = await ctx.tick().sample(
                *(getattr(dut, name) for name in names)
            )
            if wrote:
                assert ctx.get(dut.room) or room is None
                put_so_far.append(data)
            assert commit + rewind <= 1
            assert not (commit and (restart or ask))
            if commit or rewind:
                kind = "commit" if commit else "restart" if restart else "ask"
                reason = Reason(ctx.get(dut.reason)) if ask else None
                state = (ctx.get(dut.expected), ctx.get(dut.sync))
                seen.append((kind, bytes(put_so_far), reason, *state))
                put_so_far.clear()
            if room is not None:
                ctx.set(dut.room, room(rng, len(put_so_far)))

    simulate(dut, source, background=(watch,))
    return seen


def kinds(seen):
    return [(kind, reason) for kind, _, reason, *_ in seen]


def test_receiver_takes_what_is_due():
    rng = random.Random(2)
    sent = [protocol.command(n, Command.WRITE, contents(rng, 12)) for n in range(3)]
    seen = receive([frame(content) for content in sent])
    assert [(kind, data[:-4]) for kind, data, *_ in seen] == [("commit", c) for c in sent]
    assert [expected for *_, expected, _ in seen] == [1, 2, 3]


def test_receiver_judges():
    due = frame(protocol.command(0, Command.WRITE, b"\0\0\0\0ab"))
    for flipped in range(8 * 2, 8 * (len(due) - 2)):
        damaged = bytearray(due)
        damaged[flipped // 8] ^= 1 << flipped % 8
        if bytes([ESCAPE]) in damaged or damaged.count(FLAG) != 2:
            continue
        assert kinds(receive([bytes(damaged)])) == [("ask", Reason.DAMAGED)], flipped
    for place in range(1, len(due) - 1):
        assert kinds(receive([due[:place] + due[place + 1 :]])) == [("ask", Reason.DAMAGED)]
        doubled = due[:place] + due[place : place + 1] + due[place:]
        assert kinds(receive([doubled])) == [("ask", Reason.DAMAGED)]
    assert kinds(receive([due[:5], None, due[5:]])) == [("ask", Reason.DAMAGED)]
    assert kinds(receive([due[:-1], bytes([ESCAPE, FLAG])])) == [("ask", Reason.DAMAGED)]
    # A CRC that is right over too few bytes.
    assert kinds(receive([frame(b"")])) == [("ask", Reason.DAMAGED)]
    assert kinds(receive([frame(bytes([0, Command.RESTART, 0]))])) == [("ask", Reason.DAMAGED)]
    # Nothing at all, also with a byte lost outside of frames.
    assert receive([bytes([FLAG] * 3), None]) == []
    assert kinds(receive([bytes([FLAG]), None, bytes([FLAG]), due])) == [("commit", None)]


def test_receiver_keeps_the_order():
    late = frame(protocol.command(5, Command.READ, b"\0\0\0\0\0"))
    hello = frame(protocol.command(254, Command.HELLO))
    sync = frame(protocol.command(77, Command.SYNC))
    restart = frame(protocol.command(9, Command.RESTART))
    unknown = frame(protocol.command(255, 0x10 | Command.RESTART))
    seen = receive([late, hello, sync, unknown, restart, late])
    assert kinds(seen) == [
        ("ask", Reason.ORDER),
        ("commit", None),
        ("ask", Reason.NONE),
        ("commit", None),
        ("restart", None),
        ("ask", Reason.ORDER),
    ]
    assert [state for *_, expected, sync in seen for state in [(expected, sync)]] == [
        (0, 0), (255, 0), (255, 77), (0, 77), (10, 77), (10, 77)
    ]  # fmt: skip


def test_receiver_without_room():
    due = frame(protocol.command(0, Command.WRITE, bytes(range(20))))
    assert kinds(receive([due], room=lambda _, n: n < 9)) == [("ask", Reason.FULL)]
    # There is room only now and then: a patient one waits for it.
    seen = receive([due], room=lambda rng, _: rng.random() < 0.1, patient=True)
    assert [(kind, data) for kind, data, *_ in seen] == [("commit", bytes(deframed(due)))]


def deframed(data):
    content = Deframer(1000).feed(data)[0]
    return content + zlib.crc32(content).to_bytes(4, "little")


@pytest.mark.parametrize("flow", FLOWS)
def test_buffer(flow):
    depth = 16
    dut = CommandBuffer(depth)
    rng = random.Random(flow)
    expected, received, waiting = [], [], []
    seen = dict.fromkeys(("full", "rewound", "wrapped"), 0)
    offered, taken = FLOWS[flow]
    idle = pauses(offered, 1)

    async def source(ctx):
        for _ in range(300):
            while next(idle):
                await ctx.tick()
            room = ctx.get(dut.room)
            # One that was taken in this very cycle may not be in the list yet.
            held = len(expected) + len(waiting) - len(received)
            assert held - 1 < depth - 1 if room else held >= depth - 1
            action = rng.random()
            if action < 0.75 and room:
                byte = rng.randrange(256)
                ctx.set(dut.data, byte)
                waiting.append(byte)
                await pulse(ctx, dut.put)
            elif action < 0.9 and waiting:
                seen["wrapped"] += (len(expected) + len(waiting)) // depth > len(expected) // depth
                expected.extend(waiting)
                waiting.clear()
                await pulse(ctx, dut.commit)
            elif waiting:
                seen["rewound"] += 1
                waiting.clear()
                await pulse(ctx, dut.rewind)
            else:
                await ctx.tick()
            seen["full"] += not room
        while len(received) < len(expected):
            await ctx.tick()

    stall = pauses(taken, 2)

    async def sink(ctx):
        while True:
            ready = not next(stall)
            ctx.set(dut.bytes.ready, ready)
            *_, valid, byte = await ctx.tick().sample(dut.bytes.valid, dut.bytes.payload)
            if valid and ready:
                received.append(byte)
                assert received == expected[: len(received)]

    simulate(dut, source, background=(sink,))
    assert received == expected
    assert all(count for name, count in seen.items() if name != "full" or flow == "stalled"), seen


def respond(dut, act, count):
    """Return ``count`` contents that a responder gives while ``act`` is at work."""
    contents, current = [], bytearray()

    async def sink(ctx):
        stall = pauses(0.4, 3)
        while len(contents) < count:
            ready = not next(stall)
            ctx.set(dut.contents.ready, ready)
            *_, valid, payload = await ctx.tick().sample(dut.contents.valid, dut.contents.payload)
            if valid and ready:
                current.append(payload["byte"])
                if payload["last"]:
                    contents.append(bytes(current))
                    current.clear()

    simulate(dut, act, sink)
    return contents


@pytest.mark.parametrize("name", ["icebreaker", "learner", "learner-icebreaker"])
def test_responder(name):
    core = PRESETS[name]
    dut = Responder(core)
    rng = random.Random(name)
    counters = protocol.result_counters(core)
    result = protocol.Result(
        winner=rng.randrange(1 << core.index_bits),
        last=rng.randrange(1 << core.index_bits),
        step=core.steps,
        forced=True,
        counters=tuple(rng.randrange(1 << 24) for _ in counters),
    )
    status = Status(201, Reason.ORDER, 17, 150)
    words = [0x11223344, 0x55667788, 0x7E7D7E7D]

    async def act(ctx):
        ctx.set(dut.number, status.replying)
        ctx.set(dut.expected, status.expected)
        ctx.set(dut.sync, status.sync)
        ctx.set(dut.reason, status.reason)
        record = {
            "winner": result.winner,
            "last": result.last,
            "step": result.step,
            "forced": 1,
            **dict(zip(counters, result.counters, strict=True)),
        }
        # A status and a result are both due, but the result was first.
        ctx.set(dut.results.payload, record | dict.fromkeys(_others(core, record), 0))
        ctx.set(dut.results.valid, 1)
        await pulse(ctx, dut.ask)
        await taken(ctx, dut.results)
        # Both are due again: the status goes first. It is asked for once more while it goes out.
        ctx.set(dut.results.valid, 1)
        for _ in range(3):
            await ctx.tick()
        await pulse(ctx, dut.ask)
        await taken(ctx, dut.results)
        for kind, reason in ((Reply.IDENTITY, 0), (Reply.DONE, 0), (Reply.REFUSED, 5)):
            ctx.set(dut.answers.payload, {"kind": kind & 7, "reason": reason})
            ctx.set(dut.answers.valid, 1)
            await taken(ctx, dut.answers)
        for wide in (0, 1):
            ctx.set(dut.answers.payload, {"kind": Reply.DATA & 7, "reason": 0})
            ctx.set(dut.answers.valid, 1)
            for i, word in enumerate(words):
                for _ in range(5):
                    await ctx.tick()
                ctx.set(dut.words.payload, {"word": word, "wide": wide, "last": i == 2})
                ctx.set(dut.words.valid, 1)
                answered = await taken(ctx, dut.words, dut.answers)
                assert answered == (i == 2)
            ctx.set(dut.answers.valid, 0)

    def body(kind, content=b""):
        return bytes([status.replying, kind]) + content

    narrow = b"".join((word & 0xFFFF).to_bytes(2, "little") for word in words)
    wide = b"".join(word.to_bytes(4, "little") for word in words)
    assert respond(dut, act, 9) == [
        body(Reply.RESULT, protocol.encode_result(result)),
        protocol.encode_status(status),
        protocol.encode_status(status),
        body(Reply.RESULT, protocol.encode_result(result)),
        body(Reply.IDENTITY, protocol.encode_identity(core)),
        body(Reply.DONE),
        body(Reply.REFUSED, b"\5"),
        body(Reply.DATA, narrow),
        body(Reply.DATA, wide),
    ]


def _others(core, record):
    return set(record_fields(core)) - set(record)


async def taken(ctx, port, other=None):
    """Wait until ``port`` is taken; return whether ``other`` was in the same cycle."""
    while True:
        *_, ready, both = await ctx.tick().sample(port.ready, (other or port).ready)
        if ready:
            ctx.set(port.valid, 0)
            return bool(both)


def test_interpreter_starts_with_a_greeting():
    dut = Interpreter(PRESETS["learner-digits"])
    seen = []

    async def bench(ctx):
        ctx.set(dut.first, 93)
        await pulse(ctx, dut.restarted)
        ctx.set(dut.answers.ready, 1)
        *_, valid, kind, number = await ctx.tick().sample(
            dut.answers.valid, dut.answers.p.kind, dut.number
        )
        seen.append((valid, kind, number))
        await ctx.tick()
        assert ctx.get(dut.number) == 94
        # No CRC of it is in the way of what comes next.
        await put(ctx, dut.bytes, protocol.command(94, 0x55) + bytes(4), pauses(0, 1))
        await ctx.tick()
        assert ctx.get(dut.number) == 95

    simulate(dut, bench)
    assert seen == [(1, Reply.IDENTITY & 7, 93)]


@pytest.mark.parametrize("stall", [0, 0.5, 0.9])
def test_interpreter_asks_for_each_word_once(stall):
    """What is asked stands until it is taken, and nothing else is asked."""
    rng = random.Random(stall)
    dut = Interpreter(PRESETS["learner-digits"])
    words = [rng.randrange(1 << 16) for _ in range(9)]
    commands = [
        protocol.command(0, Command.WRITE, protocol.encode_write(Space.WEIGHTS, 77, words)),
        protocol.command(1, Command.READ, protocol.encode_read(Space.WEIGHTS, 300, 5)),
    ]
    asked, replied = [], 0

    async def host(ctx):
        await put(ctx, dut.bytes, b"".join(c + bytes(4) for c in commands), pauses(0.3, stall))

    async def core(ctx):
        nonlocal replied
        ctx.set(dut.answers.ready, 1)
        ctx.set(dut.words.ready, 1)
        waiting = None
        while replied < 5:
            ready = rng.random() >= stall
            ctx.set(dut.requests.ready, ready)
            sampled = ctx.tick().sample(dut.requests.valid, dut.requests.payload)
            *_, valid, payload = await sampled
            assert waiting is None or (valid and payload == waiting)
            waiting = payload if valid and not ready else None
            if valid and ready:
                write = bool(payload.write)
                asked.append((write, payload.address, payload.data & 0xFFFF if write else None))
                assert payload.space == Space.WEIGHTS
                if not write:
                    ctx.set(dut.requests.ready, 0)
                    ctx.set(dut.replies.valid, 1)
                    await ctx.tick().until(dut.replies.ready)
                    ctx.set(dut.replies.valid, 0)
                    replied += 1

    simulate(dut, host, core)
    written = [(True, 77 + i, word) for i, word in enumerate(words)]
    assert asked == written + [(False, 300 + i, None) for i in range(5)]
