"""One desk and one browser for every test of the screens."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser.shown.commands import until_shown
from tests.support.desks.running import POLICY, Desk, Setting, running_desk
from tests.support.folders import reachable_folder
from tests.support.servers.browser import (
    patient_context,
    running_browser,
    signed_in,
    visited,
)

Look = Callable[..., Page]
_PERSON = """
INSERT INTO directory.people (id, name, email, phone, client, language, updated_at)
VALUES (%s, %s, %s, %s, 'ours', 'fr', now())
"""
_CALLERS = (
    ("lefevre", "Mme Lefèvre", "+33 4 75 00 00 01"),
    ("costa", "M. Costa", "+33 4 75 00 00 02"),
    ("petit", "Mme Petit", "+33 4 75 00 00 03"),
)


_ON_CALL = """
schedules:
  night:
    timezone: Europe/Paris
    layers:
      - rotation:
          {type: weekly, start: "2027-03-22T18:00", participants: [nadia, sylvie]}
        hours: {mon-thu: ["18:00-08:00"], fri: ["18:00-24:00"], sun: ["00:00-24:00"]}
      - rotation: {type: weekly, start: "2027-03-22T18:00", participants: [sylvie]}
        role: secondary
"""
_SURVEYS = """
surveys:
  visits:
    audience: users
    scope: {services: [mail], channels: [in_person]}
    expires_days: 10
    questions:
      v1:
        - {id: satisfied, en: "Are you satisfied?"}
        - {id: fast, en: "Was it fast enough?"}
    owner: manager
month_reports: {contacts: {ours: [petit]}}
"""
_HEARTBEATS = """
heartbeats:
  backup: {every: 24h, grace: 1h, service: mail, severity: critical, source: demo}
"""
_TEAMS = (
    "teams:\n  night: {members: [nadia, sylvie], manager: manager, schedule: night}"
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a Chromium that all tests here share."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="package")
def desk(browser: Browser) -> Iterator[Desk]:
    """Return a desk that all tests here share: leave it running, and as you found it.

    Other tests' incidents are in its queues: look for your own.
    """
    assert browser.is_connected()  # without one no desk need be started
    mails = {"PERMANENCE_SIGN_IN_BY_MAIL": "true"}
    with reachable_folder() as folder:
        policy = folder / "permanence.yaml"
        starter = POLICY.read_text(encoding="utf-8").replace("teams:", _TEAMS, 1)
        policy.write_text(starter + _ON_CALL + _SURVEYS + _HEARTBEATS, encoding="utf-8")
        setting = Setting(policy=policy, environment=mails)
        with running_desk(folder, setting=setting) as desk:
            _add_callers(desk)
            desk.until_commands_are_taken()
            yield desk


def _add_callers(desk: Desk) -> None:
    with psycopg.connect(desk.database.owner_dsn) as connection:
        for id_, name, phone in _CALLERS:
            mail = f"{id_}@valmont.example"
            connection.execute(_PERSON, (id_, name, mail, phone))


@pytest.fixture
def look(browser: Browser, desk: Desk) -> Iterator[Look]:
    """Return what opens a page, signed in; no page may have an error at the end.

    `who` is one of the desk's tokens, None for nobody; the rest goes to the browser's
    context. The page returns once its scripts have run, and when its events arrive, if
    it has a feed.
    """
    pages: list[Page] = []
    errors: list[str] = []

    def look(path: str = "/", *, who: str | None = "agent", **how: Any) -> Page:
        options = {"locale": "en-GB", "timezone_id": "Europe/Paris", **how}
        page = patient_context(browser, **options).new_page()
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if "Policy" in said.text else None,
        )
        until_shown(desk)
        if who is None:
            visited(page, f"{desk.api_url}{path}")
        else:
            signed_in(page, f"{desk.api_url}{path}", desk.tokens[who])
            page.wait_for_load_state()  # before it the scripts hear no key and no click
            if how.get("java_script_enabled", True) and page.locator("#feed").count():
                page.wait_for_selector("#feed.is-live")
            page.mouse.move(1, 1)  # rows wait under a pointer
        return page

    yield look
    for page in pages:
        page.context.close()
    assert errors == []
