"""Own images, and data sets as stimuli.

Mutants tried, each of which a test here refused: rows and columns exchanged; classes in the order
of their names as texts; files in the order of the disk; a transparent pixel blended with white, or
not at all; 16 bits of grey that lose the upper 8; another formula of grey; unlabelled images with
labels 0; `limit` that leaves labels alone; own images that take --split; any check left out.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firstspike import data
from firstspike.errors import InputError
from firstspike.stimuli import load_stimuli, read_image


def refused(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


def png(path: Path, pixels, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path)
    return path


GREY = np.array([[0, 100, 200], [255, 1, 2]], dtype=np.uint8)


def test_a_data_set_by_name():
    digits = data.load("digits")
    test = load_stimuli("digits", (8, 8))
    assert (test.name, test.split) == ("digits", "test")
    assert np.array_equal(test.images, digits.test_images.reshape(500, 64))
    assert test.labels is not None
    assert np.array_equal(test.labels, digits.test_labels)
    train = load_stimuli("digits", (8, 8), split="train", limit=7)
    assert train.split == "train"
    assert np.array_equal(train.images, digits.train_images[:7].reshape(7, 64))
    assert train.labels is not None
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    message = "digits: images are 8 x 8 (rows x columns), the network takes 28 x 28"
    assert refused(lambda: load_stimuli("digits", (28, 28))) == message


def test_an_archive(tmp_path):
    images = np.arange(30, dtype=np.uint8).reshape(5, 2, 3)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([3, 1, 4, 1, 5], np.uint8))
    found = load_stimuli(str(tmp_path / "a.npz"), (2, 3), limit=3)
    assert found.split == "all"
    assert np.array_equal(found.images, images[:3].reshape(3, 6))
    assert found.labels is not None
    assert found.labels.tolist() == [3, 1, 4]
    np.savez(tmp_path / "b.npz", images=images)
    assert load_stimuli(str(tmp_path / "b.npz"), (2, 3)).labels is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": GREY}, "image: unknown array; known here: images, labels"),
        ({"labels": np.zeros(1, int)}, "array 'images' is missing"),
        ({"images": np.zeros((2, 2, 3))}, "images: elements are float64, must be integers"),
        ({"images": np.zeros((2, 2, 3), int)}, "images: are int64 of shape (2, 2, 3), must be"),
        ({"images": GREY}, "images: are uint8 of shape (2, 3), must be uint8 of shape"),
        ({"images": np.zeros((0, 2, 3), np.uint8)}, "images: are uint8 of shape (0, 2, 3)"),
        ({"images": GREY[None], "labels": np.zeros(2, int)}, "shape is (2,), must be (1,)"),
        ({"images": GREY[None], "labels": np.array([-1])}, "labels[0] is -1, must be a class"),
        ({"images": GREY[None], "labels": np.array([1 << 20])}, "labels[0] is 1048576, must be"),
        ({"images": GREY.T[None]}, "images are 3 x 2 (rows x columns), the network takes 2 x 3"),
    ],
)
def test_wrong_archives(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    found = refused(lambda: load_stimuli(str(tmp_path / "a.npz"), (2, 3)))
    assert message in found
    assert "a.npz" in found


def test_a_folder_without_labels(tmp_path):
    for name, shade in (("b.png", 2), ("a.PNG", 1), ("c.png", 3)):
        png(tmp_path / name, np.full((2, 3), shade, np.uint8))
    (tmp_path / "notes.txt").write_text("not an image")
    found = load_stimuli(str(tmp_path), (2, 3))
    assert found.images.tolist() == [[1] * 6, [2] * 6, [3] * 6]
    assert found.labels is None


def test_a_folder_of_classes(tmp_path):
    png(tmp_path / "10" / "a.png", np.full((2, 3), 1, np.uint8))
    png(tmp_path / "9" / "b.png", np.full((2, 3), 3, np.uint8))
    png(tmp_path / "9" / "a.png", np.full((2, 3), 2, np.uint8))
    found = load_stimuli(str(tmp_path), (2, 3))
    assert found.images[:, 0].tolist() == [2, 3, 1]
    assert found.labels is not None
    assert found.labels.tolist() == [9, 9, 10]


def test_wrong_folders(tmp_path):
    assert "no PNG files there" in refused(lambda: load_stimuli(str(tmp_path), (2, 3)))
    png(tmp_path / "a.png", GREY)
    png(tmp_path / "0" / "a.png", GREY)
    assert "must be either" in refused(lambda: load_stimuli(str(tmp_path), (2, 3)))


def test_wrong_sources(tmp_path):
    assert "must be one of digits, mnist, fashion-mnist, a file.npz or a folder" in refused(
        lambda: load_stimuli("absent", (2, 3))
    )
    np.savez(tmp_path / "a.npz", images=GREY[None])
    assert "--split test: only a data set has splits" in refused(
        lambda: load_stimuli(str(tmp_path / "a.npz"), (2, 3), split="test")
    )


def test_grey_is_taken_as_it_is(tmp_path):
    assert np.array_equal(read_image(png(tmp_path / "a.png", GREY), (2, 3)), GREY)
    assert np.array_equal(
        read_image(png(tmp_path / "b.png", GREY.astype(np.uint16) * 256 + 255), (2, 3)), GREY
    )
    black_and_white = read_image(png(tmp_path / "c.png", GREY > 99), (2, 3))
    assert black_and_white.tolist() == [[0, 255, 255], [255, 0, 0]]


def luma(r: int, g: int, b: int) -> int:
    return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16


def test_colour(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (10, 20, 30), (0, 0, 0)]
    rgb = np.array(colours, dtype=np.uint8).reshape(2, 3, 3)
    expected = [luma(*colour) for colour in colours]
    assert expected == [76, 150, 29, 255, 18, 0]
    assert read_image(png(tmp_path / "rgb.png", rgb), (2, 3)).ravel().tolist() == expected
    palette = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    palette.putpalette(rgb.tobytes())
    assert palette.mode == "P"
    palette.save(tmp_path / "p.png")
    assert read_image(tmp_path / "p.png", (2, 3)).ravel().tolist() == expected


def test_transparency_is_black(tmp_path):
    rgba = np.array([[[200, 200, 200, 255], [200, 200, 200, 0], [255, 255, 255, 51]]], np.uint8)
    assert read_image(png(tmp_path / "a.png", rgba), (1, 3)).tolist() == [[200, 0, 51]]
    grey_alpha = read_image(png(tmp_path / "b.png", rgba, "LA"), (1, 3))
    assert grey_alpha.tolist() == [[200, 0, 51]]
    image = Image.fromarray(np.array([[7, 9]], np.uint8))
    image.save(tmp_path / "c.png", transparency=9)
    assert read_image(tmp_path / "c.png", (1, 2)).tolist() == [[7, 0]]


def test_wrong_images(tmp_path):
    path = png(tmp_path / "a.png", GREY)
    message = "a.png: 2 x 3 pixels (rows x columns), the network takes 3 x 2"
    assert message in refused(lambda: read_image(path, (3, 2)))
    assert "no such file" in refused(lambda: read_image(tmp_path / "absent.png", (2, 3)))
    Image.fromarray(GREY).save(tmp_path / "b.gif")
    assert "cannot be read as PNG" in refused(lambda: read_image(tmp_path / "b.gif", (2, 3)))
    assert "cannot be read as PNG" in refused(lambda: read_image(tmp_path, (2, 3)))


def test_an_enormous_image_is_not_unpacked(tmp_path):
    content = bytearray(png(tmp_path / "a.png", GREY).read_bytes())
    content[16:24] = (60000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    assert "cannot be read as PNG" in refused(lambda: read_image(tmp_path / "a.png", (2, 3)))


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + check.to_bytes(4, "big")


PIXELS = zlib.compress(bytes(8))


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"pHYs", b"1234567"), (b"IDAT", PIXELS)],
        [(b"IDAT", PIXELS[:4]), (b"iCCP", b"")],
        [(b"acTL", bytes(8)), (b"IDAT", PIXELS)],
        [],
    ],
)
def test_broken_chunks(tmp_path, chunks):
    chunks = [(b"IHDR", bytes([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0])), *chunks, (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)
    (tmp_path / "a.png").write_bytes(content)
    assert "a.png: cannot be read as PNG" in refused(lambda: read_image(tmp_path / "a.png", (2, 3)))


def test_an_image_cut_off(tmp_path):
    content = png(tmp_path / "a.png", GREY).read_bytes()
    ends = [content[:length] for length in range(content.index(b"IDAT") + 4)]
    # Within the name of a chunk, after pixels that are too few.
    ends.append(content[: content.index(b"IDAT") - 4] + chunk(b"IDAT", b"") + bytes(4) + b"I")
    for end in ends:
        (tmp_path / "a.png").write_bytes(end)
        assert "a.png: " in refused(lambda: read_image(tmp_path / "a.png", (2, 3)))


@given(st.data())
def test_damaged_images(tmp_path_factory, draw):
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(png(folder / "damaged.png", GREY).read_bytes())
    for _ in range(draw.draw(st.integers(1, 3))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    content = content[: draw.draw(st.integers(0, len(content)))]
    (folder / "damaged.png").write_bytes(content)
    try:
        assert read_image(folder / "damaged.png", (2, 3)).shape == (2, 3)
    except InputError as error:
        assert "damaged.png" in str(error)
