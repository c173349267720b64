"""Distributions of a quantity over stimuli, as numbers that a page and a program can show."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BINS", "distribution", "shares"]

#: Bars of a histogram of a quantity with many values.
BINS = 40
_PERCENTILES = (1, 10, 50, 90, 99)


def distribution(values: np.ndarray) -> dict[str, Any]:
    """Return percentiles and a histogram of ``values``, of shape (n,).

    Returns
    -------
    dict
        ``n``, ``mean``, ``min``, ``p1``, ``p10``, ``p50``, ``p90``, ``p99``, ``max``, and
        ``histogram`` with ``edges`` (one more than bars) and ``counts``. Percentiles lie between
        two values where they must, as NumPy's do.
    """
    low, high = float(values.min()), float(values.max())
    integral = np.issubdtype(values.dtype, np.integer)
    # Bars of whole numbers are all of one width, or some would hold more of them.
    step = max(1, -(-int(high - low + 1) // BINS)) if integral else (high - low) / BINS or 1.0
    edges = low + step * np.arange(int((high - low) // step) + 2)
    counts, _ = np.histogram(values, edges)
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "min": low,
        **{f"p{p}": float(np.percentile(values, p)) for p in _PERCENTILES},
        "max": high,
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def shares(values: np.ndarray, count: int) -> list[float]:
    """Return the share of ``values`` that is 0, 1, ... ``count`` - 1."""
    return (np.bincount(values, minlength=count)[:count] / len(values)).tolist()
