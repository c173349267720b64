"""Registers by name: where they stand, and what a host can do with them."""

from __future__ import annotations

from dataclasses import dataclass

from firstspike.board.protocol import LINK_REGISTERS, LINK_SPACE
from firstspike.errors import InputError
from firstspike.spec import (
    GLOBAL_REGISTERS,
    LAYER_REGISTERS,
    LEARNING_ARRAYS,
    LEARNING_REGISTERS,
    MULTISPIKE_LAYER_REGISTERS,
    MULTISPIKE_REGISTERS,
    CoreSpec,
    Space,
    layer_register,
    learning_register,
)

__all__ = ["READABLE", "Register", "find_register", "registers"]

#: Registers of a learning core that a host can read, too; it can only write those of other cores.
READABLE = ("delay", "random", "offset")
#: Registers of the whole core that a learning core, which has one layer, does without.
_UNUSED = ("ramp", "last_layer")


@dataclass(frozen=True, slots=True)
class Register:
    """A register, or ``count`` of them in a row.

    Parameters
    ----------
    name : str
        As the tables of `firstspike.spec` and `firstspike.board.protocol` have it.
    space : int
        Address space.
    address : int
        Of the first one.
    step : int
        From one to the next.
    count : int
        How many there are.
    access : str
        ``write``, ``read``, or ``read, write``.
    meaning : str
        In words.
    """

    name: str
    space: int
    address: int
    step: int
    count: int
    access: str
    meaning: str


def registers(core: CoreSpec) -> list[Register]:
    """Return all registers of ``core`` and of its link."""
    found = [
        Register(name, LINK_SPACE, address, 1, 1, access, meaning)
        for address, (name, access, _, meaning) in enumerate(LINK_REGISTERS)
    ]
    more = core.multispike
    found += [
        Register(name, Space.REGISTERS, address, 1, 1, "write", meaning)
        for address, (name, meaning) in enumerate(
            (*GLOBAL_REGISTERS, *(MULTISPIKE_REGISTERS if more else ()))
        )
        if not (core.learning and name in _UNUSED)
    ]
    if not core.learning:
        step = layer_register(1, LAYER_REGISTERS[0][0]) - layer_register(0, LAYER_REGISTERS[0][0])
        return found + [
            Register(
                name,
                Space.REGISTERS,
                layer_register(0, name),
                step,
                core.max_layers,
                "write",
                meaning,
            )
            for name, meaning in (
                *LAYER_REGISTERS,
                *(MULTISPIKE_LAYER_REGISTERS if more else ()),
            )
        ]
    arrays = [(name, length, meaning) for name, _, length, meaning in LEARNING_ARRAYS]
    for name, length, meaning in [(name, 1, text) for name, text in LEARNING_REGISTERS] + arrays:
        access = "read, write" if name in READABLE else "write"
        address = learning_register(name)
        found.append(Register(name, Space.REGISTERS, address, 1, length, access, meaning))
    return found


def find_register(core: CoreSpec, name: str, index: int = 0) -> tuple[Register, int]:
    """Return the register ``name`` of ``core``, and the address of number ``index`` of it.

    Raises
    ------
    InputError
        If there is none.
    """
    known = {register.name: register for register in registers(core)}
    if name not in known:
        raise InputError(f"register is {name!r}, must be one of {', '.join(known)}")
    register = known[name]
    if not 0 <= index < register.count:
        raise InputError(f"register {name}: index is {index}, must be in 0..{register.count - 1}")
    return register, register.address + index * register.step
