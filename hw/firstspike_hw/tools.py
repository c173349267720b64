"""Programs of the open flow: where they are, and how they are run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from firstspike.errors import InputError

__all__ = ["find_tool", "run_tool", "tool_version"]


def find_tool(name: str) -> str:
    """Return the path of the tool ``name``.

    An environment variable named like the tool in capitals (``NEXTPNR_ICE40``) says what to run;
    else it is YoWASP's, from the environment that this Python belongs to, or from PATH.

    Raises
    ------
    InputError
        If it is not there.
    """
    variable = name.upper().replace("-", "_")
    command = os.environ.get(variable) or f"yowasp-{name}"
    beside = Path(sys.executable).parent
    found = shutil.which(command, path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if found is None:
        raise InputError(
            f"{command} is not installed: pip install 'firstspike[hw]', or set {variable}"
        )
    return found


def run_tool(name: str, arguments: Sequence[str], folder: Path) -> str:
    """Run the tool ``name`` in ``folder``; return what it printed.

    Raises
    ------
    InputError
        If it is not there, or fails; the message has the line that it gives as the reason.
    """
    command = [find_tool(name), *arguments]
    done = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        reasons = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise InputError(f"{name} failed: {reasons[0] if reasons else done.returncode}")
    return done.stdout


def tool_version(name: str) -> str:
    """Return the version of the tool ``name``, in its own words.

    Raises
    ------
    InputError
        If it is not there.
    """
    lines = run_tool(name, ["--version"], Path.cwd()).splitlines()
    return next((line for line in lines if any(c.isdigit() for c in line)), "unknown")
