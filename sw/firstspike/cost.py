"""The cost model: every counter and every cycle of a core, from spike times alone.

The cycles follow the states of the sequencer and the stages of the pipeline behind it, as
docs/architecture.md describes them; tests hold them equal to the RTL. All arrays have one entry
per stimulus, and times are cycles since the stimulus began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from firstspike.fit import input_rows, state_words
from firstspike.network import Network
from firstspike.outcome import Outcome
from firstspike.spec import LEARNING_COUNTERS, CoreSpec, Neuron
from firstspike.walk import Run, Walk, listed_order

__all__ = [
    "BANK_STAGES",
    "Pipe",
    "floor_cycles",
    "follow",
    "name_spikes",
    "predict",
    "read_outputs",
    "total_cycles",
]

#: Cycles from the first word of a tick in the issue stage until the banks have its mask.
BANK_STAGES = 4
#: Cycles from a mask at the banks' end until the serializer can load it from its queue.
_QUEUE = 2
#: Cycles from the choice of a neuron in the serializer until it is handed on.
_NAME = 2
#: Cycles from a spike at the store until it is offered as an event.
_STORE = 2
#: Long before a stimulus began.
_PAST = -1000


@dataclass
class Pipe:
    """Walker and issue stage: when an item is accepted, and when the banks are done with it.

    Attributes
    ----------
    taken, end : ndarray of int64
        Of the item accepted last: the cycle in which the issue stage takes it from the walker, and
        the first one after its last word.
    """

    taken: np.ndarray
    end: np.ndarray

    @classmethod
    def idle(cls, n: int) -> Pipe:
        """Return the state of ``n`` cores that have done nothing for long."""
        past = np.full(n, _PAST)
        return cls(past, past)

    def accept(self, offered: np.ndarray, words: int | np.ndarray, where: np.ndarray) -> np.ndarray:
        """Accept an item where ``where``; return the cycle, which is ``offered`` or later."""
        accepted = np.maximum(offered, self.taken)
        taken = np.maximum(accepted + 1, self.end - 1)
        self._set(taken, words, where)
        return accepted

    def accept_run(self, offered: np.ndarray, run: Run) -> np.ndarray:
        """Accept events that stand ready one behind the other; return the last cycle.

        Where there are none nothing happens and the result has no meaning.
        """
        first = self.accept(offered, run.last, run.count > 0)
        # Each is accepted when the one before is taken, and taken with that one's last word.
        taken = self.taken + run.busy - run.last
        last = np.where(run.count > 1, taken - run.before, first)
        self._set(taken, run.last, run.count > 1)
        return last

    def _set(self, taken: np.ndarray, words: int | np.ndarray, where: np.ndarray) -> None:
        self.taken = np.where(where, taken, self.taken)
        self.end = np.where(where, taken + 1 + words, self.end)


def predict(
    network: Network,
    core: CoreSpec | None,
    times: np.ndarray,
    outcome: Outcome,
    named: dict[str, np.ndarray],
    *,
    early_exit: bool,
) -> Outcome:
    """Return ``outcome`` with its counters, and with the accesses and cycles of a core.

    Parameters
    ----------
    network : Network
        What ran.
    core : CoreSpec or None
        What it ran on; None leaves out what depends on it.
    times : ndarray of int64, shape (n, inputs)
        Input spike times.
    outcome : Outcome
        With decisions and spike times.
    named : dict of str to ndarray of bool, shape (n, neurons)
        RAMP: which neurons of each hidden layer have a potential of at least 0.
    early_exit : bool
        Whether stimuli ended at the decision.
    """
    if core is not None and core.learning:
        # Compiled, so it needs a package that other cores do without.
        from firstspike.learning import predict as learning_predict

        return learning_predict.predict(network, core, times, outcome, early_exit=early_exit)
    n = len(times)
    step = network.neuron is Neuron.STEP
    none = np.zeros(n, np.int64)
    end = _last_step(network, outcome, early_exit)
    delivered = [times <= end[:, None]]
    delivered += [outcome.spike_time[layer.name] < network.steps for layer in network.layers[:-1]]
    arrived = [events.sum(axis=1) for events in delivered]
    operations = sum(
        (count * layer.neurons for count, layer in zip(arrived, network.layers, strict=True)), none
    )
    counters = outcome.counters | {
        "events": sum(arrived, none),
        "synops": operations if step else none,
        "macs": none if step else operations,
        **dict.fromkeys(LEARNING_COUNTERS, none),
    }
    if core is None:
        return replace(outcome, counters=counters)
    words = state_words(network, core)
    walks = _walks(network, core)
    added = sum((w.read(events) for w, events in zip(walks, delivered, strict=True)), none)
    if step:
        cycles, ticked, reads, starts = _step_cycles(
            network, core, walks, times, outcome, end, early_exit
        )
    else:
        cycles, ticked, reads, starts = _ramp_cycles(network, core, walks, times, outcome, named)
    rows = sum(words)
    counters |= {
        "weight_reads": core.banks * added,
        "state_reads": core.banks * (rows + added + ticked + reads),
        "state_writes": core.banks * (rows + added + (ticked if step else 0)),
        "cycles": cycles,
    }
    return replace(
        outcome,
        counters=counters,
        total_cycles=total_cycles(_insertions(network, core), network.steps, cycles, starts),
        floor_cycles=floor_cycles(network, core, times, outcome.spike_time, outcome.decision_step),
    )


def floor_cycles(
    network: Network,
    core: CoreSpec,
    times: np.ndarray,
    spike_time: dict[str, np.ndarray],
    decision_step: np.ndarray,
) -> np.ndarray:
    """Return the cycles that memory bandwidth alone asks for.

    The larger of the words of pixels, and the sum over all delivered events of the words of
    synapses that the busiest bank must read.

    Parameters
    ----------
    network, core : Network, CoreSpec
        What runs on what.
    times : ndarray of int64, shape (n, inputs)
        Input spike times.
    spike_time : dict of str to ndarray of int64, shape (n, neurons)
        Spike times of the layers.
    decision_step : ndarray of int64, shape (n,)
        Last step of each stimulus; T where it went on to the end.

    Returns
    -------
    ndarray of int64, shape (n,)
        Cycles.
    """
    last = np.minimum(decision_step, network.steps - 1)
    if core.learning:
        return _learning_floor(network, core, times, last)
    words = np.zeros((len(times), core.banks), np.int64)
    for walk, layer in zip(_walks(network, core), network.layers, strict=True):
        words += walk.need(times <= last[:, None])
        times = spike_time[layer.name]
    return np.maximum(words.max(axis=1), -(-network.pixels // core.pixels))


def _walks(network: Network, core: CoreSpec) -> list[Walk]:
    """Return the walk of each layer."""
    return [Walk.of(layer.scaled_weights, core) for layer in network.layers]


def _input_order(network: Network, core: CoreSpec) -> np.ndarray:
    """Return the order in which the inputs of one step come."""
    numbers = np.arange(network.inputs)
    if network.off:
        numbers[network.pixels :] += input_rows(network, core) - network.inputs
    return listed_order(numbers, core)


def _learning_floor(
    network: Network, core: CoreSpec, times: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return the floor of a learning core, whose banks meet at the end of a step."""
    layer = network.layers[0]
    alive = np.ones(layer.weights.shape, np.int64)
    if core.pruning and layer.alive is not None:
        alive = layer.alive.astype(np.int64)
    live = np.stack([alive[:, b :: core.banks].sum(axis=1) for b in range(core.banks)], axis=1)
    cycles = np.zeros(len(times), np.int64)
    for t in range(network.steps):
        busiest = ((times == t).astype(np.int64) @ live).max(axis=1)
        cycles += np.where(t <= last, busiest, 0)
    return np.maximum(cycles, -(-network.pixels // core.pixels))


def _last_step(network: Network, outcome: Outcome, early_exit: bool) -> np.ndarray:
    """Return the last step whose events were delivered."""
    most = network.steps - 1
    if not early_exit:
        return np.full(len(outcome.predicted), most)
    return np.minimum(outcome.decision_step, most)


def read_outputs(
    pipe: Pipe, offered: np.ndarray, core: CoreSpec, words: int, outputs: int, where: np.ndarray
) -> np.ndarray:
    """Return the cycle after that in which the potentials of the output layer were read."""
    pipe.accept(offered, words, where)
    done = pipe.taken + 1 + BANK_STAGES + 2 * words + outputs + 1
    pipe.end = np.where(where, done, pipe.end)
    return done + 1


def _step_cycles(
    network: Network,
    core: CoreSpec,
    walks: list[Walk],
    times: np.ndarray,
    outcome: Outcome,
    end: np.ndarray,
    early_exit: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return cycles, words ticked, words read, and when each step began, for a STEP network."""
    n = len(times)
    words = state_words(network, core)
    order = _input_order(network, core)
    outputs = network.outputs
    pipe = Pipe.idle(n)
    everywhere = np.ones(n, bool)
    pipe.accept(np.ones(n, np.int64), sum(words), everywhere)
    now = np.full(n, 2)
    ticked = np.zeros(n, np.int64)
    reads = np.zeros(n, np.int64)
    starts = np.full((n, network.steps), -1)
    for t in range(network.steps):
        runs = end >= t
        starts[:, t] = np.where(runs, now, -1)
        events = walks[0].run((times == t) & runs[:, None], order)
        last = pipe.accept_run(now + 2, events)
        done = np.where(events.count > 0, last + 1, now + 2)
        touched = events.count > 0
        for number, layer in enumerate(network.layers):
            pipe.accept(done + 1, words[number], touched)
            ticked += np.where(touched, words[number], 0)
            spikes = (outcome.spike_time[layer.name] == t) & touched[:, None]
            final = layer is network.layers[-1]
            masks = pipe.taken + 1 + BANK_STAGES
            ended, offered = name_spikes(masks, 1, core, spikes, words[number])
            if final:
                # The decision is read in the step of the first output spike.
                decides = touched & (outcome.decision_step == t)
                done = np.where(touched, ended, done)
                reads += np.where(decides, words[number], 0)
                read = read_outputs(pipe, done + 1, core, words[number], outputs, decides)
                now = np.where(runs, np.where(decides, read, done + 1), now)
            else:
                last = follow(pipe, offered, spikes, walks[number + 1])
                any_ = spikes.any(axis=1)
                done = np.where(
                    touched, np.where(any_, np.maximum(ended, last) + 1, ended + 1), done
                )
                touched = touched & any_
    # Where nothing decided, or where it did not end the stimulus, the potentials are read last.
    closing = (outcome.forced == 1) | (not early_exit)
    reads += np.where(closing, words[-1], 0)
    read = read_outputs(pipe, now, core, words[-1], outputs, closing)
    now = np.where(closing, read, now)
    return now - 1, ticked, reads, starts


def name_spikes(
    first: np.ndarray, apart: int, core: CoreSpec, spikes: np.ndarray, words: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return when a tick has named all spikes, and when each spike is offered as an event.

    Parameters
    ----------
    first : ndarray of int64, shape (n,)
        Cycle in which the banks have the mask of the first word.
    apart : int
        Cycles from a mask to the next.
    core : CoreSpec
        Uses lanes.
    spikes : ndarray of bool, shape (n, neurons)
        Who fires.
    words : int
        Words of the layer.

    Returns
    -------
    tuple of ndarray of int64, shapes (n,) and (n, neurons)
        The second one holds a time where ``spikes`` is true.
    """
    offered = np.zeros(spikes.shape, np.int64)
    loaded = finished = np.full(len(spikes), _PAST)
    for word in range(words):
        here = slice(word * core.lanes, (word + 1) * core.lanes)
        mask = spikes[:, here]
        loaded = np.maximum(first + word * apart + _QUEUE, finished)
        order = np.cumsum(mask, axis=1)
        offered[:, here] = loaded[:, None] + order + _NAME + _STORE
        finished = loaded + np.maximum(1, order[:, -1])
    return finished + _NAME, offered


def follow(pipe: Pipe, offered: np.ndarray, spikes: np.ndarray, walk: Walk) -> np.ndarray:
    """Let the next layer take spikes as they are offered; return when it accepted the last."""
    count = spikes.sum(axis=1)
    order = np.argsort(~spikes, axis=1, kind="stable")
    sorted_ = np.take_along_axis(offered, order, axis=1)
    accepted = np.full(len(spikes), _PAST)
    for k in range(int(count.max(initial=0))):
        there = count > k
        offer = np.maximum(sorted_[:, k], accepted + 1)
        accepted = np.where(there, pipe.accept(offer, walk.busy[order[:, k]], there), accepted)
    return accepted


def _ramp_cycles(
    network: Network,
    core: CoreSpec,
    walks: list[Walk],
    times: np.ndarray,
    outcome: Outcome,
    named: dict[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Return cycles, words ticked, words read, and when each step began, for a RAMP network."""
    n = len(times)
    words = state_words(network, core)
    order = _input_order(network, core)
    everywhere = np.ones(n, bool)
    pipe = Pipe.idle(n)
    pipe.accept(np.ones(n, np.int64), sum(words), everywhere)
    now = np.full(n, 2)
    starts = np.full((n, network.steps), -1)
    for t in range(1, network.steps):
        starts[:, t] = now
        events = walks[0].run(times == t, order)
        last = pipe.accept_run(now + 2, events)
        now = np.where(events.count > 0, last + 1, now + 2) + 1
    for number, layer in enumerate(network.layers[:-1]):
        pipe.accept(now, words[number], everywhere)
        load = pipe.taken + 1 + BANK_STAGES
        ended = load
        for word in range(words[number]):
            lanes = named[layer.name][:, word * core.lanes : (word + 1) * core.lanes].sum(axis=1)
            ended = load + np.maximum(1, lanes) + _NAME
            load = load + np.maximum(1, lanes) + 2
        pipe.end = ended
        # Through the divider, and once it is closed the whole piece is on offer.
        closed = ended + core.time_bits + 3
        events = walks[number + 1].run(outcome.spike_time[layer.name] < network.steps)
        last = pipe.accept_run(closed, events)
        now = np.where(events.count > 0, last + 1, closed) + 1
    read = read_outputs(pipe, now, core, words[-1], network.outputs, everywhere)
    return read - 1, np.full(n, sum(words[:-1])), words[-1], starts


def _insertions(network: Network, core: CoreSpec) -> int:
    """Return how many words the encoder puts into the lists for a stimulus."""
    return -(-network.pixels // core.pixels) * (2 if network.off else 1)


def total_cycles(insertions: int, lists: int, cycles: np.ndarray, starts: np.ndarray) -> int:
    """Return the cycles of the whole run, from the first pixel to the last result.

    The next stimulus is encoded while one runs, but stops for a cycle each time that the lists of
    a step are opened.

    Parameters
    ----------
    insertions : int
        Words of pixels of a stimulus, each channel by itself.
    lists : int
        Lists that the encoder empties before.
    cycles : ndarray of int64, shape (n,)
        Of each stimulus.
    starts : ndarray of int64, shape (n, lists)
        When the lists of each step are opened, counted from the begin of the stimulus; -1: never.
    """
    full = free = begin = finished = 0
    opened: list[int] = []
    for length, steps in zip(cycles.tolist(), starts.tolist(), strict=True):
        # Emptying the lists, a pause, the words of pixels, and a last cycle.
        emptied = _insert(max(full, free), lists, opened)
        full = _insert(emptied + 1, insertions, opened) + 1
        # The half of this stimulus was free when the one before the last had finished.
        free = finished + 1 if opened else 0
        begin = max(full, free)
        finished = begin + length + 1
        opened = [begin + cycle for cycle in steps if cycle >= 0]
    return finished + 1


def _insert(clock: int, count: int, opened: list[int]) -> int:
    """Return the cycle after ``count`` insertions from ``clock``, none in a cycle of ``opened``."""
    end = clock + count
    for cycle in opened:
        if clock <= cycle < end:
            end += 1
    return end
