"""Networks of ReLUs from files that ``torch.export.save`` wrote."""

from __future__ import annotations
