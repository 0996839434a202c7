"""One incident from signal to closing in a browser, past a kill of each service."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded, signalled, until_shown
from tests.support.desks.running import Desk
from tests.support.patience import until

pytestmark = pytest.mark.smoke


def test_an_incident_is_owned_until_it_is_closed_whatever_is_killed_meanwhile(
    desk: Desk, look: Look
) -> None:
    alert = {"dedup_key": "smoke", "title": "Smoke", "service": "mail"}
    (ref,) = signalled(desk, {**alert, "severity": "error"})
    _killed(desk, "intake")
    assert signalled(desk, {**alert, "severity": "error"}) == [ref]
    commanded(desk, f"/{ref}/attach", person="lefevre", channel="phone", words="Help!")
    page = look("/?q=smoke")
    page.locator(f"#{ref}").click()
    page.wait_for_selector("#feed.is-live")

    page.keyboard.press("a")
    expect(page.locator("#done")).to_have_text("You have taken it on.")
    _killed(desk, "sla_watcher")
    _killed(desk, "escalation")
    signalled(desk, {**alert, "action": "resolve"})
    expect(page.locator(".timeline")).to_contain_text("service is back")
    page.keyboard.press("e")
    page.keyboard.type("Rebooted")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".about .status")).to_have_text("resolved")
    _killed(desk, "projections")
    page = look(f"/incidents/{ref}")
    page.locator("#do-close summary").click()
    page.locator("#act-close button").first.click()
    expect(page.locator(".about .status")).to_have_text("closed")

    until(
        lambda: _happened(desk, ref)["sla.met"] == 2, lambda: str(_happened(desk, ref))
    )
    happened = _happened(desk, ref)
    for type_ in ("opened", "acknowledged", "restored", "resolved", "closed"):
        assert happened[f"incident.{type_}"] == 1, happened
    for name, service in desk.services.items():
        assert service.alive(), name
        assert "Traceback" not in desk.output(name)


def _killed(desk: Desk, name: str) -> None:
    """Kill a service, start it again, and wait until the desk is whole."""
    desk.services[name].kill()
    desk.services[name].start()
    desk.until_commands_are_taken()
    until_shown(desk)


def _happened(desk: Desk, ref: str) -> Counter[str]:
    """Return how often each type of event happened to an incident."""
    log = desk.log()
    streams = (f"incident-{ref}", f"sla-{ref}")
    types = [each.event.type for stream in streams for each in log.history(stream)]
    log.close()
    return Counter(types)
