"""Frames, commands and the host's end of a link: whatever happens to the bytes.

`python -m firstspike.board.faults` is the long run: 100 000 frames and ten million random bytes.
With Atheris, which has wheels for Linux only, tests/fuzz_board.py tries as many of its own choice.

Mutants tried, each of which a test here refused: stuffing that forgets the escape itself; a CRC
that is not checked; a frame that was cut off and counts; a recovery that sends nothing again, that
sends what was taken again, or that keeps waiting for lost replies; replies that were skipped and
not given up; a window without end; a host that believes an old status; a host that hears another's
identity; a core that takes commands out of order, or damaged ones.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firstspike.board import protocol
from firstspike.board.faults import FAULTS, FaultyPort, fuzz, trial
from firstspike.board.framing import CRC_BYTES, ESCAPE, FLAG, Deframer, frame
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Answer, Link, Order
from firstspike.board.orders import bursts_of
from firstspike.board.protocol import Command, Reason, Reply, Status
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.spec import CoreSpec, Space

CORE = PRESETS["hx8k"]
SPECIAL = st.sampled_from([FLAG, ESCAPE, FLAG ^ 0x20, ESCAPE ^ 0x20])
CONTENTS = st.lists(SPECIAL | st.integers(0, 255), min_size=1, max_size=60).map(bytes)


@given(st.lists(CONTENTS, max_size=5), st.integers(1, 9))
def test_frames_come_back_however_they_are_cut(contents, size):
    wire = b"".join(frame(each) for each in contents)
    deframer = Deframer(100)
    found = []
    for i in range(0, len(wire), size):
        found += deframer.feed(wire[i : i + size])
    assert found == contents
    assert deframer.damaged == 0
    for each in contents:
        assert frame(each)[1:-1].count(FLAG) == 0


@given(CONTENTS, CONTENTS, st.data())
def test_a_damaged_byte_costs_one_frame(first, second, data):
    wire = frame(first)
    at = data.draw(st.integers(0, len(wire) - 1))
    bit = data.draw(st.integers(0, 7))
    broken = wire[:at] + bytes([wire[at] ^ 1 << bit]) + wire[at + 1 :]
    deframer = Deframer(100)
    # A flag that was added or lost ends or begins a frame; the next one is whole in any case.
    assert deframer.feed(broken + frame(second))[-1:] == [second]
    assert deframer.damaged >= (0 if at in (0, len(wire) - 1) else 1)


@given(st.binary(max_size=300))
def test_a_deframer_takes_anything(data):
    deframer = Deframer(20)
    assert all(len(each) <= 20 - CRC_BYTES for each in deframer.feed(data))
    assert deframer.feed(frame(b"next"))[-1:] in ([b"next"], [])
    assert deframer.feed(frame(b"next")) == [b"next"]


def test_a_frame_that_ends_in_an_escape_was_cut_off():
    whole = frame(b"contents")
    deframer = Deframer(100)
    assert deframer.feed(whole[:-1] + bytes([ESCAPE, FLAG])) == []
    assert deframer.damaged == 1


@given(st.integers(0, 255), st.sampled_from(Reason), st.integers(0, 255), st.integers(0, 255))
def test_statuses(sync, reason, expected, replying):
    status = Status(sync, reason, expected, replying)
    assert protocol.decode_status(protocol.encode_status(status)) == status


@pytest.mark.parametrize("name", PRESETS)
def test_identities(name):
    identity = protocol.decode_identity(protocol.encode_identity(PRESETS[name]))
    assert identity is not None
    assert identity.core == PRESETS[name]
    assert identity.digest == protocol.core_digest(PRESETS[name])


@given(st.binary(max_size=40))
def test_an_identity_can_be_anything(data):
    protocol.decode_identity(protocol.MAGIC + data)
    assert protocol.decode_identity(data[:4]) is None or data.startswith(protocol.MAGIC)


@given(
    st.sampled_from(["hx8k", "ulx3s-25f", "icebreaker"]),
    st.lists(st.integers(0, 255) | st.just(0), min_size=1, max_size=200).map(bytes),
    st.integers(-1, 15),
)
@example("hx8k", bytes(200), 3)
@example("ulx3s-25f", b"\1" + bytes(199), -1)
def test_pixels_come_back(name, pixels, label):
    core = PRESETS[name]
    bodies = protocol.encode_pixels(pixels, core, label)
    whole = pixels.ljust(-(-len(pixels) // core.pixels) * core.pixels, b"\0")
    assert b"".join(protocol.decode_groups(body[1:]) for body in bodies) == whole
    for body in bodies:
        # Two parts wait in the buffer at once.
        assert 2 * (protocol.HEAD_BYTES + len(body) + CRC_BYTES) < protocol.buffer_bytes(core)
        assert len(protocol.decode_groups(body[1:])) % core.pixels == 0
        given_label = body[0] & 15 if body[0] & protocol.Label.THERE else -1
        assert given_label == label
        assert bool(body[0] & protocol.Label.MORE) == (body is not bodies[-1])


def link_to(port, **options) -> Link:
    return Link(port, timeout=0, **options)


def write(address: int, *words: int) -> Order:
    return Order(Command.WRITE, protocol.encode_write(Space.WEIGHTS, address, words))


def read(address: int, words: int = 1) -> Order:
    body = protocol.encode_read(Space.WEIGHTS, address, words)
    return Order(Command.READ, body, 2 * words)


class Watched:
    """A board that keeps the contents of all frames that it is sent, and can be told to lose some.

    What loses is given the number of each frame, from the host or to it, and its contents.
    """

    def __init__(
        self,
        lose_sent=lambda n, contents: False,
        lose_reply=lambda n, contents: False,
        core: CoreSpec = CORE,
    ):
        self.board = GoldenBoard(core)
        self.sent: list[bytes] = []
        self.replies: list[bytes] = []
        self._lose_sent, self._lose_reply = lose_sent, lose_reply
        self._out = b""
        self._deframers = Deframer(1 << 12), Deframer(1 << 13)

    def write(self, data: bytes) -> int:
        for contents in self._deframers[0].feed(data):
            self.sent.append(contents)
            if not self._lose_sent(len(self.sent) - 1, contents):
                self.board.write(frame(contents))
        return len(data)

    def read(self, size: int) -> bytes:
        for contents in self._deframers[1].feed(self.board.read(1 << 16)):
            self.replies.append(contents)
            if not self._lose_reply(len(self.replies) - 1, contents):
                self._out += frame(contents)
        data, self._out = self._out[:size], self._out[size:]
        return data

    def close(self) -> None:
        pass

    def kinds(self) -> list[int]:
        return [contents[1] for contents in self.sent]


def test_commands_are_answered_in_order():
    port = Watched()
    link = link_to(port)
    assert link.connect().restarted is False
    answers = list(link.stream([write(3, 7, 8), read(3, 2), read(4)]))
    assert answers == [
        Answer(Reply.DONE, b""),
        Answer(Reply.DATA, b"\x07\0\x08\0"),
        Answer(Reply.DATA, b"\x08\0"),
    ]
    assert link.counts.sent == 3
    assert link.counts.resent == link.counts.lost == link.counts.damaged == 0


def test_the_window_is_full_but_not_more():
    """The core's buffer never overflows, and holds as much as it can."""
    port = Watched()
    link = link_to(port)
    link.connect()
    most = 0

    def orders():
        nonlocal most
        for n in range(600):
            most = max(most, len(port.board._commands))
            yield write(n % 64, *range(n % 40 + 1))

    assert all(answer is not None for answer in link.stream(orders()))
    room = protocol.buffer_bytes(CORE)
    assert room - 200 < most < room
    assert Reason.FULL not in [contents[2] for contents in port.replies if contents[1] == 0x82]
    assert link.counts.recoveries == 1


def test_a_window_of_commands():
    """Where the buffer has room for more of them."""
    port = Watched(core=PRESETS["ulx3s-25f"])
    link = link_to(port)
    link.connect()
    under_way = []

    def orders():
        for _ in range(200):
            yield Order(Command.WRITE, b"\x01\0\0\0")
            done = sum(contents[1] == Reply.DONE for contents in port.replies)
            under_way.append(port.kinds().count(Command.WRITE) - done)

    list(link.stream(orders()))
    assert max(under_way) == protocol.WINDOW


def test_noise_between_frames_is_no_trouble():
    class Noisy(Watched):
        def write(self, data):
            super().write(data)
            if self.kinds()[-1] == Command.WRITE:
                self.board.write(b"\x55\x7e")
            return len(data)

    port = Noisy()
    link = link_to(port)
    link.connect()
    assert link.request(write(0, 5)) == Answer(Reply.DONE, b"")
    assert [contents[2] for contents in port.replies if contents[1] == Reply.STATUS] == [0, 1]
    assert link.counts.recoveries == 1


def test_a_command_that_never_fits():
    link = link_to(GoldenBoard(CORE))
    link.connect()
    with pytest.raises(ValueError, match="must have fewer than 512"):
        link.request(write(0, *range(300)))


def test_a_lost_command_is_sent_again_and_those_behind_it():
    lost = []

    def lose(n, contents):
        # The second of three writes, once.
        if contents[1] == Command.WRITE and contents[5] == 1 and not lost:
            lost.append(n)
            return True
        return False

    port = Watched(lose_sent=lose)
    link = link_to(port)
    link.connect()
    assert list(link.stream([write(0, 5), write(1, 6), write(2, 7)])) == 3 * [
        Answer(Reply.DONE, b"")
    ]
    assert link.request(read(0, 3)) == Answer(Reply.DATA, b"\x05\0\x06\0\x07\0")
    assert (link.counts.sent, link.counts.resent, link.counts.lost) == (4, 2, 0)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_lost_reply_is_known_and_nothing_is_done_twice(which):
    done = []

    def lose(n, contents):
        if contents[1] == Reply.DONE:
            done.append(n)
            return len(done) - 1 == which
        return False

    port = Watched(lose_reply=lose)
    link = link_to(port)
    link.connect()
    answers = list(link.stream([write(0, 5), write(1, 6), write(2, 7)]))
    assert [n for n, answer in enumerate(answers) if answer is None] == [which]
    assert port.kinds().count(Command.WRITE) == 3
    assert (link.counts.resent, link.counts.lost) == (0, 1)


def test_a_lost_sync_is_asked_again():
    """And an answer to the first one, if it comes later, is not taken for another's."""
    syncs = []

    def lose(n, contents):
        if contents[1] == Command.SYNC:
            syncs.append(contents[0])
            return len(syncs) % 2 == 1
        return contents[1] == Command.WRITE and len(syncs) < 3

    link = link_to(Watched(lose_sent=lose))
    link.connect()
    assert link.request(write(0, 5)) == Answer(Reply.DONE, b"")
    assert len(set(syncs)) == len(syncs) >= 4


def test_an_old_status_is_not_believed():
    """One that was on its way when the question was asked, and says that less was taken."""

    class Old(Watched):
        old = b""

        def read(self, size):
            data = super().read(size)
            if any(contents[1] == Command.WRITE for contents in self.sent) and not self.old:
                # Before anything was taken, of no sync that was ever asked.
                first = next(c for c in self.sent if c[1] == Command.WRITE)[0]
                asked = {c[0] for c in self.sent if c[1] == Command.SYNC}
                sync = next(
                    n
                    for n in range(256)
                    if n not in asked and n not in {(a + 1) % 256 for a in asked}
                )
                self.old = frame(protocol.encode_status(Status(sync, Reason.ORDER, first, first)))
                return self.old + data
            return data

    port = Old()
    link = link_to(port)
    link.connect()
    assert list(link.stream([write(0, 5), write(1, 6)])) == 2 * [Answer(Reply.DONE, b"")]
    assert port.kinds().count(Command.WRITE) == 2
    assert port.kinds().count(Command.SYNC) == 2


def test_a_stream_that_nobody_heard_to_its_end():
    """The window still is one, and answers go to those who asked."""
    port = Watched()
    link = link_to(port)
    link.connect()
    stream = link.stream([write(0, *range(20)) for n in range(40)])
    next(stream)
    del stream
    answers = list(link.stream([read(n % 20) for n in range(100)]))
    assert answers == [Answer(Reply.DATA, bytes([n % 20, 0])) for n in range(100)]
    assert link.counts.recoveries == 1


def test_no_more_bytes_are_asked_for_than_a_driver_keeps():
    port = Watched(core=PRESETS["ulx3s-25f"])
    link = link_to(port)
    link.connect()
    space = Space.START | protocol.WIDE
    waiting = []

    def orders():
        for _ in range(100):
            yield Order(Command.READ, protocol.encode_read(space, 0, 60), 240)
            came = sum(contents[1] == Reply.DATA for contents in port.replies)
            waiting.append(246 * (port.kinds().count(Command.READ) - came))

    list(link.stream(orders()))
    assert 4096 - 246 < max(waiting) <= 4096


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_frame_that_is_too_short(size):
    board = GoldenBoard(CORE)
    board.write(frame(bytes(size)))
    status = protocol.decode_status(Deframer(100).feed(board.read(100))[0])
    assert status.reason is Reason.DAMAGED


def test_a_host_that_comes_later_hears_its_own_identity():
    board = GoldenBoard(CORE)
    first = link_to(board)
    first.connect()
    # Commands and answers of someone who has gone, and half a frame.
    for n in range(30):
        board.write(frame(protocol.command(n, Command.HELLO)))
    board.write(frame(protocol.command(30, Command.WRITE, write(9, 77).body))[:-3])
    second = link_to(board)
    assert second.connect().identity.core == CORE
    assert second.request(read(9)) == Answer(Reply.DATA, b"\0\0")


def test_an_identity_that_nobody_asked_for():
    """Of the bitstream that was there before."""
    board = GoldenBoard(CORE)
    link = link_to(board)
    old = bytes([(link._next + 1) % 256, Reply.IDENTITY])
    board._out += frame(old + protocol.encode_identity(PRESETS["icebreaker"]))
    assert link.connect().identity.core == CORE


def test_a_core_that_waits_for_pixels_is_restarted():
    board = GoldenBoard(CORE)
    board.loaded = 1
    link = link_to(board, tries=2)
    link.connect()
    # Fewer pixels than the registers say: another host's mistake.
    board.core.write(Space.REGISTERS, 7, 15)
    sequence = board._expected
    body = protocol.encode_pixels(bytes(4), CORE)[0]
    board.write(frame(protocol.command(sequence, Command.PIXELS, body)))
    assert link_to(board, tries=2).connect().restarted is True
    assert board.loaded == 0


class Babbler:
    """Another program's bytes."""

    def __init__(self, data: bytes):
        self._data = data

    def write(self, data: bytes) -> int:
        return len(data)

    def read(self, size: int) -> bytes:
        return self._data[:size]

    def close(self) -> None:
        pass


def refusal(port, **options) -> str:
    with pytest.raises(InputError) as caught:
        Link(port, timeout=options.pop("timeout", 0), **options).connect()
    return str(caught.value)


def test_nothing_answers():
    assert "nothing answers at the port" in refusal(Babbler(b""), tries=2)


def test_another_program():
    line = refusal(Babbler(b"login: "), tries=2, timeout=0.02)
    assert "bytes came from the port, but no answer of a core" in line


def test_another_protocol():
    class Other(GoldenBoard):
        def read(self, size):
            data = super().read(size)
            for contents in Deframer(1000).feed(data):
                if contents[1] == Reply.IDENTITY:
                    body = protocol.MAGIC + bytes([9]) + contents[7:]
                    return frame(contents[:2] + body)
            return data

    assert "speaks version 9 of the link, this release version" in refusal(Other(CORE))


def test_a_core_that_this_release_cannot_describe():
    class Odd(GoldenBoard):
        def read(self, size):
            data = super().read(size)
            for contents in Deframer(1000).feed(data):
                if contents[1] == Reply.IDENTITY:
                    # No banks.
                    return frame(contents[:11] + b"\0" + contents[12:])
            return data

    assert "which this release cannot describe" in refusal(Odd(CORE))


def test_a_core_that_is_not_what_it_says():
    class Odd(GoldenBoard):
        def read(self, size):
            data = super().read(size)
            for contents in Deframer(1000).feed(data):
                if contents[1] == Reply.IDENTITY:
                    return frame(contents[:7] + b"\0\0\0\0" + contents[11:])
            return data

    assert "what it says of itself has" in refusal(Odd(CORE))


def test_a_board_that_falls_silent():
    board = GoldenBoard(CORE)
    port = Watched()
    link = link_to(port, tries=3)
    link.connect()
    port.board = Babbler(b"")  # type: ignore[assignment]
    with pytest.raises(InputError, match="no longer answers"):
        link.request(write(0, 1))
    assert port.kinds().count(Command.SYNC) == 1 + 3
    del board


def test_a_board_that_someone_restarted():
    board = GoldenBoard(CORE)
    link = link_to(board)
    link.connect()
    ahead = (board._expected + 99) % 256
    board.write(frame(protocol.command(ahead, Command.RESTART)))
    with pytest.raises(InputError, match="it was restarted, or another program uses it"):
        link.request(write(0, 1))


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault(fault):
    found = trial(1200, 0.003, seed=1, faults=[fault])
    assert found.wrong == ()
    assert found.faults[fault] > 50
    assert found.counts.resent > 0
    assert found.counts.lost > 0


@pytest.mark.parametrize("lag", [0.0, 0.3])
def test_all_faults_and_answers_that_come_late(lag):
    found = trial(3000, 0.002, seed=2, lag=lag)
    assert found.wrong == ()
    assert sum(found.faults.values()) > 100


def test_without_faults_nothing_is_sent_again():
    found = trial(500, 0.0, seed=3)
    assert found.wrong == ()
    assert found.counts.resent == found.counts.lost == found.counts.damaged == 0
    assert found.counts.recoveries == 1


@pytest.mark.slow
def test_a_hundred_thousand_frames():
    found = trial(100_000, 0.002, seed=4, lag=0.05)
    assert found.wrong == ()
    assert sum(found.faults.values()) > 5000


def test_random_bytes():
    assert fuzz(200_000, seed=1) > 100


@pytest.mark.slow
def test_ten_million_random_bytes():
    assert fuzz(10_000_000, seed=2) > 5000


@given(st.binary(max_size=400))
def test_bytes_without_a_frame_change_nothing(data):
    board = GoldenBoard(CORE)
    board.core.write(Space.WEIGHTS, 1, 5)
    board.write(data)
    board.read(1 << 12)
    assert board.core.read(Space.WEIGHTS, 1) == 5
    assert board.loaded == 0
    # And the next one is taken, behind a flag that ends what was there.
    link = link_to(board)
    link.connect()
    assert link.request(read(1)) == Answer(Reply.DATA, b"\x05\0")


@given(st.integers(0, 9), st.binary(max_size=30), st.integers(0, 3))
def test_a_board_answers_each_frame_once(kind, body, ahead):
    """Any kind, any body: one reply or one status, and no exception."""
    board = GoldenBoard(CORE)
    board.write(frame(protocol.command(ahead, Command.HELLO)))
    board.read(1000)
    board.write(frame(protocol.command(ahead + 1, kind, body)))  # type: ignore[arg-type]
    replies = Deframer(1000).feed(board.read(1000))
    assert len(replies) == 1
    assert replies[0][1] in set(Reply)


def test_late_reads_pass_everything_on():
    """The port that lags loses nothing."""
    port = FaultyPort(GoldenBoard(CORE), 0.0, 1, lag=0.5)
    for n in range(5):
        port.write(frame(protocol.command(n, Command.HELLO)))
    data = b"".join(port.read(100) for _ in range(40))
    assert [each[0] for each in Deframer(100).feed(data)] == [0, 1, 2, 3, 4]


def test_faults_are_as_many_as_asked_for():
    class Sink:
        taken = b""

        def write(self, data: bytes) -> int:
            self.taken += data
            return len(data)

        def read(self, size: int) -> bytes:
            return b""

        def close(self) -> None:
            pass

    sink = Sink()
    port = FaultyPort(sink, 0.01, 5)
    data = random.Random(1).randbytes(100_000)
    port.write(data)
    port.read(1)
    assert 800 < sum(port.faults.values()) < 1200
    assert all(count > 150 for count in port.faults.values())
    assert (
        len(sink.taken)
        == len(data) - port.faults["lose"] + port.faults["double"] + (port.faults["insert"])
    )


def test_a_small_core_has_a_small_buffer():
    assert protocol.buffer_bytes(CoreSpec(max_inputs=64)) == 512


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("space", [Space.REGISTERS, Space.WEIGHTS, Space.START])
def test_bursts_have_few_bytes_and_all_words(name, space):
    core = PRESETS[name]
    addresses = [*range(5, 700), *range(900, 1000), 1002]
    bursts = bursts_of(core, ((space, address) for address in addresses))
    found = [burst.address + i for burst in bursts for i in range(burst.words)]
    assert found == addresses
    most = min(256, protocol.buffer_bytes(core) // 4)
    assert max(burst.n_bytes for burst in bursts) == most
    wide = space is Space.REGISTERS or (space is Space.START and core.potential_bits > 16)
    assert all(bool(burst.space & protocol.WIDE) == wide for burst in bursts)
    assert all(burst.space & ~protocol.WIDE == space for burst in bursts)
