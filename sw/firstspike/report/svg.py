"""Plots as SVG that stands inside a page: its colours are the page's, its text is text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["COLOURS", "FONT", "INK", "MUTED", "SERIES", "draw"]

#: What is drawn in a colour on the left gets the page's variable on the right, which differs
#: between light and dark. Series are Okabe's and Ito's, which colour-blind people tell apart.
COLOURS = {
    "#1b1e23": "--ink",
    "#5c636e": "--muted",
    "#d9dde3": "--grid",
    "#ffffff": "--paper",
    "#0072b2": "--s1",
    "#d55e00": "--s2",
    "#009e73": "--s3",
    "#e69f00": "--s4",
    "#cc79a7": "--s5",
    "#56b4e9": "--s6",
}
_NAMES = tuple(COLOURS)
INK = _NAMES[0]
MUTED = _NAMES[1]
_GRID = _NAMES[2]
SERIES = _NAMES[4:]
#: Points, in a figure of a width that makes it 9 pixels on a phone and 14 on a desk.
FONT = 10.5
_WIDE = 420

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "firstspike",
    "font.size": FONT,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "grid.color": _GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def draw(
    name: str,
    title: str,
    description: str,
    paint: Callable[[Axes], None],
    *,
    high: int = 262,
    panels: tuple[int, int] | None = None,
) -> str:
    """Return an ``<svg>`` element.

    Parameters
    ----------
    name : str
        Of the figure; identifiers inside begin with it, so that two figures of a page have none in
        common.
    title, description : str
        For people who do not see the picture.
    paint : callable
        Given the axes, or an array of axes with ``panels``, draws on them.
    high : int
        Height for a width of 420.
    panels : tuple of int, optional
        Rows and columns of axes.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDE / 72, high / 72), layout="constrained")
        paint(figure.subplots(*(panels or (1, 1))))
        content = io.StringIO()
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    # This style would be that of the whole page.
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    head = (
        rf'<svg viewBox="\1" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', head, text, count=1)
    return re.sub(r"\s*\n\s*", "\n", text).strip()
