"""Write norse.nir and spikingjelly.nir, with what each library computed, in spikes.npz.

    python -m venv V
    V/bin/pip install torch==2.13.0 norse==1.1.0 spikingjelly==2.0.0 nir==1.0.8 nirtorch==2.6
    V/bin/python tests/nir_files/write.py

Both libraries bring torchvision along, so that the tests read these files instead of them.
"""

from __future__ import annotations

from pathlib import Path

import nir
import norse.torch
import numpy as np
import torch
from norse.torch.utils.export_nir import to_nir
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir
from torch import nn

FOLDER = Path(__file__).parent
PIXELS, HIDDEN, OUTPUTS, IMAGES, STEPS = 64, 12, 10, 20, 8


def linears() -> tuple[nn.Linear, nn.Linear]:
    """Return two layers whose neurons fire neither never nor always."""
    first, second = nn.Linear(PIXELS, HIDDEN), nn.Linear(HIDDEN, OUTPUTS, bias=False)
    with torch.no_grad():
        first.weight.normal_(0.0, 0.4)
        second.weight.normal_(0.0, 1.2)
    return first, second


def of_norse(images: torch.Tensor) -> list[np.ndarray]:
    """Two layers of LIFBoxCell, 1 ms a step, which keep 7/8 of their potential."""
    first, second = linears()
    with torch.no_grad():
        # Inputs count dt / tau = 1/8.
        first.weight *= 4.0
        second.weight *= 4.0
    parameters = norse.torch.LIFBoxParameters(
        tau_mem_inv=torch.full((HIDDEN,), 125.0),
        v_th=torch.ones(HIDDEN),
        v_leak=torch.zeros(HIDDEN),
        v_reset=torch.zeros(HIDDEN),
    )
    behind = norse.torch.LIFBoxParameters(
        tau_mem_inv=torch.full((OUTPUTS,), 125.0),
        v_th=torch.ones(OUTPUTS),
        v_leak=torch.zeros(OUTPUTS),
        v_reset=torch.zeros(OUTPUTS),
    )
    net = norse.torch.SequentialState(
        first, norse.torch.LIFBoxCell(parameters), second, norse.torch.LIFBoxCell(behind)
    )
    graph = to_nir(net, images[:1])
    nir.write(FOLDER / "norse.nir", graph)
    spikes, states = [[], []], [None, None]
    with torch.no_grad():
        for _ in range(STEPS):
            sent, states[0] = net[1](first(images), states[0])
            spikes[0].append(sent)
            sent, states[1] = net[3](second(sent), states[1])
            spikes[1].append(sent)
    return [torch.stack(train).bool().numpy() for train in spikes]


def of_spikingjelly(images: torch.Tensor) -> list[np.ndarray]:
    """Return the spikes of an IFNode, then an LIFNode that keeps half of its potential."""
    first, second = linears()
    net = nn.Sequential(
        layer.Linear(PIXELS, HIDDEN),
        neuron.IFNode(),
        layer.Linear(HIDDEN, OUTPUTS, bias=False),
        neuron.LIFNode(tau=2.0, decay_input=False),
    )
    net[0].load_state_dict(first.state_dict())
    net[2].load_state_dict(second.state_dict())
    export_to_nir(net, images[:1], save_path=FOLDER / "spikingjelly.nir", dt=1e-4)
    functional.reset_net(net)
    spikes = [[], []]
    with torch.no_grad():
        for _ in range(STEPS):
            sent = net[1](net[0](images))
            spikes[0].append(sent)
            sent = net[3](net[2](sent))
            spikes[1].append(sent)
    return [torch.stack(train).bool().numpy() for train in spikes]


def main() -> None:
    """Write all three files."""
    torch.manual_seed(1)
    images = torch.randint(0, 256, (IMAGES, PIXELS))
    values = images.float() / 255
    found = {"images": images.numpy().astype(np.uint8)}
    for name, spikes in (("norse", of_norse(values)), ("spikingjelly", of_spikingjelly(values))):
        for number, train in enumerate(spikes):
            assert 0.05 < train.mean() < 0.95, (name, number, train.mean())
            found[f"{name}{number}"] = train
    np.savez_compressed(FOLDER / "spikes.npz", **found)


if __name__ == "__main__":
    main()
