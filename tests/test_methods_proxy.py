"""A network of ReLUs that lends its gradient to a spiking one.

Mutants tried, each of which a test here refused: outputs of the ReLUs handed out as they are; a
ReLU at the outputs; none between the layers; gradients of counts that are let in as well; a target
of 1 whatever the recipe says; targets for all classes.
"""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from firstspike.golden.multispike import run_multispike
from firstspike.methods import proxy
from firstspike.methods.proxy import ProxyNet
from firstspike.methods.spiking import Rule, SpikingNet
from firstspike.methods.surrogate import Triangle
from firstspike.spec import Reset
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train


def test_counts_forward_and_the_gradient_of_relus_back():
    """By hand, for two layers: errors of the counts, through weights that both have."""
    torch.manual_seed(1)
    rule = Rule(0.5, reset=Reset.HARD)
    net = SpikingNet([6, 20, 3], [rule, rule], steps=5, surrogate=Triangle(), bias=True)
    pixels, labels = torch.rand(30, 6), torch.randint(3, (30,))
    counts = ProxyNet(net).train()(pixels)
    assert torch.equal(counts, net(pixels))
    assert counts.unique().numel() > 2
    target = 2.0
    proxy._towards(target)(counts, labels).backward()
    first, second = net.dense
    with torch.no_grad():
        current = first(pixels)
        error = 2 * (counts - target * functional.one_hot(labels, 3)) / counts.numel()
        back = (error @ second.weight) * (current > 0)
    for dense, expected in ((first, back.T @ pixels), (second, error.T @ current.relu())):
        assert dense.weight.grad is not None and dense.bias.grad is not None
        assert torch.allclose(dense.weight.grad, expected, atol=1e-6)
    assert second.bias.grad is not None
    assert torch.allclose(second.bias.grad, error.sum(dim=0), atol=1e-6)


REST = """\
hidden: [48]
weight_bits: 6
steps: [8]
training: {epochs: 15, batch: 64, learning_rate: 0.01}
options: {threshold: 2, target: 4}
"""


def test_digits(tmp_path):
    """All three ways learn, and what they learn runs on the core."""
    plan = recipe(tmp_path, "proxy", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in proxy.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["proxy-8", "direct-8", "converted-8"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    for name, variant in variants.items():
        outcome = run_multispike(variant.network, images)
        assert (outcome.predicted == labels).mean() > 0.8, name
        if name != "converted-8":
            right = outcome.potential[range(len(labels)), labels].mean()
            assert 2.5 < right < 5
            assert outcome.potential.mean() < right / 5
    check_on_core(variants["proxy-8"], images[:4])
