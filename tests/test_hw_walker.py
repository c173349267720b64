"""Events and commands to items, and items to words.

Mutants tried, each seen to fail: a command before its events; START from the layer's first row,
or through its rows only; the layer's first weight row ignored; an item replaced while it waits;
every item signed; a stride of 1; words that move while the banks are held; `last` one word early;
a gap between items; state rows that stand still.
"""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from firstspike.spec import CoreSpec
from firstspike_hw.issue import Issue, word_signature
from firstspike_hw.layouts import Operation, event_layout
from firstspike_hw.walker import Walker, layer_signature
from firstspike_sim.bench import FLOWS, pauses, set_members, simulate, take

SPEC = CoreSpec(time_bits=4, max_inputs=64, weight_rows=1024, state_rows=16)
ALL_ROWS = 13


def draw_layer(rng):
    words = rng.choice([1, 2, 3, rng.randint(1, 8)])
    return {
        "signed": rng.randrange(2),
        "neurons": words * SPEC.lanes,
        "words": words - 1,
        "weight_row": rng.randrange(500),
        "state_row": rng.randrange(8),
        "stride": rng.randrange(1, 60),
        "scale": rng.randrange(1000),
    }


def draw_offers(rng, count):
    """Return what is offered in turn: a layer, and an event or a command or both."""
    offers = []
    for _ in range(count):
        event = {"index": rng.randrange(63), "magnitude": rng.randrange(16)}
        command = rng.choice([Operation.START, Operation.TICK, Operation.RAMP, Operation.READ])
        kind = rng.choice(["event", "event", "event", "command", "both"])
        offers.append((draw_layer(rng), kind, event, command))
    return offers


def items_of(layer, kind, event, command):
    """Return the items of an offer, as dictionaries."""
    rows = {"signed": layer["signed"], "state_row": layer["state_row"], "words": layer["words"]}
    items = []
    if kind != "command":
        row = layer["weight_row"] + event["index"]
        items.append(
            rows
            | {"operation": Operation.ADD, "weight_row": row, "magnitude": event["magnitude"]}
            | {"stride": layer["stride"]}
        )
    if kind != "event":
        item = rows | {"operation": command}
        if command is Operation.START:
            item |= {"state_row": 0, "words": ALL_ROWS}
        items.append(item)
    return items


async def offer(ctx, dut, offers, pause):
    """Offer events and commands; of both at once, the event must go first."""
    ctx.set(dut.all_rows, ALL_ROWS)
    for layer, kind, event, command in offers:
        while next(pause):
            await ctx.tick()
        set_members(ctx, dut.layer, layer)
        ctx.set(dut.events.payload, event)
        ctx.set(dut.commands.payload, command)
        left = {"event": kind != "command", "command": kind != "event"}
        while any(left.values()):
            ctx.set(dut.events.valid, left["event"])
            ctx.set(dut.commands.valid, left["command"])
            *_, event_taken, command_taken = await ctx.tick().sample(
                dut.events.ready, dut.commands.ready
            )
            if left["event"]:
                assert not (left["command"] and command_taken)
                left["event"] = not event_taken
            elif command_taken:
                left["command"] = False
        ctx.set(dut.events.valid, 0)
        ctx.set(dut.commands.valid, 0)


@pytest.mark.parametrize("flow", FLOWS)
def test_items(flow):
    idle, stall = FLOWS[flow]
    rng = random.Random(flow)
    dut = Walker(SPEC)
    offers = draw_offers(rng, 200)
    expected = [item for parts in offers for item in items_of(*parts)]
    received = []

    async def feed(ctx):
        await offer(ctx, dut, offers, pauses(idle, flow))

    async def sink(ctx):
        await take(
            ctx, dut.items, received, pauses(stall, 1), lambda: len(received) < len(expected)
        )
        for _ in range(5):
            *_, valid = await ctx.tick().sample(dut.items.valid)
            assert not valid, "more items than events and commands"

    simulate(dut, feed, sink)
    for item, wanted in zip(received, expected, strict=True):
        assert {name: getattr(item, name) for name in wanted} == wanted
    operations = {item["operation"] for item in expected}
    assert operations == set(Operation) - {Operation.PICK}


def test_one_item_a_cycle():
    dut = Walker(SPEC)

    async def bench(ctx):
        ctx.set(dut.items.ready, 1)
        ctx.set(dut.events.valid, 1)
        valid = [(await ctx.tick().sample(dut.events.ready, dut.items.valid))[2:] for _ in range(9)]
        assert valid == [(1, 0)] + [(1, 1)] * 8

    simulate(dut, bench)


class Words(Component):
    """Walker and issue stage, as the core has them."""

    layer: Any
    events: Any
    commands: Any
    all_rows: Any
    word: Any
    advance: Any

    def __init__(self, spec):
        self._spec = spec
        super().__init__(
            {
                "layer": In(layer_signature(spec)),
                "events": In(stream.Signature(event_layout(spec))),
                "commands": In(stream.Signature(Operation)),
                "all_rows": In(4),
                "word": Out(word_signature(spec)),
                "advance": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walker = walker = Walker(self._spec)
        m.submodules.issue = issue = Issue(self._spec)
        connect(m, flipped(self.layer), walker.layer)
        connect(m, flipped(self.events), walker.events)
        connect(m, flipped(self.commands), walker.commands)
        connect(m, walker.items, issue.items)
        connect(m, issue.word, flipped(self.word))
        m.d.comb += [walker.all_rows.eq(self.all_rows), issue.advance.eq(self.advance)]
        return m


@pytest.mark.parametrize("flow", FLOWS)
def test_words(flow):
    idle, stall = FLOWS[flow]
    rng = random.Random(flow)
    dut = Words(SPEC)
    offers = draw_offers(rng, 120)
    expected = []
    for item in (item for parts in offers for item in items_of(*parts)):
        for number in range(item["words"] + 1):
            word = {name: item[name] for name in ("operation", "signed")}
            word["state_row"] = item["state_row"] + number
            if item["operation"] is Operation.ADD:
                word["weight_row"] = item["weight_row"] + number * item["stride"]
                word["magnitude"] = item["magnitude"]
            word["last"] = number == item["words"]
            expected.append(word)
    names = ("operation", "signed", "state_row", "weight_row", "magnitude", "last")
    received, gaps = [], 0

    async def feed(ctx):
        await offer(ctx, dut, offers, pauses(idle, flow))

    async def banks(ctx):
        nonlocal gaps
        pause = pauses(stall, 1)
        waiting = None
        quiet = 0
        while quiet < 5:
            advance = not next(pause)
            ctx.set(dut.advance, advance)
            sampled = await ctx.tick().sample(
                dut.word.valid, *(getattr(dut.word, name) for name in names)
            )
            valid, word = sampled[2], dict(zip(names, sampled[3:], strict=True))
            assert waiting is None or word == waiting
            if valid and advance:
                received.append(word)
            gaps += bool(received) and not valid
            waiting = word if valid and not advance else None
            quiet = 0 if valid or len(received) < len(expected) else quiet + 1

    simulate(dut, feed, banks)
    for word, wanted in zip(received, expected, strict=True):
        assert {name: word[name] for name in wanted} == wanted
    if flow == "free":
        # The pipeline fills up only where the offers themselves leave a gap.
        assert gaps - 5 <= 0.05 * len(expected)
