"""Files that Norse and SpikingJelly wrote: executed, they fire as those libraries did.

tests/nir_files/write.py has written them, and what the libraries computed.

Mutants tried, each of which a test here refused: a step of another length; inputs that are not
scaled by the leak; a soft reset.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firstspike.golden.multispike import run_multispike
from firstspike.network import MultiSpikeNetwork, load_any_network
from firstspike.nir.execute import execute
from firstspike.nir.graph import read_graph
from firstspike.nir.importing import Options, import_file
from firstspike.nir.rules import Rules

pytestmark = pytest.mark.train

FILES = Path(__file__).parent / "nir_files"
#: File, nodes that fire, and what must be said of it.
CASES = [
    ("norse", ("1", "3"), {"dt": 1e-6}),
    ("spikingjelly", ("_1", "_3"), {"fires": "at"}),
]


@pytest.fixture(scope="module")
def known() -> dict[str, np.ndarray]:
    with np.load(FILES / "spikes.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize(("name", "nodes", "options"), CASES)
def test_a_file_does_what_its_library_did(known, name, nodes, options):
    graph = read_graph(FILES / f"{name}.nir")
    pixels = known["images"] / 255
    course = execute(graph, Rules(**options), lambda _: pixels, 8)
    for number, node in enumerate(nodes):
        expected = known[f"{name}{number}"]
        assert 0.05 < expected.mean() < 0.95
        assert (np.stack(course.spikes[node]) == expected).all()


@pytest.mark.parametrize(("name", "nodes", "options"), CASES)
def test_as_integers(tmp_path, known, name, nodes, options):
    """The golden model's counts are the library's, but where rounding moves a spike."""
    given = Options(data="digits", steps=8, **options)
    facts = import_file(FILES / f"{name}.nir", tmp_path, given)
    assert facts["check"]["equal"] > 0.97 and facts["core"] == "fits multispike"
    network = load_any_network(tmp_path)
    assert isinstance(network, MultiSpikeNetwork)
    outcome = run_multispike(network, known["images"])
    for number, layer in enumerate(network.layers):
        expected = known[f"{name}{number}"].sum(axis=0)
        assert np.abs(outcome.spike_count[layer.name] - expected).mean() < 0.1 * expected.mean()
