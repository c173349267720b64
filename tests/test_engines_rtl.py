"""The core's Verilog against the golden model: many networks on a few cores.

What these saw fail: a core with one bank, and one without magnitudes, whose Verilog had wires of
no bits; a core for multi-spike networks, whose registers held what other networks left there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from firstspike import golden
from firstspike.outcome import first_difference
from firstspike.spec import CoreSpec, Neuron
from firstspike_sim.bench_cases import draw_case, draw_images, draw_network, features
from firstspike_sim.rtl import RtlEngine

pytestmark = pytest.mark.rtl

SMALL = CoreSpec(
    banks=2, word=2, weight_bits=4, time_bits=4, potential_bits=18, max_inputs=64,
    weight_rows=1024, state_rows=16,
)  # fmt: skip
ROW_PARALLEL = CoreSpec(
    banks=1, word=16, weight_bits=3, time_bits=5, potential_bits=20, max_inputs=128,
    weight_rows=512, state_rows=16, pixels=8,
)  # fmt: skip
#: Its memories hold anything at power-up, also where only other kinds of networks look.
ANY_KIND = replace(SMALL, multispike=True, sparse=True)
#: Those that `make test` leaves out.
MORE = {
    "1 bit": CoreSpec(
        banks=1, word=32, weight_bits=1, time_bits=3, ramp=False, potential_bits=10,
        max_inputs=128, weight_rows=512, state_rows=8, pixels=16,
    ),
    "16 banks": CoreSpec(
        banks=16, word=1, weight_bits=8, time_bits=4, potential_bits=24, max_inputs=64,
        weight_rows=512, state_rows=16, pixels=32, max_layers=8,
    ),
    "256 steps": CoreSpec(
        banks=4, word=4, weight_bits=2, time_bits=8, potential_bits=20, max_inputs=64,
        weight_rows=512, state_rows=16,
    ),
    "parts": CoreSpec(
        banks=2, word=8, weight_bits=5, time_bits=6, potential_bits=20, max_inputs=100,
        weight_rows=512, state_rows=16, pixels=8,
    ),
}  # fmt: skip
ANYWHERE = {
    "step network", "several words", "a part of a word", "ties", "forced", "silent", "decided",
    "decided late", "several over", "hidden spikes", "spikes in the queue", "forwarding",
    "OFF channel", "on to the last step", "steps without events", "core-bound",
}  # fmt: skip


def check(core: CoreSpec, seeds: range, count: int) -> Counter:
    """Run random cases on one core; half of them with pauses, each from another power-up."""
    seen = Counter()
    for seed in seeds:
        case = draw_case(seed, core=core, count=count)
        expected = golden.run(case.network, case.images, core=core, early_exit=case.early_exit)
        pause = 120 * (seed % 2)
        found = RtlEngine(pause=pause, seed=seed + 1).run(
            case.network, core, case.images, early_exit=case.early_exit
        )
        difference = first_difference(found, expected)
        # With pauses a run takes longer, and that is all.
        if pause and difference is not None and difference.quantity == "total_cycles":
            assert difference.left > difference.right
            difference = None
        assert difference is None, f"case {seed}: {difference}"
        seen += features(case, expected)
    wanted = ANYWHERE | ({"ramp network", "hidden clipped"} if core.ramp else set())
    assert all(seen[name] for name in wanted), {name for name in wanted if not seen[name]}
    return seen


@pytest.mark.parametrize(
    "core", [SMALL, ROW_PARALLEL, ANY_KIND], ids=["banks", "row-parallel", "any kind"]
)
def test_random_networks(core):
    check(core, range(12), 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_more_cores(name):
    check(MORE[name], range(100, 140), 60)


@pytest.mark.parametrize("neuron", Neuron)
def test_any_order_and_any_power_up(neuron):
    rng = np.random.default_rng(5)
    network = draw_network(rng, SMALL, neuron=neuron)
    images = draw_images(rng, network, 60)
    expected = golden.run(network, images, core=SMALL).arrays()
    del expected["total_cycles"]
    for seed in (2, 3):
        order = np.concatenate([rng.permutation(60), rng.permutation(60)])
        found = RtlEngine(seed=seed).run(network, SMALL, images[order]).arrays()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array[order], err_msg=name)


def alive(group: int) -> bool:
    """Tell whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; tell whether it does."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


LEARN = ["learn", "digits-stdp", "--engine", "rtl", "--epochs", "1000", "-o", "net"]
COMPARE = ["compare", "--learn", "digits-stdp", "--engines", "golden,rtl", "--epochs", "40"]

#: A shell that starts these tests in the background has them ignore interruptions.
INTERRUPTIBLE = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from firstspike.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("words", "number", "status"),
    [
        (LEARN, signal.SIGTERM, 143),
        (LEARN, signal.SIGINT, 130),
        ([*COMPARE, "--jobs", "2"], signal.SIGTERM, 143),
        ([*COMPARE, "--jobs", "2"], signal.SIGINT, 130),
    ],
)
def test_a_signal_ends_the_simulator(tmp_path, words, number, status):
    """Python alone would leave a simulator behind that goes on for hours, and its files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *words],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        # The simulator writes them.
        assert until(lambda: any(temporary.glob("*/records")), 240)
        if number == signal.SIGINT:
            # As a terminal does.
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == status
        assert said in {"firstspike: interrupted\n", "firstspike: terminated\n"}
        assert until(lambda: not alive(process.pid), 20)
        assert not list(temporary.iterdir())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
