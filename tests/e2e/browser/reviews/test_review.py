"""A review is written, published and read in a browser, with and without script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.shown.commands import commanded
from tests.support.desks.running import Desk

PHONE = {
    "viewport": {"width": 375, "height": 667},
    "is_mobile": True,
    "has_touch": True,
    "locale": "fr-FR",
}
Look = Callable[..., Page]


def outage(desk: Desk, title: str) -> str:
    ref = commanded(desk, "", title=title, service="mail", impact="high")
    commanded(desk, f"/{ref}/inform", message="We are on it")
    commanded(desk, f"/{ref}/resolve", note="Restarted")
    return ref


def _leave_out(page: Page, words: str) -> None:
    fact = page.locator(".facts-of-log .flag", has_text=words).first
    fact.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Keep only what is ticked").click()
    expect(fact.get_by_role("checkbox")).not_to_be_checked()


def _open_action(page: Page, task: str) -> None:
    page.fill("#task", task)
    page.fill("#action-owner", "expert")
    page.fill("#due", "2999-12-31")
    page.get_by_role("button", name="Open the action").click()
    expect(page.get_by_role("heading", name=task)).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_review_is_written_and_published(
    desk: Desk, look: Look, *, script: bool
) -> None:
    ref = outage(desk, f"Outage with script {script}")
    page = look(f"/incidents/{ref}/review", who="manager", java_script_enabled=script)
    page.fill("main [name=owner]", "expert")
    page.get_by_role("button", name="Open a review").click()
    expect(page.locator("#status")).to_have_text("draft")

    summary = page.locator("form[action$='/write']").first
    summary.locator("textarea").fill("Mail was down for everybody.")
    summary.get_by_role("button").click()
    expect(page.locator("form[action$='/write']").first).to_contain_text("Revision 1")
    _leave_out(page, "inform")
    _open_action(page, "Run a second mail server")
    page.get_by_role("button", name="Submit it").click()
    expect(page.locator("#status")).to_have_text("in review")
    page.get_by_role("button", name="Publish it").click()
    expect(page.locator("#status")).to_have_text("published")
    expect(page.locator("form[action$='/write']")).to_have_count(0)

    page.get_by_role("link", name="Edition 1").click()
    expect(page.locator("#state")).to_contain_text("Edition 1")
    expect(page.locator("main")).to_contain_text("Mail was down for everybody.")
    expect(page.locator("main")).to_contain_text("Run a second mail server")
    expect(page.locator("ol.log").first).not_to_contain_text("inform")


def test_a_fact_leads_to_its_entry_of_the_log(desk: Desk, look: Look) -> None:
    ref = outage(desk, "Outage with facts")
    commanded(desk, f"/{ref}/review", owner="agent")
    page = look(f"/incidents/{ref}/review")

    link = page.locator(".facts-of-log a").first
    anchor = (link.get_attribute("href") or "").rpartition("#")[2]
    link.click()

    expect(page.locator(f"#{anchor}")).to_be_visible()


def test_what_was_typed_stays_if_somebody_else_saved_meanwhile(
    desk: Desk, look: Look
) -> None:
    ref = outage(desk, "Outage of two authors")
    commanded(desk, f"/{ref}/review", owner="agent")
    page = look(f"/incidents/{ref}/review")
    page.locator("form[action$='/write'] textarea").first.fill("Mine")
    commanded(desk, f"/{ref}/review/sections/summary", text="Theirs")

    page.locator("form[action$='/write'] button").first.click()

    expect(page.locator("main [role=alert]")).to_contain_text("revision 1")
    expect(page.locator("form[action$='/write'] textarea").first).to_have_value("Mine")


def test_it_fits_a_phone_in_french(desk: Desk, look: Look) -> None:
    ref = outage(desk, "Outage on a phone")
    commanded(desk, f"/{ref}/review", owner="agent")
    for path in (f"/incidents/{ref}/review", "/reviews", "/reviews/actions"):
        page = look(path, **PHONE)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        expect(page.locator("h1")).to_be_visible()
