"""Read IDX files, plain or gzipped: the format of MNIST and Fashion-MNIST."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from firstspike.errors import InputError

__all__ = ["parse_idx", "plain", "read_content"]

_GZIP = b"\x1f\x8b"
#: The code of unsigned bytes, the only element type in these data sets.
_UINT8 = 8
#: No file of these data sets comes near it; a gzip file that grows past it is not one of them.
_MOST_BYTES = 1 << 28


def read_content(path: Path) -> bytes:
    """Return the content of ``path``, unpacked if it is gzipped.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or is larger than any file of these data sets.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: larger than {_MOST_BYTES} bytes, so not a file of this kind")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    return plain(content, path)


def plain(content: bytes, where: Path) -> bytes:
    """Return ``content``, unpacked if it is gzipped; ``where`` names it in errors.

    Raises
    ------
    InputError
        If it is damaged or unpacks to more than any file of these data sets.
    """
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where}: damaged gzip file: {error}") from error
    if len(unpacked) > _MOST_BYTES:
        raise InputError(f"{where}: unpacks to more than {_MOST_BYTES} bytes, not a file like this")
    return unpacked


def parse_idx(content: bytes, where: Path, dimensions: int) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file.

    Parameters
    ----------
    content : bytes
        The whole file, not gzipped.
    where : Path
        The file, for messages.
    dimensions : int
        Number of axes that it must have: 3 for images, 1 for labels.

    Returns
    -------
    ndarray of uint8
        A copy, so it can be written to.

    Raises
    ------
    InputError
        If the file is truncated, too long, of another type, or has another number of axes.
    """
    start = 4 + 4 * dimensions
    magic = bytes([0, 0, _UINT8, dimensions])
    if content[:4] != magic:
        raise InputError(
            f"{where}: starts with {content[:4].hex(' ') or 'nothing'}, must start with "
            f"{magic.hex(' ')} (IDX, unsigned bytes, {dimensions} axes)"
        )
    if len(content) < start:
        raise InputError(f"{where}: {len(content)} bytes, must have a header of {start} bytes")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise InputError(
            f"{where}: {len(content)} bytes, must be {expected} for shape {list(shape)}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape).copy()
