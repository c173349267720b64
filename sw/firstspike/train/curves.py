"""Learning curves as a picture."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from firstspike.plots import png

__all__ = ["draw_curves"]


def draw_curves(name: str, records: list[dict[str, Any]]) -> bytes:
    """Return a PNG of loss and validation accuracies by epoch.

    Parameters
    ----------
    name : str
        Title.
    records : list of dict
        A record an epoch: ``epoch``, ``loss``, ``last`` and, for STEP networks, ``early``.
    """
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [record["epoch"] for record in records]
    left.plot(epochs, [record["loss"] for record in records])
    left.set(xlabel="epoch", ylabel="training loss", yscale="log", title=name)
    for key in ("early", "last"):
        if key in records[0]:
            right.plot(epochs, [100 * record[key] for record in records], label=key)
    right.set(xlabel="epoch", ylabel="validation accuracy, %")
    right.legend()
    return png(figure, dpi=120)
