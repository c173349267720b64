"""Residual blocks of spikes: joins, identities, deep stacks.

Mutants tried, each of which a test here refused: ADD without what came in; IAND the other way
round; AND that starts silent; normalisations that start with a factor of 1; gates with the
threshold, the sign or without the leak; ADD of the last block alone; weights of its sources that
are shared out; sums of spikes for their mean.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from firstspike.errors import InputError
from firstspike.golden.multispike import run_multispike
from firstspike.methods import sew
from firstspike.methods.fitting import numbers
from firstspike.methods.quantize import quantize_network
from firstspike.methods.sew_net import Join, SewNet
from firstspike.methods.simulate import simulate
from firstspike.methods.surrogate import Sigmoid
from firstspike.train.batches import load_splits
from methods_bench import check_on_core, recipe

pytestmark = pytest.mark.train

WIDTH, BLOCKS, STEPS = 12, 3, 4


def made(join: Join) -> SewNet:
    torch.manual_seed(1)
    return SewNet(16, WIDTH, 4, blocks=BLOCKS, join=join, steps=STEPS, surrogate=Sigmoid(4.0))


def images(n: int = 60) -> torch.Tensor:
    torch.manual_seed(2)
    return torch.randint(256, (n, 4, 4)).to(torch.uint8)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("join", [Join.ADD, Join.AND, Join.IAND])
def test_blocks_start_as_the_identity(join, training):
    """Spike for spike, however many blocks there are."""
    net = made(join).train(training)
    with torch.no_grad():
        first, *others = net.course(numbers(images()))
    assert 0.05 < float(first.mean()) < 0.95
    for sent in others:
        torch.testing.assert_close(sent, first, rtol=0, atol=0)


def test_without_a_join_they_do_not():
    with torch.no_grad():
        first, *others = made(Join.PLAIN).train().course(numbers(images()))
    assert all(bool((sent != first).any()) for sent in others)


def spread(net: SewNet) -> None:
    """Give normalisations numbers of their own, so that all that is folded counts."""
    torch.manual_seed(3)
    with torch.no_grad():
        for layer in [net.stem, *(part for pair in net.pairs for part in pair)]:
            norm = layer.norm
            assert norm.running_mean is not None and norm.running_var is not None
            norm.weight.uniform_(0.5, 2.0)
            norm.bias.uniform_(0.0, 0.6)
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.1, 0.3)


@pytest.mark.parametrize("join", list(Join))
def test_what_is_exported_sends_the_same(join):
    """With joins as layers; ADD sends numbers, which are the spikes of several layers."""
    net = made(join).eval()
    spread(net)
    inputs = numbers(images())
    with torch.no_grad():
        course, logits = net.course(inputs), net(inputs)
    floats = net.to_floats("net", (4, 4))
    found = simulate(floats, inputs)
    torch.testing.assert_close(found.potential / STEPS, logits, rtol=1e-4, atol=1e-4)
    total = found.spikes["stem"].clone()
    most = 0.0
    for number, sent in enumerate(course[1:], 1):
        block = f"block{number}"
        if join is Join.ADD:
            total += found.spikes[f"{block}b"]
        else:
            total = found.spikes[block if join in (Join.AND, Join.IAND) else f"{block}b"]
        torch.testing.assert_close(total, sent, rtol=0, atol=0)
        most = max(most, float(sent.max()))
    assert most > 1 if join is Join.ADD else most == 1
    # As integers, what joins is exact.
    network = quantize_network(floats, 8).network
    outcome = run_multispike(network, images().numpy())
    assert set(outcome.spike_count) == set(found.spikes)
    for layer in network.layers:
        if layer.leak == 0:
            assert set(np.unique(layer.weights)) <= {-127, 0, 127}


REST = """\
hidden: [24]
weight_bits: 6
steps: [4]
training: {epochs: 10, batch: 64, learning_rate: 0.01}
options: {add: 2, and: 1, iand: 1, plain: 2}
"""


def test_digits(tmp_path):
    plan = recipe(tmp_path, "sew", REST)
    splits = load_splits(plan, None)
    shares: list[float] = []
    variants = {v.name: v for v in sew.train(plan, splits, 0, shares.append)}
    assert list(variants) == ["add-4", "and-4", "iand-4", "plain-4"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    pixels, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    for variant in variants.values():
        right = float((run_multispike(variant.network, pixels).predicted == labels).mean())
        assert right > variant.facts["float_accuracy"] - 0.08
    for name in ("add-4", "iand-4"):
        assert variants[name].facts["float_accuracy"] > 0.85
        check_on_core(variants[name], pixels[:4])
    check_on_core(variants["and-4"], pixels[:4])


DEEP = """\
hidden: [32]
weight_bits: 8
steps: [4]
training: {epochs: 6, batch: 64, learning_rate: 0.005}
options: {add: 12, and: 0, iand: 0, plain: 12}
"""


def test_a_deep_stack_trains_with_joins_alone(tmp_path):
    plan = recipe(tmp_path, "sew", DEEP)
    found = {v.name: v for v in sew.train(plan, load_splits(plan, None), 0, lambda _: None)}
    assert list(found) == ["add-4", "plain-4"]
    assert len(found["add-4"].network.layers) == 26
    joined, plain = (found[name].facts["float_accuracy"] for name in ("add-4", "plain-4"))
    assert joined > 0.8 and joined > plain + 0.2


def test_widths(tmp_path):
    plan = recipe(tmp_path, "sew", REST.replace("[24]", "[24, 24]"))
    with pytest.raises(InputError, match=r"hidden: is \[24, 24\], must name one width"):
        sew.train(plan, load_splits(plan, None), 0, lambda _: None)
