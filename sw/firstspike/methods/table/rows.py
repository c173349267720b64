"""What stands in the table: recipes, and which of their networks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DATA", "ROWS", "Row"]

#: Data sets, each with a table of its own.
DATA = ("mnist", "fashion-mnist")


@dataclass(frozen=True, slots=True)
class Row:
    """A method in the table.

    Attributes
    ----------
    title : str
        Of the method.
    stem : str
        Recipes are ``STEM-mnist`` and ``STEM-fashion-mnist``.
    shown : tuple of str
        Networks of a run that stand in the table and run on the RTL; all are in the JSON file and
        in the plots.
    """

    title: str
    stem: str
    shown: tuple[str, ...]

    def recipe(self, data: str) -> str:
        """Return the name of the recipe for a data set."""
        return f"{self.stem}-{data}"


#: In the order of the page.
ROWS: tuple[Row, ...] = (
    Row("hybrid", "hybrid", ("converted-2", "converted-8", "hybrid-1", "hybrid-2", "hybrid-8")),
    Row(
        "hybrid, deep, random spikes",
        "hybrid-deep",
        ("loose-40", "converted-8", "hybrid-2", "hybrid-3", "hybrid-4"),
    ),
    Row("S4NN", "s4nn", ("s4nn-8",)),
    Row("BS4NN", "bs4nn", ("bs4nn-8",)),
    Row("STiDi-BP", "stidi", ("real-32", "sign-32")),
    Row("tuned slopes", "tuned", ("untuned-4", "tuned-4")),
    Row("LocalZO", "localzo", ("localzo-4", "gaussian-4")),
    Row("LocalZO, sparse backward", "localzo-sparse", ("sparse-4",)),
    Row("TSSL-BP", "tsslbp", ("tsslbp-5",)),
    Row("proxy learning", "proxy", ("proxy-8", "direct-8", "converted-8")),
    Row("progressive tandem learning", "tandem", ("tandem-4", "tandem-16")),
    Row(
        "tandem learning, budgets",
        "tandem-budgets",
        ("tandem-8bit-8", "tandem-2bit-8", "tandem-fan128-8", "tandem-fan32-8", "tandem-fan8-8"),
    ),
    Row("FTBC", "ftbc", ("converted-1", "ftbc-1", "ftbc-2", "ftbc-4")),
    Row("FTBC, deep", "ftbc-deep", ("converted-1", "converted-2", "ftbc-1", "ftbc-2", "ftbc-4")),
    Row(
        "gradient rewiring",
        "rewiring",
        ("dense-4", "rewired-30-4", "rewired-10-4", "rewired-3-4", "rewired-1-4", "rewired-0.73-4"),
    ),
    Row("residual blocks", "sew", ("add-4", "and-4", "iand-4", "plain-4")),
    Row("trained RAMP, 128, 4 bits", "ramp-4bit-128", ("ramp-16",)),
    Row("trained RAMP, 128, 8 bits", "ramp-8bit-128", ("ramp-16",)),
    Row("trained RAMP, 1000, 8 bits", "ramp-8bit-1000", ("ramp-16",)),
    Row("trained RAMP, 128, 10 % alive", "ramp-4bit-128-pruned", ("ramp-16",)),
    Row("trained RAMP, 400, 5 % alive", "ramp-4bit-400-pruned", ("ramp-16",)),
    Row("trained STEP, 400, 8 bits", "step-8bit-400", ("step-8",)),
    Row("trained STEP, 600, sign weights", "step-pm1-600", ("step-8",)),
)
