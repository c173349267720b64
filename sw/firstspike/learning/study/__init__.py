"""The study of learning on the core: its runs, its tables and its pictures.

`python -m firstspike.learning.study -o docs` makes docs/learning.md.
"""

from __future__ import annotations
