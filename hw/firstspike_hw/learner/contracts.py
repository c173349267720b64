"""Promises that parts of a learning core keep, stated for a prover."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring

from firstspike.spec import MASK_BITS
from firstspike_hw.learner.column_walk import ColumnWalk
from firstspike_hw.learner.feed import Feed
from firstspike_hw.learner.layouts import mask_position
from firstspike_hw.learner.updater import Updater

__all__ = ["FeedContract", "UpdaterContract", "WalkContract"]

#: Events that the model of a feed can hold; a proof must be shorter.
_EVENTS = 16


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
        self.component = component
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


class FeedContract(Contract):
    """A feed offers each live synapse of each event exactly once, in order.

    The masks are any; events come and holds are at any time. A model keeps the events whose mask
    is not empty, in order, and the rows of the first of them that are still to come.

    Parameters
    ----------
    feed : Feed
        Of a core with pruning.
    """

    def __init__(self, feed: Feed):
        self._inputs = 1 << len(feed.index)
        self._rows = len(feed.present)
        super().__init__(feed, {"mask"}, {"masks": self._inputs * self._rows})

    def elaborate(self, platform):
        feed = self.component
        m = Module()
        self.steady(m)
        masks = self.constants["masks"]

        def mask_of(index):
            return masks.word_select(index, self._rows)

        m.d.comb += Assume(~(feed.push & feed.full), None)
        with m.If(feed.mask_read):
            m.d.sync += feed.mask.eq(mask_of(feed.mask_index))

        events = Array(Signal(len(feed.index), name=f"event_{k}") for k in range(_EVENTS))
        pushed = Signal(range(_EVENTS))
        first = Signal(range(_EVENTS))
        # Rows of the first event that were offered.
        offered = Signal(self._rows)
        left = Signal(self._rows)
        m.d.comb += left.eq(mask_of(events[first]) & ~offered)
        lowest, rest = mask_position(left)
        with m.If(feed.push & (mask_of(feed.index) != 0)):
            m.d.sync += [events[pushed].eq(feed.index), pushed.eq(pushed + 1)]
        with m.If(feed.valid):
            m.d.comb += [
                Assert(~feed.hold, None),
                Assert(first != pushed, None),
                Assert(feed.input == events[first], None),
                Assert(feed.row == lowest, None),
            ]
            m.d.sync += offered.eq(Mux(rest == 0, 0, offered | (1 << feed.row)))
            with m.If(rest == 0):
                m.d.sync += first.eq(first + 1)
        with m.If(~feed.busy):
            m.d.comb += Assert(first == pushed, None)
        several = Signal()
        with m.If(feed.valid & (rest != 0)):
            m.d.sync += several.eq(1)
        m.d.comb += Cover((first == 2) & (pushed == 2) & ~feed.busy & several, None)
        return m


class WalkContract(Contract):
    """A column walk visits each live input of a neuron exactly once, in ascending order.

    The host writes any masks before the walk; it advances at any time.

    Parameters
    ----------
    walk : ColumnWalk
        Of a core with pruning, of one row, two banks and two words of inputs.
    """

    def __init__(self, walk: ColumnWalk):
        super().__init__(walk, set(), {})

    def elaborate(self, platform):
        walk = self.component
        m = Module()
        self.steady(m, walk.words)
        begun = Signal()
        m.d.comb += [
            Assume(~walk.write & ~walk.access_read, None),
            Assume(~(walk.start & (walk.access_write | begun)), None),
            Assume(~(walk.access_write & begun), None),
        ]
        # What the memory should hold, and what of it the walk is to visit.
        masks = Signal(4 * MASK_BITS)
        with m.If(walk.access_write):
            m.d.sync += masks.word_select(walk.access_row, MASK_BITS).eq(walk.access_data)
        left = Signal(2 * MASK_BITS)
        lowest, rest = mask_position(left)
        neuron = masks.word_select(walk.neuron, 2 * MASK_BITS)
        with m.If(walk.start):
            m.d.sync += [
                begun.eq(1),
                left.eq(Mux(walk.words == 0, neuron[:MASK_BITS], neuron)),
            ]
        with m.If(walk.valid):
            above = Mux(walk.input[4], rest[MASK_BITS:], rest[:MASK_BITS])
            m.d.comb += [
                Assert(begun & (left != 0), None),
                Assert(walk.input == lowest, None),
                Assert(walk.last == (above == 0), None),
            ]
            with m.If(walk.advance):
                m.d.sync += left.eq(rest)
        m.d.comb += Assert(~begun | ~walk.done | (left == 0), None)
        far = Signal()
        with m.If(walk.valid & walk.advance & walk.input[4]):
            m.d.sync += far.eq(1)
        m.d.comb += Cover(begun & walk.done & far & (walk.words == 1), None)
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
        constants = {"weights": MASK_BITS * self._bits, "spikes": MASK_BITS, "row_masks": MASK_BITS}
        super().__init__(updater, {"spiked", "port"}, constants)

    def elaborate(self, platform):
        updater = self.component
        port = updater.port
        m = Module()
        settings = (updater.wrong, updater.neuron, updater.min_fan_in)
        self.steady(m, *settings)
        weights, spikes = self.constants["weights"], self.constants["spikes"]
        with m.If(port.weight_read):
            m.d.sync += port.weight.eq(weights.word_select(port.weight_row, self._bits))
        with m.If(port.mask_read):
            m.d.sync += port.mask.eq(self.constants["row_masks"].bit_select(port.mask_row, 1))
        m.d.comb += updater.spiked.eq(spikes.bit_select(updater.byte_input, 1))

        # The host writes a fan-in in the first cycle, the update starts in the second, and inputs
        # come from the fourth on.
        clock = Signal(3)
        with m.If(clock < 4):
            m.d.sync += clock.eq(clock + 1)
        following = Signal(MASK_BITS.bit_length())
        ended = Signal()
        offered = Signal(MASK_BITS)
        died = Signal(MASK_BITS)
        m.d.comb += [
            Assume(updater.row == 0, None),
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
                offered.eq(offered | (1 << updater.input)),
            ]
        # What a row mask says of the neuron is read when the input is written back.
        visited = port.mask_row
        here = Signal(MASK_BITS)
        old = Signal(self._bits)
        up = Signal()
        gone = Signal(MASK_BITS)
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
