"""The accuracy table: docs/accuracy.json, docs/accuracy.md and a plot, from run folders.

python -m firstspike.train.table RUN... -o docs
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from firstspike.errors import InputError
from firstspike.files import write_file
from firstspike.markdown import table
from firstspike.plots import png
from firstspike.progress import counted
from firstspike.train.measure import measure

__all__ = ["main", "make_table"]

_HEAD = """# Accuracy

Strict accuracy over the whole test sets: one label an image, ties to the lowest index. *Early* is
the decision of the first output spike, *last* the largest potential minus threshold after the
last step; the decision step counts from 0, and T where nobody spiked (*forced*). Everything here
is modelled: the golden model computed it, which the RTL is tested to equal in every bit.
Events, synaptic operations (STEP) and multiply-accumulates (RAMP) are means over the test images,
with early exit. RAMP networks are exact mappings of a quantised ANN and decide after all their
events.

Each figure is a mean over seeds, with the standard deviation where there are three seeds or
more; `accuracy.json` has every seed. Hyper-parameters and output thresholds were chosen on a
validation split of the training images. Repeat a row with

    firstspike train RECIPE -o RUN --seed N
    firstspike export RUN -o NET
    firstspike run NET --data DATA

"""


def make_table(
    run_folders: list[Path], docs: Path, data_folder: Path | None = None
) -> list[dict[str, Any]]:
    """Measure runs and write accuracy.json, accuracy.md and deadline.png to ``docs``.

    Parameters
    ----------
    run_folders : list of Path
        Finished runs; those of one recipe with different seeds make one row.
    docs : Path
        Folder of the files.
    data_folder : Path, optional
        Where the data sets lie.

    Returns
    -------
    list of dict
        One entry a run; see `firstspike.train.measure.measure`, with ``command`` and ``commit``.

    Raises
    ------
    InputError
        If a folder holds no finished run, or two runs are of one recipe and one seed.
    """
    entries: list[dict[str, Any]] = []
    commit = _commit()
    with counted("measuring", len(run_folders)) as progress:
        for done, folder in enumerate(run_folders, 1):
            entry = measure(folder, data_folder)
            if any((e["recipe"], e["seed"]) == (entry["recipe"], entry["seed"]) for e in entries):
                raise InputError(
                    f"{folder}: a second run of recipe {entry['recipe']!r}, seed {entry['seed']}"
                )
            entry["command"] = f"firstspike train {entry['recipe']} -o RUN --seed {entry['seed']}"
            entry["commit"] = commit
            entries.append(entry)
            progress(done)
    entries.sort(key=lambda entry: (entry["recipe"], entry["seed"]))
    rows = {entry["recipe"]: [e for e in entries if e["recipe"] == entry["recipe"]]
            for entry in entries}  # fmt: skip
    text = _HEAD + _step_table(rows) + "\n" + _ramp_table(rows)
    write_file(docs / "accuracy.json", (json.dumps(entries, indent=1) + "\n").encode())
    write_file(docs / "accuracy.md", text.encode())
    write_file(docs / "deadline.png", _plot(rows))
    return entries


def _commit() -> str | None:
    """Return the commit of the source that measures; None outside of a checkout."""
    try:
        call = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=10", "HEAD"]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _figure(row: list[dict[str, Any]], key: str, factor: float, digits: int) -> str:
    values = [factor * entry[key] for entry in row]
    text = f"{statistics.fmean(values):.{digits}f}"
    if len(values) >= 3:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text


def _step_table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the table of STEP networks, and the one of accuracy against deadline."""
    chosen = {name: row for name, row in rows.items() if row[0]["neuron"] == "step"}
    if not chosen:
        return ""
    main = table(
        ["recipe", "layers", "bits", "T", "seeds", "early, %", "last, %", "decision step",
         "forced, %", "events", "synaptic operations"],
        [
            [f"`{name}`", row[0]["layers"], str(row[0]["weight_bits"]), str(row[0]["steps"]),
             _seeds(row), _figure(row, "early", 100, 2), _figure(row, "last", 100, 2),
             _figure(row, "mean_step", 1, 2), _figure(row, "forced", 100, 1),
             _figure(row, "events", 1, 0), _figure(row, "synops", 1, 0)]
            for name, row in chosen.items()
        ],
    )  # fmt: skip
    steps = max(row[0]["steps"] for row in chosen.values())
    deadline = []
    for name, row in chosen.items():
        curves = zip(*(entry["deadline"] for entry in row), strict=True)
        means = [f"{100 * statistics.fmean(at):.2f}" for at in curves]
        deadline.append([f"`{name}`", *means, *[""] * (steps - len(means))])
    return (
        f"## STEP networks\n\n{main}\nAccuracy in %, if every image must be decided by the end of "
        "step t: first output spike by then, else the largest potential minus threshold.\n\n"
        + table(["recipe", *(str(t) for t in range(steps))], deadline)
        + "\n![accuracy against deadline](deadline.png)\n"
    )


def _ramp_table(rows: dict[str, list[dict[str, Any]]]) -> str:
    chosen = {name: row for name, row in rows.items() if row[0]["neuron"] == "ramp"}
    if not chosen:
        return ""
    return "## RAMP networks: exact mapping of a quantised ANN\n\n" + table(
        ["recipe", "layers", "bits", "T", "seeds", "last, %", "events", "multiply-accumulates"],
        [
            [f"`{name}`", row[0]["layers"], str(row[0]["weight_bits"]), str(row[0]["steps"]),
             _seeds(row), _figure(row, "last", 100, 2), _figure(row, "events", 1, 0),
             _figure(row, "macs", 1, 0)]
            for name, row in chosen.items()
        ],
    )  # fmt: skip


def _seeds(row: list[dict[str, Any]]) -> str:
    return ", ".join(str(entry["seed"]) for entry in row)


def _plot(rows: dict[str, list[dict[str, Any]]]) -> bytes:
    """Return a PNG of accuracy against deadline, a line a recipe, a panel a data set."""
    step = {name: row for name, row in rows.items() if row[0]["neuron"] == "step"}
    sets = sorted({row[0]["data"] for row in step.values()}) or [""]
    figure = Figure(figsize=(4.5 * len(sets), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sets), squeeze=False)[0]
    for panel, data in zip(panels, sets, strict=True):
        for name, row in step.items():
            if row[0]["data"] == data:
                curves = zip(*(entry["deadline"] for entry in row), strict=True)
                # The share of the stimulus, so that networks of different T can be compared.
                share = [(t + 1) / row[0]["steps"] for t in range(row[0]["steps"])]
                means = [100 * statistics.fmean(at) for at in curves]
                panel.plot(share, means, marker=".", label=name)
        panel.set(title=data, xlabel="deadline, share of the stimulus", ylabel="test accuracy, %")
        if step:
            panel.legend(fontsize=7, loc="lower right")
    return png(figure, dpi=120)


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m firstspike.train.table``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firstspike.train.table")
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="finished run")
    parser.add_argument("-o", dest="docs", type=Path, required=True, help="folder of the files")
    parser.add_argument("--dir", type=Path, help="where the data sets lie")
    options = parser.parse_args(arguments)
    try:
        make_table(options.runs, options.docs, options.dir)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
