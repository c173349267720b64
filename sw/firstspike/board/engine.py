"""The engine ``board``: a core at a serial port, behind the interface of all engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from firstspike.board.device import Device
from firstspike.board.link import Link
from firstspike.board.serial import BAUD, open_serial
from firstspike.counters import learn_counters, multispike_counters, run_counters, winners
from firstspike.errors import InputError
from firstspike.learning import LearningState, LearnOutcome, Rule
from firstspike.network import AnyNetwork, MultiSpikeNetwork
from firstspike.outcome import Outcome
from firstspike.spec import CoreSpec

__all__ = ["TIMEOUT", "BoardEngine", "check_core"]

#: Seconds without a byte after which one is taken to be lost: a simulated board may be slow. What
#: was damaged is noticed at once, and only what vanished without a trace is waited for.
TIMEOUT = 2.0


def check_core(device: Device, core: CoreSpec) -> None:
    """Refuse a board whose core is not ``core``.

    Raises
    ------
    InputError
        Naming the first parameter that differs.
    """
    if device.core == core:
        return
    ours, theirs = (str(spec).split() for spec in (core, device.core))
    first = next(i for i in range(len(ours)) if ours[i] != theirs[i])
    raise InputError(
        f"the board's core has {theirs[first]}, not {ours[first]}: give the core of its bitstream, "
        "or none"
    )


class BoardEngine:
    """A board at a serial port.

    Spike times and potentials are not read, nor the cycles of the whole run: what an outcome holds
    are decisions, steps and counters.

    Parameters
    ----------
    port : str
        Name of the port.
    baud : int
        Its rate.
    timeout : float
        See `firstspike.board.link.Link`.

    Attributes
    ----------
    device : Device
        The board, connected.
    lost : int
        Stimuli that were learned from, but whose records were lost on the way.

    Raises
    ------
    InputError
        If the port cannot be opened, or no core answers there.
    """

    def __init__(self, port: str | None = None, baud: int = BAUD, timeout: float = TIMEOUT) -> None:
        if port is None:
            raise InputError("engine board needs a serial port: --port P")
        serial = open_serial(port, baud)
        self.device = Device(Link(serial, timeout=timeout))
        self.lost = 0
        try:
            self.device.connect()
        except InputError:
            serial.close()
            raise
        self._state: LearningState | None = None
        self._rule: Rule | None = None

    @property
    def core(self) -> CoreSpec:
        """The board's core."""
        return self.device.core

    def close(self) -> None:
        """Give the port back."""
        self.device.link.close()

    def run(
        self,
        network: AnyNetwork,
        core: CoreSpec,
        images: np.ndarray,
        *,
        early_exit: bool = True,
        progress: Callable[[int], None] | None = None,
        trace: Path | None = None,
    ) -> Outcome:
        """See `firstspike.engines.Engine.run`; ``core`` must be the board's."""
        if trace is not None:
            raise InputError("engine board gives no trace: use pysim or rtl")
        check_core(self.device, core)
        self._state = None
        self.device.load(network, early_exit=early_exit)
        record = self.device.classify(images, progress).fields
        if isinstance(network, MultiSpikeNetwork):
            steps = np.full(len(images), network.steps)
            if not network.coding.numeric:
                # A core that waits for spikes on the wire counts that, too.
                record = {name: values for name, values in record.items() if name != "cycles"}
            counters = multispike_counters(network, images, record, None)
        else:
            steps, counters = record["step"], run_counters(record, network.neuron, core)
        return Outcome(
            predicted=record["winner"],
            decision_step=steps,
            forced=record["forced"],
            last_predicted=record["last"],
            potential=np.zeros((len(images), 0), np.int64),
            spike_time={},
            counters=counters,
        )

    def learn(
        self,
        rule: Rule,
        core: CoreSpec,
        state: LearningState,
        images: np.ndarray,
        labels: np.ndarray | None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> LearnOutcome:
        """See `firstspike.engines.LearningEngine.learn`; ``core`` must be the board's."""
        check_core(self.device, core)
        # The board goes on from what it has become.
        if state is not self._state or rule is not self._rule:
            self.device.load_learner(rule, state)
        self._state = None
        records = self.device.learn(images, labels, progress)
        final = self.device.read_state()
        self._rule, self._state = rule, final
        self.lost += len(records.lost)
        record = records.fields
        return LearnOutcome(
            winner=winners(record, rule),
            decision_step=record["step"],
            state=final,
            counters=learn_counters(record),
        )
