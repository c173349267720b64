"""A file of ``torch.export.save``, read operation by operation into dense layers.

Such a file holds the operations of a network and its numbers, and none of its owner's code. An
operation that a chain of dense layers has no place for is refused by its name.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from firstspike.errors import InputError

__all__ = ["Program", "Stage", "read_program"]

#: What reading a damaged file raises, in torch and below it.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, EOFError)
#: Operations that change no number, or not the order of the outputs.
_KEEPS = (
    "flatten",
    "view",
    "reshape",
    "_unsafe_view",
    "clone",
    "contiguous",
    "detach",
    "alias",
    "dropout",
)
#: Operations that do something else in training, and which argument says so.
_RANDOM = {"aten.batch_norm.default": 5, "aten.dropout.default": 2}
_ENDS = ("softmax", "log_softmax", "_softmax", "_log_softmax")
_TAKEN = (
    "Linear, ReLU, ReLU6, Hardtanh(0, c), BatchNorm1d, Dropout, Flatten, numbers added or times"
)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A dense layer and what follows it.

    Attributes
    ----------
    name : str
        Of the operation, for messages.
    weights : ndarray of float64, shape (inputs, neurons)
        Normalisations and constants are in them.
    bias : ndarray of float64, shape (neurons,)
        Likewise.
    active : bool
        A ReLU follows.
    top : float
        Its largest output; infinite for a plain one.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    active: bool = False
    top: float = np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A network of ReLUs.

    Attributes
    ----------
    stages : tuple of Stage
        In order; the last one has no ReLU.
    shape : tuple of int
        Of one input, as it was exported, without the batch.
    """

    stages: tuple[Stage, ...]
    shape: tuple[int, ...]

    def run(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Return the outputs of all stages, float64, for pixels 0..1 of shape (n, inputs)."""
        found = []
        for stage in self.stages:
            pixels = pixels @ stage.weights + stage.bias
            if stage.active:
                pixels = pixels.clip(0, stage.top)
            found.append(pixels)
        return found


def read_program(path: Path) -> Program:
    """Read the file ``path``.

    Raises
    ------
    InputError
        If it cannot be read, or holds what is no chain of dense layers with ReLUs between them.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, must be one that torch.export.save wrote")
    # Before torch sees it, which would log what it thinks of such a file.
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: cannot be read; must be what torch.export.save wrote, whole")
    try:
        program = torch.export.load(path)
    except _DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: cannot be read ({reason}); must be what torch.export.save wrote"
        ) from error
    return _Reader(path, program).read()


class _Reader:
    """Goes through the operations, which must be a chain."""

    def __init__(self, path: Path, program: Any) -> None:
        self._path = path
        self._program = program
        signature = program.graph_signature
        self._numbers = {
            node: self._tensor(name)
            for node, name in (
                *signature.inputs_to_parameters.items(),
                *signature.inputs_to_buffers.items(),
                *signature.inputs_to_lifted_tensor_constants.items(),
            )
        }
        self._stages: list[Stage] = []
        # What is done to the pixels before the first layer: times, and then plus.
        self._times, self._plus = 1.0, 0.0
        self._ended: str | None = None

    def read(self) -> Program:
        nodes = list(self._program.graph.nodes)
        inputs = [n for n in nodes if n.op == "placeholder" and n.name not in self._numbers]
        if len(inputs) != 1:
            raise self._error(f"has {len(inputs)} inputs, must have one")
        for node in nodes:
            # Such a network keeps count of its batches, too, which looks like branches.
            place = _RANDOM.get(str(node.target))
            if place is not None and node.args[place]:
                raise self._error(
                    f"{node.name} ({node.target}): is in training; export the network in eval()"
                )
        here = inputs[0]
        shape = tuple(int(size) for size in here.meta["val"].shape)
        if len(shape) < 2:
            raise self._error(f"its input has the shape {list(shape)}, must be images in a batch")
        for node in nodes:
            if node.op == "placeholder":
                continue
            if node.op == "output":
                if list(node.all_input_nodes) != [here]:
                    raise self._error("has several outputs, must have one: the classes' scores")
                break
            if node.op == "get_attr":
                self._numbers[node.name] = self._tensor(node.target)
                continue
            values = [n for n in node.all_input_nodes if n.name not in self._numbers]
            if values != [here] or len(here.users) != 1:
                raise self._error(f"{node.name}: layers must be a chain, without branches")
            self._take(node)
            here = node
        if not self._stages or self._stages[-1].active:
            raise self._error("must end with a Linear layer, whose outputs are the classes' scores")
        for stage in self._stages:
            for what, array in (("weight", stage.weights), ("bias", stage.bias)):
                if not np.isfinite(array).all():
                    raise self._error(f"{stage.name}: {what} holds a number that is not finite")
        return Program(tuple(self._stages), shape[1:])

    def _take(self, node: Any) -> None:
        """Take an operation."""
        kind = str(node.target).removeprefix("aten.").partition(".")[0]
        if self._ended is not None:
            raise self._error(f"{node.name}: comes behind {self._ended}, which must be the end")
        taken: dict[str, Callable[[Any], None]] = {
            "linear": self._linear,
            "batch_norm": self._norm,
            "relu": lambda n: self._active(n, np.inf),
            "relu_": lambda n: self._active(n, np.inf),
            "hardtanh": self._hardtanh,
            "hardtanh_": self._hardtanh,
            **dict.fromkeys(("add", "sub", "mul", "div"), self._scalar),
        }
        if kind in _ENDS:
            self._ended = node.name
        elif kind in taken:
            taken[kind](node)
        elif kind not in _KEEPS:
            raise self._error(f"{node.name} ({node.target}): is not taken; taken are {_TAKEN}")

    def _linear(self, node: Any) -> None:
        weights = self._number(node, 1).T
        bias = np.zeros(weights.shape[1])
        if len(node.args) > 2 and node.args[2] is not None:
            bias = self._number(node, 2)
        if not self._stages:
            bias = bias + self._plus * weights.sum(axis=0)
            weights = weights * self._times
        elif not self._stages[-1].active:
            # Two layers without a ReLU between them are one.
            before = self._stages.pop()
            bias, weights = before.bias @ weights + bias, before.weights @ weights
        elif self._stages[-1].weights.shape[1] != weights.shape[0]:
            raise self._error(f"{node.name}: takes {weights.shape[0]} inputs; must be a flat chain")
        self._stages.append(Stage(node.name, weights, bias))

    def _norm(self, node: Any) -> None:
        _, scale, shift, mean, variance, _, _, epsilon, *_ = node.args
        stage = self._last(node, "a normalisation")
        if mean is None or variance is None:
            raise self._error(f"{node.name}: has no running statistics, so it cannot be folded")
        factor = 1 / np.sqrt(self._number(node, 4) + epsilon)
        if scale is not None:
            factor = factor * self._number(node, 1)
        moved = (stage.bias - self._number(node, 3)) * factor
        if shift is not None:
            moved = moved + self._number(node, 2)
        self._stages[-1] = replace(stage, weights=stage.weights * factor, bias=moved)

    def _active(self, node: Any, top: float) -> None:
        if not self._stages:
            raise self._error(f"{node.name}: stands before the first Linear layer")
        stage = self._stages[-1]
        self._stages[-1] = replace(stage, active=True, top=min(top, stage.top))

    def _hardtanh(self, node: Any) -> None:
        low, high = (*node.args[1:], *(-1.0, 1.0)[len(node.args) - 1 :])[:2]
        if low != 0 or high <= 0:
            raise self._error(f"{node.name}: clips to {low}..{high}, must clip from 0 up")
        self._active(node, float(high))

    def _scalar(self, node: Any) -> None:
        kind = str(node.target).removeprefix("aten.").partition(".")[0]
        if len(node.all_input_nodes) != 1 or node.kwargs or not hasattr(node.args[0], "name"):
            raise self._error(f"{node.name} ({node.target}): takes more than one plain number")
        value = float(node.args[1])
        times, plus = {
            "add": (1.0, value),
            "sub": (1.0, -value),
            "mul": (value, 0.0),
            "div": (1 / value if value else np.nan, 0.0),
        }[kind]
        if not self._stages:
            self._times, self._plus = self._times * times, self._plus * times + plus
            return
        stage = self._last(node, "a number")
        self._stages[-1] = replace(
            stage, weights=stage.weights * times, bias=stage.bias * times + plus
        )

    def _last(self, node: Any, what: str) -> Stage:
        """Return the stage that ``what`` can be folded into."""
        if not self._stages or self._stages[-1].active:
            raise self._error(f"{node.name}: {what} must follow a Linear layer, to be folded")
        return self._stages[-1]

    def _number(self, node: Any, place: int) -> np.ndarray:
        """Return an argument that is an array of the file."""
        argument = node.args[place]
        if getattr(argument, "name", None) not in self._numbers:
            raise self._error(f"{node.name}: argument {place} is computed, must be in the file")
        return self._numbers[argument.name]

    def _tensor(self, name: str) -> np.ndarray:
        program = self._program
        tensor = program.state_dict.get(name, program.constants.get(name))
        if not isinstance(tensor, torch.Tensor):
            raise self._error(f"{name}: is no array")
        return tensor.detach().to(torch.float64).numpy()

    def _error(self, what: str) -> InputError:
        return InputError(f"{self._path}: {what}")
