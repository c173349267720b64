"""The sequencer against a loop in plain Python, with everything around it played by the bench.

Mutants tried, each seen to fail: `hold` ignored; RAMP from step 0; `touched` or `fired` kept from
the tick before; a last spike with the end of the tick missed; two decisions; early exit ignored;
the last reading of another layer; RAMP layers passed over; the last step missed; the next layer a
cycle early. No mutant, since nothing can see it: `touched` not cleared at the beginning of a step,
for every tick clears it.
"""

import random
from dataclasses import dataclass

import pytest

from firstspike.spec import CoreSpec
from firstspike_hw.layouts import Operation
from firstspike_hw.sequencer import Sequencer
from firstspike_sim.bench import pulse, set_members, simulate

SPEC = CoreSpec(time_bits=4, max_layers=4)


@dataclass
class Script:
    """A stimulus: what happens in each step."""

    ramp: bool
    early_exit: bool
    layers: int
    steps: int
    inputs: list[int]
    #: By step and hidden layer.
    spikes: list[list[int]]
    outputs: list[int]

    def expected(self):
        """Return what the sequencer does, and the step of the decision, or None."""
        log: list[tuple] = [("START",)]
        last = self.layers - 1
        if self.ramp:
            log += [("input", t) for t in range(1, self.steps)]
            for layer in range(last):
                log += [("RAMP", layer), ("store",)]
            return [*log, ("READ", last)], None
        decided = None
        for t in range(self.steps):
            log.append(("input", t))
            arrived = self.inputs[t]
            for layer in range(self.layers):
                if not arrived:
                    break
                log.append(("TICK", layer))
                if layer < last:
                    log.append(("store",))
                    arrived = self.spikes[t][layer]
                elif self.outputs[t] and decided is None:
                    log.append(("READ", last))
                    decided = t
                    if self.early_exit:
                        return log, decided
        return [*log, ("READ", last)], decided


def draw_script(rng):
    layers, steps = rng.randint(1, 4), rng.choice([8, 16])
    quiet = rng.choice([0.1, 0.5, 0.9])

    def count():
        return 0 if rng.random() < quiet else rng.randint(1, 3)

    return Script(
        ramp=rng.random() < 0.3,
        early_exit=rng.random() < 0.5,
        layers=layers,
        steps=steps,
        inputs=[count() for _ in range(steps)],
        spikes=[[count() for _ in range(layers - 1)] for _ in range(steps)],
        outputs=[count() for _ in range(steps)],
    )


@pytest.mark.parametrize("slow", [0, 0.5])
def test_random_scripts(slow):
    rng = random.Random(slow)
    dut = Sequencer(SPEC)
    seen = dict.fromkeys(("decided", "forced", "on after the decision", "ramp", "no event"), 0)

    async def wait(ctx):
        while rng.random() < slow:
            await ctx.tick()

    async def deliver(ctx, done, count):
        """Let ``count`` events go to the walker, and then say that this is all."""
        ctx.set(done, 0)
        await wait(ctx)
        for _ in range(count):
            await pulse(ctx, dut.event)
            await wait(ctx)
        ctx.set(done, 1)

    async def play(ctx, script):
        log, layer, step = [], 0, 0
        while not ctx.get(dut.finished):
            ready = rng.random() >= slow
            ctx.set(dut.commands.ready, ready)
            (
                *_,
                valid,
                command,
                at_layer,
                at_step,
                opens,
                follows,
                idle,
                finished,
            ) = await ctx.tick().sample(
                dut.commands.valid,
                dut.commands.payload,
                dut.layer,
                dut.step,
                dut.input_start,
                dut.store_start,
                dut.idle,
                dut.finished,
            )
            ctx.set(dut.commands.ready, 0)
            assert not idle
            assert not finished
            if opens:
                step = at_step
                log.append(("input", step))
                assert ctx.get(dut.from_input)
                await deliver(ctx, dut.input_done, script.inputs[step])
                assert ctx.get(dut.layer) == 0
            if not (valid and ready):
                continue
            layer = at_layer
            log.append((command.name,) if command is Operation.START else (command.name, layer))
            if follows:
                log.append(("store",))
                assert not ctx.get(dut.from_input)
                # The registers of the next layer are asked for a cycle later.
                assert ctx.get(dut.layer) == layer
                await ctx.tick()
                assert ctx.get(dut.layer) == layer + 1
                await deliver(ctx, dut.store_done, script.spikes[step][layer])
            elif command is Operation.TICK:
                await wait(ctx)
                count = script.outputs[step]
                # The last spike comes with the end of the tick, or before.
                together = rng.random() < 0.5
                for number in range(count):
                    ctx.set(dut.spike, 1)
                    ctx.set(dut.tick_end, together and number == count - 1)
                    await ctx.tick()
                    set_members(ctx, dut, {"spike": 0, "tick_end": 0})
                if not (together and count):
                    await pulse(ctx, dut.tick_end)
            elif command is Operation.READ:
                await wait(ctx)
                await pulse(ctx, dut.read_done)
        return log

    async def bench(ctx):
        set_members(ctx, dut, {"input_done": 1, "store_done": 1})
        for _ in range(80):
            script = draw_script(rng)
            members = {
                "ramp": script.ramp,
                "early_exit": script.early_exit,
                "last_layer": script.layers - 1,
                "last_step": script.steps - 1,
            }
            set_members(ctx, dut, members)
            await ctx.tick()
            # While it is held, or nothing waits, it stays where it is.
            for waiting, hold in ((0, 0), (1, 1), (0, 1)):
                set_members(ctx, dut, {"waiting": waiting, "hold": hold})
                await ctx.tick().repeat(2)
                assert ctx.get(dut.idle)
                assert not ctx.get(dut.begin)
            set_members(ctx, dut, {"waiting": 1, "hold": 0})
            assert ctx.get(dut.begin)
            await ctx.tick()
            ctx.set(dut.waiting, 0)
            assert not ctx.get(dut.begin)
            expected, decided = script.expected()
            assert await play(ctx, script) == expected, script
            for _ in range(rng.randrange(3)):
                assert ctx.get(dut.decided) == (decided is not None)
                if decided is not None:
                    assert ctx.get(dut.decision_step) == decided
                await ctx.tick()
                assert ctx.get(dut.finished)
            await pulse(ctx, dut.taken)
            assert ctx.get(dut.idle)
            assert not ctx.get(dut.finished)
            seen["ramp"] += script.ramp
            seen["decided"] += decided is not None
            seen["forced"] += not script.ramp and decided is None
            seen["on after the decision"] += decided is not None and not script.early_exit
            seen["no event"] += 0 in script.inputs

    simulate(dut, bench)
    assert all(seen.values()), seen
