"""A file of ``torch.export.save`` becomes a network in a folder, measured beside what it was."""

from __future__ import annotations

from math import isqrt, prod
from pathlib import Path
from typing import Any

import numpy as np

from firstspike import data, golden
from firstspike.cores import PRESETS, load_core
from firstspike.errors import InputError
from firstspike.fit import check_fit
from firstspike.network import Network, save_network
from firstspike.pytorch.program import Program, read_program
from firstspike.pytorch.ramp import to_ramp
from firstspike.spec import INTENSITY_MAX, TIME_BITS_MAX, TIME_BITS_MIN
from firstspike.stimuli import Stimuli, load_stimuli

__all__ = ["import_program"]

#: Training images by which activations are scaled.
_CALIBRATION = 2000


def import_program(
    path: Path, folder: Path, *, source: str, data_folder: Path | None, bits: int, steps: int
) -> dict[str, Any]:
    """Write the network in the file ``path`` to ``folder``.

    Parameters
    ----------
    path, folder : Path
        What ``torch.export.save`` wrote, and the network.
    source : str
        A data set, whose training images scale the activations and whose test images both
        networks are measured with; or own images for both.
    data_folder : Path or None
        Where data sets lie.
    bits, steps : int
        Of a weight, 2..8; of a stimulus, T, a power of two.

    Returns
    -------
    dict
        ``network``, ``digest``, ``images``, ``accuracy_before`` in floating point and ``accuracy``
        as integers (None without labels), ``same``, the share of images with the same prediction,
        ``largest``, what the largest activation of each hidden layer stands for, and ``core``, a
        preset that it fits.

    Raises
    ------
    InputError
        If the file holds what a network cannot be; nothing is written then.
    """
    program = read_program(path)
    time_bits = steps.bit_length() - 1
    if steps != 1 << time_bits or not TIME_BITS_MIN <= time_bits <= TIME_BITS_MAX:
        raise InputError(
            f"--steps is {steps}, must be a power of two, "
            f"{1 << TIME_BITS_MIN}..{1 << TIME_BITS_MAX}"
        )
    shape = _shape(path, program, source, data_folder)
    named = source in data.NAMES

    def images(split: str, limit: int | None) -> Stimuli:
        return load_stimuli(
            source, shape, split=split if named else None, limit=limit, folder=data_folder
        )

    calibration = images("train", _CALIBRATION).images / INTENSITY_MAX
    network, tops = to_ramp(
        program, calibration, name=path.stem, shape=shape, bits=bits, time_bits=time_bits
    )
    core = _core(path, network)
    test = images("test", None)
    before = program.run(test.images / INTENSITY_MAX)[-1].argmax(axis=1)
    after = golden.run(network, test.images).predicted
    save_network(network, folder)
    return {
        "network": str(folder),
        "digest": network.digest,
        "images": len(test.images),
        "accuracy_before": _accuracy(before, test),
        "accuracy": _accuracy(after, test),
        "same": float((before == after).mean()),
        "largest": tops,
        "core": core,
    }


def _accuracy(predicted: np.ndarray, stimuli: Stimuli) -> float | None:
    return None if stimuli.labels is None else float((predicted == stimuli.labels).mean())


def _core(path: Path, network: Network) -> str:
    """Return a core that the network fits, the default one if it does."""
    reason = ""
    for name in ("default", *PRESETS):
        try:
            check_fit(network, load_core(name))
        except InputError as error:
            reason = reason or str(error)
        else:
            return name
    return f"none of those with a name: {reason}"


def _shape(path: Path, program: Program, source: str, data_folder: Path | None) -> tuple[int, int]:
    """Return rows and columns of an image: by the file, else the data set, else a square."""
    sizes = tuple(size for size in program.shape if size != 1)
    if len(sizes) > 2:
        raise InputError(
            f"{path}: the input is of the shape {list(program.shape)}, must be an image of one "
            "channel, or flat"
        )
    pixels = prod(sizes)
    if pixels != len(program.stages[0].weights):
        raise InputError(
            f"{path}: {program.stages[0].name} takes {len(program.stages[0].weights)} inputs, "
            f"the network {pixels} pixels"
        )
    if len(sizes) == 2:
        return sizes[0], sizes[1]
    if source in data.NAMES:
        rows, columns = data.load(source, data_folder).test_images.shape[1:]
        if rows * columns == pixels:
            return int(rows), int(columns)
    side = isqrt(pixels)
    return (side, side) if side * side == pixels else (1, pixels)
