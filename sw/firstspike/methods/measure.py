"""The figures of a network on the whole test set: accuracy, work, cycles."""

from __future__ import annotations

from typing import Any

import numpy as np

from firstspike import golden
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.golden.multispike import run_multispike
from firstspike.methods.variant import AnyVariant
from firstspike.multispike_fit import check_multispike_fit
from firstspike.network import AnyNetwork, MultiSpikeNetwork, Network
from firstspike.outcome import Outcome
from firstspike.spec import Neuron
from firstspike.train.batches import Splits

__all__ = ["CORES", "core_for", "first_spikes", "measure"]


#: Cores that cycles are told of. All have 16 lanes, so that networks can be compared.
CORES = ("default", "multispike", "sparse")


def core_for(network: AnyNetwork) -> str | None:
    """Return the core that cycles are told of, by name; None if the network fits none.

    That is the first with room for it of ``default``, ``multispike`` and ``sparse``.
    """
    for name in CORES:
        try:
            if isinstance(network, MultiSpikeNetwork):
                check_multispike_fit(network, PRESETS[name])
            else:
                check_fit(network, PRESETS[name])
        except InputError:
            continue
        return name
    return None


def measure(variant: AnyVariant, splits: Splits) -> dict[str, Any]:
    """Return the figures of a network on all test images, ready for JSON."""
    network = variant.network
    name = core_for(network)
    core = None if name is None else PRESETS[name]
    images, labels = splits.test_images.numpy(), splits.test_labels.numpy()
    if isinstance(network, MultiSpikeNetwork):
        outcome = run_multispike(network, images, core=core)
        spikes = sum(count.sum() for count in outcome.spike_count.values())
        further = {}
    else:
        outcome = golden.run(network, images, core=core)
        spikes = sum((times < network.steps).sum() for times in outcome.spike_time.values())
        decides = network.neuron is Neuron.STEP
        further = first_spikes(network, outcome, images, labels) if decides else {}
    alive = [la.weights.size if la.alive is None else la.alive.sum() for la in network.layers]
    facts: dict[str, Any] = {
        "variant": variant.name,
        "digest": network.digest,
        "core": name,
        "steps": network.steps,
        "weight_bits": max(layer.weight_bits for layer in network.layers),
        "layers": [network.pixels, *(layer.neurons for layer in network.layers)],
        "synapses": sum(la.weights.size for la in network.layers),
        "connectivity": float(sum(alive) / sum(la.weights.size for la in network.layers)),
        "images": len(labels),
        "accuracy": _share(np.array(network.labels)[outcome.predicted] == labels),
        "spikes": float(spikes / len(labels)),
    }
    for counter in ("events", "synops", "macs", "cycles"):
        known = counter in outcome.counters
        facts[counter] = float(outcome.counters[counter].mean()) if known else None
    return facts | further | variant.facts


def first_spikes(
    network: Network, outcome: Outcome, images: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """Return what there is to know of a network that decides early.

    ``mean_step`` of the decision, and the share of ``forced`` ones; ``last_accuracy``, of the
    largest overshoot after the last step; and ``lenient_accuracy``, which counts all ties as hits:
    an image is right if an output of its class is among those that fire first. It is there to be
    compared with publications, and nothing is ranked by it.
    """
    classes = np.array(network.labels)
    last = golden.run(network, images, early_exit=False).last_predicted
    first = outcome.spike_time[network.layers[-1].name] == outcome.decision_step[:, None]
    first &= outcome.forced[:, None] == 0
    hit = (first & (classes == labels[:, None])).any(axis=1)
    hit |= (outcome.forced == 1) & (classes[outcome.predicted] == labels)
    return {
        "mean_step": float(outcome.decision_step.mean()),
        "forced": _share(outcome.forced == 1),
        "last_accuracy": _share(classes[last] == labels),
        "lenient_accuracy": _share(hit),
    }


def _share(found: np.ndarray) -> float:
    return float(found.mean())
