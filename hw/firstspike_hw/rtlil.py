"""What Amaranth cannot say about memories, said in its output."""

import re
from typing import Any

__all__ = ["NO_COLLISION", "relax"]

#: Attributes of a memory of which no read ever meets a write, or whose component then ignores it.
NO_COLLISION: Any = {"no_rw_check": 1}

_MODULE = re.compile(r"^module .*?^end$", re.M | re.S)
_MEMORY = re.compile(
    r"^ *attribute \\no_rw_check .*\n(?: *attribute .*\n)* *memory .*\\(\S+)$", re.M
)
_CELL = re.compile(r"^ *cell \$(meminit_v2|memrd_v2) .*?^ *end\n", re.M | re.S)
_NAME = re.compile(r'parameter \\MEMID "\\\\(\S+)"')
_ZEROS = re.compile(r"connect \\DATA \d+'0+$", re.M)
_CLOCKED = re.compile(r"parameter \\CLK_ENABLE 1$", re.M)
_COLLISION = re.compile(r"(parameter \\COLLISION_X_MASK \d+')(0+)$", re.M)


def relax(text: str) -> str:
    """Return the RTLIL ``text`` of a design with all freedom that its memories allow.

    Initial contents that are all zero go: memories have none. In memories with `NO_COLLISION`, a
    word that is read while it is written is unspecified. Both save much hardware;
    docs/hardware-notes.md has the figures.

    Parameters
    ----------
    text : str
        As Amaranth writes it.
    """
    return _MODULE.sub(_relax_module, text)


def _relax_module(module: re.Match[str]) -> str:
    relaxed = set(_MEMORY.findall(module[0]))

    def relax_cell(cell: re.Match[str]) -> str:
        if cell[1] == "meminit_v2":
            return "" if _ZEROS.search(cell[0]) else cell[0]
        name = _NAME.search(cell[0])
        if name is None or name[1] not in relaxed or not _CLOCKED.search(cell[0]):
            return cell[0]
        return _COLLISION.sub(lambda mask: mask[1] + "1" * len(mask[2]), cell[0])

    return _CELL.sub(relax_cell, module[0])
