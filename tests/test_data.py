"""Data sets: reading IDX, finding, fetching, verifying.

Mutants tried, each of which a test here refused: parse_idx without the length check; with the axes
of the magic number ignored; `plain` without its limit; verify that never raises; locate that does
not skip a folder with another set; find_or_fetch that stops at the first way that fails; that
writes before it verifies; deb_members that ignores the padding of odd members; digits with 15 v
for 16 v; a test split of the first 500.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstspike import data
from firstspike.data import catalog, fetch, idx
from firstspike.data.archives import ArchiveError, deb_members, tar_members
from firstspike.data.catalog import FILES, IDX_SETS, IdxSet
from firstspike.errors import InputError

HERE = Path("file")


def idx_bytes(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def small_set(seed: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    arrays = []
    for n in (5, 3):
        arrays.append(rng.integers(0, 256, (n, 4, 3), dtype=np.uint8))
        arrays.append(rng.integers(0, 10, n, dtype=np.uint8))
    return {file: idx_bytes(array) for file, array in zip(FILES, arrays, strict=True)}


@pytest.fixture
def sets(monkeypatch, tmp_path) -> dict[str, dict[str, bytes]]:
    """Replace both data sets by small ones, and the user's cache by an empty folder."""
    contents = {"mnist": small_set(1), "fashion-mnist": small_set(2)}
    for name, files in contents.items():
        sums = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
        monkeypatch.setitem(IDX_SETS, name, IdxSet(sha256=sums, system=tmp_path / "system" / name))
    monkeypatch.delenv(catalog.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return contents


def put(folder: Path, files: dict[str, bytes], *, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        if packed:
            (folder / f"{file}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / file).write_bytes(content)
    return folder


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_idx_gives_back_what_was_written(shape, random):
    array = np.array(
        [random.randrange(256) for _ in range(int(np.prod(shape)))], dtype=np.uint8
    ).reshape(shape)
    read = idx.parse_idx(idx_bytes(array), HERE, len(shape))
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


@given(st.data())
def test_idx_refuses_every_damage(draw):
    """Cutting, appending, or changing any byte of the header is noticed."""
    good = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    how = draw.draw(st.sampled_from(["cut", "append", "header"]))
    if how == "cut":
        bad = good[: draw.draw(st.integers(0, len(good) - 1))]
    elif how == "append":
        bad = good + draw.draw(st.binary(min_size=1, max_size=40))
    else:
        place = draw.draw(st.integers(0, 15))
        bad = bytearray(good)
        bad[place] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(InputError):
        idx.parse_idx(bytes(bad), HERE, 3)


def test_labels_are_no_images():
    with pytest.raises(InputError, match=r"starts with 00 00 08 01, must start with 00 00 08 03"):
        idx.parse_idx(idx_bytes(np.zeros(16, np.uint8)), HERE, 3)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_or_read(content):
    """Nothing but InputError comes out of arbitrary bytes."""
    for how in (lambda: idx.parse_idx(content, HERE, 1), lambda: idx.plain(content, HERE)):
        try:
            how()
        except InputError as error:
            assert str(error).startswith("file: ")


@given(st.integers(2, 60), st.integers(0, 255))
def test_damaged_gzip_is_refused(place, value):
    packed = bytearray(gzip.compress(b"some text, and some more text"))
    place %= len(packed)
    packed[place] = value
    try:
        idx.plain(bytes(packed), HERE)
    except InputError as error:
        assert "damaged gzip" in str(error)


def test_gzip_bomb_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(idx, "_MOST_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to more than 1000 bytes"):
        idx.plain(gzip.compress(bytes(1001)), HERE)
    assert len(idx.plain(gzip.compress(bytes(1000)), HERE)) == 1000
    (tmp_path / "large").write_bytes(bytes(1001))
    with pytest.raises(InputError, match="larger than 1000 bytes"):
        idx.read_content(tmp_path / "large")


def test_digits():
    digits = data.load("digits")
    assert digits.train_images.shape == (1297, 8, 8)
    assert digits.test_images.shape == (500, 8, 8)
    assert digits.train_images.dtype == np.uint8
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    # The first image of the file is a zero, and starts 0 0 5 13 9 1 0 0.
    assert digits.train_images[0, 0].tolist() == [0, 0, 80, 208, 144, 16, 0, 0]
    assert digits.train_labels[:10].tolist() == list(range(10))
    # A value of 16 becomes 255, not 256.
    values = np.unique(np.concatenate([digits.train_images, digits.test_images]))
    assert values.tolist() == [*range(0, 256, 16), 255]
    assert digits.test_labels[-5:].tolist() == [9, 0, 8, 9, 8]
    assert np.bincount(np.concatenate([digits.train_labels, digits.test_labels])).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    assert digits.split("train")[1] is digits.train_labels
    assert digits.split("test")[1] is digits.test_labels


def test_unknown_name():
    with pytest.raises(InputError, match="must be one of digits, mnist, fashion-mnist"):
        data.load("cifar")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["dir", "dir/mnist", "environment", "cache", "system"])
def test_found_wherever_it_lies(sets, monkeypatch, tmp_path, place, packed):
    folder = None
    if place.startswith("dir"):
        folder = tmp_path / "dir"
        put(tmp_path / place, sets["mnist"], packed=packed)
    elif place == "environment":
        monkeypatch.setenv(catalog.ENVIRONMENT, str(tmp_path / "environment"))
        put(tmp_path / "environment" / "mnist", sets["mnist"], packed=packed)
    elif place == "cache":
        put(tmp_path / "cache" / "firstspike" / "mnist", sets["mnist"], packed=packed)
    else:
        put(tmp_path / "system" / "mnist", sets["mnist"], packed=packed)
    found = data.load("mnist", folder)
    assert found.train_images.shape == (5, 4, 3)
    assert idx_bytes(found.test_images) == sets["mnist"][FILES[2]]
    assert found.test_labels.tolist() == list(sets["mnist"][FILES[3]][8:])


def test_home_without_xdg(sets, monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "someone"))
    assert catalog.home() == tmp_path / "someone" / ".cache" / "firstspike"


def test_missing_says_how_to_get_it(sets, tmp_path):
    with pytest.raises(InputError, match="to fetch it: firstspike data mnist"):
        data.load("mnist")
    with pytest.raises(InputError, match=str(tmp_path / "other")):
        data.load("mnist", tmp_path / "other")


def test_a_folder_with_another_set_is_skipped(sets, tmp_path):
    put(tmp_path / "own", sets["mnist"])
    with pytest.raises(InputError, match="fashion-mnist: no such data set in"):
        data.load("fashion-mnist", tmp_path / "own")


@pytest.mark.parametrize("file", FILES)
def test_a_changed_file_is_refused(sets, tmp_path, file):
    folder = put(tmp_path / "own", sets["mnist"])
    content = bytearray(sets["mnist"][file])
    content[-1] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(InputError, match=rf"{file}: SHA-256 is .* must be .* for mnist"):
        data.load("mnist", folder)


def test_unreadable_file(sets, tmp_path):
    folder = put(tmp_path / "own", sets["mnist"])
    (folder / FILES[0]).unlink()
    (folder / FILES[0]).symlink_to(folder / FILES[0])
    with pytest.raises(InputError, match="no such data set in"):
        data.load("mnist", folder)


def test_real_checksums_are_distinct():
    sums = [
        value for name in ("mnist", "fashion-mnist") for value in IDX_SETS[name].sha256.values()
    ]
    assert len(set(sums)) == 8
    assert all(set(IDX_SETS[name].sha256) == set(FILES) for name in IDX_SETS)


# --- archives


def tar_bytes(files: dict[str, bytes], mode: Literal["w:gz", "w:xz"]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def deb_bytes(data_tar: bytes) -> bytes:
    out = b"!<arch>\n"
    # A member of odd length is padded to an even one.
    for name, content in (("debian-binary", b"2.0"), ("data.tar.xz", data_tar)):
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


def test_archives_give_files_by_name():
    files = {"a/x.gz": b"packed x", "b/y": b"plain y", "b/z": b"not asked for"}
    expected = {"x": b"packed x", "y": b"plain y"}
    assert tar_members(tar_bytes(files, "w:gz"), ["x", "y"]) == expected
    assert deb_members(deb_bytes(tar_bytes(files, "w:xz")), ["x", "y"]) == expected


@given(st.binary(max_size=300))
def test_foreign_archives(content):
    for read in (tar_members, deb_members):
        try:
            assert read(content, ["x"]) == {}
        except ArchiveError:
            pass
    with pytest.raises(ArchiveError):
        deb_members(b"!<arch>\n" + content[:59], ["x"])


@given(st.integers(0, 400), st.integers(1, 255))
def test_damaged_archives(place, flip):
    good = deb_bytes(tar_bytes({"x": b"content"}, "w:gz"))
    bad = bytearray(good)
    bad[place % len(bad)] ^= flip
    try:
        deb_members(bytes(bad), ["x"])
        deb_members(good[: place % len(good)], ["x"])
    except ArchiveError:
        pass


# --- fetching


def test_every_way_is_tried_in_turn(sets, monkeypatch, tmp_path):
    files = sets["mnist"]
    damaged = dict(files) | {FILES[0]: files[FILES[0]][:-1]}
    packed = {file: gzip.compress(content) for file, content in files.items()}

    def fails() -> dict[str, bytes]:
        raise fetch._Failed("no network")

    ways = {"one": fails, "two": lambda: damaged, "three": lambda: {}, "four": lambda: packed}
    monkeypatch.setitem(fetch._WAYS, "mnist", ways)
    place = fetch.find_or_fetch("mnist")
    assert place == tmp_path / "cache" / "firstspike" / "mnist"
    assert sorted(path.name for path in place.iterdir()) == sorted(FILES)
    assert data.load("mnist").test_labels.tolist() == list(files[FILES[3]][8:])
    # What is there is not fetched again.
    monkeypatch.setitem(fetch._WAYS, "mnist", {})
    assert fetch.find_or_fetch("mnist") == place


def test_a_set_that_cannot_be_fetched(sets, monkeypatch, tmp_path):
    damaged = dict(sets["mnist"]) | {FILES[3]: b""}
    ways = {"here": lambda: damaged, "there": lambda: {FILES[0]: sets["mnist"][FILES[0]]}}
    monkeypatch.setitem(fetch._WAYS, "mnist", ways)
    with pytest.raises(InputError, match=r"could not be fetched \(here: .*; there: holds no"):
        fetch.find_or_fetch("mnist", tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_program_that_is_missing_or_fails(tmp_path):
    with pytest.raises(fetch._Failed, match="no-such-program is not installed"):
        fetch._output_of(["no-such-program"], "*")
    with pytest.raises(fetch._Failed, match="ls --no-such-option: Try"):
        fetch._output_of(["ls", "--no-such-option"], "*")
    with pytest.raises(fetch._Failed, match="left no"):
        fetch._output_of(["true"], "*.tgz")
    assert fetch._output_of(["sh", "-c", "printf hello > a.tgz"], "*.tgz") == b"hello"


def test_download_reports_what_failed(tmp_path):
    (tmp_path / "content").write_bytes(b"hello")
    assert fetch._download((tmp_path / "content").as_uri()) == b"hello"
    with pytest.raises(fetch._Failed, match="absent"):
        fetch._download((tmp_path / "absent").as_uri())
