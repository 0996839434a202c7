"""Every screen: without barriers, read in order, at any width and on paper."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browser.screens import SCREENS, Screen
from tests.e2e.browser.shown.places import places
from tests.support.desks.running import Desk
from tests.support.servers.accessibility import (
    barriers,
    out_of_order,
    outline,
    overflowing,
    passed_through,
    poor_contrasts,
)
from tests.support.servers.browser import patient_context, signed_in, visited

OUTLINES = Path(__file__).parent / "outlines"
WRITES = os.environ.get("OUTLINES") == "write"
"""Write the outlines instead of comparing them: look at what changed, then commit."""
A4 = 680
"""The width of a sheet of A4 within its margins, in pixels of CSS."""
_BUSY = re.compile(r"Failed to load resource: the server responded with .* 503")
"""Said of a page that is asked for again."""
_EXPECTED = re.compile(r"Failed to load resource: the server responded with .* 4\d\d")
each_screen = pytest.mark.parametrize("screen", SCREENS, ids=lambda each: each.name)


class Visitors:
    """A page of the browser for each who looks, signed in once."""

    def __init__(
        self, browser: Browser, desk: Desk, shown: Mapping[str, str], locale: str
    ) -> None:
        self._browser = browser
        self._desk = desk
        self._places = shown
        self._locale = locale
        self._contexts: dict[str | None, BrowserContext] = {}
        self._errors: list[str] = []

    def shown(self, screen: Screen) -> Page:
        """Return the page that shows a screen."""
        page = self._page(screen.who)
        if page.url.startswith("http"):
            page.evaluate("sessionStorage.clear()")  # what another test typed
        page.set_viewport_size({"width": 1180, "height": 700})
        page.emulate_media(media="screen", color_scheme="light")
        self._desk.until_applied()  # what another screen did
        visited(page, f"{self._desk.api_url}{screen.path.format(**self._places)}")
        self._errors = [each for each in self._errors if not _BUSY.match(each)]
        if screen.act:
            screen.act(page)
        return page

    def _page(self, who: str | None) -> Page:
        if who in self._contexts:
            return self._contexts[who].pages[0]
        context = patient_context(
            self._browser,
            locale=self._locale,
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
        )
        self._contexts[who] = context
        page = context.new_page()
        if who:
            signed_in(page, f"{self._desk.api_url}/", self._desk.tokens[who])
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not _EXPECTED.match(text):
            self._errors.append(text)

    def errors(self) -> list[str]:
        """Return what went wrong in the pages since this was last asked."""
        found, self._errors = self._errors, []
        return found

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()


@pytest.fixture(scope="module")
def shown(desk: Desk) -> Mapping[str, str]:
    return places(desk)


@pytest.fixture(scope="module")
def english(
    browser: Browser, desk: Desk, shown: Mapping[str, str]
) -> Iterator[Visitors]:
    visitors = Visitors(browser, desk, shown, "en-GB")
    yield visitors
    visitors.close()


@pytest.fixture(scope="module")
def french(
    browser: Browser, desk: Desk, shown: Mapping[str, str]
) -> Iterator[Visitors]:
    visitors = Visitors(browser, desk, shown, "fr-FR")
    yield visitors
    visitors.close()


@each_screen
def test_no_screen_has_a_barrier_and_all_are_read_in_order(
    screen: Screen, english: Visitors
) -> None:
    page = english.shown(screen)

    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    assert poor_contrasts(page) == []
    seen = outline(page)
    assert _kept(screen, seen) == seen
    assert passed_through(page) == []
    assert english.errors() == []


@each_screen
def test_every_screen_fits_a_telephone_four_hundred_per_cent_and_paper(
    screen: Screen, french: Visitors
) -> None:
    page = french.shown(screen)

    assert page.locator("html").get_attribute("lang") == "fr"
    for width in (375, 320):
        page.set_viewport_size({"width": width, "height": 640})
        assert overflowing(page) == []
    assert out_of_order(page) == []
    page.set_viewport_size({"width": A4, "height": 900})
    page.emulate_media(media="print")
    assert overflowing(page) == []
    assert french.errors() == []


def _kept(screen: Screen, now: str) -> str:
    """Return the outline on record; write it first if that is asked for."""
    file = OUTLINES / f"{screen.name.replace(',', '').replace(' ', '-')}.txt"
    if WRITES:
        OUTLINES.mkdir(exist_ok=True)
        file.write_text(now, encoding="utf-8")
    return file.read_text(encoding="utf-8")
