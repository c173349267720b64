"""What `relax` does to memories, and to nothing else.

Mutants tried, each seen to fail: contents dropped that are not zero; every memory relaxed; a read
port without a clock relaxed; memories of one module taken for those of another.
"""

import random

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from firstspike_hw.rtlil import NO_COLLISION, relax


class Store(wiring.Component):
    """A memory, perhaps with a read port that has no clock."""

    address: Signal
    write: Signal
    data: Signal
    out: Signal

    def __init__(self, attributes, init, domain="sync"):
        self._attributes, self._init, self._domain = attributes, init, domain
        super().__init__(
            {"address": In(3), "write": In(1), "data": In(unsigned(5)), "out": Out(unsigned(5))}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(
            shape=unsigned(5), depth=8, init=self._init, attrs=self._attributes
        )
        write, read = words.write_port(), words.read_port(domain=self._domain)
        m.d.comb += [
            write.addr.eq(self.address),
            write.data.eq(self.data),
            write.en.eq(self.write),
            read.addr.eq(self.address ^ 1),
            self.out.eq(read.data),
        ]
        return m


class Two(wiring.Component):
    """Two memories of the same name, of which one is relaxed."""

    out: Signal

    def __init__(self):
        super().__init__({"out": Out(5)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.first = first = Store({}, [1])
        m.submodules.second = second = Store(NO_COLLISION, [1])
        m.d.comb += self.out.eq(first.out ^ second.out)
        return m


def convert(component):
    return rtlil.convert(component, emit_src=False)


def changes(component):
    """Return the lines that `relax` takes out, and those that it puts in."""
    before = convert(component)
    after = relax(before).splitlines()
    before = before.splitlines()
    return (
        [line.strip() for line in before if before.count(line) > after.count(line)],
        [line.strip() for line in after if after.count(line) > before.count(line)],
    )


def test_zeros_go():
    gone, new = changes(Store({}, []))
    assert r'parameter \MEMID "\\words"' in gone
    assert rf"connect \DATA {5 * 8}'{'0' * 5 * 8}" in gone
    assert new == []


def test_contents_stay():
    rng = random.Random(1)
    assert changes(Store({}, [rng.randrange(32) for _ in range(8)])) == ([], [])
    assert changes(Store({}, [0] * 7 + [16])) == ([], [])


def test_collisions_are_given_up_where_asked_for():
    gone, new = changes(Store(NO_COLLISION, [1]))
    assert gone == [r"parameter \COLLISION_X_MASK 1'0"]
    assert new == [r"parameter \COLLISION_X_MASK 1'1"]
    assert changes(Store({}, [1])) == ([], [])


def test_unclocked_ports_stay():
    assert changes(Store(NO_COLLISION, [1], domain="comb")) == ([], [])


def test_modules_are_apart():
    text = relax(convert(Two()))
    assert text.count(r"\COLLISION_X_MASK 1'1") == 1
    assert text.index("module \\top.second") < text.index(r"\COLLISION_X_MASK 1'1")


@pytest.mark.parametrize("text", ["", "module \\top\nend\n", "no RTLIL at all"])
def test_without_memories(text):
    assert relax(text) == text
