"""The one exception that a user's mistake raises."""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Something that a person gave cannot be used.

    The message is one line: what is wrong, where (file, key, value) and what would be right. The
    command line prints it and exits with status 2.
    """
