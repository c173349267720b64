"""Training with LocalZO, and with its mean. Its identity is tested with the slopes.

Mutants tried, each of which a test here refused: both trained with the same slope; slopes that stay
watched; neurons without a leak, or with a soft reset.
"""

from __future__ import annotations

import pytest
import torch

from firstspike.golden.multispike import run_multispike
from firstspike.methods import localzo
from firstspike.methods.localzo import active_share
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Triangle
from firstspike.spec import Reset
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def test_share_of_a_network():
    """Potentials in thresholds, less 1, are -0.5, 0 and 1.5: of a triangle, one slope is not 0."""
    surrogate = Triangle(0.5, 1.0)
    net = SpikingNet([1, 3, 1], [Rule(2.0), Rule(None)], steps=1, surrogate=surrogate)
    with torch.no_grad():
        net.dense[0].weight.copy_(torch.tensor([[1.0], [2.0], [5.0]]))
    assert active_share(net, torch.ones(4, 1)) == pytest.approx(1 / 3)
    assert net.surrogate is surrogate


REST = """\
hidden: [32]
weight_bits: 6
steps: [4]
training: {epochs: 10, batch: 64, learning_rate: 0.01}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "localzo", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in localzo.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["localzo-4", "gaussian-4"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    for variant in variants.values():
        (hidden, _) = variant.network.layers
        assert (hidden.reset, hidden.leak) == (Reset.HARD, 1)
        right = (run_multispike(variant.network, images).predicted == labels).mean()
        assert right > variant.facts["float_accuracy"] - 0.04 > 0.8
    assert variants["gaussian-4"].facts["active_share"] > 0.99
    assert variants["localzo-4"].facts["active_share"] < 0.95
    check_on_core(variants["localzo-4"], images[:4])
