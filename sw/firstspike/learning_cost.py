"""What a stimulus costs a learning core, to the cycle, from the live synapses that it met.

`account` is called by `firstspike.golden.learning_kernels` once a stimulus, compiled into it. The
cycles follow the states of the sequencer and the stages behind it, as docs/architecture.md
describes them; tests hold them equal to the RTL. Times are cycles since the first one of the
stimulus.
"""

from __future__ import annotations

import enum

import numba
import numpy as np

from firstspike.spec import QUEUE_DEPTH, CoreSpec

__all__ = ["COSTS", "REST", "STARTS", "Course", "account", "parameters", "total_cycles"]

#: What `account` writes, in this order; then, from `STARTS` on, the cycles in which lists were
#: opened.
COSTS = (
    "floor_cycles",
    "cycles",
    "weight_reads",
    "weight_writes",
    "mask_reads",
    "state_reads",
    "state_writes",
)
#: Column in which the cycles begin that lists were opened in; -1 where none was.
STARTS = len(COSTS)

#: Cycles from a synapse on offer until its lane is empty again.
_LANE = 5
#: Stages of an update.
_STAGES = 7
#: Cycles until the random numbers are at rest.
_RANDOM = 33
#: Cycles from the beginning of a stimulus that is learned from until another one may begin.
REST = 34


def parameters(core: CoreSpec | None, pixels: int, neurons: int) -> np.ndarray:
    """Return what `account` must know of a core and a layer, as one array of integers.

    The first is the number of banks, 0 without a core: `account` is not called then.
    """
    if core is None:
        return np.zeros(7, np.int64)
    return np.array(
        [
            core.banks,
            -(-pixels // core.pixels),
            core.pixels,
            int(core.pruning),
            pixels,
            -(-neurons // core.banks),
            0 if core.memory == "block" else core.mask_parts,
        ],
        np.int64,
    )


class Course(enum.IntEnum):
    """How a stimulus went, as numbers that `account` takes; see `learning_kernels`."""

    #: Nothing was learned.
    INFERENCE = 0
    #: Learned, but nothing updated: nobody fired (unsupervised).
    SILENT = 1
    #: The winner was updated.
    WINNER = 2
    #: The winner was right, and only its threshold changed.
    RIGHT = 3
    #: The winner was wrong, and two neurons were updated.
    WRONG = 4


@numba.njit(nogil=True)
def _deliver(core, order, first, last, inputs):
    """Put the inputs of a step, ``order[first:last]``, in the order in which lists give them.

    Each place in a word of pixels has a list of its own, the word that was read last first; an
    OFF word is read right after its ON word.
    """
    width = core[2]
    pixels = core[4]
    count = 0
    split = first
    while split < last and order[split] < pixels:
        split += 1
    for slot in range(width):
        on = split - 1
        off = last - 1
        while True:
            while on >= first and order[on] % width != slot:
                on -= 1
            while off >= split and order[off] % width != slot:
                off -= 1
            if off >= split and (on < first or order[off] - pixels >= order[on]):
                inputs[count] = order[off]
                off -= 1
            elif on >= first:
                inputs[count] = order[on]
                on -= 1
            else:
                break
            count += 1
    return count


@numba.njit(nogil=True)
def _walk(core, column_live, updates, slot, start):
    """Return when nothing of an update is under way.

    A word without live inputs takes a cycle; a synapse that dies takes one more.
    """
    if core[6] > 0:
        return _single_walk(column_live, updates, slot, start)
    words = column_live.shape[1]
    walked = 0
    last = 0
    for word in range(words):
        live = column_live[updates[slot, 0], word]
        walked += max(1, live)
        if live > 0:
            last = walked + _STAGES - 1
    return start + 3 + max(walked, last) + updates[slot, 3]


@numba.njit(nogil=True)
def _single_walk(column_live, updates, slot, start):
    """Return the same where all lies behind a single port.

    In every other cycle a word of the mask is asked for, as soon as there is room for it, or a
    synapse is visited. A synapse that dies takes two cycles more, and so does a word of the mask
    that loses one.
    """
    words = column_live.shape[1]
    asked = arrives = fetched = walked = False
    count = number = left = last = now = 0
    while count < words or asked or arrives or fetched or walked:
        turn = now % 2 == 0
        asks = turn and count < words and not (asked or arrives or fetched)
        visits = turn and not asks and left > 0
        if visits:
            left -= 1
            last = now + _STAGES
        through = left == 0
        takes = fetched and (not walked or through)
        if arrives:
            fetched = True
        if takes:
            fetched = False
            walked = True
            left = column_live[updates[slot, 0], number]
            number += 1
        elif walked and through:
            walked = False
        arrives = asked
        asked = asks
        count += asks
        now += 1
    return start + 1 + max(now, last) + 2 * (updates[slot, 3] + updates[slot, 4])


@numba.njit(nogil=True)
def _fetch(core, bank, push, live, rows, issued, rest, left):
    """Let a bank with a single port take an event; return when it left the queue.

    Words of its mask take the places of synapses of the event that is walked: of those, ``rest``
    come after the cycle ``issued``.
    """
    parts = core[6] if core[3] else 0
    taken = max(push + 1, left[bank])
    before = min(max(taken - issued[bank], 0), rest[bank])
    issued[bank] += before
    rest[bank] -= before
    if rest[bank] > 0:
        issued[bank] = max(issued[bank], taken + parts)
    left[bank] = taken + (parts + 3 if parts else 1)
    if live > 0:
        left[bank] = max(left[bank], issued[bank] + rest[bank])
        issued[bank] = max(left[bank], rows)
        rest[bank] = live
    return taken


@numba.njit(nogil=True)
def account(
    core, order, begin, last, paused, course, row_live, column_live, updates, group, target,
    renewed, out,
):  # fmt: skip
    """Write the costs of one stimulus to ``out``.

    Parameters
    ----------
    core : ndarray of int64
        From `parameters`.
    order : ndarray of int64, shape (inputs,)
        Inputs by spike time; those of step ``t`` are ``order[begin[t] : begin[t + 1]]``.
    begin : ndarray of int64, shape (T + 1,)
        Inputs that never spike come after ``begin[T]``.
    last : int
        The last step that was run: the decision step, or T-1.
    paused : int
        A step after which the lanes were compared and the stimulus went on, or -1.
    course : int
        One of `Course`.
    row_live : ndarray of int32, shape (inputs, banks)
        Live synapses of each input in each bank, before this stimulus' updates.
    column_live : ndarray of int32, shape (neurons, words)
        Live synapses of each neuron in each word of 16 inputs, before this stimulus' updates.
    updates : ndarray of int64, shape (number of columns updated, 5)
        Of each column, in order: neuron, synapses visited, changed, and removed, and words of its
        mask that lost some. No two are of one neuron.
    group : ndarray of int64, shape (neurons,)
        Class of each neuron.
    target : int
        The label's class, 0 without.
    renewed : bool
        Whether the offset was taken off the thresholds.
    out : ndarray of int64, shape (STARTS + T,)
        Written here.
    """
    banks = core[0]
    rows = core[5]
    neurons = len(group)
    steps = len(begin) - 1
    out[STARTS:] = -1

    # Rows of the label's class: the last one, and how many neurons they have.
    last_row = 0
    in_class = 0
    for j in range(neurons):
        if group[j] == target:
            last_row = j // banks
            in_class += 1

    # Of each bank: the last synapse on offer; cycles in which the last event left the queue, left
    # the fetch, and left for the walk; synapses of the walk whose cycles are not known yet. Of the
    # last events: when the slowest bank took each.
    issued = np.full(banks, -10, np.int64)
    taken = np.full(banks, -10, np.int64)
    moved = np.full(banks, -10, np.int64)
    left = np.full(banks, -10, np.int64)
    rest = np.zeros(banks, np.int64)
    ring = np.full(QUEUE_DEPTH, -10, np.int64)
    inputs = np.empty(len(order), np.int64)

    pushed = 0
    operations = 0
    floor = 0
    push = -10
    opened = 0
    now = rows
    busy = rows + _LANE
    for t in range(last + 1):
        out[STARTS + t] = opened
        count = _deliver(core, order, begin[t], begin[t + 1], inputs)
        ready = opened + 2 if t == 0 else max(now, opened + 2)
        busiest = 0
        for bank in range(banks):
            total = 0
            for k in range(count):
                total += row_live[inputs[k], bank]
            busiest = max(busiest, total)
            operations += total
        floor += busiest
        for k in range(count):
            slot = pushed % QUEUE_DEPTH
            push = max(ready, push + 1)
            if pushed >= QUEUE_DEPTH:
                push = max(push, ring[slot] + 1)
            ready = push
            slowest = -10
            for bank in range(banks):
                live = row_live[inputs[k], bank]
                if core[6] > 0:
                    slowest = max(slowest, _fetch(core, bank, push, live, rows, issued, rest, left))
                    continue
                taken[bank] = max(push + 1, moved[bank])
                moved[bank] = max(taken[bank] + 1, left[bank])
                left[bank] = moved[bank] + 1
                if live > 0:
                    left[bank] = max(left[bank], issued[bank])
                    issued[bank] = max(left[bank] + 1, rows + 1) + live - 1
                slowest = max(slowest, taken[bank])
            ring[slot] = slowest
            pushed += 1
        for bank in range(banks):
            if rest[bank] > 0:
                issued[bank] += rest[bank]
                rest[bank] = 0
            busy = max(busy, issued[bank] + _LANE, left[bank] + 1)
        done = max(now, push + 1 if count > 0 else opened + 2)
        opened = done
        now = max(done + 1, busy) + 1
        if t == paused:
            now += banks + 1
    if last < steps - 1:
        out[STARTS + last + 1] = opened

    # The comparison: one lane a cycle.
    compared = now + banks
    end = compared + 1
    words = column_live.shape[1] if core[3] else 0
    mask_reads = banks * pushed * max(1, core[6]) if core[3] else 0
    touches = 0
    scanned = 0
    visits = 0
    changes = 0
    if course == Course.SILENT:
        end = compared + 4
    elif course == Course.RIGHT:
        touches = 1
        end = compared + 6
    elif course == Course.WINNER or course == Course.WRONG:
        touches = 1
        done = _walk(core, column_live, updates, 0, max(compared + 3, _RANDOM))
        if course == Course.WRONG:
            touches = 2
            scanned = in_class
            done = max(done + rows + 1, done + 2 + _LANE + last_row)
            done = _walk(core, column_live, updates, 1, done + banks + 3)
        end = done + 3
    if renewed:
        end = max(end + rows, end + 1 + _LANE + last_row) + 1
        touches += in_class
    for slot in range(len(updates)):
        visits += updates[slot, 1]
        changes += updates[slot, 2]
        mask_reads += words + (updates[slot, 3] if core[3] else 0)
    out[0] = max(floor + visits, core[1])
    out[1] = end
    out[2] = operations + visits
    out[3] = changes
    out[4] = mask_reads
    out[5] = operations + neurons + touches + scanned
    out[6] = operations + neurons + touches


@numba.njit(nogil=True)
def total_cycles(cycles, opened, steps, pixel_words, rest):
    """Return the cycles of a whole run, from the first pixel to the last result.

    The next stimulus is encoded while one is at work, but stops for a cycle each time that the
    lists of a step are opened.

    Parameters
    ----------
    cycles : ndarray of int64, shape (n,)
        Of each stimulus.
    opened : ndarray of int64, shape (n, T)
        Cycles of a stimulus in which lists were opened; -1 for none.
    steps : int
        Time steps, T.
    pixel_words : int
        Words of a stimulus, twice with an OFF channel.
    rest : ndarray of int64, shape (n,)
        Cycles from the beginning of a stimulus in which no other one begins.
    """
    full = 0
    free = 0
    begin = 0
    finished = 0
    for n in range(len(cycles)):
        # Emptying the lists, a pause, the words of pixels, and a last cycle.
        clock = max(full, free)
        for phase in range(2):
            end = clock + (steps if phase == 0 else pixel_words)
            for t in range(opened.shape[1]) if n > 0 else range(0):
                # A list is opened in a cycle in which a word would have been inserted.
                stop = begin + 1 + opened[n - 1, t]
                if opened[n - 1, t] >= 0 and clock <= stop < end:
                    end += 1
            clock = end + 1
        full = clock
        # The half of this stimulus was free when the one before the last had finished.
        free = finished + 1 if n > 0 else 0
        begin = max(full, free, begin + rest[n - 1] if n > 0 else 0)
        finished = begin + cycles[n] + 1
    return finished + 1
