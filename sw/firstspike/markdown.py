"""Tables in Markdown."""

from __future__ import annotations

__all__ = ["table"]


def table(head: list[str], lines: list[list[str]]) -> str:
    """Return a table with ``head`` over ``lines``."""
    text = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*text, *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"
