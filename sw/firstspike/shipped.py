"""Networks and recipes that come with this package, and how a name finds them."""

from __future__ import annotations

from pathlib import Path

from firstspike.errors import InputError

__all__ = ["find_network", "find_recipe", "networks", "recipes"]

_PACKAGE = Path(__file__).parent


def networks() -> dict[str, Path]:
    """Return the folders of shipped networks, by name."""
    return {path.parent.name: path.parent for path in sorted(_PACKAGE.glob("nets/*/network.yaml"))}


def recipes() -> dict[str, Path]:
    """Return the files of shipped recipes, by name."""
    beside = {path.parent.name: path for path in sorted(_PACKAGE.glob("nets/*/recipe.yaml"))}
    return beside | {path.stem: path for path in sorted(_PACKAGE.glob("recipes/*.yaml"))}


def find_network(source: str) -> Path:
    """Return the folder of the shipped network ``source``, else the folder of that path.

    Raises
    ------
    InputError
        If there is neither.
    """
    shipped = networks()
    if source in shipped:
        return shipped[source]
    if Path(source).is_dir():
        return Path(source)
    raise InputError(f"network is {source!r}, must be a folder or one of {', '.join(shipped)}")


def find_recipe(source: str) -> Path:
    """Return the file of the shipped recipe ``source``, else the file of that path.

    Raises
    ------
    InputError
        If there is neither.
    """
    shipped = recipes()
    if source in shipped:
        return shipped[source]
    if Path(source).is_file():
        return Path(source)
    raise InputError(f"recipe is {source!r}, must be a file or one of {', '.join(shipped)}")
