"""Damage on the wires of a simulated board, one frame after the other.

    python -m firstspike_sim.board_faults --frames 100000

A learner is loaded, and then writes, reads and stimuli that it learns from are sent to the board
and to `firstspike.board.golden`: to the latter as they are, to the board damaged, or with its reply
damaged. Each is followed by a SYNC, at once or after the time of one byte, which says whether the
board took the command; if not, it is sent again, undamaged. So the two must answer the same at any
time, and hold the same in the end. Tests run the same for a moment.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from firstspike.board import protocol
from firstspike.board.device import Device
from firstspike.board.framing import Deframer, frame
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Link
from firstspike.board.protocol import SEQUENCES, Command, Reason, Reply, Status
from firstspike.learning import Pruning, Unsupervised
from firstspike.learning.readback import state_requests
from firstspike.learning.state import LearningState, first_state
from firstspike.memimage import Write
from firstspike.progress import counted
from firstspike.spec import CoreSpec, Space
from firstspike_sim.board import SimulatedBoard
from firstspike_sim.board_model import symbols_of
from firstspike_sim.board_verilog import Symbol, disturbance

__all__ = ["CORE", "FAULTS", "PATIENCE", "REPLY_FAULTS", "Strike", "damaged", "main", "strike"]

#: A small core, so that the wire and not the core takes the time.
CORE = CoreSpec(
    banks=2,
    word=1,
    ramp=False,
    max_layers=1,
    max_inputs=16,
    state_rows=5,
    weight_rows=80,
    learning=True,
    pruning=True,
)
#: Clock cycles after which it has nothing more to say.
PATIENCE = 3000
_PIXELS, _NEURONS = 16, 3
#: Of the last neuron that there is room for, which is none of the learner's.
_FREE = CORE.address(Space.START, CORE.banks - 1, CORE.state_rows - 1)

#: What happens to a byte on its way to the board, or before it.
FAULTS = ("flip", "replace", "lose", "double", "insert", "low stop bit", "break", "idle")
#: What happens to a reply.
REPLY_FAULTS = ("turned bits", "lose", "double", "insert")

#: A byte's time on the wire, after which a receiver waits for a start bit again.
_FRAME_BITS = 10
#: Bytes of the longest frame, less the flags, that the board sends.
_LONGEST = 4096


def damaged(data: bytes, fault: str, at: int, random_: random.Random) -> np.ndarray:
    """Return symbols that send ``data``, with a fault at byte ``at`` or, if it adds, before it."""
    before, byte, after = data[:at], data[at], data[at + 1 :]
    here = {
        "flip": lambda: symbols_of([byte ^ 1 << random_.randrange(8)]),
        "replace": lambda: symbols_of([random_.randrange(256)]),
        "lose": lambda: symbols_of([]),
        "double": lambda: symbols_of([byte, byte]),
        "insert": lambda: symbols_of([random_.randrange(256), byte]),
        "low stop bit": lambda: symbols_of([byte], Symbol.BAD_STOP),
        "break": lambda: _pause(Symbol.BREAK, random_, byte),
        "idle": lambda: _pause(Symbol.IDLE, random_, byte),
    }[fault]()
    return np.concatenate([symbols_of(before), here, symbols_of(after)])


def _pause(kind: Symbol, random_: random.Random, byte: int) -> np.ndarray:
    return np.concatenate([symbols_of([random_.randint(1, 40)], kind), symbols_of([byte])])


@dataclass(slots=True)
class Strike:
    """How it went.

    Attributes
    ----------
    faults : Counter of str
        Frames with each fault.
    taken : Counter of str
        Those of them that the board took nevertheless, by fault: their contents were whole.
    late : Counter of str
        Those after which the frame that followed at once was lost as well, by fault: the ends of a
        break may look like bits, and then those of the next bytes are taken for other ones.
    positions : set of int
        Bytes of a frame that faults were at.
    wrong : list of str
        What was not as it should be.
    cycles : int
        Of the board.
    """

    faults: Counter = field(default_factory=Counter)
    taken: Counter = field(default_factory=Counter)
    late: Counter = field(default_factory=Counter)
    positions: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    cycles: int = 0


class _Pair:
    """A simulated board and a golden one, which were given the same learner."""

    def __init__(self, board: SimulatedBoard, rule: Unsupervised, state: LearningState) -> None:
        self.board = board
        self.golden = GoldenBoard(CORE)
        for port in (board, self.golden):
            device = Device(Link(port, timeout=0))
            device.connect()
            # Memories hold what they like until they are written.
            device.write([Write(Space.WEIGHTS, address, 0) for address in range(32)])
            device.write([Write(Space.START, _FREE, _start(0))])
            device.load_learner(rule, state)
        self.sequence = 0
        self._sync = 0
        self._deframer = Deframer(_LONGEST)
        for port in (board, self.golden):
            port.write(frame(protocol.command(self.sequence, Command.HELLO)))
            self.reply(port)
        self.sequence = 1

    def reply(
        self, port: SimulatedBoard | GoldenBoard, spoil: _Spoiler | None = None
    ) -> list[bytes]:
        """Return the contents of the frames that come, none if none come.

        If there are more than one, that is noticed when the next one is asked for.
        """
        found = []
        while not found and (data := port.read(_LONGEST)):
            found += self._deframer.feed(data if spoil is None else spoil(data))
        return found

    def settle(
        self, pause: int = 0, spoil: _Spoiler | None = None
    ) -> tuple[Status | None, list[bytes]]:
        """Send a SYNC after so many bits, and return its answer, and the replies that came before.

        The answer is None if it does not come.
        """
        if pause:
            self.board.send(symbols_of([pause], Symbol.IDLE))
        self._sync = (self._sync + 1) % SEQUENCES
        self.board.write(frame(protocol.command(self._sync, Command.SYNC)))
        answer = None
        replies = []
        while answer is None and (data := self.board.read(_LONGEST)):
            for contents in self._deframer.feed(data if spoil is None else spoil(data)):
                if contents[1] != Reply.STATUS:
                    replies.append(contents)
                    continue
                status = protocol.decode_status(contents)
                if status.sync == self._sync and status.reason is Reason.NONE:
                    answer = status
        return answer, replies


class _Spoiler:
    """Loses, doubles or inserts a byte among those that come."""

    def __init__(self, fault: str, at: int, random_: random.Random) -> None:
        self._fault, self._left, self._random = fault, at, random_

    def __call__(self, data: bytes) -> bytes:
        at, self._left = self._left, self._left - len(data)
        if not 0 <= at < len(data):
            return data
        here = {
            "lose": b"",
            "double": data[at : at + 1] * 2,
            "insert": bytes([self._random.randrange(256), data[at]]),
        }[self._fault]
        return data[:at] + here + data[at + 1 :]


def _start(threshold: int) -> int:
    """Return what stands for a threshold of one more."""
    return ~threshold & (1 << CORE.potential_bits) - 1


def _command(random_: random.Random) -> tuple[Command, bytes]:
    """Return a command that does not disturb the learner, or makes it learn."""
    draw = random_.random()
    if draw < 0.3:
        space = Space.START | protocol.WIDE
        return Command.WRITE, protocol.encode_write(space, _FREE, [_start(random_.getrandbits(17))])
    if draw < 0.5:
        return Command.READ, protocol.encode_read(Space.START | protocol.WIDE, _FREE, 1)
    if draw < 0.6:
        address = random_.randrange(CORE.max_inputs)
        return Command.READ, protocol.encode_read(Space.WEIGHTS, address, random_.randint(1, 8))
    pixels = bytes(random_.choice((0, 0, 250, 254)) for _ in range(_PIXELS))
    (body,) = protocol.encode_pixels(pixels, CORE)
    return Command.PIXELS, body


def strike(board: SimulatedBoard, frames: int, seed: int) -> Strike:
    """Send ``frames`` frames that are damaged, or whose replies are; see the module.

    Parameters
    ----------
    board : SimulatedBoard
        With core `CORE`.
    frames : int
        How many.
    seed : int
        Of the random numbers.
    """
    random_ = random.Random(seed)
    rule = Unsupervised(
        up=tuple(range(16 * 255, -1, -16)),
        down=tuple(range(0, 16 * 256, 16)),
        homeostasis=1,
        pruning=Pruning(below=20, min_fan_in=4),
    )
    state = first_state(rule, _PIXELS, _NEURONS, seed=1, threshold=0.2, mean=0.6, spread=0.2)
    pair = _Pair(board, rule, state)
    outcome = Strike()
    places = [(int(space), address) for space, address in state_requests(CORE, state)]
    with counted("frames", frames) as progress:
        for done in range(frames):
            _one(pair, random_, outcome)
            if outcome.wrong:
                break
            if done % 1000 == 999 or done == frames - 1:
                _compare(pair, places, outcome)
            progress(done + 1)
    outcome.cycles = board.cycles
    return outcome


def _one(pair: _Pair, random_: random.Random, outcome: Strike) -> None:
    """Send one command, and damage it or its reply."""
    kind, body = _command(random_)
    data = frame(protocol.command(pair.sequence, kind, body))
    pair.golden.write(data)
    (expected,) = pair.reply(pair.golden)

    spoil = None
    if random_.random() < 0.7:
        fault = random_.choice(FAULTS)
        at = random_.randrange(len(data))
        pair.board.send(damaged(data, fault, at, random_))
        name = fault
    else:
        fault = random_.choice(REPLY_FAULTS)
        at = random_.randrange(len(frame(expected)))
        name = f"reply: {fault}"
        if fault == "turned bits":
            turned = disturbance(at, random_.randrange(10), random_.choice((1, 2, 8, 20)))
            pair.board.send(symbols_of([turned], Symbol.DISTURB))
        else:
            spoil = _Spoiler(fault, at, random_)
        pair.board.write(data)
    outcome.faults[name] += 1
    outcome.positions.add(at)

    pause = random_.choice((0, _FRAME_BITS))
    status, replies = pair.settle(pause, spoil)
    if status is None:
        outcome.late[name] += 1
        status, more = pair.settle(_FRAME_BITS)
        replies += more
        if status is None or (pause and name in FAULTS):
            outcome.wrong.append(f"no answer after {name} at byte {at} of {data.hex()}")
            return
    following = (pair.sequence + 1) % SEQUENCES
    if status.expected == following and not replies:
        # The answer to a SYNC overtakes those to commands.
        replies += pair.reply(pair.board, spoil)
    if any(contents != expected for contents in replies) or len(replies) > 1:
        outcome.wrong.append(f"{replies} for {expected} after {name} at {at} of {data.hex()}")
    elif status.expected == following:
        if name in FAULTS:
            outcome.taken[name] += 1
            if not replies:
                outcome.wrong.append(f"no reply to {data.hex()} after {name} at {at}")
    elif status.expected == pair.sequence and name in FAULTS and not replies:
        pair.board.write(data)
        if (found := pair.reply(pair.board)) != [expected]:
            outcome.wrong.append(f"{found} for {expected} when sent again, {data.hex()}")
    else:
        outcome.wrong.append(f"{status}, {len(replies)} replies, after {name} at {at}")
    pair.sequence = following


def _compare(pair: _Pair, places: list[tuple[int, int]], outcome: Strike) -> None:
    """Compare what the two boards hold."""
    for space, address in places:
        body = protocol.encode_read(space | protocol.WIDE, address, 1)
        data = frame(protocol.command(pair.sequence, Command.READ, body))
        pair.sequence = (pair.sequence + 1) % SEQUENCES
        found = []
        for port in (pair.board, pair.golden):
            port.write(data)
            found.append(pair.reply(port))
        if found[0] != found[1] or len(found[0]) != 1:
            outcome.wrong.append(f"space {space}, address {address}: {found[0]}, not {found[1]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Strike, print how it went, and return 1 if something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m firstspike_sim.board_faults")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--divisor", type=int, default=4)
    args = parser.parse_args(arguments)
    with SimulatedBoard(CORE, divisor=args.divisor, patience=PATIENCE) as board:
        outcome = strike(board, args.frames, args.seed)
    print(f"{'fault':24} frames  taken  next one lost, too")
    for name, count in sorted(outcome.faults.items()):
        print(f"{name:24} {count:6} {outcome.taken[name]:6} {outcome.late[name]:6}")
    print(f"{len(outcome.positions)} positions, {outcome.cycles} clock cycles")
    print(f"wrong: {'; '.join(outcome.wrong) or 'nothing'}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
