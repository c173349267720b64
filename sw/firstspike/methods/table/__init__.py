"""The table of the methods: its runs, its figures, its page.

``firstspike bench methods -o docs`` makes the results of docs/methods.md.
"""

from __future__ import annotations
