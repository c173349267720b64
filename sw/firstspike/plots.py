"""Figures as files."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["png"]


def png(figure: Any, dpi: int = 110) -> bytes:
    """Return a Matplotlib ``figure`` as a PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
