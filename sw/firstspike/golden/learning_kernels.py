"""The inner loops of learning, compiled with Numba; `learning_fast` is what calls them.

Two copies of the weights are kept, one with a row for each input, to add, and one with a row for
each neuron, to change. A dead synapse has weight 0, so adding need not ask which are alive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from firstspike import learning_cost, spec
from firstspike.compiled import compiler
from firstspike.learning_cost import Course, account
from firstspike.spec import (
    INTENSITY_MAX,
    LEARNED_THRESHOLD_MAX,
    MASK_BITS,
    OFFSET_LIMIT,
    RANDOM_FEEDBACK,
    RANDOM_SHIFTS,
    RANDOM_SPREAD,
    THRESHOLD_MIN,
)

__all__ = [
    "RECORD",
    "Fixed",
    "Net",
    "Scratch",
    "inference",
    "scratch",
    "supervised",
    "unsupervised",
]

#: Columns of the kernels' result.
RECORD = (
    "winner",
    "decision_step",
    "events",
    "synops",
    "stdp_visits",
    "stdp_changes",
    "pruned",
    "forced",
    "over_threshold",
    "ties",
)

_jit = compiler(__file__, learning_cost.__file__, spec.__file__)


class Fixed(NamedTuple):
    """What does not change while learning goes on."""

    lut: np.ndarray
    table: np.ndarray
    finer: int
    homeostasis: int
    below: int
    after: int
    min_fan_in: int
    own: int
    other: int
    reward: bool
    error_step: int
    core: np.ndarray


class Net(NamedTuple):
    """What learns; ``single`` holds the random register and the number of stimuli seen."""

    rows: np.ndarray
    columns: np.ndarray
    live: np.ndarray
    row_live: np.ndarray
    column_live: np.ndarray
    threshold: np.ndarray
    offset: np.ndarray
    group: np.ndarray
    single: np.ndarray


class Scratch(NamedTuple):
    """What is true of one stimulus.

    ``order`` has the inputs by spike time, those of step t at ``begin[t] : begin[t + 1]``; ``d``
    the overshoot of each neuron; ``turned`` the low byte of each rotation of the random register.
    An update has a row in ``updates`` (neuron, visits, changes, removals,
    words of the mask that lost some), in ``new`` (weights) and
    in ``killed`` (inputs).
    """

    times: np.ndarray
    order: np.ndarray
    begin: np.ndarray
    d: np.ndarray
    turned: np.ndarray
    updates: np.ndarray
    new: np.ndarray
    killed: np.ndarray


def scratch(inputs: int, neurons: int, steps: int) -> Scratch:
    """Return room for a stimulus."""
    return Scratch(
        times=np.empty(inputs, np.int64),
        order=np.empty(inputs, np.int64),
        begin=np.empty(steps + 1, np.int64),
        d=np.empty(neurons, np.int32),
        turned=np.empty(32, np.int64),
        updates=np.empty((2, 5), np.int64),
        new=np.empty((2, inputs), np.uint8),
        killed=np.empty((2, inputs), np.int64),
    )


@_jit
def _sort(pixels, lut, s):
    """Find spike times, and the inputs of each step in ascending order."""
    never = len(s.begin) - 1
    s.begin[:] = 0
    n = len(pixels)
    for i in range(len(s.times)):
        # Inputs behind the pixels are the OFF channel.
        t = lut[pixels[i]] if i < n else lut[INTENSITY_MAX - pixels[i - n]]
        s.times[i] = t
        if t < never:
            s.begin[t + 1] += 1
    for t in range(never):
        s.begin[t + 1] += s.begin[t]
    place = s.begin.copy()
    for i in range(len(s.times)):
        t = s.times[i]
        if t < never:
            s.order[place[t]] = i
            place[t] += 1


@_jit
def _start(threshold, offset, group, label, own, other, d):
    """Start below the threshold in force, so that firing is a sign.

    Neurons of class ``label`` have the handicap ``own``; without a label, -1, none has any.
    """
    for j in range(len(d)):
        handicap = 0
        if label >= 0:
            handicap = own if group[j] == label else other
        d[j] = min(-THRESHOLD_MIN, offset[group[j]] - threshold[j] - handicap)


@_jit
def _integrate(rows, finer, s):
    """Run steps until a neuron fires; return the last step and whether one fired."""
    for t in range(len(s.begin) - 1):
        if s.begin[t] == s.begin[t + 1]:
            # All were below their thresholds, and no event came.
            continue
        for k in range(s.begin[t], s.begin[t + 1]):
            row = rows[s.order[k]]
            for j in range(len(s.d)):
                s.d[j] += np.int32(row[j]) << finer
        top = s.d[0]
        for j in range(len(s.d)):
            top = max(top, s.d[j])
        if top >= 0:
            return t, True
    return len(s.begin) - 2, False


@_jit
def _best(d):
    """Return the largest d's neuron, how many others equal it, and how many reach 0."""
    best = 0
    ties = over = 0
    for j in range(len(d)):
        over += d[j] >= 0
        if d[j] > d[best]:
            best = j
            ties = 0
        elif j != best and d[j] == d[best]:
            ties += 1
    return best, ties, over


@_jit
def _begin(net, s):
    """Count the stimulus, and move the random register by 32 shifts."""
    lfsr = net.single[0]
    for _ in range(RANDOM_SHIFTS):
        lfsr = (lfsr >> 1) ^ (RANDOM_FEEDBACK if lfsr & 1 else 0)
    for k in range(32):
        s.turned[k] = ((lfsr >> k) | (lfsr << (32 - k))) & 255
    net.single[0] = lfsr
    net.single[1] += 1


@_jit
def _update(fixed, net, s, slot, j, last, wrong):
    """Walk the live synapses of neuron ``j``; what is found stays in scratch."""
    most = fixed.table.shape[1] - 1
    column, live = net.columns[j], net.live[j]
    new, killed = s.new[slot], s.killed[slot]
    fan_in = 0
    for word in range(net.column_live.shape[1]):
        fan_in += net.column_live[j, word]
    # A bound of 0 removes nothing.
    below = fixed.below if net.single[1] >= fixed.after else 0
    visits = changes = kills = words = 0
    shrunk = -1
    for i in range(len(column)):
        w = np.int64(column[i])
        new[i] = w
        if not live[i]:
            continue
        visits += 1
        r = (s.turned[i & 31] ^ (RANDOM_SPREAD * i)) & 255
        after = w
        if s.times[i] <= last:
            change = (fixed.table[1, w] + r) >> 8
            after = max(0, w - change) if wrong else min(most, w + change)
        elif not wrong:
            after = max(0, w - ((fixed.table[0, w] + r) >> 8))
        if after < below and fan_in > fixed.min_fan_in:
            after = 0
            fan_in -= 1
            killed[kills] = i
            kills += 1
            if i // MASK_BITS != shrunk:
                shrunk = i // MASK_BITS
                words += 1
        changes += after != w
        new[i] = after
    s.updates[slot, 0] = j
    s.updates[slot, 1] = visits
    s.updates[slot, 2] = changes
    s.updates[slot, 3] = kills
    s.updates[slot, 4] = words


@_jit
def _write_back(net, s, slot):
    """Store a column, and take what was removed off the counts of live synapses."""
    j = s.updates[slot, 0]
    new = s.new[slot]
    for i in range(len(new)):
        if net.columns[j, i] != new[i]:
            net.columns[j, i] = new[i]
            net.rows[i, j] = new[i]
    bank = j % net.row_live.shape[1]
    for k in range(s.updates[slot, 3]):
        i = s.killed[slot, k]
        net.live[j, i] = False
        net.row_live[i, bank] -= 1
        net.column_live[j, i // MASK_BITS] -= 1


@_jit
def _raise(net, j, step):
    net.threshold[j] = min(LEARNED_THRESHOLD_MAX, net.threshold[j] + step)


@_jit
def _settle_if_due(net, group):
    """Take an offset that has grown large off the thresholds; tell whether that was so."""
    due = net.offset[group] >= OFFSET_LIMIT
    if due:
        for j in range(len(net.threshold)):
            if net.group[j] == group:
                net.threshold[j] = max(THRESHOLD_MIN, net.threshold[j] - net.offset[group])
        net.offset[group] = 0
    return due


@_jit
def _finish(
    fixed, net, s, updates, course, target, renewed, winner, last, fired, ties, over, out, cost
):  # fmt: skip
    """Account for the stimulus, store its updates, and write its record."""
    if fixed.core[0] > 0:
        account(
            fixed.core, s.order, s.begin, last, -1, course, net.row_live, net.column_live,
            s.updates[:updates], net.group, target, renewed, cost,
        )  # fmt: skip
    synops = 0
    for k in range(s.begin[last + 1]):
        for bank in range(net.row_live.shape[1]):
            synops += net.row_live[s.order[k], bank]
    visits = changes = kills = 0
    for slot in range(updates):
        visits += s.updates[slot, 1]
        changes += s.updates[slot, 2]
        kills += s.updates[slot, 3]
        _write_back(net, s, slot)
    out[0] = winner
    out[1] = last if fired else len(s.begin) - 1
    out[2] = s.begin[last + 1]
    out[3] = synops
    out[4] = visits
    out[5] = changes
    out[6] = kills
    out[7] = not fired
    out[8] = over
    out[9] = ties


@_jit
def unsupervised(images, fixed, net, s, record, cost):
    """Learn from images; the winner learns, whoever it is."""
    for n in range(len(images)):
        _begin(net, s)
        _sort(images[n], fixed.lut, s)
        _start(net.threshold, net.offset, net.group, -1, 0, 0, s.d)
        last, fired = _integrate(net.rows, fixed.finer, s)
        best, ties, over = _best(s.d)
        if fired:
            _update(fixed, net, s, 0, best, last, False)
            _raise(net, best, len(s.d) * fixed.homeostasis)
        net.offset[0] += fixed.homeostasis
        renewed = _settle_if_due(net, 0)
        _finish(
            fixed, net, s, int(fired), Course.WINNER if fired else Course.SILENT, 0, renewed,
            best if fired else -1, last, fired, ties, over, record[n], cost[n],
        )  # fmt: skip


@_jit
def supervised(images, labels, size, fixed, net, s, record, cost):
    """Learn from images with labels; ``size`` is the number of neurons of each class."""
    for n in range(len(images)):
        label = labels[n]
        _sort(images[n], fixed.lut, s)
        _start(net.threshold, net.offset, net.group, label, fixed.own, fixed.other, s.d)
        if label >= 0:
            _begin(net, s)
        last, fired = _integrate(net.rows, fixed.finer, s)
        a, ties, over = _best(s.d)
        updates = 0
        course = Course.INFERENCE
        renewed = False
        if label >= 0 and net.group[a] == label:
            course = Course.RIGHT
            if fixed.reward:
                _update(fixed, net, s, 0, a, last, False)
                updates = 1
                course = Course.WINNER
            _raise(net, a, size[label] * fixed.homeostasis)
            net.offset[label] += fixed.homeostasis
            renewed = _settle_if_due(net, label)
        elif label >= 0:
            b = -1
            for j in range(len(s.d)):
                if net.group[j] == label and (b < 0 or s.d[j] > s.d[b]):
                    b = j
            updates = 2
            course = Course.WRONG
            _update(fixed, net, s, 0, a, last, True)
            _update(fixed, net, s, 1, b, last, False)
            _raise(net, a, fixed.error_step)
            net.threshold[b] = max(THRESHOLD_MIN, net.threshold[b] - fixed.error_step)
        _finish(
            fixed, net, s, updates, course, max(0, label), renewed, a, last, fired, ties, over,
            record[n], cost[n],
        )  # fmt: skip


@_jit
def inference(images, lut, finer, rows, threshold, s, record):
    """Classify images, with the thresholds in force."""
    nothing = np.zeros(1, np.int64)
    group = np.zeros(len(threshold), np.int64)
    for n in range(len(images)):
        _sort(images[n], lut, s)
        _start(threshold, nothing, group, -1, 0, 0, s.d)
        last, fired = _integrate(rows, finer, s)
        record[n, 0] = _best(s.d)[0]
        record[n, 1] = last if fired else len(s.begin) - 1
