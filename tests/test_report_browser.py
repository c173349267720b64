"""The page in a browser: nothing fails, every figure is seen, nothing is wider than the window.

Mutants tried, each of which a test here refused: a table wider than a phone; the
letters of light pages on a dark one; no link past the contents; a heading that skips a level;
pictures that are not shown.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from firstspike.cli import main
from report_evidence import make_folder
from system_tools import missing

CHROMIUM = next((path for n in ("chromium", "chromium-browser") if (path := shutil.which(n))), None)

pytestmark = pytest.mark.browser

#: Without a screen, and without looking for anything on a network.
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update",
           "--disable-sync")  # fmt: skip

#: Every figure with its picture's size, and how much is drawn in it.
FIGURES = """() => [...document.querySelectorAll('figure')].map(f => {
  const box = f.getBoundingClientRect(), svg = f.querySelector('svg');
  const drawn = svg && svg.getBoundingClientRect();
  return {id: f.id, wide: box.width, high: box.height, text: f.innerText.length,
          svg: svg && {wide: drawn.width, high: drawn.height,
                       shapes: svg.querySelectorAll('path, use, image').length}};
})"""

#: Texts whose contrast with the page is below what WCAG asks for (4.5), and how low it is.
CONTRAST = """() => {
  const lum = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => { x /= 255;
    return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const back = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255, 255, 255)'; };
  const low = [];
  for (const e of document.querySelectorAll('p,li,dt,dd,th,td,h1,h2,h3,a,strong,figcaption,text')) {
    if (!e.textContent.trim()) continue;
    const style = getComputedStyle(e);
    const a = lum(e.tagName === 'text' ? style.fill : style.color), b = lum(back(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const least = e.tagName === 'text' ? 3 : 4.5;
    if (ratio < least) low.push([e.tagName, e.textContent.slice(0, 30), ratio]);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    folder = make_folder(tmp_path_factory.mktemp("evidence"))
    page = folder / "out" / "report.html"
    words = ["report", "digits", "--board", "icebreaker", "--from", str(folder)]
    assert main([*words, "--rate", "100", "-o", str(page)]) == 0
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        missing("chromium is missing: apt install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield opened
        opened.close()


@pytest.fixture(params=[(400, "light"), (400, "dark"), (1400, "light"), (1400, "dark")])
def opened(request, browser, page_file, tmp_path) -> Iterator[Any]:
    """Open the page; it must not complain, nor ask for anything but itself."""
    wide, scheme = request.param
    context = browser.new_context(
        viewport={"width": wide, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    yield page
    page.screenshot(path=tmp_path / f"{wide}-{scheme}.png", full_page=True)
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    context.close()


def test_every_figure_is_seen(opened):
    figures = opened.evaluate(FIGURES)
    assert len(figures) == 23
    for figure in figures:
        assert figure["wide"] > 300, figure
        assert figure["high"] > 60, figure
        assert figure["text"] > 40, figure
        svg = figure["svg"]
        if svg is not None:
            assert svg["wide"] > 300 < figure["wide"] + 1, figure
            assert svg["high"] > 60, figure
            assert svg["shapes"] > 5, figure
    assert sum(figure["svg"] is not None for figure in figures) == 12


def test_nothing_is_wider_than_the_window(opened):
    wide, window = opened.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide == window
    for element in opened.query_selector_all("details"):
        element.evaluate("e => e.open = true")
    wide, window = opened.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide == window


def test_colours_can_be_told_apart(opened):
    assert opened.evaluate(CONTRAST) == []


def test_headings_names_and_landmarks(opened):
    levels = opened.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert opened.locator(landmark).count() == 1
    named = "svg[role=img] > title, svg[role=img] > desc"
    assert opened.locator(named).count() == 2 * opened.locator("svg").count()
    assert opened.evaluate("document.documentElement.lang") == "en"


def test_keyboard(opened):
    """The first tab leads past the contents; every link can be reached and is seen."""
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    assert opened.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.id") == "main"
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.getAttribute('href')").startswith("#source-")
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_a_number_is_followed_to_its_source(opened):
    opened.locator("#card-latency a").first.click()
    assert opened.evaluate("location.hash") == "#source-run"
    top = opened.evaluate("document.querySelector('#source-run').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_print(opened):
    opened.emulate_media(media="print")
    assert not opened.locator("nav").is_visible()
    assert opened.locator("#fig-latency svg").is_visible()
    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
