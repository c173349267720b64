"""Take single files out of .tgz and .deb archives, without unpacking them to disk."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Collection
from pathlib import PurePosixPath

__all__ = ["ArchiveError", "deb_members", "tar_members"]

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60


class ArchiveError(Exception):
    """An archive that is damaged or of another kind."""


def tar_members(content: bytes, names: Collection[str]) -> dict[str, bytes]:
    """Return the regular files of a tar archive whose name is one of ``names``.

    Parameters
    ----------
    content : bytes
        The archive, plain or packed by gzip, xz or bzip2.
    names : collection of str
        Names without folder; a suffix ``.gz`` in the archive is left out.

    Raises
    ------
    ArchiveError
        If it cannot be read.
    """
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name.removesuffix(".gz")
                file = archive.extractfile(member) if name in names else None
                if file is not None:
                    found[name] = file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ArchiveError(f"damaged tar archive: {error}") from error
    return found


def deb_members(content: bytes, names: Collection[str]) -> dict[str, bytes]:
    """Return the same from the data part of a Debian package, which is an ar archive.

    Raises
    ------
    ArchiveError
        If it cannot be read.
    """
    if not content.startswith(_AR_MAGIC):
        raise ArchiveError("not a Debian package")
    place = len(_AR_MAGIC)
    while place + _AR_HEADER <= len(content):
        header = content[place : place + _AR_HEADER]
        try:
            size = int(header[48:58])
        except ValueError as error:
            raise ArchiveError("damaged Debian package") from error
        place += _AR_HEADER
        if header.startswith(b"data.tar"):
            return tar_members(content[place : place + size], names)
        place += size + size % 2  # members start at even places
    raise ArchiveError("Debian package without a data part")
