"""Classes of neurons, and what is kept for each class."""

from typing import Any

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from firstspike.spec import CLASSES_MAX, LEARNING_ARRAYS, CoreSpec, bits_for
from firstspike_hw.rtlil import NO_COLLISION

__all__ = ["Groups"]

#: Bits of an offset or a rise.
_BITS = 16


class Groups(wiring.Component):
    """Knows the class of each row, and the offset and the rise of each class.

    Without supervision every row is of class 0.

    Timing: ``group`` follows ``row``, and ``value`` follows ``group`` and ``rise``, by a cycle.
    Reset: the memories keep their contents.

    Parameters
    ----------
    spec : CoreSpec
        Uses state_rows.

    Members
    -------
    write : In(1), address : In(8), data : In(16)
        The host writes one of `firstspike.spec.LEARNING_ARRAYS`; only while nothing is looked up.
    row : In(bits_for(spec.state_rows))
        Row whose class is asked for.
    group : Out(bits_for(CLASSES_MAX))
        The class.
    rise : In(1)
        Whether the rise of that class is asked for, or its offset.
    peek : In(1)
        Ask for what stands at ``address`` instead.
    value : Out(16)
        The answer.
    store : In(1), target : In(bits_for(CLASSES_MAX)), offset : In(16)
        The offset of a class is replaced.
    """

    write: Signal
    address: Signal
    data: Signal
    row: Signal
    group: Signal
    rise: Signal
    peek: Signal
    value: Signal
    store: Signal
    target: Signal
    offset: Signal

    def __init__(self, spec: CoreSpec):
        self._spec = spec
        group = bits_for(CLASSES_MAX)
        #: Offsets, then rises, for a bench to look into.
        self.values = MemoryData(shape=_BITS, depth=2 * CLASSES_MAX, init=[])
        super().__init__(
            {
                "write": In(1),
                "address": In(8),
                "data": In(_BITS),
                "row": In(bits_for(spec.state_rows)),
                "group": Out(group),
                "rise": In(1),
                "peek": In(1),
                "value": Out(_BITS),
                "store": In(1),
                "target": In(group),
                "offset": In(_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = memory.Memory(
            shape=len(self.group),
            depth=1 << bits_for(self._spec.state_rows),
            init=[],
            attrs=NO_COLLISION,
        )
        m.submodules.values = values = memory.Memory(self.values, attrs=NO_COLLISION)
        rows_read: Any = rows.read_port()
        rows_write: Any = rows.write_port()
        values_read: Any = values.read_port()
        values_write: Any = values.write_port()

        first = {name: address for name, address, _, _ in LEARNING_ARRAYS}
        place = Signal(len(self.group) + 1)
        m.d.comb += [
            place.eq(self.address - first["offset"]),
            rows_read.addr.eq(self.row),
            self.group.eq(rows_read.data),
            rows_write.addr.eq(self.address - first["row_class"]),
            rows_write.data.eq(self.data),
            rows_write.en.eq(self.write & (self.address >= first["row_class"])),
            values_read.addr.eq(Mux(self.peek, place, Cat(self.group, self.rise))),
            self.value.eq(values_read.data),
            values_write.addr.eq(Mux(self.store, self.target, place)),
            values_write.data.eq(Mux(self.store, self.offset, self.data)),
            values_write.en.eq(
                self.store
                | (
                    self.write
                    & (self.address >= first["offset"])
                    & (self.address < first["row_class"])
                )
            ),
        ]
        return m
