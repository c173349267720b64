"""A port that damages what passes it, and a long trial of a link over it.

    python -m firstspike.board.faults --frames 100000 --bytes 10000000

runs writes, reads and stimuli over a damaged link between host and golden model, and then random
bytes into both ends. Tests run the same for a moment.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firstspike.board import protocol
from firstspike.board.device import Device
from firstspike.board.framing import Deframer, frame
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Counts, Link, Order, Port
from firstspike.board.protocol import Command, Reply, Status
from firstspike.golden import run
from firstspike.network import Layer, Network
from firstspike.progress import counted
from firstspike.spec import CoreSpec, Neuron, Space, WeightKind

__all__ = ["FAULTS", "FaultyPort", "Trial", "fuzz", "main", "trial"]

#: What can happen to a byte.
FAULTS = ("flip", "lose", "double", "insert")

#: A small core, so that bytes and not sums take the time.
_CORE = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=3,
    ramp=False,
    potential_bits=18,
    max_inputs=64,
    max_layers=2,
    weight_rows=256,
    state_rows=4,
    pixels=4,
)
#: Stimuli in a piece of a trial, and words that are written and read between two.
_STIMULI = 20
_WORDS = 200


class FaultyPort:
    """Damages bytes on their way to and from another port, each by itself and at random.

    Parameters
    ----------
    port : Port
        The port behind it.
    rate : float
        Share of bytes that something happens to, in each direction.
    seed : int
        Of the random numbers.
    faults : sequence of str
        Which of `FAULTS`.
    lag : float
        Share of reads that return nothing, and pass on only some of what was written.

    Attributes
    ----------
    faults : dict of str to int
        How many there were so far.
    """

    def __init__(
        self,
        port: Port,
        rate: float,
        seed: int,
        faults: Sequence[str] = FAULTS,
        *,
        lag: float = 0.0,
    ) -> None:
        self._port = port
        self._rate = rate
        self._lag = lag
        self._pending = bytearray()
        self._random = random.Random(seed)
        self.faults = dict.fromkeys(faults, 0)
        self._wait = self._gap()

    def _gap(self) -> int:
        """Return how many bytes pass before the next fault."""
        return int(self._random.expovariate(self._rate)) if self._rate else 1 << 62

    def _damage(self, data: bytes) -> bytes:
        passed = bytearray()
        at = 0
        while len(data) - at > self._wait:
            passed += data[at : at + self._wait]
            at += self._wait
            passed += self._struck(data[at])
            at += 1
            self._wait = self._gap()
        self._wait -= len(data) - at
        return bytes(passed + data[at:])

    def _struck(self, byte: int) -> bytes:
        fault = self._random.choice(list(self.faults))
        self.faults[fault] += 1
        if fault == "lose":
            return b""
        if fault == "flip":
            return bytes([byte ^ 1 << self._random.randrange(8)])
        other = byte if fault == "double" else self._random.randrange(256)
        return bytes([byte, other])

    def write(self, data: bytes, /) -> int:
        """See `Port.write`."""
        self._pending += self._damage(data)
        return len(data)

    def read(self, size: int, /) -> bytes:
        """See `Port.read`; what is doubled may come to more than ``size``."""
        late = self._lag > 0 and self._random.random() < self._lag
        passing = self._random.randrange(len(self._pending) + 1) if late else len(self._pending)
        self._port.write(bytes(self._pending[:passing]))
        del self._pending[:passing]
        while not late and (data := self._port.read(size)):
            if passed := self._damage(data):
                return passed
        return b""

    def close(self) -> None:
        """See `Port.close`."""
        self._port.close()


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial went.

    Parameters
    ----------
    counts : Counts
        Of the link.
    faults : dict of str to int
        How many there were of each kind.
    wrong : tuple of str
        What was not as it should be; empty if all was.
    """

    counts: Counts
    faults: dict[str, int]
    wrong: tuple[str, ...]


def _network(random_: np.random.Generator) -> Network:
    """Return a network that fits the small core."""
    sizes = (36, 8, 4)
    return Network(
        name="trial",
        layers=tuple(
            Layer(
                name=f"layer{number}",
                neuron=Neuron.STEP,
                kind=WeightKind.SIGNED,
                weight_bits=4,
                weights=random_.integers(-3, 8, (inputs, neurons)),
                offset=random_.integers(1, 12, neurons),
            )
            for number, (inputs, neurons) in enumerate(itertools.pairwise(sizes))
        ),
        time_bits=3,
        shape=(6, 6),
        labels=(0, 1, 2, 3),
    )


def trial(
    frames: int, rate: float, seed: int, faults: Sequence[str] = FAULTS, *, lag: float = 0.0
) -> Trial:
    """Write, read and classify over a `FaultyPort` until ``frames`` commands were sent."""
    random_ = np.random.default_rng(seed)
    network = _network(random_)
    board = GoldenBoard(_CORE)
    port = FaultyPort(board, rate, seed, faults, lag=lag)
    link = Link(port, timeout=0, tries=1000)
    device = Device(link)
    device.connect()
    device.load(network)
    wrong = []
    # The last row of synapses is in no network's way.
    free = [
        _CORE.address(Space.WEIGHTS, _CORE.banks - 1, _CORE.weight_rows - 1 - k) for k in range(32)
    ]
    shadow = dict.fromkeys(free, 0)
    every = _image(board)
    with counted("frames", frames) as progress:
        while link.counts.sent < frames and not wrong:
            images = random_.integers(0, 256, (_STIMULI, 36), dtype=np.uint8)
            images[random_.random((_STIMULI, 36)) < 0.5] = 0
            expected = run(network, images, core=_CORE)
            records = device.classify(images)
            for name, values in (
                ("winner", expected.predicted),
                ("step", expected.decision_step),
                ("cycles", expected.counters["cycles"]),
            ):
                if (records.fields[name] != values).any():
                    wrong.append(f"{name} of a stimulus")
            orders = []
            reads = []
            for _ in range(_WORDS):
                address = int(random_.choice(free))
                if random_.random() < 0.5:
                    word = int(random_.integers(0, 256))
                    shadow[address] = word
                    body = protocol.encode_write(Space.WEIGHTS, address, [word])
                    orders.append(Order(Command.WRITE, body))
                    reads.append(None)
                else:
                    body = protocol.encode_read(Space.WEIGHTS, address, 1)
                    orders.append(Order(Command.READ, body, 2))
                    reads.append(shadow[address])
            for answer, word in zip(link.stream(orders), reads, strict=True):
                if answer is None:
                    continue
                if answer.kind is not (Reply.DONE if word is None else Reply.DATA):
                    wrong.append(f"an answer of kind {answer.kind.name}")
                elif word is not None and answer.body != word.to_bytes(2, "little"):
                    wrong.append("a word that was read")
            progress(link.counts.sent)
    now = _image(board)
    for space, before in every.items():
        # What was written on purpose is compared with what it should be now.
        if space is Space.WEIGHTS:
            before[free] = [shadow[address] for address in free]
        if (now[space] != before).any():
            wrong.append(f"memory {space.name}")
    return Trial(link.counts, port.faults, tuple(wrong))


def _image(board: GoldenBoard) -> dict[Space, np.ndarray]:
    """Return all that the memories hold."""
    spaces = (Space.WEIGHTS, Space.START)
    size = 1 << 9
    return {
        space: np.array([board.core.read(space, address) for address in range(size)])
        for space in spaces
    }


def fuzz(n_bytes: int, seed: int) -> int:
    """Feed random bytes, and frames that are whole or damaged, to both ends of a link.

    Returns
    -------
    int
        Frames among them that each end found to be good.

    Raises
    ------
    AssertionError
        If a memory was changed, though no frame was good.
    """
    random_ = random.Random(seed)
    board = GoldenBoard(_CORE)
    board.core.write(Space.WEIGHTS, 3, 7)
    host = Link(GoldenBoard(_CORE), timeout=0)
    deframer = Deframer(64)
    good = done = 0
    with counted("bytes", n_bytes) as progress:
        while done < n_bytes:
            data = _noise(random_)
            done += len(data)
            # What is whole here is no command that writes.
            good += len(deframer.feed(data))
            board.write(data)
            board.read(1 << 16)
            host.hear(data)
            progress(done)
    assert board.core.read(Space.WEIGHTS, 3) == 7, "random bytes changed a memory"
    return good


def _noise(random_: random.Random) -> bytes:
    """Return random bytes, rich in flags and escapes; or a frame, whole or damaged."""
    data = bytes(random_.choices((0x7E, 0x7D, random_.randrange(256)), k=40))
    draw = random_.random()
    if draw < 0.5:
        return random_.randbytes(200)
    if draw < 0.7:
        return data
    status = Status(random_.randrange(256), protocol.Reason.NONE, 0, 0)
    sequence, size = random_.randrange(256), random_.randrange(20)
    kinds = [kind for kind in Command if kind is not Command.WRITE]
    contents = random_.choice(
        (
            protocol.encode_status(status),
            protocol.command(sequence, random_.choice(kinds), random_.randbytes(size)),
            bytes([sequence, random_.choice(list(Reply))]) + random_.randbytes(size),
        )
    )
    whole = frame(contents)
    if draw < 0.85:
        return whole
    at = random_.randrange(len(whole))
    return whole[:at] + random_.randbytes(random_.randrange(3)) + whole[at + 1 :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a long trial, print how it went, and return 1 if something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m firstspike.board.faults")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=10_000_000)
    parser.add_argument("--rate", type=float, default=0.002, help="share of bytes (0.002)")
    parser.add_argument("--lag", type=float, default=0.05, help="share of late reads (0.05)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    found = trial(args.frames, args.rate, args.seed, lag=args.lag)
    print(found.counts)
    print(found.faults)
    print(f"wrong: {', '.join(found.wrong) or 'nothing'}")
    print(f"random bytes: {args.bytes}, good frames among them: {fuzz(args.bytes, args.seed)}")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
