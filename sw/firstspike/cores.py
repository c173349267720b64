"""Core descriptions by name or from a file."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from firstspike.errors import InputError
from firstspike.fields import load_yaml
from firstspike.spec import CoreSpec

__all__ = ["PRESETS", "VERSION", "core_yaml", "load_core"]

#: Version of a core file; another one is refused by name.
VERSION = 1


def _learner(banks: int, inputs: int, rows: int) -> CoreSpec:
    """Return a learning core that prunes, with 8-bit synapses in block RAM."""
    return CoreSpec(
        banks=banks,
        word=1,
        weight_bits=8,
        ramp=False,
        max_inputs=inputs,
        max_layers=1,
        weight_rows=inputs * rows,
        state_rows=rows,
        learning=True,
        pruning=True,
    )


_MULTISPIKE = CoreSpec(
    banks=4,
    word=4,
    time_bits=8,
    ramp=False,
    potential_bits=24,
    max_layers=8,
    weight_rows=32768,
    state_rows=256,
    multispike=True,
)

#: Cores by name: one for simulation, and those that fit the boards.
PRESETS = {
    "default": CoreSpec(),
    # Four single-port RAMs of 16384 x 16 bits hold the synapses. 14 bits of potential are enough
    # for signed weights of all inputs.
    "icebreaker": CoreSpec(
        banks=4,
        word=4,
        weight_bits=4,
        time_bits=4,
        ramp=False,
        potential_bits=14,
        max_inputs=1008,
        max_layers=3,
        weight_rows=16384,
        state_rows=32,
        pixels=4,
        memory="spram",
    ),
    # With RAMP neurons, and half as many state rows: spikes with a magnitude take more room.
    "icebreaker-ramp": CoreSpec(
        banks=4,
        word=4,
        weight_bits=4,
        time_bits=4,
        potential_bits=15,
        max_inputs=1008,
        max_layers=3,
        weight_rows=16384,
        state_rows=16,
        pixels=4,
        memory="spram",
    ),
    # Synapses with their state rows in the same RAMs, so that pruned networks of up to 400 hidden
    # neurons fit; a state word of 15 + 1 bits and 2 x 128 rows fill one block RAM.
    "icebreaker-sparse": CoreSpec(
        banks=4,
        word=1,
        weight_bits=8,
        time_bits=4,
        potential_bits=15,
        max_inputs=784,
        max_layers=3,
        weight_rows=16384,
        state_rows=128,
        pixels=4,
        memory="spram",
        sparse=True,
    ),
    # 32 block RAMs of 4 kbit, all in use: `digits` fits, to the row.
    "hx8k": CoreSpec(
        banks=2,
        word=4,
        weight_bits=4,
        time_bits=4,
        potential_bits=15,
        max_inputs=256,
        max_layers=3,
        weight_rows=1920,
        state_rows=32,
        pixels=4,
    ),
    # 56 block RAMs of 16 kbit hold the synapses; few state rows, so that those fit in LUTs.
    "ulx3s-25f": CoreSpec(
        banks=4,
        word=16,
        weight_bits=4,
        time_bits=4,
        potential_bits=16,
        max_inputs=1024,
        weight_rows=2048,
        state_rows=8,
        pixels=8,
    ),
    # 208 block RAMs of 16 kbit: 784-400-10 with 8-bit weights fits.
    "ulx3s-85f": CoreSpec(
        banks=4,
        word=16,
        weight_bits=8,
        time_bits=4,
        potential_bits=20,
        max_inputs=1024,
        weight_rows=6144,
        state_rows=16,
        pixels=8,
    ),
    # Multi-spike networks of up to 784-400-400-10: of 8 bits, in simulation; and of 4 bits, in the
    # block RAMs of a ULX3S 85F.
    "multispike": _MULTISPIKE,
    "multispike-85f": replace(_MULTISPIKE, weight_bits=4, state_rows=128),
    # Any network of up to 8 bits, a synapse a word, so that only synapses that are not 0 take
    # cycles; in simulation.
    "sparse": replace(_MULTISPIKE, banks=16, word=1, ramp=True, weight_rows=65536, sparse=True),
    # Learning cores: 104 to 400 neurons of 28 x 28 pixels, and one for `digits`.
    "learner": _learner(banks=8, inputs=784, rows=13),
    # The same on an iCEBreaker: synapses and both masks in four single-port RAMs.
    "learner-icebreaker": replace(
        _learner(banks=4, inputs=784, rows=26), memory="spram", weight_rows=16384
    ),
    "learner-376": _learner(banks=8, inputs=784, rows=47),
    "learner-400": _learner(banks=8, inputs=784, rows=50),
    "learner-digits": _learner(banks=4, inputs=128, rows=26),
    # 48 neurons of 64 inputs: what 32 block RAMs of 4 kbit hold, beside the link.
    "learner-hx8k": _learner(banks=2, inputs=64, rows=24),
}


def load_core(source: str) -> CoreSpec:
    """Return the core called ``source``, or described in the file of that name.

    Parameters
    ----------
    source : str
        A key of `PRESETS`, or the path of a YAML file with ``version`` and any of the parameters
        of `firstspike.spec.CoreSpec`; those left out have their default value.

    Raises
    ------
    InputError
        If there is no such core, or a parameter is unknown or out of its range.
    """
    if source in PRESETS:
        return PRESETS[source]
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        known = ", ".join(PRESETS)
        raise InputError(f"core is {source!r}, must be one of {known}, or a file core.yaml")
    top = load_yaml(path)
    version = top.integer("version", 0, 1 << 30)
    if version != VERSION:
        raise top.error("version", f"is {version}, this release reads version {VERSION}")
    values: dict = {}
    for field in fields(CoreSpec):
        if isinstance(field.default, bool):
            values[field.name] = top.boolean(field.name, field.default)
        elif isinstance(field.default, str):
            values[field.name] = top.text(field.name, field.default)
        else:
            values[field.name] = top.integer(field.name, 0, 1 << 30, field.default)
    top.done()
    try:
        return CoreSpec(**values)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def core_yaml(core: CoreSpec) -> str:
    """Return the text of a core file that `load_core` reads as ``core``."""
    lines = [f"version: {VERSION}"]
    for field in fields(CoreSpec):
        value = getattr(core, field.name)
        lines.append(f"{field.name}: {str(value).lower() if isinstance(value, bool) else value}")
    return "\n".join(lines) + "\n"
