"""Two benches beside each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from firstspike.errors import InputError

__all__ = ["load_bench", "ratios"]

#: What of a machine may differ without a word: it is another one each time.
_PASSING = ("load",)


def load_bench(path: Path) -> dict[str, Any]:
    """Return what ``firstspike bench -o`` wrote to ``path``.

    Raises
    ------
    InputError
        If it is not that.
    """
    maker = "firstspike bench -o FILE"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["provenance"]["kind"] != "bench" or not isinstance(facts["machine"], dict):
            raise ValueError(facts["provenance"]["kind"])
        for figure in facts["figures"].values():
            if not 0 < float(figure["median"]) < float("inf"):
                raise ValueError(figure["median"])
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}: {maker}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: is no bench ({error!r}); this makes one: {maker}") from error
    return facts


def ratios(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Return the medians of ``new`` over those of ``old``.

    Returns
    -------
    dict
        ``commit`` of the old one; ``ratios`` by figure, for those that both have; ``only_new`` and
        ``only_old``, the names of the others; ``differs``, what of the machines is not the same.
    """
    ours, theirs = new["figures"], old["figures"]
    both = [name for name in ours if name in theirs]
    machines = new["machine"], old["machine"]
    keys = sorted(machines[0].keys() | machines[1].keys())
    return {
        "commit": old["provenance"]["commit"],
        "ratios": {name: ours[name]["median"] / theirs[name]["median"] for name in both},
        "only_new": [name for name in ours if name not in theirs],
        "only_old": [name for name in theirs if name not in ours],
        "differs": [
            key for key in keys
            if key not in _PASSING and machines[0].get(key) != machines[1].get(key)
        ],
    }  # fmt: skip
