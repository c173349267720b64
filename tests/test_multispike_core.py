"""Multi-spike networks on the core: golden model, Amaranth's simulator and Verilator agree.

Mutants tried, each of which a test here refused: a piece of the store that ends with all spikes, or
one spike early; spikes of a layer that is no source delivered, or counted from the layer's own
first neuron; the second row of a bias times 1, biases that go to currents, and counted as events; a
tick or a reading that does not leave out currents; a current that is not added. Bounds: sources
that spike once counted in every step, or others once; inputs alone, or no inputs, among them.
"""

from __future__ import annotations

import numpy as np
import pytest

from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.multispike_fit import _range, check_multispike_fit
from firstspike.network.multispike import MultiSpikeLayer, MultiSpikeNetwork
from firstspike.outcome import first_difference
from firstspike.spec import CoreSpec, InputCoding, Reset, WeightKind
from firstspike_hw.dynamics import Dynamics
from firstspike_sim.bench import simulate
from multispike_cases import layer, network

CORE = CoreSpec(
    banks=2,
    word=2,
    weight_bits=4,
    time_bits=4,
    ramp=False,
    max_inputs=64,
    max_layers=5,
    weight_rows=8192,
    state_rows=128,
    multispike=True,
)


def random_network(rng: np.random.Generator) -> MultiSpikeNetwork:
    """Return a chain of layers with any rule that a core has."""
    steps, pixels = int(rng.integers(1, 7)), int(rng.integers(2, 20))
    coding = list(InputCoding)[rng.integers(4)]
    layers = []
    sizes: dict[str, int] = {}
    for i in range(count := int(rng.integers(1, 5))):
        chosen = rng.permutation(list(sizes))[: rng.integers(1, i + 1)] if i else ["input"]
        sources = tuple(str(name) for name in chosen)
        inputs = sum(sizes[source] for source in sources) if i else pixels
        neurons = int(rng.integers(1, 14))
        if rng.random() < 0.15:
            # So many rows that spikes of the first are found while the last ones tick.
            neurons = int(rng.integers(45, 60))
        current = [0, 0, 0, None, 1, 2][rng.integers(6)]
        if i == 0 and coding is InputCoding.DIRECT:
            current = 0
        most = 600 if i == 0 and coding.numeric else 60
        rows = 1 if rng.random() < 0.5 else steps
        widest = 6 if rng.random() < 0.5 else 40
        layers.append(
            MultiSpikeLayer(
                name=f"l{i}",
                sources=sources,
                kind=WeightKind.SIGNED,
                weight_bits=4,
                weights=rng.integers(-5, 8, (inputs, neurons)),
                threshold=None
                if i == count - 1 and rng.random() < 0.4
                else int(rng.integers(1, most)),
                reset=list(Reset)[rng.integers(2)],
                leak=[None, 0, 1, 3][rng.integers(4)],
                current_leak=current,
                once=bool(rng.random() < 0.3),
                bias=None
                if rng.random() < 0.4
                else rng.integers(1 - widest, widest, (rows, neurons)),
                initial=None if rng.random() < 0.5 else rng.integers(-9, 10, neurons),
            )
        )
        sizes[f"l{i}"] = neurons
    return MultiSpikeNetwork(
        name="random",
        layers=tuple(layers),
        steps=steps,
        coding=coding,
        shape=(1, pixels),
        labels=tuple(range(layers[-1].neurons)),
        input_bits=int(rng.integers(3, 5)),
        seed=int(rng.integers(1, 1 << 32)),
        intensity_min=int(rng.integers(1, 100)),
    )


def compare(engine: str, cases: int, seed: int, **changes) -> set:
    """Compare random networks with the golden model; return what occurred."""
    seen = set()
    for case in range(cases):
        rng = np.random.default_rng([seed, case])
        network = random_network(rng)
        images = rng.integers(0, 256, (4, network.pixels)).astype(np.uint8)
        core = CORE
        if changes:
            values = {name: options[case % len(options)] for name, options in changes.items()}
            core = CoreSpec(
                **{"ramp": False, "weight_bits": 4, "max_layers": 5, "multispike": True} | values
            )
        golden = run_multispike(network, images, core=core)
        outcome = open_engine(engine).run(network, core, images)
        difference = first_difference(golden, outcome)
        assert difference is None, f"case {case}: {difference}"
        for part in check_multispike_fit(network, core):
            layer = part.layer
            fires = layer.name in golden.spike_count and golden.spike_count[layer.name].any()
            seen.add(("pairs", part.pairs, part.to_current, part.words > 1))
            seen.add(("many rows", part.rows > 20 and fires))
            seen.add(("biases", part.biases))
            seen.add(("fires", fires, layer.reset, layer.leak, layer.once))
            seen.add(("leak of currents", part.current_leak))
        for number, part in enumerate(check_multispike_fit(network, core)):
            seen.add(("sources", len(part.sources)))
            seen.add(("hears the layer before", number - 1 in part.sources))
        seen.add(("coding", network.coding))
        seen.add(("counts", network.counts_spikes))
        seen.add(("ties", bool(golden.counters["ties"].any())))
    return seen


def check_seen(seen: set) -> None:
    """Assert that what the cases are for has occurred."""
    assert {("coding", coding) for coding in InputCoding} <= seen
    assert {("pairs", pairs, to, True) for pairs, to in ((0, 0), (1, 0), (1, 1))} <= seen
    assert {("biases", rows) for rows in range(3)} <= seen
    assert {("counts", True), ("counts", False)} <= seen
    assert {("sources", count) for count in range(4)} <= seen
    assert {("hears the layer before", hears) for hears in (True, False)} <= seen
    assert ("many rows", True) in seen
    assert {("leak of currents", leak) for leak in (None, 1, 2)} <= seen
    fired = {item[2:] for item in seen if item[0] == "fires" and item[1]}
    assert {reset for reset, _, _ in fired} == set(Reset)
    assert {leak for _, leak, _ in fired} == {None, 0, 1, 3}
    assert {once for _, _, once in fired} == {True, False}
    assert ("ties", True) in seen


def test_pysim_equals_golden():
    check_seen(compare("pysim", 40, 1))


def test_every_arrangement_gives_the_same():
    compare("pysim", 12, 2, banks=(1, 4, 2), word=(4, 2, 8, 2), pixels=(4, 8), ramp=(True, False))


@pytest.mark.rtl
def test_rtl_equals_golden():
    check_seen(compare("rtl", 40, 3))


@pytest.mark.rtl
def test_pauses_change_nothing():
    rng = np.random.default_rng(4)
    for _ in range(6):
        network = random_network(rng)
        images = rng.integers(0, 256, (4, network.pixels)).astype(np.uint8)
        golden = run_multispike(network, images, core=CORE)
        outcome = open_engine("rtl", pause=128).run(network, CORE, images)
        theirs = outcome.arrays()
        for name, array in golden.arrays().items():
            # Pauses take cycles, and change nothing else.
            if name not in ("counters.cycles", "total_cycles"):
                assert (array == theirs[name]).all(), name


def test_dynamics():
    """Fire, reset and leak of random words against the rule in plain integers."""
    spec = CoreSpec(banks=1, word=2, potential_bits=10, multispike=True, weight_bits=4)
    dut = Dynamics(spec)
    rng = np.random.default_rng(5)
    edge = (1 << 9) - 1
    seen = set()

    async def bench(ctx):
        ctx.set(dut.advance, 1)
        for _ in range(800):
            rule = {
                "hard": int(rng.integers(2)),
                "once": int(rng.integers(2)),
                "leaks": int(rng.integers(2)),
                "leak": int(rng.integers(8)),
                "current_leaks": int(rng.integers(2)),
                "current_leak": int(rng.integers(8)),
            }
            picks, last, row = (int(rng.integers(2)) for _ in range(3))
            threshold = int(rng.choice([1, 2, 5, 100, edge]))
            near = rng.choice([threshold - 1, threshold, -1, 0, edge, -edge - 1], 2)
            totals = [
                int(v) for v in np.where(rng.random(2) < 0.5, near, rng.integers(-512, 512, 2))
            ]
            before = int(rng.integers(4))
            ctx.set(dut.dynamics, rule)
            ctx.set(dut.threshold, threshold)
            for lane in range(2):
                ctx.set(dut.totals[lane], totals[lane])
            ctx.set(dut.before, before)
            ctx.set(dut.valid, 1)
            ctx.set(dut.picks, picks)
            ctx.set(dut.last, last)
            ctx.set(dut.row, row)
            await ctx.tick()
            ctx.set(dut.valid, 0)
            # A stall changes nothing.
            if rng.random() < 0.2:
                ctx.set(dut.advance, 0)
                await ctx.tick().repeat(2)
                ctx.set(dut.advance, 1)
            fires = [
                v >= threshold and not (rule["once"] and before >> lane & 1)
                for lane, v in enumerate(totals)
            ]
            assert ctx.get(dut.fires) == (not picks)
            if not picks:
                assert ctx.get(dut.mask) == fires[0] + 2 * fires[1]
                assert ctx.get(dut.fires_last) == last
            await ctx.tick()
            assert ctx.get(dut.fires) == 0
            leaks = rule["current_leaks"] if picks else rule["leaks"]
            leak = rule["current_leak"] if picks else rule["leak"]
            assert ctx.get(dut.write) == (leaks if picks else 1)
            assert ctx.get(dut.write_row) == row
            for lane, v in enumerate(totals):
                if not picks and fires[lane]:
                    v = 0 if rule["hard"] else v - threshold
                    seen.add((rule["hard"], v > 0))
                expected = v - (v >> leak) if leaks else v
                assert ctx.get(dut.potentials[lane]) == expected
                assert ctx.get(dut.fired) >> lane & 1 == (
                    before >> lane & 1 | (fires[lane] and not picks)
                )
            await ctx.tick()
            assert ctx.get(dut.write) == 0

    simulate(dut, bench)
    assert {(0, True), (0, False), (1, False)} <= seen


ONES = np.ones((3, 3), np.int64)


@pytest.mark.parametrize(
    ("given", "core", "message"),
    [
        (network(layer()), {"multispike": False}, "the core has multispike: false"),
        (network(layer(), input_bits=5), {}, "input_bits is 5, must be in 3..4"),
        (network(layer(), input_bits=2), {}, "input_bits is 2, must be in 3..4"),
        (network(layer(), coding=InputCoding.RATE, steps=17), {}, "steps 17, the core has 16"),
        (network(layer(), coding=InputCoding.LATENCY, steps=17), {}, "steps 17, the core has 16"),
        (network(layer(weights=np.full((4, 3), 7))), {"weight_bits": 3}, "synapses hold -3..3"),
        (
            network(layer(bias=np.array([[0, 0, 0], [300, 0, 0]] * 2))),
            {},
            "by -150..150 from their middle, the core's 4-bit synapses hold -112..112",
        ),
        (network(layer(), steps=4000), {"potential_bits": 12}, "can meet 0..224004, the core has"),
        (
            network(layer(bias=np.arange(150).reshape(50, 3) % 7), steps=50),
            {"max_inputs": 8, "state_rows": 8},
            "numbers up to 53, the core's go up to 31",
        ),
        (network(layer(threshold=2048)), {"potential_bits": 12}, "must be below 2048"),
        (
            network(layer(current_leak=1)),
            {},
            "a current beside numbers in every step, of which a core has one",
        ),
        (
            network(
                layer(),
                layer(name="b", sources=("a", "input"), weights=np.ones((7, 3), np.int64)),
            ),
            {},
            r"layer 'b': inputs is \['a', 'input'\], must be of a on a core",
        ),
        (
            network(*(layer(name=f"l{i}", sources=(f"l{i - 1}" if i else "input",),
                            weights=ONES if i else np.ones((4, 3), np.int64)) for i in range(4))),
            {},
            "layers 5, the core has 4",
        ),
    ],
)  # fmt: skip
def test_refused(given, core, message):
    values = {"banks": 2, "word": 2, "weight_bits": 4, "ramp": False, "multispike": True}
    with pytest.raises(InputError, match=message):
        check_multispike_fit(given, CoreSpec(**(values | core)))


@pytest.mark.parametrize(
    ("changes", "single"), [({}, True), ({"coding": InputCoding.RATE}, False)], ids=["once", "many"]
)
def test_slopes_of_inputs_that_spike_once(changes, single):
    """The largest potential is met if all spike in step 0; twice over if they may again."""
    ramp = layer(weights=np.full((4, 3), 7), threshold=None, current_leak=None)
    slopes = network(ramp, **({"coding": InputCoding.LATENCY, "steps": 12} | changes))
    largest = 4 * 7 * (12 if single else 78)
    for bits in range(8, 14):
        core = CoreSpec(
            banks=2, word=2, weight_bits=4, ramp=False, multispike=True, potential_bits=bits
        )
        if largest < (1 << (bits - 1)) - 1:
            check_multispike_fit(slopes, core)
        else:
            with pytest.raises(InputError, match=f"can meet 0..{largest}, the core has"):
                check_multispike_fit(slopes, core)
    if single:
        bright = np.full((1, 4), 255, np.uint8)
        assert run_multispike(slopes, bright).potential.tolist() == [[largest] * 3]


def test_slopes_of_neurons_that_fire_once():
    """Of two sources, one spikes in every step and the other once."""
    first = layer(weights=np.ones((4, 3), np.int64), threshold=1, once=True)
    second = layer(name="b", sources=("a",), weights=ONES, threshold=1)
    last = layer(
        name="c",
        sources=("a", "b"),
        weights=np.array([[1, 0, -1]] * 3 + [[0, 1, -1]] * 3),
        threshold=None,
        current_leak=None,
    )
    (_, _, part) = check_multispike_fit(network(first, second, last, steps=4), CORE)
    assert _range(network(first, second, last, steps=4), part) == (-3 * 4 - 3 * 10, 3 * 10)
