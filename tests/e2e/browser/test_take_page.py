"""Somebody who is paged takes the incident on a phone, without signing in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.browser.paging import paged
from tests.support.desks.running import Desk

PHONE = {
    "viewport": {"width": 375, "height": 667},
    "is_mobile": True,
    "has_touch": True,
    "locale": "fr-FR",
}
Look = Callable[..., Page]


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_one_tap_takes_it(desk: Desk, look: Look) -> None:
    token = paged(desk, "Nobody may read this title here")
    page = look(f"/take/{token}", who=None, **PHONE)
    take = page.get_by_role("button", name="Je prends")
    assert not is_wider_than_the_screen(page)
    box = take.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["height"] >= 48
    assert box["y"] + box["height"] < 667, "it is seen without scrolling"
    assert "Nobody may read" not in page.content()

    take.tap()
    expect(page.locator("#state")).to_contain_text("Il est à vous")
    expect(take).to_have_count(0)
    page.reload()
    expect(page.locator("#state")).to_contain_text("Il est à vous")


def test_not_me_is_one_tap_as_well(desk: Desk, look: Look) -> None:
    token = paged(desk, "Declined on a phone")
    page = look(f"/take/{token}", who=None, **PHONE)

    page.get_by_role("button", name="Pas moi").tap()
    expect(page.locator("#state")).to_contain_text("une autre personne est appelée")
    expect(page.get_by_role("button", name="Pas moi")).to_have_count(0)
    expect(page.get_by_role("button", name="Je prends")).to_be_visible()
