"""Encoder and lists of input spikes together, against the rule of docs/semantics.md, section 1.

Mutants tried, each seen to fail: `>` at intensity_min; the time shift ignored; `last_mask`
ignored; OFF inputs in the word before theirs, without intensity_min, or of the pixel itself;
lists emptied while they are read, or one too few of them; no pause before the first pixel; a
stimulus that is full one cycle early; a half that is never changed; no forwarding of a head that
was just written, or forwarding whatever its time; an insertion in the cycle of `start`; lists
never emptied; the other half's links, or heads; a stalled event replaced; the magnitude always 1;
`done` one cycle early. No mutants, since nothing can see them: a RAMP input of magnitude 0 in the
list of the last step, which is never read; forwarding after a clear, for which the encoder names
no spikes.
"""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from firstspike.spec import CoreSpec
from firstspike_hw.buckets import Buckets
from firstspike_hw.encoder import Encoder, coding_signature
from firstspike_hw.layouts import event_layout, pixels_layout
from firstspike_sim.bench import FLOWS, pauses, pulse, put, set_members, simulate

SPECS = {
    "4 pixels": CoreSpec(time_bits=4, max_inputs=64),
    "8 pixels, 8 steps": CoreSpec(time_bits=3, max_inputs=100, pixels=8),
    "256 steps": CoreSpec(time_bits=8, max_inputs=48, pixels=4),
    "no magnitude": CoreSpec(time_bits=5, max_inputs=128, pixels=16, ramp=False),
}


class InputSide(Component):
    """What stands between pixels and events."""

    coding: Any
    pixels: Any
    events: Any
    start: Any
    time: Any
    magnitude: Any
    full: Any
    free: Any
    done: Any
    inserts: Any

    def __init__(self, spec):
        self._spec = spec
        self.encoder, self.buckets = Encoder(spec), Buckets(spec)
        super().__init__(
            {
                "coding": In(coding_signature(spec)),
                "pixels": In(stream.Signature(pixels_layout(spec))),
                "events": Out(stream.Signature(event_layout(spec))),
                "start": In(1),
                "time": In(spec.time_bits),
                "magnitude": In(spec.magnitude_bits),
                "full": Out(1),
                "free": In(1),
                "done": Out(1),
                "inserts": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder, m.submodules.buckets = encoder, buckets = self.encoder, self.buckets
        connect(m, encoder.insertion, buckets.insertion)
        connect(m, flipped(self.pixels), encoder.pixels)
        connect(m, flipped(self.coding), encoder.coding)
        connect(m, buckets.events, flipped(self.events))
        m.d.comb += [
            buckets.half.eq(encoder.half),
            buckets.start.eq(self.start),
            buckets.time.eq(self.time),
            buckets.magnitude.eq(self.magnitude),
            encoder.free.eq(self.free),
            self.full.eq(encoder.full),
            self.done.eq(buckets.done),
            self.inserts.eq(encoder.insertion.valid),
        ]
        return m


class Coding:
    """A way to encode stimuli, and what it means."""

    def __init__(self, rng, spec, ramp):
        self.ramp = ramp
        self.time_shift = rng.randrange(spec.time_bits - 2)
        self.bits = spec.time_bits - self.time_shift
        self.off = not ramp and rng.random() < 0.5
        self.minimum = rng.choice([0, 1, 100, 255, rng.randrange(256)])
        # OFF inputs start at a whole word.
        most = (spec.max_inputs // spec.pixels // 2) * spec.pixels
        self.pixels = rng.choice([1, spec.pixels, most, rng.randint(1, most)])
        self.words = -(-self.pixels // spec.pixels)
        self.rest = self.pixels - (self.words - 1) * spec.pixels

    def registers(self):
        return {
            "ramp": self.ramp,
            "time_shift": self.time_shift,
            "intensity_min": self.minimum,
            "off": self.off,
            "input_words": self.words - 1,
            "last_mask": (1 << self.rest) - 1,
        }

    def expected(self, image, spec):
        """Return the inputs of each step, in rising order."""
        steps = 1 << self.bits
        inputs = [[] for _ in range(steps)]
        for i, intensity in enumerate(image):
            if self.ramp:
                magnitude = intensity >> (8 - self.bits)
                if magnitude:
                    inputs[steps - magnitude].append(i)
                continue
            if intensity >= self.minimum:
                inputs[(255 - intensity) >> (8 - self.bits)].append(i)
            dark = 255 - intensity
            if self.off and dark >= self.minimum:
                inputs[intensity >> (8 - self.bits)].append(self.words * spec.pixels + i)
        return [sorted(step) for step in inputs]


def draw(rng, pixels):
    """Return a stimulus of a kind that is drawn too."""
    kind = rng.randrange(5)
    if kind == 0:
        return [rng.randrange(256) for _ in range(pixels)]
    if kind == 1:
        # Equal times in words that follow each other.
        few = [rng.randrange(256) for _ in range(2)]
        return [rng.choice(few) for _ in range(pixels)]
    if kind == 2:
        return [rng.choice([0, 0, 0, 255]) for _ in range(pixels)]
    return [rng.randrange(256)] * pixels if kind == 3 else [0] * pixels


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("name", SPECS)
def test_random_stimuli(name, flow):
    spec = SPECS[name]
    idle, stall = FLOWS[flow]
    rng = random.Random(f"{name} {flow}")
    dut = InputSide(spec)
    rounds = [(Coding(rng, spec, spec.ramp and r % 3 == 2), 3) for r in range(6)]
    rounds = [
        (coding, [draw(rng, coding.pixels) for _ in range(count)]) for coding, count in rounds
    ]
    seen = dict.fromkeys(("off", "ramp", "cut", "stolen", "busy", "left early", "shifted"), 0)
    read = 0

    async def feed(ctx):
        pause = pauses(idle, name)
        given = 0
        for coding, images in rounds:
            # The coding may change when nothing is on its way.
            while read < given:
                await ctx.tick()
            set_members(ctx, dut.coding, coding.registers())
            seen["off"] += coding.off
            seen["ramp"] += coding.ramp
            seen["shifted"] += coding.time_shift > 0
            seen["cut"] += coding.rest < spec.pixels
            for image in images:
                # What stands behind the last pixel must not matter.
                filled = image + [rng.randrange(256) for _ in range(spec.pixels - coding.rest)]
                words = [filled[i : i + spec.pixels] for i in range(0, len(filled), spec.pixels)]
                await put(ctx, dut.pixels, words[: coding.words], pause)
            given += len(images)

    async def step(ctx, time, coding, image_events, pause):
        # RAMP inputs are in the list of the step before.
        ctx.set(dut.time, time - coding.ramp)
        magnitude = ((1 << coding.bits) - time if coding.ramp else 1) if spec.ramp else 0
        ctx.set(dut.magnitude, magnitude)
        seen["stolen"] += ctx.get(dut.inserts)
        await pulse(ctx, dut.start)
        found = []
        done = False
        while not done:
            ready = not next(pause)
            ctx.set(dut.events.ready, ready)
            *_, valid, event, done, inserts = await ctx.tick().sample(
                dut.events.valid, dut.events.payload, dut.done, dut.inserts
            )
            seen["busy"] += valid and inserts
            if valid and ready:
                assert not done
                assert event.magnitude == magnitude
                found.append(event.index)
        assert sorted(found) == image_events[time], time

    async def reader(ctx):
        nonlocal read
        pause = pauses(stall, flow)
        for coding, images in rounds:
            for image in images:
                while not ctx.get(dut.full):
                    await ctx.tick()
                expected = coding.expected(image, spec)
                most = len(expected) if rng.random() < 0.6 else rng.randrange(len(expected))
                seen["left early"] += most < len(expected)
                for time in range(int(coding.ramp), most):
                    await step(ctx, time, coding, expected, pause)
                await pulse(ctx, dut.free)
                read += 1

    simulate(dut, feed, reader, cycles=200_000)
    if not spec.ramp:
        del seen["ramp"]
    if spec.time_bits == 3:
        del seen["shifted"]
    assert all(seen.values()), seen
