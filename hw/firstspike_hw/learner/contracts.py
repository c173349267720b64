"""Promises that parts of a learning core keep, stated for a prover."""

from typing import Any

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring

from firstspike.spec import MASK_BITS
from firstspike_hw.learner.column_walk import ColumnWalk
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.updater import Updater

__all__ = ["FeedContract", "UpdaterContract", "WalkContract"]

#: Inputs in a proof of a feed or an update, so that it takes seconds.
_INPUTS = 4


class Contract(Elaboratable):
    """A component, free inputs, and constants that the prover chooses.

    Parameters
    ----------
    component : wiring.Component
        What is proved.
    driven : set of str
        Members that the contract drives itself.
    constants : dict of str to int
        Names and widths of constants.

    Attributes
    ----------
    ports : list of Value
        What the prover chooses.
    """

    def __init__(self, component: wiring.Component, driven: set[str], constants: dict[str, int]):
        self.component: Any = component
        self.constants = {name: Signal(width, name=name) for name, width in constants.items()}
        free = [
            Value.cast(value)
            for path, member, value in component.signature.flatten(component)
            if member.flow == wiring.In and path[0] not in driven
        ]
        self.ports = free + list(self.constants.values())

    def steady(self, m: Module, *others: Value):
        """Let the constants and ``others`` keep their values; registers start as they should."""
        m.submodules.component = self.component
        m.d.comb += Assume(~ResetSignal(), None)
        started = Signal()
        m.d.sync += started.eq(1)
        for value in (*self.constants.values(), *others):
            before = Signal(len(value))
            m.d.sync += before.eq(value)
            m.d.comb += Assume(~started | (before == value), None)


def _each_once(m: Module, offers: Value, place: Value, live: Value, watched: Value, through: Value):
    """Assert that live places are offered, none twice and in ascending order.

    Parameters
    ----------
    m : Module
        Assertions go there.
    offers, place : Value
        Whether a place is offered in this cycle, and which.
    live : Value
        A bit for each place that is to be offered so far.
    watched : Value
        Any place; it must have been offered, if it is live, when all is ``through``.

    Returns
    -------
    Signal
        Places that were offered, counted up to 3.
    """
    latest = Signal(len(place))
    count = Signal(2)
    seen = Signal()
    m.d.comb += Assert(~through | ~live.bit_select(watched, 1) | seen, None)
    with m.If(offers):
        m.d.comb += [
            Assert(live.bit_select(place, 1), None),
            Assert((count == 0) | (place > latest), None),
        ]
        m.d.sync += [latest.eq(place), count.eq(Mux(count == 3, 3, count + 1))]
        with m.If(place == watched):
            m.d.sync += seen.eq(1)
    return count


class FeedContract(Contract):
    """A feed offers each live synapse of each event exactly once, in order.

    The masks are any; events come and holds are at any time. Each event is another input, in
    ascending order, so that all live synapses are to come in ascending order.

    Parameters
    ----------
    feed : Feed
        Of a core with pruning and two rows.
    """

    def __init__(self, feed: Feed):
        super().__init__(feed, {"mask", "index"}, {"masks": 2 * _INPUTS, "watched": 3})

    def elaborate(self, platform):
        feed = self.component
        m = Module()
        self.steady(m)
        masks = self.constants["masks"]
        pushed = Signal(range(_INPUTS + 1))
        live = Signal(len(masks))
        m.d.comb += [
            feed.index.eq(pushed),
            Assume(~feed.push | (pushed < _INPUTS), None),
            Assert(~feed.valid | ~feed.hold, None),
            Assert(~feed.valid | (feed.input < _INPUTS), None),
        ]
        for k in range(_INPUTS):
            m.d.comb += live.word_select(k, 2).eq(Mux(pushed > k, masks.word_select(k, 2), 0))
        with m.If(feed.push):
            m.d.sync += pushed.eq(pushed + 1)
        with m.If(feed.mask_read):
            m.d.sync += feed.mask.eq(masks.word_select(feed.mask_index[:2], 2))
        place = Cat(feed.row, feed.input[:2])
        count = _each_once(m, feed.valid, place, live, self.constants["watched"], ~feed.busy)
        empty = masks.word_select(1, 2) == 0
        m.d.comb += Cover((pushed == 3) & empty & (count == 3) & ~feed.busy, None)
        return m


class WalkContract(Contract):
    """A column walk visits each live input of a neuron exactly once, in ascending order.

    The host writes any masks before the walk, of which some bits are always 0 to keep the proof
    short; the walk advances at any time.

    Parameters
    ----------
    walk : ColumnWalk
        Of a core with pruning, one row, two banks and two words of inputs.
    """

    def __init__(self, walk: ColumnWalk):
        super().__init__(walk, {"access_data"}, {"bits": 4 * 4, "watched": 3})

    def elaborate(self, platform):
        walk = self.component
        m = Module()
        self.steady(m, walk.words, walk.neuron)
        # Of a word its bits 0, 1 and 15 are free: places 0, 1 and 3 of four.
        bits = self.constants["bits"]
        free = bits.word_select(walk.access_row, 4)
        begun = Signal()
        written = Signal(4)
        needed = Mux(walk.words == 0, 1, 3)
        m.d.comb += [
            Assume((bits & 0x4444) == 0, None),
            walk.access_data.eq(Cat(free[:2], C(0, MASK_BITS - 3), free[3])),
            Assume(~walk.write & ~walk.access_read, None),
            Assume(~walk.start | ~(walk.access_write | begun), None),
            Assume(~walk.start | ((written.word_select(walk.neuron, 2) & needed) == needed), None),
            Assume(~walk.access_write | ~begun, None),
        ]
        with m.If(walk.access_write):
            m.d.sync += written.eq(written | (1 << walk.access_row))
        with m.If(walk.start):
            m.d.sync += begun.eq(1)
        live = Signal(8)
        place = Signal(3)
        word = Signal(4)
        neuron = bits.word_select(walk.neuron, 8)
        m.d.comb += [
            live.eq(Mux(walk.words == 0, neuron[:4], neuron)),
            place.eq(Cat(walk.input[0], walk.input[3:])),
            word.eq(live.word_select(walk.input[4], 4)),
            Assert(~walk.valid | (walk.input[1:4] == walk.input[3].replicate(3)), None),
            Assert(~walk.valid | (walk.last == ((word >> place[:2])[1:] == 0)), None),
        ]
        moves = walk.valid & walk.advance
        count = _each_once(m, moves, place, live, self.constants["watched"], begun & walk.done)
        m.d.comb += Cover(begun & walk.done & (count == 3) & (walk.words == 1) & live[7], None)
        return m


class UpdaterContract(Contract):
    """A weight stays within its bounds, and what is dead stays dead.

    Upwards a weight never falls, downwards it never rises, so neither wraps; a synapse that dies is
    written as 0, and its neuron keeps its least fan-in. Of a row mask only the neuron's own bit is
    taken away. The word of the neuron's mask has the inputs that were offered and did not die, no
    others.

    Table, weights, spikes and random bytes are any; one word of inputs is offered, in ascending
    order, with any gaps.

    Parameters
    ----------
    updater : Updater
        Of a core with pruning, one row and one word of inputs.
    """

    def __init__(self, updater: Updater):
        self._bits = len(updater.port.weight)
        constants = {"weights": _INPUTS * self._bits, "spikes": _INPUTS, "row_masks": _INPUTS}
        super().__init__(updater, {"spiked", "port"}, constants)

    def elaborate(self, platform):
        updater = self.component
        port = updater.port
        m = Module()
        settings = (updater.wrong, updater.neuron, updater.min_fan_in)
        self.steady(m, *settings)
        weights, spikes = self.constants["weights"], self.constants["spikes"]
        with m.If(port.weight_read):
            m.d.sync += port.weight.eq(weights.word_select(port.weight_row[:2], self._bits))
        with m.If(port.mask_read):
            m.d.sync += port.mask.eq(self.constants["row_masks"].bit_select(port.mask_row[:2], 1))
        m.d.comb += updater.spiked.eq(spikes.bit_select(updater.byte_input[:2], 1))

        # The host writes a fan-in in the first cycle, the update starts in the second, and inputs
        # come from the fourth on.
        clock = Signal(3)
        with m.If(clock < 4):
            m.d.sync += clock.eq(clock + 1)
        following = Signal(_INPUTS.bit_length())
        ended = Signal()
        offered = Signal(_INPUTS)
        died = Signal(_INPUTS)
        m.d.comb += [
            Assume(updater.row == 0, None),
            Assume(updater.input < _INPUTS, None),
            Assume(updater.start == (clock == 1), None),
            Assume(updater.fan_in_write == (clock == 0), None),
            Assume(~updater.fan_in_read & ~updater.finish, None),
            Assume((clock != 0) | (updater.host_row == updater.neuron), None),
            Assume(~updater.valid | ((clock >= 3) & ~ended), None),
            Assume(~updater.valid | (updater.input >= following), None),
        ]
        with m.If(updater.valid & updater.advance):
            m.d.sync += [
                following.eq(updater.input + 1),
                ended.eq(updater.last),
                offered.eq(offered | (1 << updater.input[:2])),
            ]
        # What a row mask says of the neuron is read when the input is written back.
        visited = port.mask_row[:2]
        here = Signal(_INPUTS)
        old = Signal(self._bits)
        up = Signal()
        gone = Signal(_INPUTS)
        m.d.comb += [
            here.eq(1 << visited),
            old.eq(weights.word_select(visited, self._bits)),
            up.eq(spikes.bit_select(visited, 1) & ~updater.wrong),
            gone.eq(died | Mux(updater.pruned, here, 0)),
        ]
        with m.If(updater.pruned):
            m.d.sync += died.eq(gone)
            m.d.comb += [
                Assert(updater.fan_in >= updater.min_fan_in, None),
                Assert(~port.weight_write | (port.weight_data == 0), None),
                Assert(port.weight_write == (old != 0), None),
                Assert(port.mask_write.all() & (port.mask_data == 0), None),
            ]
        with m.Else():
            m.d.comb += Assert(port.mask_write == 0, None)
        with m.If(updater.visit):
            m.d.comb += Assert(((offered & ~died) & here) != 0, None)
        with m.If(port.weight_write):
            m.d.comb += [
                Assert(updater.visit, None),
                Assert(port.weight_write_row == visited, None),
                Assert(updater.pruned | ~up | (port.weight_data > old), None),
                Assert(updater.pruned | up | (port.weight_data < old), None),
            ]
        with m.If(updater.mask_write):
            m.d.comb += Assert(ended & (updater.mask == (offered & ~gone)), None)
        wrote = Signal()
        with m.If(updater.mask_write):
            m.d.sync += wrote.eq(1)
        with m.If(ended & ~updater.busy):
            # Whoever died is no longer in the mask.
            m.d.comb += [
                Assert((died == 0) | wrote, None),
                Cover(wrote & (died != offered), None),
            ]
        return m
