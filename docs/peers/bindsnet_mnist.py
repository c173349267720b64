"""Learn MNIST with BindsNET, and write how fast and how good it was; see ../learning-peers.md.

It runs in an environment of its own, which has nothing of this project::

    python3 -m venv bindsnet-env
    bindsnet-env/bin/pip install torch==2.13.0 'numpy<3' 'scipy<2' 'scikit-learn<2' 'pandas<4' \
        'matplotlib<4' opencv-python-headless scikit-image tqdm tensorboardX gymnasium ale-py
    bindsnet-env/bin/pip install --no-deps bindsnet==0.3.4
    bindsnet-env/bin/python docs/peers/bindsnet_mnist.py FOLDER -o FILE.json

FOLDER is where the four IDX files of MNIST lie, unpacked; ``firstspike data mnist`` says where.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_CLASSES = 10
_NEURONS = 100
#: Milliseconds that an image is shown for, in steps of one.
_STEPS = 250
#: The rate of a white pixel, in Hz.
_INTENSITY = 128.0


class _StandIn(types.ModuleType):
    """A module that has a class of any name."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _load_bindsnet() -> None:
    """Import BindsNET beside a torch without CUDA.

    It imports torchvision for data sets and pictures, neither of which is used here, and the one
    that is on PyPI for Linux cannot be imported beside such a torch.
    """
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        for name in ("torchvision", "torchvision.datasets", "torchvision.utils"):
            sys.modules[name] = _StandIn(name)
        package: Any = sys.modules["torchvision"]
        package.datasets = sys.modules["torchvision.datasets"]
        package.transforms = sys.modules["torchvision.transforms"] = _StandIn("transforms")
        package.utils = sys.modules["torchvision.utils"]
    importlib.import_module("bindsnet")


def _read(folder: Path, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first images, uint8 of shape (count, 784), and their labels, int64."""
    images = np.fromfile(folder / f"{split}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(folder / f"{split}-labels-idx1-ubyte", np.uint8)[8:]
    return images[:count], labels[:count].astype(np.int64)


class _Model:
    """The network, with the numbers of BindsNET's own example ``eth_mnist.py``."""

    def __init__(self) -> None:
        self.torch: Any = importlib.import_module("torch")
        models: Any = importlib.import_module("bindsnet.models")
        monitors: Any = importlib.import_module("bindsnet.network.monitors")
        self.poisson: Any = importlib.import_module("bindsnet.encoding").poisson
        self.network = models.DiehlAndCook2015(
            n_inpt=784,
            n_neurons=_NEURONS,
            exc=22.5,
            inh=120.0,
            dt=1.0,
            norm=78.4,
            theta_plus=0.05,
            inpt_shape=(784,),
        )
        self.monitor = monitors.Monitor(self.network.layers["Ae"], state_vars=["s"], time=_STEPS)
        self.network.add_monitor(self.monitor, name="spikes")

    def show(self, images: np.ndarray, *, learn: bool, note: str) -> tuple[Any, dict[str, float]]:
        """Show images, one after the other.

        Returns
        -------
        spikes : tensor of float32, shape (n, 1, 100)
            Spikes of each neuron, already summed over time.
        speed : dict of str to float
            Seconds that passed and seconds of the processor, encoding included, and images a second
            of either. Only the processor's do not depend on what else a machine does.
        """
        torch = self.torch
        self.network.train(learn)
        spikes = torch.zeros(len(images), 1, _NEURONS)
        start, busy = time.monotonic(), time.process_time()
        for i, image in enumerate(images):
            rates = torch.from_numpy(image.astype(np.float32)) / 255 * _INTENSITY
            self.network.run({"X": self.poisson(rates, time=_STEPS)}, time=_STEPS)
            spikes[i, 0] = self.monitor.get("s").view(_STEPS, _NEURONS).sum(0)
            self.network.reset_state_variables()
            if (i + 1) % 500 == 0:
                rate = (i + 1) / (time.monotonic() - start)
                print(f"{note}: {i + 1} of {len(images)}, {rate:.1f} a second", file=sys.stderr)
        seconds, busy = time.monotonic() - start, time.process_time() - busy
        return spikes, {
            "images": len(images),
            "seconds": seconds,
            "cpu_seconds": busy,
            "per_second": len(images) / seconds,
            "per_cpu_second": len(images) / busy,
        }


def _accuracies(model: _Model, assigned: Any, shown: Any, labels: np.ndarray) -> dict[str, float]:
    """Return the accuracy by each of BindsNET's two ways to decide; abstaining is wrong."""
    evaluation: Any = importlib.import_module("bindsnet.evaluation")
    truth = model.torch.from_numpy(labels)
    classes, proportions, _ = assigned
    guesses = {
        "all_activity": evaluation.all_activity(shown, classes, _CLASSES),
        "proportion_weighting": evaluation.proportion_weighting(
            shown, classes, proportions, _CLASSES
        ),
    }
    return {name: float((guess == truth).float().mean()) for name, guess in guesses.items()}


def main() -> None:
    """Learn, assign labels from training images, and test."""
    parser = argparse.ArgumentParser(description="Learn MNIST with BindsNET.")
    parser.add_argument("folder", type=Path, help="where the IDX files lie")
    parser.add_argument("-o", dest="output", type=Path, required=True, help="JSON to write")
    parser.add_argument("--train", type=int, default=10_000, help="images to learn from")
    parser.add_argument("--assign", type=int, default=2_000, help="the first so many of them")
    parser.add_argument("--test", type=int, default=1_000, help="images to test with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    args = parser.parse_args()

    _load_bindsnet()
    evaluation: Any = importlib.import_module("bindsnet.evaluation")
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    images, labels = _read(args.folder, "train", args.train)
    test_images, test_labels = _read(args.folder, "t10k", args.test)
    truth = torch.from_numpy(labels)
    first = slice(args.assign)

    model = _Model()
    learned, learning = model.show(images, learn=True, note="learning")
    shown, assigning = model.show(images[first], learn=False, note="assigning")
    tested, testing = model.show(test_images, learn=False, note="testing")
    by_learning = evaluation.assign_labels(learned, truth, _CLASSES)
    by_showing = evaluation.assign_labels(shown, truth[first], _CLASSES)
    facts = {
        "versions": {name: version(name) for name in ("bindsnet", "torch", "numpy")},
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "threads": args.threads,
        "seed": args.seed,
        "learning": learning,
        "assigning": assigning,
        "testing": testing,
        "spikes_per_image": {
            "learning": float(learned.sum(2).mean()),
            "testing": float(tested.sum(2).mean()),
        },
        "silent_test_images": float((tested.sum(2) == 0).float().mean()),
        "unassigned_neurons": int((by_showing[0] < 0).sum()),
        "accuracy": {
            "labels_from_a_pass_without_learning": _accuracies(
                model, by_showing, tested, test_labels
            ),
            "labels_from_spikes_while_learning": _accuracies(
                model, by_learning, tested, test_labels
            ),
        },
    }
    text = json.dumps(facts, indent=2) + "\n"
    draft = args.output.with_name(args.output.name + ".part")
    draft.write_text(text)
    draft.replace(args.output)
    print(text, end="")


if __name__ == "__main__":
    main()
