"""A real Chromium, without a screen, for tests of the page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEMANDED = os.environ.get("PERMANENCE_DEMANDS_BROWSER") == "1"
"""Set where a browser must be there: a test then fails for want of one."""
_FLAGS = (
    "--no-sandbox",  # a test may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium; skip the test where there is none and none is demanded."""
    if CHROMIUM is None:
        why = "no Chromium here: install Debian's package `chromium`"
        if DEMANDED:
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()
