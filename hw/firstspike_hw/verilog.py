"""Verilog of the core."""

import os
import re

from amaranth.back import verilog

from firstspike.spec import CoreSpec
from firstspike_hw.core import Core
from firstspike_hw.ports import port_comment

__all__ = ["to_verilog"]

#: What is left of a member that has no bits, such as a magnitude that is always 1; to other tools
#: this is a wire of two bits.
_NO_BITS = re.compile(r"^ *wire \[-1:0\] .*;\n", re.MULTILINE)


def to_verilog(spec: CoreSpec) -> str:
    """Return the Verilog of a core, module ``core``, with its ports described in a comment."""
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    core = Core(spec)
    text = verilog.convert(core, name="core", emit_src=False, strip_internal_attrs=True)
    return f"{port_comment(spec, core)}\n{_NO_BITS.sub('', text)}"
