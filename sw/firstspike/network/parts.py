"""The two files of a network, whatever its neurons are: a description, and arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from firstspike.errors import InputError
from firstspike.fields import Fields, load_yaml
from firstspike.files import write_file
from firstspike.network.model import VERSION

__all__ = ["ARRAYS", "DESCRIPTION", "read_head", "take_alive", "take_array", "write_parts"]

DESCRIPTION = "network.yaml"
ARRAYS = "weights.npz"


def read_head(path: Path) -> tuple[Fields, str, tuple[int, int]]:
    """Return what a description says, with its first keys taken: the name, rows and columns.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version, or one of these keys is wrong.
    """
    top = load_yaml(path)
    version = top.integer("version", 0, 1 << 30)
    if version != VERSION:
        raise top.error("version", f"is {version}, this release reads version {VERSION}")
    name = top.text("name", path.parent.name)
    image = top.mapping("input")
    shape = image.integers("shape", 1, 1 << 13)
    if len(shape) != 2:
        raise image.error("shape", f"is {shape}, must be [rows, columns]")
    image.done()
    return top, name, (shape[0], shape[1])


def write_parts(
    folder: Path, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write both files, each whole or not at all; the same content gives the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, _narrow(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, data.getvalue())
    text = yaml.safe_dump(description, sort_keys=False, default_flow_style=None, width=96)
    write_file(folder / ARRAYS, archive.getvalue())
    write_file(folder / DESCRIPTION, text.encode())


def _narrow(array: np.ndarray) -> np.ndarray:
    """Return ``array`` in the smallest signed type that holds it."""
    for dtype in (np.int8, np.int16, np.int32):
        info = np.iinfo(dtype)
        if array.min() >= info.min and array.max() <= info.max:
            return array.astype(dtype)
    return array


def take_array(arrays: dict[str, np.ndarray], name: str, archive: Path) -> np.ndarray:
    """Take an array out of ``arrays``, as int64.

    Raises
    ------
    InputError
        If it is missing, or a number does not fit.
    """
    array = arrays.pop(name, None)
    if array is None:
        raise InputError(f"{archive}: array {name!r} is missing")
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{archive}: {name}: holds a number of more than 63 bits")
    return array.astype(np.int64)


def take_alive(arrays: dict[str, np.ndarray], layer: str, archive: Path) -> np.ndarray | None:
    """Take which synapses of ``layer`` there are, as bool; None if no array says so.

    Raises
    ------
    InputError
        If it holds anything but 0 and 1.
    """
    name = f"alive.{layer}"
    if name not in arrays:
        return None
    bits = take_array(arrays, name, archive)
    if bits.size and not 0 <= bits.min() <= bits.max() <= 1:
        raise InputError(f"{archive}: {name}: holds {bits.max()}, must be 0 or 1")
    return bits.astype(bool)
