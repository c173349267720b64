"""A run of learning that is not finished, in files."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from firstspike.arrays import load_arrays
from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.learning.outcome import LearnOutcome
from firstspike.learning.state import LearningState

__all__ = ["Checkpoint"]


class Checkpoint:
    """What a run goes on from, beside the network that it is going to write.

    In the folder ``unfinished`` of the network's folder lie ``checkpoint.npz``, written whole or
    not at all after every few thousand stimuli, and where they are asked for ``records-N.npz``,
    what happened to the stimuli before the N-th.

    Parameters
    ----------
    network : Path
        Folder of the network.
    run : str
        Digits that tell this run from another one.
    """

    def __init__(self, network: Path, run: str) -> None:
        self.folder = network / "unfinished"
        self.run = run

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.npz"

    def exists(self) -> bool:
        """Tell whether there is a run to go on with."""
        return self._path.is_file()

    def load(self) -> tuple[LearningState, dict[str, Any]]:
        """Return the state, and the notes that were saved with it.

        Records of stimuli that came after it are removed: they will be learned again.

        Raises
        ------
        InputError
            If there is none, it is damaged, or of another run.
        """
        if not self.exists():
            raise InputError(f"{self.folder.parent}: holds no unfinished run, so nothing to resume")
        arrays = load_arrays(self._path)
        try:
            notes = json.loads(arrays["notes"].tobytes())
            run = notes.pop("run")
        except (KeyError, ValueError) as error:
            raise InputError(f"{self._path}: damaged: {error}") from error
        if run != self.run:
            raise InputError(
                f"{self._path}: is of a run with another recipe, other images or options; remove "
                f"{self.folder} to begin anew"
            )
        state = LearningState.from_arrays(arrays)
        for path, done in self._records():
            if done > notes["done"]:
                path.unlink()
        return state, notes

    def save(self, state: LearningState, notes: dict[str, Any]) -> None:
        """Write ``state`` with ``notes``, which JSON can hold."""
        text = json.dumps(notes | {"run": self.run}).encode()
        content = io.BytesIO()
        np.savez(content, **state.arrays(), notes=np.frombuffer(text, np.uint8))  # type: ignore[arg-type]
        write_file(self._path, content.getvalue())

    def save_records(self, outcome: LearnOutcome, done: int) -> None:
        """Keep what happened to each stimulus; ``done`` were learned in all."""
        content = io.BytesIO()
        np.savez_compressed(content, **outcome.arrays())  # type: ignore[arg-type]
        write_file(self.folder / f"records-{done:012}.npz", content.getvalue())

    def _records(self) -> list[tuple[Path, int]]:
        paths = sorted(self.folder.glob("records-*.npz"))
        return [(path, int(path.stem.removeprefix("records-"))) for path in paths]

    def records(self, done: int) -> dict[str, np.ndarray]:
        """Return what happened to each of ``done`` stimuli, by name.

        Raises
        ------
        InputError
            If it was not kept from the beginning.
        """
        parts = [load_arrays(path) for path, _ in self._records()]
        if sum(len(part["winner"]) for part in parts) != done:
            raise InputError(
                f"{self.folder}: results of stimuli are not complete, because the run was begun "
                "without --dump; resume it without --dump"
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def remove(self) -> None:
        """Remove all files: the run is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)
