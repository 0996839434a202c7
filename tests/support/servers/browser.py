"""A real Chromium, without a screen, for tests of the page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Response,
    expect,
    sync_playwright,
)

from tests.support.patience import BUSY, SECONDS, until

_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first one lays out and draws alike, without the windows that nobody sees."""
CHROMIUM = next(filter(None, map(shutil.which, _PROGRAMS)), None)
DEMANDED = os.environ.get("PERMANENCE_DEMANDS_BROWSER") == "1"
"""Set where a browser must be there: a test then fails for want of one."""
PATIENCE_MS = SECONDS * 1_000
FLAGS = (
    "--no-sandbox",  # a test may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=PATIENCE_MS)


def patient_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a context whose pages wait as long as a busy machine may take.

    Playwright gives up after 30 s. `options` are as `new_context` takes them.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    return context


def visited(page: Page, url: str) -> None:
    """Go to an address, again while the desk is too busy to show it."""
    until(lambda: _is_decided(page.goto(url)), f"{url} is shown")


def signed_in(page: Page, url: str, token: str) -> None:
    """Sign in at an address and see it, again while the desk is too busy for that."""

    def is_in() -> bool:
        if not page.locator("#token").count():
            return _is_decided(page.goto(url))
        page.fill("#token", token)
        with page.expect_navigation() as led:
            page.locator("main button").first.click()
        return _is_decided(led.value) and not page.locator("#token").count()

    visited(page, url)
    until(is_in, f"signed in at {url}")
    page.locator("a[href='/sessions']").wait_for()


def _is_decided(answer: Response | None) -> bool:
    return answer is None or answer.status not in BUSY


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium; skip the test where there is none and none is demanded."""
    if CHROMIUM is None:
        why = "no Chromium here: install Debian's `chromium-headless-shell`"
        if DEMANDED:
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()
