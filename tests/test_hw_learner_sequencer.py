"""The course of a stimulus, with everything around the sequencer played by the bench.

Mutants tried, each seen to fail: hold ignored; two decisions; no end without a spike; banks not
waited for; a forced winner does not learn; classes without supervision; reward without supervision;
the offset grows at an error; a renewal at an error; random numbers not waited for; the largest
potentials not forgotten; no early exit; both updates against the neuron; lists opened after the
last step.
"""

import random
from dataclasses import dataclass

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.learner.sequencer import LearnerSequencer, Sweep, Touch
from firstspike_sim.bench import set_members, simulate

SPEC = CoreSpec(
    banks=2, word=1, time_bits=3, ramp=False, max_layers=1, max_inputs=16, state_rows=6,
    weight_rows=96, learning=True,
)  # fmt: skip


@dataclass
class Script:
    """A stimulus: how it is learned from, and what happens in it."""

    learn: bool
    supervised: bool
    reward: bool
    early_exit: bool
    steps: int
    rows: int
    #: Step in which a potential comes to 0, or None.
    fires: int | None
    right: bool
    offset_full: bool

    def kind(self):
        """Return how it goes."""
        if not self.learn:
            if self.fires is None:
                return "forced"
            return "early exit" if self.early_exit else "on after the decision"
        if not self.supervised:
            return "silent" if self.fires is None else "winner"
        if self.right:
            return "right, learned" if self.reward else "right, not learned"
        return "wrong" if self.fires is not None else "forced and wrong"

    def expected(self):
        """Return what the sequencer does, in order."""
        kind = self.kind()
        log: list[tuple | Touch] = [("open", 0)]
        last = self.steps - 1
        end = last if self.fires is None or kind == "on after the decision" else self.fires
        for t in range(end + 1):
            if t < last:
                log.append(("open", t + 1))
            if t in (self.fires, last):
                log.append(("compare", t))
        # The lists are opened in the first cycle.
        starts: list[tuple | Touch] = [(Sweep.START, row) for row in range(self.rows)]
        log[1:1] = starts[1:]
        log.insert(0, starts[0])
        if not self.learn:
            return log
        grows = True
        if kind in ("winner", "right, learned"):
            log += [Touch.RISE, ("update", 0), ("updated", 0, 0)]
        elif kind == "right, not learned":
            log += [Touch.RISE]
        elif "wrong" in kind:
            # The sweep forgets the largest potentials.
            log += [Touch.RAISE, ("update", 1), ("updated", 1, 1)]
            log += [(Sweep.SCAN, row) for row in range(self.rows)]
            log += [("compare", end), Touch.LOWER, ("update", 0), ("updated", 0, 0)]
            grows = False
        log.append(("settle", grows))
        if grows and self.offset_full:
            log += [(Sweep.SETTLE, row) for row in range(self.rows)]
            log.append(("settled",))
        return log


def draw_script(rng):
    steps = rng.choice([4, 8])
    return Script(
        learn=rng.random() < 0.75,
        supervised=rng.random() < 0.6,
        reward=rng.random() < 0.5,
        early_exit=rng.random() < 0.5,
        steps=steps,
        rows=rng.randint(1, SPEC.state_rows),
        fires=rng.choice([None, 0, steps - 1, rng.randrange(steps)]),
        right=rng.random() < 0.5,
        offset_full=rng.random() < 0.3,
    )


class World:
    """What is around the sequencer: it answers each cycle to what it saw in the last one."""

    def __init__(self, rng, script, slow):
        self.rng, self.script, self.slow = rng, script, slow
        #: Cycles until events are at their end, until lanes are compared, until an update is done.
        self.events = self.comparing = self.updating = 0
        self.since_compared = 9
        self.draining = False
        self.log: list[tuple | Touch] = []
        self.taken_early = 0

    def wait(self):
        return self.rng.choice([0, 0, 1, 4]) if self.slow else 0

    def inputs(self, step):
        """Return what the sequencer sees in the next cycle."""
        rng, script = self.rng, self.script
        busy = self.draining and rng.random() < self.slow
        truth = script.fires is not None and step >= script.fires
        return {
            "input_done": self.events == 0,
            "busy": busy,
            # Nobody may look before the banks are at rest.
            "crossed": rng.randrange(2) if busy else truth,
            "compared": self.comparing == 1,
            "right": script.right if self.since_compared == 2 else rng.randrange(2),
            "random_ready": rng.random() >= self.slow,
            "updating": self.updating > 0,
            "offset_full": script.offset_full,
        }

    def see(self, out):
        """Take in what the sequencer did in a cycle."""
        self.since_compared += 1
        if self.comparing:
            self.comparing -= 1
            self.since_compared = 1 if self.comparing == 0 else self.since_compared
        if self.updating:
            self.updating -= 1
        if out["taking"] and self.events:
            self.events -= 1
        if out["sweeps"]:
            self.log.append((out["sweep"], out["row"]))
            self.draining = True
            assert out["taking"] == (out["sweep"] is Sweep.START and out["row"] > 0)
        if out["input_start"]:
            assert self.events == 0
            self.log.append(("open", out["input_time"]))
            self.events = 1 + self.wait()
            self.draining = True
        if out["compare"]:
            self.log.append(("compare", out["step"]))
            self.comparing = 1 + self.wait()
            self.draining = False
        if out["touches"]:
            self.log.append(out["touch"])
        if out["update"]:
            self.log.append(("update", out["wrong"]))
            self.updating = 1 + self.wait()
        if out["updated"]:
            assert self.updating == 0
            self.log.append(("updated", out["wrong"], out["clear"]))
        if out["settle"]:
            self.log.append(("settle", out["grows"]))
        if out["settled"]:
            self.log.append(("settled",))
        quiet = ("compare", "touches", "update", "updated", "settle", "settled", "finished")
        assert not (out["taking"] and any(out[name] for name in quiet))
        assert not out["clear"] or out["updated"]


@pytest.mark.parametrize("slow", [0, 0.5])
def test_random_scripts(slow):
    rng = random.Random(slow)
    dut = LearnerSequencer(SPEC)
    seen: dict[str, int] = {}
    names = (
        "taking", "sweeps", "sweep", "row", "input_start", "input_time", "compare", "step",
        "touches", "touch", "update", "wrong", "updated", "clear", "settle", "grows", "settled",
        "finished", "idle", "begun",
    )  # fmt: skip

    async def play(ctx, script):
        world = World(rng, script, slow)
        begun = 0
        while True:
            set_members(ctx, dut, world.inputs(ctx.get(dut.step)))
            values = await ctx.tick().sample(*(getattr(dut, name) for name in names))
            out = dict(zip(names, values[2:], strict=True))
            assert not out["idle"]
            begun += out["begun"]
            if out["finished"]:
                break
            world.see(out)
        assert begun == 1
        assert world.log == script.expected(), script

    async def bench(ctx):
        for _ in range(150):
            script = draw_script(rng)
            settings = {
                "last_step": script.steps - 1,
                "last_row": script.rows - 1,
                **{name: getattr(script, name)
                   for name in ("learn", "supervised", "reward", "early_exit")},
            }  # fmt: skip
            set_members(ctx, dut, settings)
            for waiting, hold in ((0, 0), (1, 1), (0, 1)):
                set_members(ctx, dut, {"waiting": waiting, "hold": hold})
                await ctx.tick().repeat(2)
                assert ctx.get(dut.idle)
                assert ctx.get(dut.clear)
                assert not ctx.get(dut.begin)
            set_members(ctx, dut, {"waiting": 1, "hold": 0, "taken": 0})
            assert ctx.get(dut.begin)
            await ctx.tick()
            await play(ctx, script)
            # The result waits to be taken.
            await ctx.tick().repeat(rng.randint(1, 3))
            assert ctx.get(dut.finished)
            assert ctx.get(dut.decided) == (script.fires is not None)
            fires = script.steps - 1 if script.fires is None else script.fires
            assert ctx.get(dut.decision_step) == fires
            assert ctx.get(dut.seeking) == ("wrong" in script.kind())
            set_members(ctx, dut, {"taken": 1, "waiting": 0})
            await ctx.tick()
            kind = script.kind()
            seen[kind] = seen.get(kind, 0) + 1

    simulate(dut, bench)
    assert len(seen) == 9, seen
