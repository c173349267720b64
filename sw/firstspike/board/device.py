"""A core at the other end of a link: load networks, give it stimuli, read what it has learned.

    with open_serial("/dev/ttyUSB1", 1_000_000) as port:
        device = Device(Link(port))
        device.connect()
        device.load(network)
        print(network.labels[device.classify(images).winner[0]])

The same code runs with a board at a serial port, with a simulated one, and with the golden model.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firstspike.board import protocol
from firstspike.board.link import Answer, Connection, Link, Order
from firstspike.board.orders import Burst, body_of, bursts_of, loaded_order, write_orders
from firstspike.board.protocol import LINK_SPACE, WIDE, Command, Reply, Result
from firstspike.board.records import Records, records_of
from firstspike.board.registers import Register, find_register
from firstspike.errors import InputError
from firstspike.golden.multispike import input_events
from firstspike.learning import LearningState, Rule, Supervised
from firstspike.learning.image import learner_image
from firstspike.learning.labels import check_labels
from firstspike.learning.readback import read_state, state_requests
from firstspike.learning.state import check_state
from firstspike.loading import image_of
from firstspike.memimage import Write
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.spec import CoreSpec, Space

__all__ = ["Device", "Info", "learner_tag", "network_tag"]

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Info:
    """What a board says of itself.

    Parameters
    ----------
    core : CoreSpec
        Its core.
    digest : str
        Of the core, eight hexadecimal digits.
    version : int
        Of the link.
    loaded : int
        Tag of what is loaded, see `network_tag` and `learner_tag`; 0: nothing.
    restarted : bool
        Whether it had to be restarted to answer, see `firstspike.board.link.Connection`.
    """

    core: CoreSpec
    digest: str
    version: int
    loaded: int
    restarted: bool


def _tag(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2s(content, digest_size=2).digest(), "little") or 1


def network_tag(network: AnyNetwork) -> int:
    """Return what a device with ``network`` says is loaded, 1..65535."""
    return _tag(network.digest.encode())


def learner_tag(rule: Rule, state: LearningState) -> int:
    """Return what a device with a learner says is loaded, 1..65535: of its coding and its size."""
    coding = (rule.weight_bits, rule.time_bits, rule.intensity_min, rule.off)
    sizes = (state.weights.shape, len(state.offset), state.group.tolist())
    return _tag(repr((coding, sizes)).encode())


class Device:
    """A core at the other end of ``link``.

    Parameters
    ----------
    link : Link
        See `firstspike.board.link`.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._connection: Connection | None = None
        self._pixels = 0
        #: Makes input spikes of an image, for a network that does not take pixels.
        self._spiking: Callable[[np.ndarray], list[tuple[int, int]]] | None = None
        self._learner: tuple[Rule, LearningState] | None = None
        self._learned = 0

    # --- who is there

    def connect(self) -> Connection:
        """Find out which core is there; the first thing to do.

        Raises
        ------
        InputError
            If none of ours answers; see `Link.connect`.
        """
        self._connection = self.link.connect()
        return self._connection

    @property
    def core(self) -> CoreSpec:
        """The core, as it has described itself."""
        if self._connection is None or self._connection.identity.core is None:
            raise InputError("the device is not connected: call connect() first")
        return self._connection.identity.core

    def info(self) -> Info:
        """Return what the board says of itself."""
        core = self.core
        return Info(
            core=core,
            digest=protocol.core_digest(core).hex(),
            version=protocol.VERSION,
            loaded=self.read_register("loaded"),
            restarted=self._connection is not None and self._connection.restarted,
        )

    # --- memories and registers

    def read_register(self, name: str, index: int = 0) -> int:
        """Return a register; names are in docs/board.md, ``index`` is of a layer or in an array.

        Raises
        ------
        InputError
            If there is none, or it can only be written.
        """
        register, address = find_register(self.core, name, index)
        if "read" not in register.access:
            raise InputError(f"register {name} can only be written")
        return int(self._read_bursts([Burst(_space(register), address, 1)], None)[0])

    def write_register(self, name: str, value: int, index: int = 0) -> None:
        """Write a register; see `read_register`.

        Raises
        ------
        InputError
            If there is none, or it can only be read.
        """
        register, address = find_register(self.core, name, index)
        if "write" not in register.access:
            raise InputError(f"register {name} can only be read")
        body = protocol.encode_write(_space(register), address, [value])
        self._send([(Order(Command.WRITE, body), 1)], None)

    def write(self, writes: Iterable[Write], progress: Progress | None = None) -> None:
        """Write to memories and registers.

        Parameters
        ----------
        writes : iterable of Write
            As `firstspike.memimage` makes them; their order is of no consequence.
        progress : callable, optional
            Called with the number of words written so far.

        Raises
        ------
        InputError
            If the board fails.
        """
        self._send(write_orders(self.core, writes), progress)

    def read(
        self, places: Sequence[tuple[Space, int]], progress: Progress | None = None
    ) -> np.ndarray:
        """Return what stands at ``places``, pairs of space and address, int64.

        Potentials are signed, anything else is not. ``progress`` is called with the number of words
        read so far.

        Raises
        ------
        InputError
            If the board fails.
        """
        if not places:
            return np.zeros(0, np.int64)
        core = self.core
        table = np.array(places, np.int64).reshape(-1, 2)
        keys, back = np.unique(table[:, 0] << 32 | table[:, 1], return_inverse=True)
        bursts = bursts_of(core, ((key >> 32, key & 0xFFFFFFFF) for key in keys.tolist()))
        words = self._read_bursts(bursts, progress)
        bits = core.potential_bits
        signed = words & (1 << bits) - 1
        signed -= signed >> bits - 1 << bits
        words = np.where(keys >> 32 == Space.START, signed, words)
        return words[back.reshape(-1)]

    def _read_bursts(self, bursts: Sequence[Burst], progress: Progress | None) -> np.ndarray:
        """Return the words of bursts."""
        found: list[list[int]] = [[] for _ in bursts]
        missing = list(range(len(bursts)))
        done = 0

        def order(burst: Burst) -> Order:
            body = protocol.encode_read(burst.space, burst.address, burst.words)
            return Order(Command.READ, body, burst.n_bytes)

        while missing:
            lost = []
            answers = self.link.stream(order(bursts[n]) for n in missing)
            for n, answer in zip(missing, answers, strict=False):
                if answer is None:
                    lost.append(n)
                    continue
                body = body_of(answer, Reply.DATA)
                if len(body) != bursts[n].n_bytes:
                    raise InputError(
                        f"the board sent {len(body)} bytes, asked for {bursts[n].n_bytes}"
                    )
                found[n] = protocol.decode_words(body, bursts[n].space)
                done += bursts[n].words
                if progress is not None:
                    progress(done)
            missing = lost
        return np.array(list(itertools.chain.from_iterable(found)), np.int64)

    def _send(self, orders: Sequence[tuple[Order, int]], progress: Progress | None) -> None:
        """Send commands that are done when they are taken, each with its words; wait for all."""
        done = 0
        answers = self.link.stream(order for order, _ in orders)
        for (_, words), answer in zip(orders, answers, strict=True):
            if answer is not None:
                body_of(answer, Reply.DONE)
            done += words
            if progress is not None:
                progress(done)

    # --- networks

    def load(
        self, network: AnyNetwork, *, early_exit: bool = True, progress: Progress | None = None
    ) -> bool:
        """Load ``network``, unless it is loaded; tell whether it had to be.

        Parameters
        ----------
        network : Network or MultiSpikeNetwork
            What to run.
        early_exit : bool
            End a stimulus with the step of its first output spike; a multi-spike network has none.
        progress : callable, optional
            Called with the number of words written so far.

        Raises
        ------
        InputError
            If it does not fit the core, or the board fails; then nothing counts as loaded.
        """
        writes = image_of(network, self.core, early_exit=early_exit)
        spiking = None
        if isinstance(network, MultiSpikeNetwork) and not network.coding.numeric:
            if not protocol.takes_events(self.core):
                raise InputError(
                    f"network {network.name} takes spikes, which the board's link does not: its "
                    "input must be direct or once"
                )
            spiking = input_events(network)
        tag = network_tag(network)
        self._learner = None
        self._pixels = 0
        there = self.read_register("loaded") == tag
        if there:
            self.write_register("early_exit", int(early_exit))
        else:
            self._load(writes, tag, progress)
        self._pixels = network.pixels
        self._spiking = spiking
        return not there

    def load_learner(
        self, rule: Rule, state: LearningState, *, progress: Progress | None = None
    ) -> None:
        """Load a learner, to go on from ``state``.

        Raises
        ------
        InputError
            If it does not fit the core, or the board fails; then nothing counts as loaded.
        """
        check_state(rule, state)
        writes = learner_image(self.core, rule, state)
        self._learner = None
        self._pixels = 0
        self._load(writes, learner_tag(rule, state), progress)
        self._learner, self._learned = (rule, state), 0
        self._spiking = None
        self._pixels = state.inputs // (2 if rule.off else 1)

    def _load(self, writes: list[Write], tag: int, progress: Progress | None) -> None:
        self._send([(loaded_order(0), 1)], None)
        self.write(writes, progress)
        self._send([(loaded_order(tag), 1)], None)

    # --- stimuli

    def classify(self, images: np.ndarray, progress: Progress | None = None) -> Records:
        """Return what the loaded network says to ``images``.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
            Stimuli.
        progress : callable, optional
            Called with the number of stimuli done so far.

        Raises
        ------
        InputError
            If nothing is loaded, images have another size, or the board fails.
        """
        flat = self._flat(images)
        if self._learner is not None:
            raise InputError("a learner is loaded, which would learn: load it as a network")

        spiking = self._spiking

        def orders(n: int) -> list[Order]:
            if spiking is not None:
                bodies = protocol.encode_events(spiking(flat[n]), self.core)
                return self._orders(Command.EVENTS, bodies)
            return self._orders(
                Command.PIXELS, protocol.encode_pixels(flat[n].tobytes(), self.core)
            )

        return self._run(orders, len(flat), progress, again=True)

    def classify_events(
        self, stimuli: Sequence[Sequence[tuple[int, int]]], progress: Progress | None = None
    ) -> Records:
        """Return what is loaded says to input spikes; a learner does not learn from them.

        Parameters
        ----------
        stimuli : sequence of sequences of (int, int)
            Index of an input and its spike time, times never falling; inputs that never spike are
            left out.
        progress : callable, optional
            Called with the number of stimuli done so far.

        Raises
        ------
        InputError
            If nothing is loaded, a stimulus has too many events, or the board fails.
        """
        if not self._pixels:
            raise InputError("nothing is loaded: call load() first")
        if not protocol.takes_events(self.core):
            raise InputError("the board's link takes no events: give it images")

        def orders(n: int) -> list[Order]:
            return self._orders(Command.EVENTS, protocol.encode_events(stimuli[n], self.core))

        return self._run(orders, len(stimuli), progress, again=True)

    def learn(
        self, images: np.ndarray, labels: np.ndarray | None = None, progress: Progress | None = None
    ) -> Records:
        """Let the loaded learner learn from ``images``, in order.

        A stimulus is learned from once, even if its record is lost; `Records.lost` says which were.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, pixels) or (n, rows, columns)
            Stimuli.
        labels : ndarray of int64, shape (n,), optional
            Classes, -1 for none; only a supervised rule looks at them.
        progress : callable, optional
            Called with the number of stimuli done so far.

        Raises
        ------
        InputError
            If no learner is loaded, images have another size, or the board fails.
        """
        flat = self._flat(images)
        if self._learner is None:
            raise InputError("no learner is loaded: call load_learner() first")
        rule, state = self._learner
        known = check_labels(rule, state, labels, len(flat)).tolist()
        supervised = isinstance(rule, Supervised)

        def orders(n: int) -> list[Order]:
            label = known[n] if supervised else -1
            bodies = protocol.encode_pixels(flat[n].tobytes(), self.core, label)
            return self._orders(Command.PIXELS, bodies)

        self._learned += sum(label >= 0 for label in known) if supervised else len(flat)
        return self._run(orders, len(flat), progress, again=False)

    def read_state(self, progress: Progress | None = None) -> LearningState:
        """Return what the loaded learner has become.

        Raises
        ------
        InputError
            If no learner is loaded, the board fails, or what it holds contradicts itself.
        """
        if self._learner is None:
            raise InputError("no learner is loaded: call load_learner() first")
        return self.read_learner(self._learner[1], self._learned, progress)

    def read_learner(
        self, state: LearningState, learned: int = 0, progress: Progress | None = None
    ) -> LearningState:
        """Return what a learner has become that someone else loaded.

        Parameters
        ----------
        state : LearningState
            What it was; only its size and classes count.
        learned : int
            Stimuli that it has learned from since.
        progress : callable, optional
            Called with the number of words read so far.

        Raises
        ------
        InputError
            If the board fails, or what it holds contradicts itself.
        """
        replies = self.read(state_requests(self.core, state), progress)
        try:
            return read_state(self.core, state, replies, learned)
        except RuntimeError as error:
            raise InputError(f"the board's memories are damaged: {error}; load it anew") from error

    def _flat(self, images: np.ndarray) -> np.ndarray:
        if not self._pixels:
            raise InputError("nothing is loaded: call load() or load_learner() first")
        if images.dtype != np.uint8:
            raise InputError(f"images: dtype is {images.dtype}, must be uint8")
        flat = images.reshape(len(images), -1) if len(images) else images.reshape(0, self._pixels)
        if flat.shape[1] != self._pixels:
            raise InputError(
                f"images: {flat.shape[1]} pixels each, what is loaded takes {self._pixels}"
            )
        return flat

    def _orders(self, kind: Command, bodies: list[bytes]) -> list[Order]:
        """Return the commands of a stimulus; the last of its parts has the result."""
        result = protocol.result_bytes(self.core)
        return [*(Order(kind, body) for body in bodies[:-1]), Order(kind, bodies[-1], result)]

    def _run(
        self,
        orders: Callable[[int], list[Order]],
        n: int,
        progress: Progress | None,
        *,
        again: bool,
    ) -> Records:
        """Return the results of ``n`` stimuli; those that were lost are run ``again`` or left."""
        results: list[Result | None] = [None] * n
        missing: Sequence[int] = range(n)
        done = 0
        while missing:
            lost: list[int] = []
            # Which stimulus a command ends, as they are sent.
            ends: deque[int | None] = deque()

            def commands(stimuli: Sequence[int], ends: deque[int | None]) -> Iterator[Order]:
                for k in stimuli:
                    parts = orders(k)
                    ends.extend([None] * (len(parts) - 1) + [k])
                    yield from parts

            answers: Iterator[Answer | None] = self.link.stream(commands(missing, ends))
            for answer in answers:
                k = ends.popleft()
                if k is None:
                    if answer is not None:
                        body_of(answer, Reply.DONE)
                elif answer is None:
                    lost.append(k)
                else:
                    results[k] = self._result(answer)
                    done += 1
                    if progress is not None:
                        progress(done)
            missing = lost if again else ()
        return records_of(results, self.core)

    def _result(self, answer: Answer) -> Result:
        body = body_of(answer, Reply.RESULT)
        try:
            return protocol.decode_result(body, self.core)
        except ValueError as error:
            raise InputError(f"the board: {error}") from error


def _space(register: Register) -> int:
    """Return the byte of a command that reads or writes a register."""
    return register.space if register.space == LINK_SPACE else register.space | WIDE
