"""The page: one HTML file with nothing outside of it, and its short form for a README."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from firstspike.report.pieces import Card, Section

__all__ = ["html_page", "markdown_page"]


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("firstspike.report", "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def html_page(
    subject: dict[str, str],
    cards: list[Card],
    sections: list[Section],
    sources: dict[str, dict[str, Any]],
    unused: list[tuple[str, str]],
    origin: dict[str, Any],
) -> str:
    """Return the page.

    Parameters
    ----------
    subject : dict of str to str
        ``network``, ``core``, ``board``, ``title``, ``data``, as they are shown.
    cards : list of Card
        The summary.
    sections : list of Section
        In order.
    sources : dict of str to dict
        By name: ``file``, ``sha256`` and ``origin`` of each file that is used.
    unused : list of (str, str)
        Files that were there, and why they were not used.
    origin : dict
        Of the report itself.
    """
    return (
        _environment(autoescape=True)
        .get_template("report.html.j2")
        .render(
            subject=subject,
            cards=cards,
            sections=sections,
            sources=sources,
            unused=unused,
            origin=origin,
        )
    )


def markdown_page(
    subject: dict[str, str],
    cards: list[Card],
    sources: dict[str, dict[str, Any]],
    origin: dict[str, Any],
) -> str:
    """Return the summary and its sources as Markdown."""
    return (
        _environment(autoescape=False)
        .get_template("report.md.j2")
        .render(subject=subject, cards=cards, sources=sources, origin=origin)
    )
