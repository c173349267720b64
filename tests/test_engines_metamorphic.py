"""What must not change a result, and what a clock outside the core says about its cycles.

Mutants of the core tried, each seen to fail: the rest of a stimulus of events not dropped, or
taken for the next stimulus; a half freed by a stimulus of events; a stimulus of pixels taken for
one of events; events a step late, or RAMP lists; a magnitude one too small; counters not cleared,
or cycles counted while a result waits; RAMP spikes offered before all are there; RAMP results
marked as forced; spikes of the output layer kept. No mutant, since nothing can see it yet: a
store of spikes that is not cleared, which is then a ring.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.fit import state_words
from firstspike.memimage import memory_image
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec, Neuron, record_fields
from firstspike_sim.bench import FLOWS, pauses
from firstspike_sim.bench_cases import draw_images, draw_network
from firstspike_sim.bench_core import CoreBench, sorted_events
from firstspike_sim.pysim import PysimEngine
from firstspike_sim.stimuli import pixel_words

CORE = CoreSpec(
    banks=2, word=2, weight_bits=4, time_bits=4, max_inputs=64, weight_rows=1024, state_rows=16
)
#: Counters that depend on the arrangement of a core.
ARRANGED = ("weight_reads", "state_reads", "state_writes", "cycles")


def draw(seed: int, neuron: Neuron, core: CoreSpec = CORE, *, count: int = 5, widest: int = 1):
    """Return a network of several layers, one of ``widest`` neurons at least, and stimuli."""
    rng = np.random.default_rng(seed)
    while True:
        network = draw_network(rng, core, neuron=neuron)
        most = max(layer.neurons for layer in network.layers)
        if len(network.layers) > 1 and network.pixels > 4 and most >= widest:
            return network, draw_images(rng, network, count)


def per_stimulus(outcome: Outcome, without: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    left_out = {"total_cycles", *(f"counters.{name}" for name in without)}
    return {name: array for name, array in outcome.arrays().items() if name not in left_out}


def check_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


NEURONS = pytest.mark.parametrize("neuron", Neuron)


@NEURONS
@pytest.mark.parametrize("early_exit", [True, False])
def test_any_predecessor(neuron, early_exit):
    """Each stimulus comes after each, itself among them."""
    network, images = draw(1, neuron, count=4)
    order = [0, 0, 1, 1, 2, 2, 3, 3, 0, 2, 0, 3, 1, 3, 2, 1, 0]
    alone = golden.run(network, images, core=CORE, early_exit=early_exit)
    found = PysimEngine().run(network, CORE, images[order], early_exit=early_exit)
    check_same(
        per_stimulus(found),
        {name: array[order] for name, array in per_stimulus(alone).items()},
    )


@NEURONS
def test_any_arrangement(neuron):
    seed = 20
    narrow = replace(CORE, banks=1, word=2, state_rows=32)
    while True:
        network, images = draw(seed, neuron, replace(narrow, word=8), count=3, widest=9)
        if sum(state_words(network, narrow)) <= narrow.state_rows:
            break
        seed += 1
    expected = per_stimulus(golden.run(network, images), ARRANGED)
    cycles = set()
    for banks, word in ((1, 2), (4, 1), (2, 4), (1, 32)):
        core = replace(narrow, banks=banks, word=word)
        found = PysimEngine().run(network, core, images)
        check_same(per_stimulus(found, ARRANGED), expected)
        cycles.add(found.total_cycles)
    assert len(cycles) > 2


@NEURONS
def test_permuted_inputs(neuron):
    network, images = draw(3, neuron)
    order = np.random.default_rng(3).permutation(network.pixels)
    rows = np.concatenate([order, order + network.pixels]) if network.off else order
    first = network.layers[0]
    other = replace(
        network,
        layers=(replace(first, weights=first.weights[rows]), *network.layers[1:]),
    )
    assert (other.layers[0].weights != first.weights).any()
    before = PysimEngine().run(network, CORE, images)
    after = PysimEngine().run(other, CORE, images[:, order])
    check_same(per_stimulus(after), per_stimulus(before))


def run_with_pauses(network: Network, images: np.ndarray, idle: float, stall: float) -> Outcome:
    bench = CoreBench(CORE, stall=stall)

    async def feed(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=True))
        await bench.pixels(ctx, pixel_words(images, CORE).tolist(), pauses(idle, 5))
        await bench.results(ctx, len(images))

    bench.run(feed)
    return bench.outcome(network, images)


@NEURONS
@pytest.mark.parametrize("flow", FLOWS)
def test_pauses(neuron, flow):
    """Pixels that are late, and results that wait, change nothing but the clock."""
    network, images = draw(4, neuron)
    found = run_with_pauses(network, images, *FLOWS[flow])
    check_same(per_stimulus(found), per_stimulus(golden.run(network, images, core=CORE)))


@NEURONS
def test_no_overlap(neuron):
    """A stimulus that comes when the one before has ended costs the same."""
    network, images = draw(5, neuron, count=6)
    words = pixel_words(images, CORE).reshape(len(images), -1, CORE.pixels)
    bench = CoreBench(CORE)

    async def feed(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=True))
        for number, stimulus in enumerate(words.tolist()):
            last = await bench.pixels(ctx, stimulus, pauses(0, 0))
            await bench.results(ctx, number + 1)
            cycles = bench.outcome(network, images[: number + 1]).counters["cycles"][number]
            # Two cycles after its last pixels it is full, and the core begins; the cycle of the
            # beginning is not counted.
            assert bench.ready_at[number] == last + 2 + cycles + 1

    bench.run(feed)
    expected = golden.run(network, images, core=CORE)
    check_same(per_stimulus(bench.outcome(network, images)), per_stimulus(expected))


@NEURONS
@pytest.mark.parametrize("early_exit", [True, False])
@pytest.mark.parametrize("flow", FLOWS)
def test_sorted_events(neuron, early_exit, flow):
    """Events that were encoded elsewhere give the same record."""
    network, images = draw(6, neuron, count=6)
    idle, stall = FLOWS[flow]
    bench = CoreBench(CORE, stall=stall)

    async def feed(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=early_exit))
        for image in images:
            await bench.events(ctx, sorted_events(network, CORE, image), pauses(idle, 1))
        await bench.results(ctx, len(images))

    bench.run(feed)
    expected = golden.run(network, images, core=CORE, early_exit=early_exit)
    without = ("cycles",)
    check_same(
        per_stimulus(bench.outcome(network, images), without), per_stimulus(expected, without)
    )


@NEURONS
def test_pixels_and_sorted_events_in_turn(neuron):
    network, images = draw(7, neuron, count=8)
    words = pixel_words(images, CORE).reshape(len(images), -1, CORE.pixels).tolist()
    bench = CoreBench(CORE)

    async def feed(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=True))
        for number, image in enumerate(images):
            if number % 3 == 1:
                began = bench.clock + 1
                await bench.events(ctx, sorted_events(network, CORE, image), pauses(0, 0))
                await bench.results(ctx, number + 1)
                cycles = bench.outcome(network, images[: number + 1]).counters["cycles"][number]
                # The core begins with the first event on offer.
                assert bench.ready_at[number] == began + cycles + 1
            else:
                await bench.pixels(ctx, words[number], pauses(0, 0))
                await bench.results(ctx, number + 1)

    bench.run(feed)
    without = ("cycles",)
    check_same(
        per_stimulus(bench.outcome(network, images), without),
        per_stimulus(golden.run(network, images, core=CORE), without),
    )


def test_pixels_and_sorted_events_at_once():
    """Of two ways that are both ready, each gives its own record."""
    network, _ = draw(8, Neuron.STEP)
    # So that no two records are alike.
    images = np.random.default_rng(8).integers(0, 256, (6, network.pixels)).astype(np.uint8)
    images[1:4] //= np.array([[1], [2], [3]], np.uint8)
    bench = CoreBench(CORE)
    done = []

    async def load(ctx):
        await bench.load(ctx, memory_image(network, CORE, early_exit=True))
        done.append(1)

    async def pixels(ctx):
        while not done:
            await ctx.tick()
        await bench.pixels(ctx, pixel_words(images[:3], CORE).tolist(), pauses(0, 0))

    async def events(ctx):
        while not done:
            await ctx.tick()
        for image in images[3:]:
            await bench.events(ctx, sorted_events(network, CORE, image), pauses(0, 0))
        await bench.results(ctx, 6)

    bench.run(load, pixels, events)
    expected = golden.run(network, images, core=CORE)
    names = ("events", "weight_reads", "state_reads", "state_writes", "over_threshold", "ties")
    counted = [expected.counters[name] for name in names]
    wanted = np.column_stack([expected.predicted, expected.decision_step, *counted])
    fields = list(record_fields(CORE))
    places = [fields.index(name) for name in ("winner", "step", *names)]
    found = np.array(bench.records)[:, places]
    assert sorted(found.tolist()) == sorted(wanted.tolist())
    assert len(np.unique(wanted, axis=0)) >= 5
