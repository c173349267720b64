"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from firstspike.errors import InputError

__all__ = ["write_file"]


def write_file(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; missing folders are made.

    The content goes to a temporary file in the same folder, which then takes the name ``path``:
    readers see the old file or the new one, and a failure leaves nothing behind.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
