"""The bench: speed of the simulated core, of the golden model, and rates of all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from firstspike import data, golden
from firstspike.boards import BOARDS
from firstspike.cores import PRESETS
from firstspike.engines import open_engine
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.learning.plan import make_plan
from firstspike.learning.recipe import load_learning_recipe
from firstspike.network import Network, load_network
from firstspike.shipped import find_network, find_recipe
from firstspike.speed.figures import Figure, timed

__all__ = ["bench", "core_rates", "steps"]

#: Networks whose rate on every core is told, of learning cores and of the others.
_RATED = {True: ("digits-stdp", "mnist-stdp"), False: ("digits", "mnist")}
#: Images that a rate is the mean of.
_IMAGES = 500
#: The test images of `digits`, this many times: enough that starting the simulator weighs little.
_TIMES = 20


def steps(runs: int) -> int:
    """Return how often `bench` calls ``told``."""
    return 3 * runs


def bench(runs: int, told: Callable[[], None]) -> dict[str, Figure]:
    """Return all figures by a name that stays the same between commits.

    Parameters
    ----------
    runs : int
        How often each work is repeated.
    told : callable
        Called after each of `steps`.

    Raises
    ------
    InputError
        If a package is not installed.
    """
    network = load_network(find_network("digits"))
    core = PRESETS["default"]
    images = data.load("digits").test_images
    many = np.tile(images.reshape(len(images), -1), (_TIMES, 1))
    rtl = open_engine("rtl")
    plan = make_plan(load_learning_recipe(find_recipe("digits-stdp")))
    learner, state, rule = open_engine("golden"), plan.first_state(), plan.rules[0]

    def simulate() -> int:
        cycles = rtl.run(network, core, many).total_cycles
        assert cycles is not None
        return cycles

    def infer() -> int:
        return len(golden.run(network, many, core=core).predicted)

    def learn() -> int:
        core_of = PRESETS["learner-digits"]
        outcome = learner.learn(rule, core_of, state, plan.images, plan.labels)  # type: ignore[attr-defined]
        return len(outcome.winner)

    figures = {
        "rtl-cycles": timed(
            "engine rtl, digits, core default: simulated cycles, Python and files included",
            "cycles/s", simulate, runs, told,
        ),
        "golden-images": timed(
            "golden model, digits: images with all cycles of the core", "images/s", infer, runs,
            told,
        ),
        "golden-stimuli": timed(
            "golden model, digits-stdp: stimuli learned with all cycles of the core", "stimuli/s",
            learn, runs, told,
        ),
    }  # fmt: skip
    return figures | core_rates()


def core_rates() -> dict[str, Figure]:
    """Return images a second of every board's cores, by the cost model, without the link.

    What does not fit a core, and what a data set is missing for, is left out.
    """
    found = {}
    cycles: dict[tuple[str, str], float] = {}
    for board in BOARDS.values():
        for name in board.cores:
            for network, images in _fitting(_RATED[PRESETS[name].learning], name):
                # Boards share cores, and cycles are the same on all of them.
                if (name, network.name) not in cycles:
                    total = golden.run(network, images, core=PRESETS[name]).total_cycles
                    assert total is not None
                    cycles[name, network.name] = total / len(images)
                found[f"rate-{board.name}-{name}-{network.name}"] = Figure.of(
                    f"{board.name}, core {name}: {network.name}, first {len(images)} test images",
                    "images/s",
                    [board.clock_of(PRESETS[name]) / cycles[name, network.name]],
                    modelled=True,
                )
    return found


def _fitting(names: tuple[str, ...], core: str) -> Iterator[tuple[Network, np.ndarray]]:
    """Yield the networks that fit the core, with images to run them on."""
    for name in names:
        network = load_network(find_network(name))
        try:
            check_fit(network, PRESETS[core])
            images = data.load(name.removesuffix("-stdp")).test_images[:_IMAGES]
        except InputError:
            continue
        yield network, images.reshape(len(images), -1)
