"""The one exception that a user's mistake raises."""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Something that a person gave cannot be used.

    The message is one line: what is wrong, where (file, key, value) and what would be right. The
    command line prints it and exits with status 2. Whatever a file or a path brings into the
    message, it stays one line of printable characters.
    """

    def __init__(self, message: str) -> None:
        printable = "".join(c if c.isprintable() else " " for c in message)
        super().__init__(" ".join(printable.split()))
