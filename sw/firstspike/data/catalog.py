"""What the data sets consist of, and where on this machine they may lie."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firstspike.data.idx import read_content
from firstspike.errors import InputError

__all__ = ["ENVIRONMENT", "FILES", "IDX_SETS", "IdxSet", "home", "locate", "read_file", "verify"]

#: Names a folder with data sets, each in a folder of its own.
ENVIRONMENT = "FIRSTSPIKE_DATA"

#: Files of a data set, in the order train images, train labels, test images, test labels.
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True, slots=True)
class IdxSet:
    """A data set of four IDX files.

    Parameters
    ----------
    sha256 : dict of str to str
        Checksum of each of `FILES`, unpacked.
    system : Path or None
        Where a package of the operating system puts the files.
    """

    sha256: dict[str, str]
    system: Path | None


#: MD5 sums, as published elsewhere, of the same contents. MNIST: 6bbc9ace898e44ae57da46a324031adb,
#: a25bea736e30d166cdddb491f175f624, 2646ac647ad5339dbf082846283269ea and
#: 27ae3e4e09519cfbb04c329615203637. Fashion-MNIST: f4a8712d7a061bf5bd6d2ca38dc4d50a,
#: 9018921c3c673c538a1fc5bad174d6f9, 8181f5470baa50b63fa0f6fddb340f0a and
#: 15d484375f8d13e6eb1aabb0c3f46965.
IDX_SETS = {
    "mnist": IdxSet(
        sha256={
            FILES[0]: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            FILES[1]: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            FILES[2]: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            FILES[3]: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        system=None,
    ),
    "fashion-mnist": IdxSet(
        sha256={
            FILES[0]: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            FILES[1]: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            FILES[2]: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            FILES[3]: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        # Debian's package dataset-fashion-mnist
        system=Path("/usr/share/datasets/fashion-mnist"),
    ),
}


def home() -> Path:
    """Return the folder where data sets are kept: `ENVIRONMENT`, or the user's cache."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "firstspike"


def _file(folder: Path, name: str) -> Path | None:
    """Return the file ``name`` in ``folder``, plain or gzipped, if it is there."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def _holds_another(folder: Path, name: str) -> bool:
    """Tell whether ``folder`` holds a data set other than ``name``, by its test labels."""
    path = _file(folder, FILES[3])
    if path is None:
        return False
    digest = hashlib.sha256(read_content(path)).hexdigest()
    return any(digest == IDX_SETS[other].sha256[FILES[3]] for other in IDX_SETS if other != name)


def _candidates(name: str, folder: Path | None) -> Iterator[Path]:
    for base in [home()] if folder is None else [folder]:
        yield base / name
        # Files may lie in the folder itself, where those of another set are no mistake.
        if not _holds_another(base, name):
            yield base
    system = IDX_SETS[name].system
    if folder is None and system is not None:
        yield system


def locate(name: str, folder: Path | None = None) -> Path | None:
    """Return the folder that holds the data set ``name``, or None.

    Parameters
    ----------
    name : str
        A key of `IDX_SETS`.
    folder : Path, optional
        Look here only: for a folder of the set's name in it, then for its files. Otherwise the
        same is done in `home`, and then a system package's folder is tried.
    """
    for candidate in _candidates(name, folder):
        if all(_file(candidate, file) is not None for file in FILES):
            return candidate
    return None


def verify(name: str, file: str, content: bytes, where: Path | str) -> None:
    """Raise InputError unless ``content`` is that of ``file`` of the data set ``name``."""
    found = hashlib.sha256(content).hexdigest()
    expected = IDX_SETS[name].sha256[file]
    if found != expected:
        raise InputError(
            f"{where}: SHA-256 is {found[:16]}.., must be {expected[:16]}.. for {name} "
            f"(remove the file and fetch it again: firstspike data {name})"
        )


def read_file(name: str, folder: Path, file: str) -> tuple[bytes, Path]:
    """Return the verified content of ``file`` of the data set ``name``, and its path."""
    path = _file(folder, file)
    if path is None:
        raise InputError(f"{folder / file}: no such file, neither plain nor with .gz")
    content = read_content(path)
    verify(name, file, content, path)
    return content, path
