"""The definition of learning, one stimulus at a time, in plain Python integers.

Slow and without cleverness: this is the text of docs/semantics.md, sections 7 to 10, as code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.golden.randomness import advance, random_byte
from firstspike.learning.rule import Rule, Supervised
from firstspike.learning.state import LearningState
from firstspike.spec import LEARNED_THRESHOLD_MAX, OFFSET_LIMIT, THRESHOLD_MIN

__all__ = ["Learned", "Learner"]


@dataclass(frozen=True, slots=True)
class Learned:
    """What one stimulus led to; see `firstspike.learning.LearnOutcome`."""

    winner: int
    decision_step: int
    events: int
    synops: int
    stdp_visits: int
    stdp_changes: int
    pruned: int
    forced: int
    over_threshold: int
    ties: int


class Learner:
    """A layer that learns, held in lists of Python integers.

    Parameters
    ----------
    rule : Rule
        How it learns.
    state : LearningState
        What it starts from; not changed.
    """

    def __init__(self, rule: Rule, state: LearningState) -> None:
        self.rule = rule
        self.inputs = state.inputs
        self.neurons = state.neurons
        self.weights: list[list[int]] = state.weights.tolist()
        self.alive: list[list[bool]] = state.alive.tolist()
        self.threshold: list[int] = state.threshold.tolist()
        self.offset: list[int] = state.offset.tolist()
        self.group: list[int] = state.group.tolist()
        self.classes = state.classes
        self.lfsr = state.lfsr
        self.seen = state.seen

    def state(self) -> LearningState:
        """Return what it has become."""
        return LearningState(
            weights=np.array(self.weights, np.uint8),
            alive=np.array(self.alive, bool),
            threshold=np.array(self.threshold, np.int64),
            offset=np.array(self.offset, np.int64),
            lfsr=self.lfsr,
            seen=self.seen,
            classes=self.classes,
        )

    def learn(self, times: list[int], label: int = -1) -> Learned:
        """Take in one stimulus, spike times of all inputs, and learn from it.

        ``label`` is its class, or -1; only a supervised rule looks at it.
        """
        if isinstance(self.rule, Supervised):
            return self._supervised(self.rule, times, label)
        return self._unsupervised(times)

    # --- section 7: the winner learns, whoever it is

    def _unsupervised(self, times: list[int]) -> Learned:
        self._begin()
        decision = self._decide(times, [0] * self.neurons)
        j = decision.best
        if not decision.fired:
            work = _Work()
        else:
            work = self._update(j, times, decision.last)
            self._raise(j, self.neurons * self.rule.homeostasis)
        self.offset[0] += self.rule.homeostasis
        self._settle_if_due(0)
        return decision.learned(work, -1 if not decision.fired else j)

    # --- section 8: the label's class should win

    def _supervised(self, rule: Supervised, times: list[int], label: int) -> Learned:
        if label < 0:
            decision = self._decide(times, [0] * self.neurons)
            return decision.learned(_Work(), decision.best)
        self._begin()
        own = [group == label for group in self.group]
        decision = self._decide(times, [rule.own if mine else rule.other for mine in own])
        a = decision.best
        work = _Work()
        if own[a]:
            if rule.reward:
                work = self._update(a, times, decision.last)
            self._raise(a, sum(own) * rule.homeostasis)
            self.offset[label] += rule.homeostasis
        else:
            d = decision.d
            best = max(value for value, mine in zip(d, own, strict=True) if mine)
            b = next(j for j in range(self.neurons) if own[j] and d[j] == best)
            work = self._update(a, times, decision.last, wrong=True)
            self._raise(a, rule.error_step)
            work += self._update(b, times, decision.last)
            self.threshold[b] = max(THRESHOLD_MIN, self.threshold[b] - rule.error_step)
        self._settle_if_due(label)
        return decision.learned(work, a)

    # --- what both are made of

    def _begin(self) -> None:
        self.seen += 1
        self.lfsr = advance(self.lfsr)

    def _decide(self, times: list[int], handicap: list[int]) -> _Decision:
        """Integrate until the first step in which a neuron fires, or to the last step."""
        potential = [0] * self.neurons
        events = synops = 0
        d: list[int] = []
        for t in range(self.rule.steps):
            for i in range(self.inputs):
                if times[i] != t:
                    continue
                events += 1
                for j in range(self.neurons):
                    if self.alive[i][j]:
                        potential[j] += self.weights[i][j]
                        synops += 1
            # Compared once, after all events of the step.
            d = [
                (potential[j] << self.rule.fraction_bits) - self._in_force(j, handicap[j])
                for j in range(self.neurons)
            ]
            if max(d) >= 0:
                return _Decision(d, t, True, self.rule.steps, events, synops)
        return _Decision(d, self.rule.steps - 1, False, self.rule.steps, events, synops)

    def _in_force(self, j: int, handicap: int = 0) -> int:
        return max(THRESHOLD_MIN, self.threshold[j] - self.offset[self.group[j]] + handicap)

    def _update(self, j: int, times: list[int], last: int, *, wrong: bool = False) -> _Work:
        """Change the live synapses of neuron ``j``."""
        rule = self.rule
        most = rule.weight_max
        work = _Work()
        fan_in = sum(self.alive[i][j] for i in range(self.inputs))
        for i in range(self.inputs):
            if not self.alive[i][j]:
                continue
            work.visits += 1
            w = self.weights[i][j]
            r = random_byte(self.lfsr, i)
            fired = times[i] <= last
            if wrong:
                new = max(0, w - (rule.up[w] + r >> 8)) if fired else w
            elif fired:
                new = min(most, w + (rule.up[w] + r >> 8))
            else:
                new = max(0, w - (rule.down[w] + r >> 8))
            if (
                rule.pruning is not None
                and self.seen >= rule.pruning.after
                and new < rule.pruning.below
                and fan_in > rule.pruning.min_fan_in
            ):
                self.alive[i][j] = False
                new = 0
                fan_in -= 1
                work.pruned += 1
            work.changes += new != w
            self.weights[i][j] = new
        return work

    def _raise(self, j: int, step: int) -> None:
        self.threshold[j] = min(LEARNED_THRESHOLD_MAX, self.threshold[j] + step)

    def _settle_if_due(self, group: int) -> None:
        """Take an offset that has grown large off the thresholds.

        At the end of learning this is done once more, to all (`LearningState.settled`).
        """
        if self.offset[group] >= OFFSET_LIMIT:
            for j in range(self.neurons):
                if self.group[j] == group:
                    self.threshold[j] = self._in_force(j)
            self.offset[group] = 0


@dataclass(slots=True)
class _Work:
    """What updates did."""

    visits: int = 0
    changes: int = 0
    pruned: int = 0

    def __iadd__(self, other: _Work) -> _Work:
        self.visits += other.visits
        self.changes += other.changes
        self.pruned += other.pruned
        return self


@dataclass(frozen=True, slots=True)
class _Decision:
    """How a stimulus ended: d of every neuron after step ``last``, and whether one fired."""

    d: list[int]
    last: int
    fired: bool
    never: int
    events: int
    synops: int

    @property
    def best(self) -> int:
        """The neuron with the largest d, of equals the one with the lowest index."""
        return self.d.index(max(self.d))

    def learned(self, work: _Work, winner: int) -> Learned:
        """Return the record of the stimulus."""
        return Learned(
            winner=winner,
            decision_step=self.last if self.fired else self.never,
            events=self.events,
            synops=self.synops,
            stdp_visits=work.visits,
            stdp_changes=work.changes,
            pruned=work.pruned,
            forced=int(not self.fired),
            over_threshold=sum(value >= 0 for value in self.d),
            ties=sum(value == max(self.d) for value in self.d) - 1,
        )
