"""A report is written by one person, approved by another, and read by the client."""

from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.browser.shown.commands import month_report_of
from tests.support.desks.running import Desk
from tests.support.patience import SECONDS

Look = Callable[..., Page]
PLACE = "/month-reports/ours/2025-05"


def test_it_is_written_by_one_person_and_approved_by_another(look: Look) -> None:
    page = look(PLACE)
    page.get_by_text("Write a comment").first.click()
    page.get_by_label("Comment").first.fill("A calm month.\n\nOne breach.")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator(".said").first).to_contain_text("One breach.")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)

    manager = look(PLACE, who="manager")
    manager.get_by_role("button", name="Approve figures and comments").click()
    expect(manager.locator("#state")).to_contain_text("Approved")
    expect(manager.get_by_text("These contacts of the client")).to_be_visible()
    manager.get_by_role("button", name="Publish the report").click()
    expect(manager.locator("#edition")).to_contain_text("Edition 1")
    expect(manager.locator("#changed")).to_have_count(0)


def test_who_wrote_it_is_told_that_somebody_else_approves_it(look: Look) -> None:
    page = look("/month-reports/ours/2025-04", who="manager")
    page.get_by_text("Write a comment").first.click()
    page.get_by_label("Comment").first.fill("My own words.")
    page.get_by_role("button", name="Save").first.click()

    expect(page.get_by_text("somebody else has to approve it")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_contact_reads_the_edition_by_the_link_and_prints_it(
    desk: Desk, look: Look
) -> None:
    token = month_report_of(desk, "2025-03")

    page = look(f"/month-report/{token}", who=None, locale="fr-FR")

    expect(page.locator("h1")).to_contain_text("mars 2025")
    expect(page.locator(".said")).to_contain_text("A calm month.")
    assert page.get_by_role("table").count() > 5
    page.emulate_media(media="print")
    expect(page.locator(".meaning").first).to_be_hidden()
    answer = httpx.get(f"{desk.api_url}/v1/month-report-links/{token}", timeout=SECONDS)
    assert "person:" not in answer.text
