"""Read integer arrays from an .npz archive, trusting nothing in it."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from firstspike.errors import InputError

__all__ = ["load_arrays"]

#: Of all arrays together, unpacked.
_MOST_BYTES = 1 << 30
_SUFFIX = ".npy"
#: What zipfile, zlib and numpy raise on damage, and on methods of packing that they do not know.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    EOFError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays in the .npz archive ``path``, by name.

    Returns
    -------
    dict of str to ndarray
        Of whatever integer type and shape the file says, in native byte order; read-only.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, too large, or holds anything but integer arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > _MOST_BYTES:
                raise InputError(f"{path}: unpacks to more than {_MOST_BYTES} bytes")
            for member in members:
                name = member.filename.removesuffix(_SUFFIX)
                if name == member.filename:
                    raise InputError(f"{path}: {name}: not an array (its name must end in .npy)")
                if name in arrays:
                    raise InputError(f"{path}: {name}: stands twice")
                arrays[name] = _parse(archive.read(member), f"{path}: {name}")
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise InputError(f"{path}: damaged, or not an .npz archive: {error}") from error
    return arrays


def _parse(content: bytes, where: str) -> np.ndarray:
    """Return the array in an .npy file."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise InputError(f"{where}: .npy version {version}, must be 1.0 or 2.0")
    shape, fortran, dtype = read_header(file)
    if dtype.kind not in "iu":
        raise InputError(f"{where}: elements are {dtype}, must be integers")
    data = content[file.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise InputError(f"{where}: {len(data)} bytes of data, not enough or too many for {shape}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)
