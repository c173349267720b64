"""`Device` over the golden model: memories, networks, learners, and what goes wrong.

Mutants tried, each of which a test here refused: a load that does not begin with LOADED := 0,
that is done again for a network that is there, or that forgets early_exit then; a stimulus that
was learned from and is run again, or one that was classified and is not; a word whose reply was
lost and that is taken for 0; potentials without a sign; words in the order of their addresses; a
learner that is classified with; stimuli learned from that are counted in the last piece only;
bursts across gaps; two bytes for potentials that have more; a self-test with one pattern, with
the same number everywhere, or that does not look at steps; neurons of all banks in the first one;
OFF inputs right behind the others; 1-bit weights of 0; a flash image without its last command;
registers that cannot be read and are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.board import protocol
from firstspike.board.device import Device, learner_tag, network_tag
from firstspike.board.engine import check_core
from firstspike.board.faults import FaultyPort
from firstspike.board.flash import flash_image
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Link
from firstspike.board.registers import find_register, registers
from firstspike.board.selftest import selftest
from firstspike.cores import PRESETS
from firstspike.counters import learn_counters, run_counters, winners
from firstspike.data import load
from firstspike.errors import InputError
from firstspike.golden.encoding import encode
from firstspike.golden.learning_fast import learn
from firstspike.learning import Bound, LearnOutcome, Pruning, Supervised, Unsupervised, table
from firstspike.learning.export import network_of
from firstspike.learning.outcome import first_learning_difference
from firstspike.learning.state import first_state
from firstspike.memimage import Write
from firstspike.network import Network, load_network
from firstspike.outcome import Outcome, first_difference
from firstspike.shipped import find_network
from firstspike.spec import Space, learning_register

DIGITS = load_network(find_network("digits"))
IMAGES = load("digits").test_images.reshape(-1, 64)
LEARNER = PRESETS["learner-digits"]
UNSUPERVISED = Unsupervised(
    up=table(Bound.SOFT, 16, 8, up=True),
    down=table(Bound.SOFT, 24, 8, up=False),
    homeostasis=1,
    pruning=Pruning(below=185, after=10, min_fan_in=4),
)
SUPERVISED = Supervised(
    up=UNSUPERVISED.up,
    down=UNSUPERVISED.down,
    own=3000,
    other=0,
    reward=True,
    error_step=40,
    pruning=UNSUPERVISED.pruning,
)


def device_of(core, port=None, **options) -> tuple[Device, GoldenBoard]:
    board = GoldenBoard(core)
    device = Device(Link(port(board) if port else board, timeout=0, **options))
    device.connect()
    return device, board


def outcome_of(network: Network, core, records) -> Outcome:
    record = records.fields
    return Outcome(
        record["winner"],
        record["step"],
        record["forced"],
        record["last"],
        np.zeros((len(record["winner"]), 0), np.int64),
        {},
        run_counters(record, network.neuron, core),
    )


def refusal(call, *args, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    return str(caught.value)


def test_the_core_tells_who_it_is():
    device, _ = device_of(PRESETS["icebreaker"])
    assert device.core == PRESETS["icebreaker"]
    info = device.info()
    assert info.core == PRESETS["icebreaker"]
    assert (info.version, info.loaded, info.restarted) == (protocol.VERSION, 0, False)
    assert info.digest == protocol.core_digest(PRESETS["icebreaker"]).hex()


def test_nothing_before_connect():
    device = Device(Link(GoldenBoard(LEARNER), timeout=0))
    assert "call connect() first" in refusal(device.info)


@pytest.mark.parametrize("early_exit", [True, False])
@pytest.mark.parametrize("core", ["default", "icebreaker", "hx8k", "ulx3s-25f"])
def test_networks(core, early_exit):
    device, _ = device_of(PRESETS[core])
    assert device.load(DIGITS, early_exit=early_exit) is True
    records = device.classify(IMAGES[:60])
    expected = golden.run(DIGITS, IMAGES[:60], core=PRESETS[core], early_exit=early_exit)
    found = outcome_of(DIGITS, PRESETS[core], records)
    assert first_difference(found, expected, shared=True) is None
    assert {"cycles", "synops"} <= found.counters.keys()


@pytest.mark.parametrize(
    ("weight_bits", "kind", "sparse"),
    [
        (8, "ramp", False),
        (8, "off", False),
        (8, "pm1", False),
        (1, "pm1", False),
        (3, "off", False),
        (8, "ramp", True),
        (3, "off", True),
    ],
)
def test_networks_of_other_kinds(weight_bits, kind, sparse):
    core = replace(PRESETS["default"], weight_bits=weight_bits, sparse=sparse)
    network = other_network(kind)
    images = np.random.default_rng(3).integers(0, 256, (30, network.pixels), dtype=np.uint8)
    device, _ = device_of(core)
    device.load(network)
    found = outcome_of(network, core, device.classify(images))
    expected = golden.run(network, images, core=core)
    assert first_difference(found, expected, shared=True) is None


def other_network(kind: str) -> Network:
    from firstspike.network import Layer
    from firstspike.spec import Neuron, WeightKind

    rng = np.random.default_rng(5)
    neuron = Neuron.RAMP if kind == "ramp" else Neuron.STEP
    weights = WeightKind.PM1 if kind == "pm1" else WeightKind.SIGNED
    inputs, layers = 30 * (2 if kind == "off" else 1), []
    for number, neurons in enumerate((20, 5)):
        values = rng.integers(-3, 4, (inputs, neurons))
        if kind == "pm1":
            values = np.where(values > -2, 1, -1)
        layers.append(
            Layer(
                name=f"layer{number}",
                neuron=neuron,
                kind=weights,
                weight_bits=1 if kind == "pm1" else 3,
                weights=values,
                offset=rng.integers(1, 9, neurons),
                scale=5 if kind == "ramp" and number == 0 else 1,
            )
        )
        inputs = neurons
    return Network("other", tuple(layers), 3, (5, 6), (0, 1, 2, 3, 4), off=kind == "off")


def test_a_network_that_is_there_is_not_loaded_again():
    device, board = device_of(PRESETS["hx8k"])
    assert device.load(DIGITS) is True
    assert board.loaded == network_tag(DIGITS)
    other = Device(Link(board, timeout=0))
    other.connect()
    before = other.link.counts.bytes_out
    assert other.load(DIGITS, early_exit=False) is False
    assert other.link.counts.bytes_out - before < 100
    # What is not in the tag is written all the same.
    expected = golden.run(DIGITS, IMAGES[:20], core=PRESETS["hx8k"], early_exit=False)
    found = outcome_of(DIGITS, PRESETS["hx8k"], other.classify(IMAGES[:20]))
    assert first_difference(found, expected, shared=True) is None


def test_events():
    device, _ = device_of(PRESETS["hx8k"])
    device.load(DIGITS)
    times = encode(DIGITS, IMAGES[:20])
    stimuli = [
        sorted(((i, t) for i, t in enumerate(row) if t < DIGITS.steps), key=lambda e: e[1])
        for row in times.tolist()
    ]
    found = outcome_of(DIGITS, PRESETS["hx8k"], device.classify_events(stimuli))
    expected = golden.run(DIGITS, IMAGES[:20], core=PRESETS["hx8k"])
    assert first_difference(found, expected, shared=True) is None


def test_events_that_the_link_does_not_take():
    device, _ = device_of(PRESETS["icebreaker"])
    device.load(DIGITS)
    assert "takes no events" in refusal(device.classify_events, [[(0, 0)]])


def learned_over(device: Device, rule, state, images, labels) -> LearnOutcome:
    device.load_learner(rule, state)
    records = device.learn(images, labels)
    assert len(records.lost) == 0
    return LearnOutcome(
        winner=winners(records.fields, rule),
        decision_step=records.step,
        state=device.read_state(),
        counters=learn_counters(records.fields),
    )


@pytest.mark.parametrize("name", ["learner-digits", "learner-icebreaker"])
@pytest.mark.parametrize("rule", [UNSUPERVISED, SUPERVISED], ids=["unsupervised", "supervised"])
def test_learning(rule, name):
    core = PRESETS[name]
    images, labels = load("digits").split("train")
    images, labels = images[:80].reshape(80, -1), labels[:80].copy()
    labels[7] = -1
    classes = 10 if isinstance(rule, Supervised) else 0
    state = first_state(rule, 64, 88, seed=1, threshold=0.2, classes=classes)
    device, board = device_of(core)
    found = learned_over(device, rule, state, images, labels)
    expected = learn(rule, state, images, labels, core=core)
    assert first_learning_difference(found, expected, shared=True) is None
    assert not found.state.alive.all()
    assert {"cycles", "stdp_visits"} <= found.counters.keys()
    assert board.loaded == learner_tag(rule, state)
    # In two pieces, and read by someone who only knows the size.
    device.load_learner(rule, state)
    device.learn(images[:30], labels[:30])
    between = device.read_state()
    device.learn(images[30:], labels[30:])
    assert device.read_state().seen == expected.state.seen == 80 - (classes > 0)
    other = Device(Link(board, timeout=0))
    other.connect()
    final = other.read_learner(state)
    assert (final.weights == expected.state.weights).all()
    assert (final.offset == expected.state.offset).all()
    assert final.lfsr == expected.state.lfsr
    assert between.seen == 30 - (classes > 0)


def test_the_neuron_that_was_compared_last():
    """The winner; or, if its class was wrong, the one that should have won."""
    images, labels = load("digits").split("train")
    images, labels = images[:60].reshape(60, -1), labels[:60]
    device, _ = device_of(LEARNER)
    rule = replace(SUPERVISED, own=0)
    state = first_state(rule, 64, 88, seed=1, threshold=0.2, classes=10)
    device.load_learner(rule, state)
    records = device.learn(images, labels)
    wrong = state.group[records.winner] != labels
    assert 0 < wrong.sum() < 60
    assert (state.group[records.fields["last"]] == labels).all()
    assert (records.fields["last"] == records.winner)[~wrong].all()


def test_a_learned_network_is_classified():
    state = first_state(UNSUPERVISED, 64, 24, seed=1, threshold=0.2)
    device, _ = device_of(LEARNER)
    found = learned_over(device, UNSUPERVISED, state, IMAGES[:60], None)
    network = network_of(
        UNSUPERVISED, found.state.settled(), np.full(24, -1), name="n", shape=(8, 8)
    )
    device.load(network)
    records = device.classify(IMAGES[60:90])
    expected = golden.run(network, IMAGES[60:90], core=LEARNER)
    found_now = outcome_of(network, LEARNER, records)
    assert first_difference(found_now, expected, shared=True) is None


def test_learning_over_a_damaged_link():
    """Records may be lost, and it is said which; what is learned is right."""
    state = first_state(UNSUPERVISED, 64, 16, seed=1, threshold=0.2)
    images = np.resize(IMAGES, (400, 64))
    device, _ = device_of(LEARNER, lambda board: FaultyPort(board, 0.002, 7), tries=1000)
    device.load_learner(UNSUPERVISED, state)
    records = device.learn(images)
    expected = learn(UNSUPERVISED, state, images, None, core=LEARNER)
    final = device.read_state()
    for name, array in expected.state.arrays().items():
        assert (final.arrays()[name] == array).all(), name
    kept = np.setdiff1d(np.arange(400), records.lost)
    assert 0 < len(records.lost) < 100
    assert (records.step[kept] == expected.decision_step[kept]).all()
    assert (records.fields["cycles"][kept] == expected.counters["cycles"][kept]).all()
    assert (records.fields["cycles"][records.lost] == 0).all()


def test_classifying_over_a_damaged_link():
    device, _ = device_of(PRESETS["hx8k"], lambda board: FaultyPort(board, 0.002, 8), tries=1000)
    device.load(DIGITS)
    found = outcome_of(DIGITS, PRESETS["hx8k"], device.classify(IMAGES[:300]))
    expected = golden.run(DIGITS, IMAGES[:300], core=PRESETS["hx8k"])
    assert first_difference(found, expected, shared=True) is None
    assert device.link.counts.lost > 0


@pytest.mark.parametrize("name", ["hx8k", "ulx3s-85f", "learner-digits"])
def test_words_come_back(name):
    """Of every space and width, in the order asked for, signed where they are."""
    core = PRESETS[name]
    device, _ = device_of(core)
    rng = np.random.default_rng(2)
    most = 1 << (core.weight_bits if core.learning else core.part_bits)
    half = 1 << core.potential_bits - 1
    writes = [
        Write(Space.WEIGHTS, core.address(Space.WEIGHTS, bank, row), int(rng.integers(most)))
        for bank in range(core.banks)
        for row in rng.permutation(200).tolist()
    ]
    writes += [
        Write(Space.START, core.address(Space.START, 0, row), value)
        for row, value in enumerate(rng.integers(0, 2 * half, core.state_rows).tolist())
    ]
    device.write(writes)
    found = device.read([(write.space, write.address) for write in writes])
    expected = [
        write.data - 2 * half if write.space is Space.START and write.data >= half else write.data
        for write in writes
    ]
    if core.learning:
        # Thresholds stay within their bounds when they are read.
        weights = sum(write.space is Space.WEIGHTS for write in writes)
        expected[weights:] = np.clip(expected[weights:], -(1 << 17), -1).tolist()
    assert found.tolist() == expected
    assert device.read([]).tolist() == []


def test_of_two_words_at_a_place_the_last_counts():
    device, board = device_of(PRESETS["hx8k"])
    device.write([Write(Space.WEIGHTS, 4, 1), Write(Space.WEIGHTS, 4, 2)])
    assert board.core.read(Space.WEIGHTS, 4) == 2


def test_registers():
    device, board = device_of(LEARNER)
    device.write_register("random", 0x89ABCDEF)
    assert device.read_register("random") == 0x89ABCDEF
    device.write_register("offset", 321, 4)
    assert device.read_register("offset", 4) == 321
    device.write_register("loaded", 7)
    assert device.read_register("loaded") == board.loaded == 7
    assert board.core.read(Space.REGISTERS, learning_register("offset", 4)) == 321
    assert "can only be written" in refusal(device.read_register, "learn")
    assert "register is 'weights', must be one of loaded, " in refusal(
        device.read_register, "weights"
    )
    line = refusal(device.write_register, "offset", 1, 16)
    assert line == "register offset: index is 16, must be in 0..15"


@pytest.mark.parametrize("name", ["default", "learner"])
def test_registers_stand_apart(name):
    places = [
        find_register(PRESETS[name], register.name, i)
        for register in registers(PRESETS[name])
        for i in range(register.count)
    ]
    addresses = [(register.space, address) for register, address in places]
    assert len(set(addresses)) == len(addresses)


# --- what goes wrong


def test_a_network_that_does_not_fit():
    device, board = device_of(PRESETS["hx8k"])
    device.load(DIGITS)
    large = load_network(find_network("mnist"))
    assert "does not fit the core" in refusal(device.load, large)
    # What was there still is.
    assert board.loaded == network_tag(DIGITS)
    assert "learning: false" in refusal(
        device.load_learner, UNSUPERVISED, first_state(UNSUPERVISED, 64, 16, seed=1, threshold=0.2)
    )


def test_another_core():
    device, _ = device_of(PRESETS["hx8k"])
    check_core(device, PRESETS["hx8k"])
    assert "the board's core has banks=2, not banks=4" in refusal(
        check_core, device, PRESETS["icebreaker"]
    )


class Vanishing:
    """A port that fails after so many bytes."""

    def __init__(self, board, after: int):
        self._board = board
        self._left = after

    def write(self, data: bytes) -> int:
        self._board.write(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            raise InputError("port /dev/ttyUSB1: has gone or fails")
        return len(data)

    def read(self, size: int) -> bytes:
        return self._board.read(size)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("after", [200, 1000, 5000, 9000])
def test_a_port_that_vanishes_while_loading(after):
    """In the middle of a frame; nothing counts as loaded, and the board can be used again."""
    board = GoldenBoard(PRESETS["hx8k"])
    first = Device(Link(board, timeout=0))
    first.connect()
    first.load(DIGITS)
    other = replace(DIGITS, time_bits=DIGITS.time_bits, labels=tuple(range(1, 11)))
    assert network_tag(other) != network_tag(DIGITS)
    device = Device(Link(Vanishing(board, after), timeout=0))
    device.connect()
    assert "has gone" in refusal(device.load, other)
    assert board.loaded == 0
    again = Device(Link(board, timeout=0))
    again.connect()
    again_images = IMAGES[:5]
    assert "nothing is loaded: call load()" in refusal(again.classify, again_images)
    assert again.load(other) is True
    assert len(again.classify(again_images).winner) == 5


def test_a_board_that_was_restarted_by_another():
    device, board = device_of(PRESETS["hx8k"])
    device.load(DIGITS)
    board.loaded = 0
    assert "nothing is loaded on the board" in refusal(device.classify, IMAGES[:3])


def test_images_of_another_size():
    device, _ = device_of(PRESETS["hx8k"])
    device.load(DIGITS)
    assert "images: 60 pixels each, what is loaded takes 64" in refusal(
        device.classify, IMAGES[:2, :60]
    )
    assert "dtype is int64" in refusal(device.classify, IMAGES[:2].astype(np.int64))
    assert len(device.classify(IMAGES[:0]).winner) == 0


def test_learners_and_networks_are_told_apart():
    state = first_state(UNSUPERVISED, 64, 16, seed=1, threshold=0.2)
    device, _ = device_of(LEARNER)
    assert "no learner is loaded" in refusal(device.read_state)
    device.load_learner(UNSUPERVISED, state)
    assert "a learner is loaded, which would learn" in refusal(device.classify, IMAGES[:1])
    assert "labels" in refusal(device.learn, IMAGES[:2], np.array([1]))


def test_memories_that_contradict_each_other():
    state = first_state(UNSUPERVISED, 64, 16, seed=1, threshold=0.2)
    device, board = device_of(LEARNER)
    device.load_learner(UNSUPERVISED, state)
    board.core.write(Space.FAN_IN, 3, 5)
    assert "the board's memories are damaged: the core's counts" in refusal(device.read_state)


def test_what_is_loaded_is_no_network():
    """The golden model answers all the same, and lives on."""
    device, board = device_of(PRESETS["hx8k"])
    device.load(DIGITS)
    board.core.write(Space.REGISTERS, 2, 7)
    assert device.classify(IMAGES[:4]).winner.tolist() == [0, 0, 0, 0]


# --- self-test and flash


@pytest.mark.parametrize("name", ["hx8k", "learner-digits"])
def test_a_good_board(name):
    device, board = device_of(PRESETS[name])
    seen = []
    checks = selftest(device, lambda name, done, n: seen.append((name, done <= n)))
    assert [check.wrong for check in checks] == [0] * len(checks)
    assert {"memory START", "memory WEIGHTS"} <= {check.name for check in checks}
    assert seen and all(right for _, right in seen)
    words = {check.name: check.tested for check in checks}
    assert words["memory WEIGHTS"] == PRESETS[name].banks * PRESETS[name].weight_rows
    assert board.loaded != 0


@pytest.mark.parametrize("space", [Space.START, Space.WEIGHTS])
@pytest.mark.parametrize("fault", ["stuck", "mixed"])
def test_a_bad_memory(space, fault):
    device, board = device_of(PRESETS["hx8k"])
    write, read = board.core.write, board.core.read

    def place(where, address):
        # Two addresses lead to the same word.
        return address - (where == space and fault == "mixed" and address % 64 == 9)

    def write_badly(where, address, data):
        stuck = where == space and fault == "stuck" and address == 70
        write(where, place(where, address), data & ~1 if stuck else data)

    board.core.write = write_badly  # type: ignore[method-assign]
    board.core.read = lambda where, address: read(  # type: ignore[method-assign]
        where, place(where, address)
    )
    wrong = {check.name: check.wrong for check in selftest(device)}
    assert wrong[f"memory {space.name}"] > 0


def test_a_bad_core():
    device, board = device_of(PRESETS["hx8k"])
    right = board.core.run
    board.core.run = lambda stimuli: [  # type: ignore[method-assign]
        replace(result, step=result.step + 1) for result in right(stimuli)
    ]
    assert selftest(device)[-1].wrong == 32


@pytest.mark.parametrize("name", ["icebreaker", "hx8k"])
def test_a_flash_loads_what_a_host_loads(name):
    core = PRESETS[name]
    image = flash_image(DIGITS, core)
    assert image[:4] == b"FSPK"
    assert int.from_bytes(image[4:7], "little") == len(image) - 7
    board = GoldenBoard(core)
    # As the hardware does, which lets no byte come that there is no room for.
    for start in range(7, len(image), 64):
        board.write(image[start : start + 64])
        board.read(1 << 16)
    assert board.loaded == network_tag(DIGITS)
    device = Device(Link(board, timeout=0))
    device.connect()
    assert device.load(DIGITS) is False
    found = outcome_of(DIGITS, core, device.classify(IMAGES[:20]))
    assert first_difference(found, golden.run(DIGITS, IMAGES[:20], core=core), shared=True) is None
