"""Run the command line: ``python -m firstspike``."""

from __future__ import annotations

import sys

from firstspike.cli import main

__all__ = []

if __name__ == "__main__":
    sys.exit(main())
