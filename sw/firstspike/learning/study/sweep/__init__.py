"""A sweep over designs: accuracy against live connections and against cycles.

`python -m firstspike.learning.study.sweep -o docs` makes docs/learning-sweep.md.
"""

from __future__ import annotations
