"""The run folder: its files, written whole after every epoch, and read to resume or export."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.train.curves import draw_curves
from firstspike.train.recipe import SEED_MAX, Recipe, load_recipe

__all__ = ["Run", "open_run", "read_run"]

_VERSION = 1


class Run:
    """A run in its folder.

    Parameters
    ----------
    folder : Path
        Where its files lie.
    recipe : Recipe
        What is trained.
    seed : int
        Of this run.
    """

    def __init__(self, folder: Path, recipe: Recipe, seed: int) -> None:
        self.folder = folder
        self.recipe = recipe
        self.seed = seed
        self.epoch = 0
        self.records: list[dict[str, Any]] = []
        self.result: dict[str, Any] | None = None
        self._state: dict[str, Any] | None = None

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
        """Put the checkpoint's state into ``model`` and ``optimizer``, if there is one.

        Raises
        ------
        InputError
            If the checkpoint is of other layers.
        """
        if self._state is None:
            return
        try:
            model.load_state_dict(self._state["model"])
            if optimizer is not None:
                optimizer.load_state_dict(self._state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(
                f"{self.folder / 'checkpoint.pt'}: is not of the recipe beside it"
            ) from error

    def save(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, record: dict[str, Any]
    ) -> None:
        """Write the state after an epoch, and its record."""
        self.epoch += 1
        self.records.append(record)
        self._state = {
            "version": _VERSION,
            "seed": self.seed,
            "epoch": self.epoch,
            "records": self.records,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        write_file(self.folder / "checkpoint.pt", _bytes(self._state))
        self._write_metrics()

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result and the learning curve."""
        self.result = result
        self._write_metrics()
        write_file(self.folder / "curve.png", draw_curves(self.recipe.name, self.records))

    def summary(self) -> dict[str, Any]:
        """Return what the run is and what it found."""
        assert self.result is not None
        return {
            "run": str(self.folder),
            "recipe": self.recipe.name,
            "seed": self.seed,
            "epochs": self.epoch,
            **self.result,
        }

    def load_checkpoint(self) -> None:
        """Read the checkpoint, and the result if the run was finished.

        Raises
        ------
        InputError
            If it is missing or damaged.
        """
        path = self.folder / "checkpoint.pt"
        state = _load(path)
        if not isinstance(state, dict) or state.get("version") != _VERSION:
            raise InputError(f"{path}: not a checkpoint of version {_VERSION}")
        self._state = state
        self.seed, self.epoch, self.records = state["seed"], state["epoch"], state["records"]
        metrics = self.folder / "metrics.json"
        if metrics.is_file():
            try:
                self.result = json.loads(metrics.read_text(encoding="utf-8")).get("result")
            except (ValueError, AttributeError) as error:
                raise InputError(f"{metrics}: not valid JSON of a run") from error

    def _write_metrics(self) -> None:
        content = {
            "recipe": self.recipe.name,
            "seed": self.seed,
            "epochs": self.records,
            "result": self.result,
        }
        text = json.dumps(content, indent=1) + "\n"
        write_file(self.folder / "metrics.json", text.encode())


def open_run(recipe: Recipe, folder: Path, seed: int | None, resume: bool) -> Run:
    """Return the run to begin or to resume in ``folder``.

    Raises
    ------
    InputError
        If the folder holds a run and ``resume`` is false; or if ``resume`` is true and it holds
        none, or one of another recipe or seed; or if the seed is out of range.
    """
    if seed is not None and not 0 <= seed <= SEED_MAX:
        raise InputError(f"the seed is {seed}, must be in 0..{SEED_MAX}")
    copy = folder / "recipe.yaml"
    text = recipe.path.read_bytes()
    if not resume:
        if copy.exists():
            raise InputError(f"{folder}: holds a run already; resume it, or name another folder")
        write_file(copy, text)
        return Run(folder, recipe, recipe.training.seed if seed is None else seed)
    if not copy.is_file():
        raise InputError(f"{folder}: holds no run to resume")
    if copy.read_bytes() != text:
        raise InputError(f"{copy}: differs from {recipe.path}, so the run cannot be resumed")
    run = Run(folder, recipe, recipe.training.seed if seed is None else seed)
    if (folder / "checkpoint.pt").is_file():
        run.load_checkpoint()
        if seed is not None and run.seed != seed:
            raise InputError(f"{folder}: the run's seed is {run.seed}, not {seed}")
    return run


def read_run(folder: Path) -> Run:
    """Return a finished run.

    Raises
    ------
    InputError
        If there is none in ``folder``, or it is not finished.
    """
    if not (folder / "recipe.yaml").is_file():
        raise InputError(f"{folder}: no recipe.yaml there, so not a run")
    recipe = load_recipe(folder / "recipe.yaml")
    run = Run(folder, recipe, recipe.training.seed)
    run.load_checkpoint()
    if run.result is None:
        raise InputError(
            f"{folder}: not finished ({run.epoch} of {recipe.training.epochs} epochs); resume it"
        )
    return run


def _bytes(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _load(path: Path) -> Any:
    try:
        content = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return torch.load(content, weights_only=True)
    except Exception as error:
        raise InputError(f"{path}: damaged, or not a file of this kind") from error
