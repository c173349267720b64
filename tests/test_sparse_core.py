"""Sparse cores: words of dead synapses cost neither cycles nor memory, and nothing else changes.

Mutants tried, each seen to fail: a word added to the row of the word behind it; lists of the layer
before; an empty list that adds a word, takes no cycle, or is counted as read; biases that go to
currents; lists as long as the first bank's; a list read while the walker waits; the order of events
reversed; a floor of the longest lists.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.cores import core_yaml, load_core
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.lists import list_entries, live_words, pack_lists
from firstspike.memimage import memory_image
from firstspike.network import Layer, Network
from firstspike.network.multispike import MultiSpikeNetwork
from firstspike.outcome import Outcome, first_difference
from firstspike.spec import CoreSpec, Neuron, Space, WeightKind
from firstspike_sim.bench_cases import Case, draw_case
from test_multispike_core import CORE, random_network

SPARSE = replace(CORE, sparse=True)
#: What a suite of thinned cases must have met.
WANTED = {"step", "ramp", "hidden", "off", "empty list", "banks differ", "fewer cycles", "all live"}


def thin(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ``weights`` with most of them, and all of some sources, set to 0."""
    share = rng.choice([0.05, 0.2, 0.5, 1.0])
    kept = rng.random(weights.shape) < share
    kept[rng.random(len(weights)) < 0.2 * (share < 1)] = False
    return weights * kept


def thin_case(seed: int) -> Case | None:
    """Return a random case on a sparse core; None if its thinned neurons are never reached."""
    rng = np.random.default_rng(seed)
    case = draw_case(seed)
    if case.core.weight_bits == 1 or case.core.memory == "spram":
        return None
    layers = []
    for layer in case.network.layers:
        kind = WeightKind.SIGNED if layer.kind is WeightKind.PM1 else layer.kind
        bits = max(2, layer.weight_bits)
        weights = thin(layer.weights, rng)
        offset = np.minimum(layer.offset, 3) if layer.neuron is Neuron.STEP else layer.offset
        layers.append(replace(layer, kind=kind, weight_bits=bits, weights=weights, offset=offset))
    core = replace(case.core, sparse=True)
    try:
        network = replace(case.network, layers=tuple(layers))
        golden.run(network, case.images[:1], core=core)
    except InputError:
        return None
    return replace(case, network=network, core=core)


def features(case: Case, outcome: Outcome) -> Counter:
    """Return what a case has met."""
    live = [live_words(layer.scaled_weights, case.core) for layer in case.network.layers]
    dense = golden.run(
        case.network,
        case.images,
        core=replace(case.core, sparse=False, weight_rows=65536 // case.core.parts),
        early_exit=case.early_exit,
    )
    seen = Counter([case.network.neuron.value])
    seen["hidden"] += len(live) > 1
    seen["off"] += case.network.off
    seen["empty list"] += any((words == 0).all(axis=1).any() for words in live)
    seen["banks differ"] += any((words.min(axis=1) < words.max(axis=1)).any() for words in live)
    seen["fewer cycles"] += bool((outcome.counters["cycles"] < dense.counters["cycles"]).any())
    assert (outcome.counters["weight_reads"] <= dense.counters["weight_reads"]).all()
    same = outcome.counters["weight_reads"] == dense.counters["weight_reads"]
    seen["all live"] += bool(same.all())
    return seen


def check(engine: str, seeds: range) -> None:
    seen = Counter()
    for seed in seeds:
        case = thin_case(seed)
        if case is None:
            continue
        expected = golden.run(case.network, case.images, core=case.core, early_exit=case.early_exit)
        found = open_engine(engine).run(
            case.network, case.core, case.images, early_exit=case.early_exit
        )
        difference = first_difference(found, expected)
        assert difference is None, f"case {seed}: {difference}"
        assert found.total_cycles == expected.total_cycles
        seen += features(case, expected)
    assert not {name for name in WANTED if not seen[name]}


def test_pysim_equals_golden():
    check("pysim", range(40))


def thin_network(rng: np.random.Generator) -> MultiSpikeNetwork:
    """Return a random multi-spike network with few synapses."""
    network = random_network(rng)
    layers = tuple(replace(la, weights=thin(la.weights, rng)) for la in network.layers)
    return replace(network, layers=layers)


def check_multispike(engine: str, cases: int, seed: int, core: CoreSpec = SPARSE) -> None:
    seen = Counter()
    for case in range(cases):
        rng = np.random.default_rng([seed, case])
        network = thin_network(rng)
        images = rng.integers(0, 256, (4, network.pixels)).astype(np.uint8)
        expected = run_multispike(network, images, core=core)
        found = open_engine(engine).run(network, core, images)
        difference = first_difference(expected, found)
        assert difference is None, f"case {case}: {difference}"
        dense = run_multispike(network, images, core=replace(core, sparse=False))
        fewer = expected.counters["cycles"] < dense.counters["cycles"]
        seen["fewer"] += bool(fewer.any())
        seen["biases"] += any(la.bias is not None and len(la.bias) > 1 for la in network.layers)
        seen["currents"] += any(la.has_current for la in network.layers)
        seen["sources"] += any(len(la.sources) > 1 for la in network.layers)
    assert not {name for name in ("fewer", "biases", "currents", "sources") if not seen[name]}


def test_multispike_pysim_equals_golden():
    check_multispike("pysim", 25, 1)


@pytest.mark.rtl
def test_rtl_equals_golden():
    check_multispike("rtl", 40, 2)


@pytest.mark.rtl
def test_rtl_of_one_synapse_a_word():
    check_multispike("rtl", 40, 3, replace(SPARSE, banks=8, word=1))


def test_lists():
    """Two banks of two synapses: what stands where, by hand."""
    core = CoreSpec(banks=2, word=2, weight_bits=4, state_rows=8, weight_rows=64, sparse=True)
    codes = np.zeros((3, 8), np.int64)
    codes[0, [0, 2, 5]] = 1, 2, 3  # bank 0: both lanes of word 0; bank 1: word 1
    codes[2, [1, 4, 6]] = 4, 5, 6  # bank 1: word 0; bank 0: both lanes of word 1
    codes[2, 0] = 7
    assert live_words(codes, core).tolist() == [[1, 1], [0, 0], [2, 1]]
    lists = pack_lists(codes, np.array([2, 2, 3]), 1, core)
    assert lists.lengths.tolist() == [1, 0, 2]
    assert lists.words == [
        [2 << 8 | 2 << 4 | 1, 3 << 8 | 7, 4 << 8 | 6 << 4 | 5],
        [3 << 8 | 3, 3 << 8 | 4, 4 << 8],
    ]
    # First row (6 bits), rows less one (3), empty.
    assert list(list_entries(lists.lengths, 10, core)) == [10, 1 << 9, 11 | 1 << 6]


def small(weights: np.ndarray) -> Network:
    layer = Layer("a", Neuron.STEP, WeightKind.SIGNED, 4, weights, np.ones(weights.shape[1], int))
    return Network("small", (layer,), 3, (1, len(weights)), tuple(range(weights.shape[1])))


def test_a_sparse_network_fits_where_a_dense_one_does_not():
    core = CoreSpec(
        banks=2, word=1, weight_bits=4, weight_rows=16, max_inputs=16, state_rows=8, sparse=True
    )
    weights = np.zeros((16, 8), np.int64)
    weights[np.arange(16), np.arange(16) % 8] = 3
    network = small(weights)
    writes = memory_image(network, core, early_exit=True)
    assert sum(write.space is Space.LISTS for write in writes) == 16
    weights[0] = 3
    with pytest.raises(InputError, match="weight_rows 19, the core has 16"):
        memory_image(small(weights), core, early_exit=True)
    with pytest.raises(InputError, match="weight_rows 64, the core has 16"):
        memory_image(network, replace(core, sparse=False), early_exit=True)


def test_floor():
    """Two inputs with two words in a bank of their own: four rows, of which each bank needs two."""
    core = CoreSpec(banks=2, word=1, weight_bits=4, max_inputs=16, state_rows=8, sparse=True)
    weights = np.array([[1, 0, 1, 0], [0, 1, 0, 1]])
    outcome = golden.run(small(weights), np.full((1, 1, 2), 255, np.uint8), core=core)
    assert outcome.counters["weight_reads"].tolist() == [2 * 4]
    assert outcome.floor_cycles is not None and outcome.floor_cycles.tolist() == [2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weight_bits": 1}, "weight_bits is 1, must be at least 2 for a sparse core"),
        (
            {"memory": "spram", "word": 1, "state_rows": 512, "weight_rows": 16384},
            "16384 words of 17 bits .word x weight_bits, and a state row.",
        ),
        (
            {"memory": "spram", "word": 1, "weight_rows": 16385},
            "which has 16384 words of 16 bits, not 16385 words of 14 bits",
        ),
        (
            {"learning": True, "word": 1, "max_layers": 1},
            "sparse is true, must be false for a learning core",
        ),
    ],
)
def test_refused(values, message):
    with pytest.raises(ValueError, match=message):
        CoreSpec(sparse=True, **values)


def test_core_file(tmp_path):
    (tmp_path / "core.yaml").write_text(core_yaml(SPARSE))
    assert load_core(str(tmp_path / "core.yaml")) == SPARSE
    assert "sparse=True" in str(SPARSE)
    assert "sparse" not in str(CORE)
