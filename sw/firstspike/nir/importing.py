"""A NIR file becomes a network in a folder, checked step by step on images on the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path
from typing import Any

from firstspike import data
from firstspike.cores import load_core
from firstspike.errors import InputError
from firstspike.methods.quantize import quantize_network
from firstspike.multispike_fit import check_multispike_fit
from firstspike.network import MultiSpikeNetwork, save_multispike, save_network
from firstspike.nir.conformance import check
from firstspike.nir.convert import convert
from firstspike.nir.graph import Graph, read_graph
from firstspike.nir.neurons import near_leaks
from firstspike.nir.restore import is_ours, restore
from firstspike.nir.rules import rules_of
from firstspike.nir.stages import input_shape
from firstspike.progress import counted
from firstspike.spec import InputCoding
from firstspike.stimuli import load_stimuli

__all__ = ["Options", "import_file"]

_CORE = "multispike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a NIR file does not say.

    Parameters
    ----------
    data : str or None
        Images for the check: a data set, a file or a folder, as for `firstspike.stimuli`.
    folder : Path or None
        Where data sets lie.
    limit : int
        Number of images.
    bits : int
        Of the weights.
    steps : int
        Of a stimulus.
    coding : InputCoding
        How pixels come in.
    input_bits : int
        Of a pixel that comes as a number.
    readout : str or None
        ``count`` or ``potential``.
    dt : float or None
        Seconds of a step.
    reset : str or None
        ``soft`` or ``hard``.
    fires : str or None
        ``above`` a threshold, or ``at`` it.
    nearest_leak : bool
        Time constants that a core has not are moved to the nearest one.
    """

    data: str | None = None
    folder: Path | None = None
    limit: int = 200
    bits: int = 8
    steps: int = 32
    coding: InputCoding = InputCoding.DIRECT
    input_bits: int = 8
    readout: str | None = None
    dt: float | None = None
    reset: str | None = None
    fires: str | None = None
    nearest_leak: bool = False


def import_file(path: Path, folder: Path, options: Options) -> dict[str, Any]:
    """Write the network in the NIR file ``path`` to ``folder``.

    A file that `firstspike.nir.exporting` wrote comes back as the very network, whatever the
    options; any other is quantised, and checked.

    Returns
    -------
    dict
        ``network``, ``digest``, ``exact``; for other files ``rules`` (what was taken for what NIR
        leaves open), ``weight_errors`` by layer, ``check`` (see `firstspike.nir.conformance.check`)
        and ``core``, whether it fits the core `multispike`.

    Raises
    ------
    InputError
        If the file holds what a network cannot be; nothing is written then.
    """
    graph = read_graph(path)
    if is_ours(graph):
        network = restore(graph)
        if isinstance(network, MultiSpikeNetwork):
            save_multispike(network, folder)
        else:
            save_network(network, folder)
        return {"network": str(folder), "digest": network.digest, "exact": True}
    if options.data is None:
        raise InputError(f"{path}: a network from NIR is checked on images: give --data")
    rules = rules_of(graph, options.dt, options.reset, options.fires)
    original, moved = None, {}
    if options.nearest_leak:
        near, moved = near_leaks(graph, rules)
        if moved:
            original, graph = graph, near
    shape = _shape(graph, options)
    converted = convert(
        graph,
        rules,
        name=path.stem,
        shape=shape,
        steps=options.steps,
        coding=options.coding,
        input_bits=options.input_bits,
        readout=options.readout,
    )
    stimuli = load_stimuli(
        options.data,
        shape,
        split="test" if options.data in data.NAMES else None,
        limit=options.limit,
        folder=options.folder,
    )
    quantized = quantize_network(converted.network, options.bits)
    with counted("check", len(stimuli.images)) as progress:
        checked = check(
            graph,
            rules,
            converted,
            quantized.network,
            stimuli.images,
            stimuli.labels,
            original=original,
            progress=progress,
        )
    save_multispike(quantized.network, folder)
    last = converted.network.layers[-1]
    return {
        "network": str(folder),
        "digest": quantized.network.digest,
        "exact": False,
        "rules": {
            "dt": rules.dt,
            "dt_assumed": rules.assumed,
            "input": options.coding.value,
            "readout": "potential" if last.threshold is None else "count",
            "reset": {
                layer.name: layer.reset.value
                for layer in converted.network.layers
                if layer.threshold is not None
            },
            "fires": rules.fires,
            **({"moved": moved} if moved else {}),
        },
        "weight_errors": quantized.errors,
        "check": checked,
        "core": _fits(quantized.network),
    }


def _fits(network: MultiSpikeNetwork) -> str:
    try:
        check_multispike_fit(network, load_core(_CORE))
    except InputError as error:
        return str(error)
    return f"fits {_CORE}"


def _shape(graph: Graph, options: Options) -> tuple[int, int]:
    """Return rows and columns of the images: by the graph, else the data set, else a square."""
    given = tuple(size for size in input_shape(graph) if size != 1)
    if len(given) == 2:
        return given[0], given[1]
    if len(given) > 2:
        raise InputError(
            f"{graph.path}: the input is of the shape {list(input_shape(graph))}, must be an image "
            "of one channel, or flat"
        )
    pixels = prod(given)
    if options.data in data.NAMES:
        rows, columns = data.load(str(options.data), options.folder).test_images.shape[1:]
        if rows * columns == pixels:
            return int(rows), int(columns)
    side = isqrt(pixels)
    return (side, side) if side * side == pixels else (1, pixels)
