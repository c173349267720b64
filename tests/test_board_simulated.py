"""The whole chip, with bits on its wires."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firstspike import golden
from firstspike.board import protocol
from firstspike.board.device import Device
from firstspike.board.faults import FaultyPort
from firstspike.board.framing import ESCAPE, FLAG, Deframer, frame
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Link
from firstspike.board.protocol import LINK_SPACE, WIDE, Command, Reply
from firstspike.cores import PRESETS
from firstspike.counters import multispike_counters
from firstspike.data import load
from firstspike.golden.learning_fast import learn
from firstspike.golden.multispike import run_multispike
from firstspike.learning import Pruning, Supervised, Unsupervised
from firstspike.learning.plan import make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.learning.state import first_state
from firstspike.memimage import Write
from firstspike.network import MultiSpikeNetwork, load_network
from firstspike.shipped import find_network, find_recipe
from firstspike.spec import InputCoding, Space
from firstspike_sim.board import SimulatedBoard
from firstspike_sim.board_faults import CORE, FAULTS, PATIENCE, REPLY_FAULTS, strike
from firstspike_sim.board_verilog import TOPLEVEL, far_end
from firstspike_sim.translation import system_verilog
from firstspike_sim.verilator import build_model
from multispike_cases import layer, network

pytestmark = pytest.mark.rtl

CHANGE = tuple(range(0, 16 * 256, 16))


@pytest.fixture
def board():
    with SimulatedBoard(CORE, patience=PATIENCE) as board:
        yield board


def supervised_learner():
    """Return a rule with everything in it, a state, and stimuli of two classes."""
    rule = Supervised(
        up=CHANGE[::-1], down=CHANGE, homeostasis=1, pruning=Pruning(below=20, min_fan_in=4),
        own=0, other=400, error_step=40,
    )  # fmt: skip
    state = first_state(rule, 16, 10, seed=1, threshold=0.2, mean=0.6, spread=0.2, classes=2)
    rng = np.random.default_rng(0)
    images = (rng.integers(100, 256, (60, 16)) * (rng.random((60, 16)) < 0.6)).astype(np.uint8)
    return rule, state, images, rng.integers(-1, 2, 60)


@pytest.mark.parametrize("deviation", [-0.02, 0.0, 0.02])
def test_learns_over_the_wire(deviation):
    """The host's clock is 2 % off, four cycles a bit; what was learned is read back."""
    rule, state, images, labels = supervised_learner()
    expected = learn(rule, state, images, labels, core=CORE)
    with SimulatedBoard(CORE, deviation=deviation, patience=PATIENCE) as board:
        device = Device(Link(board, timeout=0))
        connection = device.connect()
        assert connection.identity.core == CORE
        device.load_learner(rule, state)
        records = device.learn(images, labels)
        found = device.read_state()
        assert device.link.counts.damaged == device.link.counts.lost == 0
    assert not len(records.lost)
    assert records.winner.tolist() == expected.winner.tolist()
    assert records.fields["cycles"].tolist() == expected.counters["cycles"].tolist()
    for name, array in expected.state.arrays().items():
        assert np.array_equal(found.arrays()[name], array), name


def test_learns_once_over_a_bad_wire(board):
    """Bytes are lost, doubled, changed and added in both directions."""
    rule, state, images, labels = supervised_learner()
    expected = learn(rule, state, images, labels, core=CORE)
    port = FaultyPort(board, 0.01, 3)
    device = Device(Link(port, timeout=0, tries=100))
    device.connect()
    device.load_learner(rule, state)
    records = device.learn(images, labels)
    kept = np.setdiff1d(np.arange(len(images)), records.lost)
    assert (records.winner[kept] == expected.winner[kept]).all()
    found = device.read_state()
    for name, array in expected.state.arrays().items():
        assert np.array_equal(found.arrays()[name], array), name
    assert all(port.faults.values()) and device.link.counts.resent and device.link.counts.lost


def test_damage_on_the_wires(board):
    outcome = strike(board, 2000, seed=1)
    assert outcome.wrong == []
    assert set(outcome.faults) == {*FAULTS, *(f"reply: {fault}" for fault in REPLY_FAULTS)}
    assert outcome.taken["idle"] == outcome.faults["idle"]
    # Contents are whole only if it was a flag that was hit.
    assert not outcome.taken["flip"] and not outcome.taken["low stop bit"]


def random_frame(rng, sequence, may_restart):
    """Return a frame with any command, in order or not; none that makes the learner nonsense."""
    kind = rng.choice([*Command, 0, 9, 255])
    body = rng.randbytes(rng.randint(0, 6))
    address = rng.randrange(16)
    space = rng.choice([Space.WEIGHTS, Space.WEIGHTS | WIDE])
    if kind == Command.RESTART and not may_restart:
        kind = Command.HELLO
    elif kind == Command.WRITE and rng.random() < 0.9:
        words = [rng.randrange(256) for _ in range(rng.randint(0, 5))]
        body = protocol.encode_write(space, address, words)
    elif kind == Command.WRITE:
        body = body[:3]
    elif kind == Command.READ:
        space = rng.choice([space, Space.ROW_MASKS, LINK_SPACE])
        address = 0 if space == LINK_SPACE else address
        body = protocol.encode_read(space, address, rng.randint(0, 9))
    elif kind == Command.PIXELS:
        pixels = bytes(rng.choice([0, 0, 120, 254]) for _ in range(16))
        (body,) = protocol.encode_pixels(pixels, CORE)
    elif kind == Command.EVENTS:
        kind = Command.HELLO
    number = sequence if rng.random() < 0.9 else rng.randrange(256)
    return frame(protocol.command(number, kind, body))


def random_bytes(rng, sequence, may_restart):
    """Return a frame, one with a hole in it, or anything."""
    draw = rng.random()
    data = random_frame(rng, sequence, may_restart)
    if draw < 0.7:
        return data
    if draw < 0.85:
        at = rng.randrange(1, len(data) - 1)
        return data[:at] + rng.randbytes(rng.randint(0, 2)) + data[at + 1 :]
    return bytes(rng.choices([FLAG, ESCAPE, *rng.randbytes(4)], k=rng.randint(1, 60))) + b"\x7e"


def test_same_bytes_into_the_model(board):
    """What the golden board answers, the simulated one does, to any bytes."""
    rng = random.Random(5)
    model = GoldenBoard(CORE)
    deframers = {board: Deframer(4096), model: Deframer(4096)}
    rule = Unsupervised(up=CHANGE[::-1], down=CHANGE, homeostasis=1)
    state = first_state(rule, 16, 9, seed=1, threshold=0.2, mean=0.6, spread=0.2)
    for port in (board, model):
        device = Device(Link(port, timeout=0))
        device.connect()
        # Memories hold what they like until they are written.
        spaces = (Space.WEIGHTS, Space.ROW_MASKS)
        device.write([Write(space, address, 0) for space in spaces for address in range(32)])
        device.load_learner(rule, state)

    def say(data):
        found = {}
        for port, deframer in deframers.items():
            port.write(data)
            found[port] = []
            while heard := port.read(4096):
                found[port] += deframer.feed(heard)
        return found[board], found[model]

    ours, theirs = say(frame(protocol.command(0, Command.HELLO)))
    assert ours == theirs and len(ours) == 1
    expected = 1
    seen = set()
    for number in range(400):
        data = random_bytes(rng, expected, number >= 300)
        ours, theirs = say(data)
        # Damaged frames that follow each other may share a status.
        replies = [f for f in theirs if f[1] != Reply.STATUS]
        assert [f for f in ours if f[1] != Reply.STATUS] == replies, data.hex()
        assert ours[-1:] == theirs[-1:] or replies, data.hex()
        seen |= {(f[1], f[2] if f[1] in (Reply.STATUS, Reply.REFUSED) else 0) for f in theirs}
        sync = frame(protocol.command(number % 256, Command.SYNC))
        ours, theirs = say(sync)
        assert ours == theirs and len(ours) == 1, data.hex()
        expected = protocol.decode_status(ours[0]).expected
    kinds = {kind for kind, _ in seen}
    assert kinds == set(Reply) and len(seen) >= 9, seen


def test_cocotbext_uart_is_the_far_end(monkeypatch, tmp_path):
    """A UART that somebody else wrote hears what the golden board says."""
    model = GoldenBoard(CORE)
    rng = random.Random(2)
    commands = [(Command.HELLO, b"")]
    for address in range(0, 16, 4):
        words = [rng.randrange(256) for _ in range(4)]
        commands.append((Command.WRITE, protocol.encode_write(Space.WEIGHTS, address, words)))
    commands.append((Command.READ, protocol.encode_read(Space.WEIGHTS, 0, 16)))
    commands += [(Command.PIXELS, b"\x00\x0f\x01\x02\x03\x04"), (Command.SYNC, b"")]
    sent = b"".join(
        frame(protocol.command(0x7C + number, kind, body))
        for number, (kind, body) in enumerate(commands)
    )
    model.write(sent)
    expected = Deframer(4096).feed(model.read(4096))
    divisor = 4
    (tmp_path / "send").write_bytes(sent)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    sources = {"system.v": system_verilog(CORE, divisor), "board.sv": far_end()}
    build_model(sources, TOPLEVEL).run(
        "uart_bench",
        tmp_path,
        [],
        environment={
            "FIRSTSPIKE_SEND": str(tmp_path / "send"),
            "FIRSTSPIKE_HEARD": str(tmp_path / "heard"),
            "FIRSTSPIKE_BYTES": str(sum(len(frame(contents)) for contents in expected)),
            "FIRSTSPIKE_DIVISOR": str(divisor),
        },
    )
    found = Deframer(4096).feed((tmp_path / "heard").read_bytes())
    # A status may overtake replies, and says then that they are still to come.
    assert sorted(f for f in found if f[1] != Reply.STATUS) == sorted(
        f for f in expected if f[1] != Reply.STATUS
    )
    assert len(found) == len(expected) == len(commands)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "images", "core"),
    [
        ("digits", None, PRESETS["icebreaker"]),
        ("mnist", 200, PRESETS["icebreaker"]),
        ("digits", 200, replace(PRESETS["hx8k"], weight_rows=4096, sparse=True)),
    ],
    ids=["digits", "mnist", "sparse"],
)
def test_classifies_over_the_wire(name, images, core):
    network = load_network(find_network(name))
    stimuli = load(name).split("test")[0][:images]
    expected = golden.run(network, stimuli, core=core)
    with SimulatedBoard(core) as board:
        device = Device(Link(board, timeout=0))
        device.connect()
        device.load(network)
        records = device.classify(stimuli)
    assert len(records.winner) == (images or len(stimuli)) >= 200
    for field, values in (
        ("winner", expected.predicted),
        ("last", expected.last_predicted),
        ("step", expected.decision_step),
        ("forced", expected.forced),
        ("events", expected.counters["events"]),
        ("cycles", expected.counters["cycles"]),
    ):
        assert records.fields[field].tolist() == values.tolist(), field


@pytest.mark.slow
def test_multi_spike_networks_over_the_wire():
    """Pixels as numbers, and as spikes; what can be known without reading potentials is told."""
    core = replace(PRESETS["hx8k"], potential_bits=16, multispike=True, sparse=True)
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    with SimulatedBoard(core) as board:
        device = Device(Link(board, timeout=0))
        device.connect()
        assert device.core == core
        for coding in InputCoding:
            network = multi_spike(rng, coding)
            expected = run_multispike(network, images, core=core)
            assert device.load(network) is True
            records = device.classify(images)
            assert records.winner.tolist() == expected.predicted.tolist()
            counters = multispike_counters(network, images, records.fields, None)
            assert ("events" in counters) == (not network.counts_spikes)
            assert {"cycles", "weight_reads"} <= counters.keys()
            for name, values in counters.items():
                if name == "cycles" and not coding.numeric:
                    # The core waits for the wire.
                    assert (values > expected.counters[name]).all()
                    continue
                assert values.tolist() == expected.counters[name].tolist(), name
        # The same board goes on with a network of another kind.
        digits = load_network(find_network("digits"))
        device.load(digits)
        found = device.classify(images).winner
    assert found.tolist() == golden.run(digits, images).predicted.tolist()


def multi_spike(rng: np.random.Generator, coding: InputCoding) -> MultiSpikeNetwork:
    """Return a network with a hidden layer; outputs that spike, or do not."""
    counts = coding in (InputCoding.DIRECT, InputCoding.RATE)
    return network(
        layer(
            name="hidden",
            weights=rng.integers(-4, 6, (64, 20)) * (rng.random((64, 20)) < 0.3),
            threshold=30,
            bias=rng.integers(-3, 4, (1, 20)),
        ),
        layer(
            name="output",
            sources=("hidden",),
            weights=rng.integers(-4, 6, (20, 10)),
            threshold=9 if counts else None,
        ),
        coding=coding,
        shape=(8, 8),
        labels=tuple(range(10)),
    )


@pytest.mark.slow
def test_learns_digits_over_the_wire():
    """A whole pass over the training images; then the network is read back."""
    core = PRESETS["learner-digits"]
    plan = make_plan(load_learning_recipe(find_recipe("digits-stdp")), epochs=1)
    images = plan.images[plan.order(0)]
    state = plan.first_state()
    expected = learn(plan.rules[0], state, images, None, core=core)
    with SimulatedBoard(core) as board:
        device = Device(Link(board, timeout=0))
        device.connect()
        device.load_learner(plan.rules[0], state)
        records = device.learn(images)
        found = device.read_state()
    assert records.winner.tolist() == np.maximum(expected.winner, 0).tolist()
    for name in ("cycles", "pruned", "stdp_visits"):
        assert records.fields[name].tolist() == expected.counters[name].tolist(), name
    for name, array in expected.state.arrays().items():
        assert np.array_equal(found.arrays()[name], array), name
