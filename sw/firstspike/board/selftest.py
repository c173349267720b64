"""Whether a board works: every word of its memories, and a network against the golden model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from firstspike import golden
from firstspike.board.device import Device
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.golden.encoding import step_times
from firstspike.golden.learning import Learner
from firstspike.learning import Bound, Pruning, Unsupervised, table
from firstspike.learning.fit import check_learning_fit
from firstspike.learning.state import first_state
from firstspike.memimage import Write
from firstspike.network import Network, load_network
from firstspike.shipped import networks
from firstspike.spec import LEARNED_THRESHOLD_MAX, MASK_BITS, CoreSpec, Space, bits_for

__all__ = ["Check", "selftest"]

#: Stimuli that are run or learned from.
_STIMULI = 32
_SEED = 1


@dataclass(frozen=True, slots=True)
class Check:
    """A part of the test.

    Parameters
    ----------
    name : str
        What was tested.
    tested : int
        Words, or stimuli.
    wrong : int
        How many of them were wrong.
    """

    name: str
    tested: int
    wrong: int


def selftest(
    device: Device, progress: Callable[[str, int, int], None] | None = None
) -> list[Check]:
    """Test a board that is connected; what was loaded is lost.

    Each word of each memory that can be read back is written with a number of its address and with
    the opposite. Then a shipped network that fits runs on random images, or a learner learns.

    Parameters
    ----------
    device : Device
        The board, connected.
    progress : callable, optional
        Called with what is tested, and how many words or stimuli of how many are done.

    Raises
    ------
    InputError
        If the link fails, or no shipped network fits the core.
    """
    core = device.core
    device.write_register("loaded", 0)
    checks = []
    for space, addresses, bits in _memories(core):
        shown = None if progress is None else partial(progress, space.name)
        checks.append(_memory(device, space, np.array(addresses), (1 << np.array(bits)) - 1, shown))
    checks.append(_learns(device) if core.learning else _classifies(device))
    return checks


def _memory(
    device: Device,
    space: Space,
    addresses: np.ndarray,
    masks: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> Check:
    """Write and read every word of a memory twice; ``masks`` has the bits of each."""
    n = len(addresses)
    wrong = np.zeros(n, bool)
    places = [(space, address) for address in addresses.tolist()]
    for number, flip in enumerate((0, -1)):

        def shown(words: int, before: int = 2 * n * number) -> None:
            if progress is not None:
                progress(before + words, 4 * n)

        values = (_pattern(addresses) ^ flip) & masks
        if space is Space.START and device.core.learning:
            # A learning core keeps thresholds within their bounds, even when it reads one.
            values |= -LEARNED_THRESHOLD_MAX & masks
        pairs = zip(addresses.tolist(), values.tolist(), strict=True)
        device.write((Write(space, address, value) for address, value in pairs), shown)
        found = device.read(places, partial(shown, before=(2 * number + 1) * n)) & masks
        wrong |= found != values
    return Check(f"memory {space.name}", n, int(wrong.sum()))


def _pattern(addresses: np.ndarray) -> np.ndarray:
    """Return a number for each address, so that words which were mixed up show."""
    return (addresses + 1) * 0x9E3779B1 >> 7


def _memories(core: CoreSpec) -> Iterator[tuple[Space, list[int], list[int]]]:
    """Yield space, addresses and bits of every word that can be written and read."""

    def banked(space: Space, rows: int, lows: int) -> list[int]:
        return [
            core.address(space, bank, row, low)
            for bank in range(core.banks)
            for row in range(rows)
            for low in range(lows)
        ]

    start = banked(Space.START, core.state_rows, core.word)
    yield Space.START, start, [core.potential_bits] * len(start)
    weights = banked(Space.WEIGHTS, core.weight_rows, 1 if core.learning else core.parts)
    if core.learning and core.memory == "spram":
        yield Space.WEIGHTS, weights, [16] * len(weights)
    elif core.learning:
        yield Space.WEIGHTS, weights, [core.weight_bits] * len(weights)
    else:
        each = [
            min(core.part_bits, core.word_bits - part * core.part_bits)
            for part in range(core.parts)
        ]
        yield Space.WEIGHTS, weights, each * (len(weights) // len(each))
    if not core.pruning:
        return
    neurons = core.state_rows * core.banks
    yield Space.FAN_IN, list(range(neurons)), [bits_for(core.max_inputs + 1)] * neurons
    if core.memory == "spram":
        return
    masks = banked(Space.ROW_MASKS, core.max_inputs, core.mask_parts)
    each = [min(16, core.state_rows - 16 * part) for part in range(core.mask_parts)]
    yield Space.ROW_MASKS, masks, each * (len(masks) // len(each))
    columns = neurons * core.max_inputs // MASK_BITS
    yield Space.COLUMN_MASKS, list(range(columns)), [16] * columns


def _fits(network: Network, core: CoreSpec) -> bool:
    try:
        check_fit(network, core)
    except InputError:
        return False
    return True


def _classifies(device: Device) -> Check:
    """Run the first shipped network that fits on random images."""
    for name, folder in networks().items():
        network = load_network(folder)
        if not _fits(network, device.core):
            continue
        images = np.random.default_rng(_SEED).integers(
            0, 256, (_STIMULI, network.pixels), dtype=np.uint8
        )
        device.load(network)
        found = device.classify(images).fields
        expected = golden.run(network, images, core=device.core)
        wrong = found["winner"] != expected.predicted
        wrong |= found["step"] != expected.decision_step
        wrong |= found["cycles"] != expected.counters["cycles"]
        return Check(f"network {name}", _STIMULI, int(wrong.sum()))
    raise InputError("no shipped network fits the board's core, so none was run")


def _learns(device: Device) -> Check:
    """Let a small learner learn from random images."""
    core = device.core
    rule = Unsupervised(
        weight_bits=core.weight_bits,
        time_bits=core.time_bits,
        up=table(Bound.SOFT, 16, core.weight_bits, up=True),
        down=table(Bound.SOFT, 8, core.weight_bits, up=False),
        homeostasis=1,
        pruning=Pruning(below=1 << core.weight_bits - 2, after=8) if core.pruning else None,
    )
    inputs = min(64, core.max_inputs)
    neurons = min(core.banks * core.state_rows, 24)
    state = first_state(rule, inputs, neurons, seed=_SEED, threshold=0.2)
    check_learning_fit(rule, state, core)
    images = np.random.default_rng(_SEED).integers(0, 256, (_STIMULI, inputs), dtype=np.uint8)
    device.load_learner(rule, state)
    records = device.learn(images)
    final = device.read_state()
    learner = Learner(rule, state)
    learned = [learner.learn(times) for times in step_times(images, rule.time_bits, 1).tolist()]
    forced = np.array([each.forced for each in learned]) == 1
    wrong = records.fields["forced"] != forced
    wrong |= (records.winner != [each.winner for each in learned]) & ~forced
    wrong |= records.step != [each.decision_step for each in learned]
    wrong[records.lost] = False
    expected = learner.state().arrays()
    same = all((array == expected[name]).all() for name, array in final.arrays().items())
    return Check("learning", _STIMULI, int(wrong.sum()) if same else _STIMULI)
