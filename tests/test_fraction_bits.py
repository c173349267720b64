"""Layers with fraction bits and dead synapses, on cores that do not learn.

Mutants tried, each of which a test here refused: fit that looks at weights before the shift, or at
potentials before it; a 1-bit core that takes fraction bits; a memory image without the shift; the
golden model without it; potentials that are not in the units of the threshold; a silent output of
a layer with alive bits refused; a silent one of a layer without them taken; a layer of silent
ones taken.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.errors import InputError
from firstspike.fit import check_fit, check_reachable
from firstspike.memimage import memory_image
from firstspike.network import Layer, Network
from firstspike.spec import CoreSpec, Neuron, WeightKind

RNG = np.random.default_rng(5)
CORE = CoreSpec(weight_rows=64)


def network(layer: Layer) -> Network:
    return Network("learned", (layer,), 4, (1, layer.inputs), tuple(range(layer.neurons)))


def learned(bits: int = 4, finer: int = 4, alive: bool = True) -> Layer:
    mask = RNG.random((12, 6)) < 0.5
    weights = RNG.integers(0, 1 << bits, (12, 6)) * mask
    weights[0], mask[0] = 1, True
    theta = RNG.integers(1, 30, 6) << finer
    theta = np.minimum(theta, weights.sum(axis=0) << finer)
    return Layer(
        "output",
        Neuron.STEP,
        WeightKind.UNSIGNED,
        bits,
        weights,
        theta,
        fraction_bits=finer,
        alive=mask if alive else None,
    )


def shifted(layer: Layer) -> Layer:
    bits = layer.weight_bits + layer.fraction_bits
    weights = layer.weights << layer.fraction_bits
    return replace(layer, weights=weights, weight_bits=bits, fraction_bits=0, alive=None)


@pytest.mark.parametrize(("bits", "finer"), [(4, 4), (3, 5), (1, 7), (8, 0)])
def test_the_same_as_shifted_weights(bits, finer):
    layer = learned(bits, finer)
    images = RNG.integers(0, 256, (40, 12), dtype=np.uint8)
    ours = golden.run(network(layer), images, core=CORE)
    theirs = golden.run(network(shifted(layer)), images, core=CORE)
    for name, array in ours.arrays().items():
        assert np.array_equal(array, theirs.arrays()[name]), name
    assert memory_image(network(layer), CORE, early_exit=True) == memory_image(
        network(shifted(layer)), CORE, early_exit=True
    )


def test_what_a_core_must_hold():
    layer = learned()
    heavy = replace(layer, weights=15 * (layer.weights > 0))
    check_fit(network(heavy), CORE)
    with pytest.raises(InputError, match=r"0\.\.240 with 4 fraction bits, the core's 7-bit"):
        check_fit(network(heavy), replace(CORE, weight_bits=7))
    with pytest.raises(InputError, match=r"can meet .*, the core has 10 bits"):
        check_fit(network(heavy), replace(CORE, potential_bits=10))
    with pytest.raises(InputError, match="fraction_bits is 7, must be 0: the core's synapses have"):
        check_fit(network(learned(1, 7)), replace(CORE, weight_bits=1))


def test_outputs_that_have_grown_silent():
    layer = learned()
    theta = layer.offset.copy()
    theta[2] = 1 << 20
    check_reachable(network(replace(layer, offset=theta)))
    with pytest.raises(InputError, match=r"threshold\[2\] is 1048576, never reached"):
        check_reachable(network(replace(layer, offset=theta, alive=None)))
    with pytest.raises(InputError, match=r"threshold\[0\] is 1048576, never reached"):
        check_reachable(network(replace(layer, offset=np.full(6, 1 << 20))))
