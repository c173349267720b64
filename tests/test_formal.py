"""Streams keep their contract: an offer stands until it is taken. For each, a mutant that does not.

Unbounded proofs are by induction; the others hold for as many cycles as they say. What the
contract itself promises is checked by the mutants, and that it is not empty by the covers.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from amaranth.hdl import Signal, Value

from firstspike.spec import CoreSpec
from firstspike_hw.buckets import Buckets
from firstspike_hw.contracts import StreamContract
from firstspike_hw.event_reader import EventReader
from firstspike_hw.host_port import HostPort
from firstspike_hw.link.buffer import CommandBuffer
from firstspike_hw.link.sender import Sender
from firstspike_hw.spike_store import SpikeStore
from firstspike_hw.walker import Walker
from firstspike_sim.formal import Mode, Verdict, mutant, prove

pytestmark = pytest.mark.formal

SPEC = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=3,
    potential_bits=10,
    max_inputs=8,
    max_layers=2,
    weight_rows=16,
    state_rows=4,
)


def unchanged(m, signal, name):
    """Return the condition that ``signal`` has the value that it had a cycle ago."""
    started = Signal(name=f"{name}_started")
    before = Signal(len(Value.cast(signal)), name=f"{name}_before")
    m.d.sync += [started.eq(1), before.eq(signal)]
    return ~started | (before == signal)


def event_reader_inputs(m, reader):
    """A step begins only when the last one is done, and is the same until then."""
    begun = reader.start & reader.done
    return [
        ~reader.start | reader.done,
        ~reader.flush | reader.done,
        reader.done | unchanged(m, reader.time, "time"),
        reader.done | unchanged(m, reader.magnitude, "magnitude"),
        ~begun | unchanged(m, reader.time, "start_time"),
    ]


def spike_store_inputs(m, store):
    """A stimulus begins when nothing is on offer; a piece begins when the last one is done.

    Pieces are read again, and spikes dropped, in cores with multi-spike neurons alone.
    """
    return [
        ~store.clear | store.done,
        ~store.start | store.done,
        ~store.again,
        ~store.drop,
        unchanged(m, store.whole, "w"),
    ]


def buckets_inputs(m, buckets):
    """What is inserted belongs to the half that is not read; a step begins when one is done."""
    return [
        ~buckets.insertion.valid | (buckets.insertion.half != buckets.half),
        ~buckets.start | buckets.done,
        buckets.done | unchanged(m, buckets.half, "half"),
        buckets.done | unchanged(m, buckets.magnitude, "magnitude"),
    ]


def command_buffer_inputs(_, buffer):
    """Bytes come only while there is room; a frame counts or it does not."""
    return [~buffer.put | buffer.room, ~buffer.commit | ~buffer.rewind]


@dataclass
class Case:
    component: type
    arguments: tuple[Any, ...]
    mode: Mode
    depth: int
    cover: int
    #: What stands in the class, and what breaks it.
    mutant: tuple[str, str]
    assumptions: Any = None
    name: str = field(init=False)

    def __post_init__(self):
        self.name = self.component.__name__

    def prove(self, mode, depth, *, component=None):
        made = (component or self.component)(*self.arguments)
        return prove(StreamContract(made, self.assumptions), mode, depth)


CASES = [
    Case(
        CommandBuffer,
        (8,),
        Mode.BOUNDED,
        16,
        12,
        ("pop.eq(self.bytes.valid & self.bytes.ready)", "pop.eq(self.bytes.valid)"),
        command_buffer_inputs,
    ),
    Case(
        Sender,
        (),
        Mode.UNBOUNDED,
        4,
        16,
        (
            "& self.bytes.ready):\n                    m.d.sync += escaped",
            "):\n                    m.d.sync += escaped",
        ),
    ),
    Case(
        Walker,
        (SPEC,),
        Mode.UNBOUNDED,
        3,
        8,
        ("moves.eq(~self.items.valid | self.items.ready)", "moves.eq(1)"),
    ),
    Case(
        EventReader,
        (SPEC,),
        Mode.UNBOUNDED,
        4,
        8,
        ("source.ready.eq((self.events.valid & self.events.ready)", "source.ready.eq(source.valid"),
        event_reader_inputs,
    ),
    Case(
        SpikeStore,
        (SPEC,),
        Mode.BOUNDED,
        12,
        12,
        ("moves.eq(~valid | (self.events.valid & self.events.ready) | drop)", "moves.eq(1)"),
        spike_store_inputs,
    ),
    Case(
        Buckets,
        (SPEC,),
        Mode.BOUNDED,
        12,
        12,
        ("moves.eq(opening | (valid & self.events.ready))", "moves.eq(opening | valid)"),
        buckets_inputs,
    ),
    Case(
        HostPort,
        (SPEC,),
        Mode.BOUNDED,
        16,
        20,
        ("with m.If(self.replies.valid & self.replies.ready):", "with m.If(self.replies.valid):"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_contract_holds(case):
    assert case.prove(case.mode, case.depth) is Verdict.PASS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_contract_is_not_empty(case):
    assert case.prove(Mode.COVER, case.cover) is Verdict.PASS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mutant_fails(case):
    broken = mutant(case.component, *case.mutant)
    assert case.prove(Mode.BOUNDED, case.cover, component=broken) is Verdict.FAIL
