"""Training with LocalZO, and with its mean. Its identity is tested with the slopes.

Mutants tried, each of which a test here refused: both trained with the same slope; slopes that stay
watched; neurons without a leak, or with a soft reset; products of signs, of rows that start one too
late, or that stop what goes back; a bias that is left out; weights that start anew; the other
slope's distance for sparse products; currents that are normalised then.
"""

from __future__ import annotations

import pytest
import torch

from firstspike.golden.multispike import run_multispike
from firstspike.methods import localzo
from firstspike.methods.localzo import active_share, make_sparse
from firstspike.methods.sparse_backward import (
    backward_times,
    dense_products,
    observed_products,
    random_products,
    sparse_products,
)
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
options: {sparse_delta: 0.2}
"""


def test_sparse_products():
    """Equal to the dense ones, but for rounding; with rows of which nothing is left, too."""
    gradient, sent, weight = random_products(40, 30, 50, 0.1)
    gradient[3] = gradient[:, 7] = 0
    for dense, sparse in zip(
        dense_products(gradient, sent, weight), sparse_products(gradient, sent, weight), strict=True
    ):
        torch.testing.assert_close(sparse, dense, rtol=1e-5, atol=1e-5)
    none = torch.zeros_like(gradient)
    for sparse in sparse_products(none, sent, weight):
        assert not sparse.any()
    found = backward_times(gradient, sent, weight)
    assert (found["images"], found["inputs"], found["neurons"]) == (40, 30, 50)
    assert found["share"] == float((gradient != 0).float().mean()) < 0.15
    assert found["speedup"] == found["dense"] / found["sparse"] > 0
    assert found["difference"] < 1e-5


def nets() -> tuple[SpikingNet, SpikingNet]:
    """Return a network twice, the second one with sparse products."""
    both = []
    for sparse in (False, True):
        torch.manual_seed(4)
        rules = [localzo._RULE, localzo._RULE, Rule(None)]
        surrogate = Triangle(0.1, 1.0)
        net = SpikingNet([12, 20, 16, 4], rules, steps=3, surrogate=surrogate, bias=True)
        if sparse:
            make_sparse(net)
        else:
            with torch.no_grad():
                for dense in net.dense[:-1]:
                    dense.weight *= 4
        both.append(net)
    return both[0], both[1]


def test_backward_pass_through_active_neurons():
    """The same gradients of all weights and biases, of which some neurons have none."""
    torch.manual_seed(5)
    pixels, labels = torch.rand(30, 12), torch.randint(4, (30,))
    dense, sparse = nets()
    for net in (dense, sparse):
        torch.nn.functional.cross_entropy(net(pixels), labels).backward()
    names = [name for name, _ in dense.named_parameters()]
    assert names == [name for name, _ in sparse.named_parameters()]
    for name, one, other in zip(names, dense.parameters(), sparse.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None, name
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-6)
        assert bool(one.grad.any())


def test_observed_products():
    """What multiplies is what makes the gradient of the weights."""
    torch.manual_seed(5)
    pixels, labels = torch.rand(30, 12), torch.randint(4, (30,))
    net, _ = nets()
    seen = observed_products(
        net.dense, lambda: torch.nn.functional.cross_entropy(net(pixels), labels)
    )
    assert [gradient.shape for gradient, _, _ in seen] == [(30, 20), (90, 16), (90, 4)]
    for layer, (gradient, sent, weight) in zip(net.dense, seen, strict=True):
        assert layer.weight.grad is not None
        torch.testing.assert_close(dense_products(gradient, sent, weight)[1], layer.weight.grad)
    assert 0 < float((seen[1][0] != 0).float().mean()) < 0.6


def test_digits(tmp_path):
    plan = recipe(tmp_path, "localzo", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in localzo.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["localzo-4", "gaussian-4", "sparse-4"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    for variant in variants.values():
        (hidden, _) = variant.network.layers
        assert (hidden.reset, hidden.leak) == (Reset.HARD, 1)
        right = (run_multispike(variant.network, images).predicted == labels).mean()
        assert right > variant.facts["float_accuracy"] - 0.04 > 0.8
    assert variants["gaussian-4"].facts["active_share"] > 0.99
    assert variants["localzo-4"].facts["active_share"] < 0.95
    facts = variants["sparse-4"].facts
    assert facts["active_share"] < 0.25
    (hidden,) = facts["backward"]
    assert (hidden["images"], hidden["inputs"], hidden["neurons"]) == (256, 64, 32)
    # What is kept of later steps makes more gradients than slopes, of neurons that do not fire.
    assert hidden["share"] < 1 and hidden["difference"] < 1e-4
    assert len(facts["backward_by_share"]) == 12
    check_on_core(variants["localzo-4"], images[:4])
