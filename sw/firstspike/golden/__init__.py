"""The golden model: what the core computes, without clocks.

`firstspike.golden.scalar` is the definition and reads like docs/semantics.md;
`firstspike.golden.batch` computes the same for many stimuli at once and is tested against it.
"""

from firstspike.golden.batch import run

__all__ = ["run"]
