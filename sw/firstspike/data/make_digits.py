"""Make digits.npz from a scikit-learn wheel.

The commands are::

    pip download --no-deps --only-binary :all: scikit-learn
    python -m firstspike.data.make_digits scikit_learn-*.whl digits.npz
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from firstspike.files import write_file

__all__ = ["make"]

_MEMBER = "sklearn/datasets/data/digits.csv.gz"
#: Of the member, unpacked.
_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def make(wheel: Path, target: Path) -> None:
    """Write ``target`` (digits.npz) from scikit-learn's ``wheel``."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(_MEMBER))
    if hashlib.sha256(text).hexdigest() != _SHA256:
        raise SystemExit(f"{wheel}: {_MEMBER} is not the file that digits.npz was made from")
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, values=table[:, :64].reshape(-1, 8, 8), labels=table[:, 64])
    write_file(target, content.getvalue())


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
