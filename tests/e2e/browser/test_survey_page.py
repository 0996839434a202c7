"""A user answers a survey on a phone, without signing in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.browser.shown.commands import survey_about
from tests.support.desks.running import Desk

PHONE = {
    "viewport": {"width": 375, "height": 667},
    "is_mobile": True,
    "has_touch": True,
    "locale": "fr-FR",
}
Look = Callable[..., Page]


def test_a_few_taps_answer(desk: Desk, look: Look) -> None:
    token = survey_about(desk, "lefevre")
    page = look(f"/survey/{token}", who=None, **PHONE)
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wide)
    for question in ("Are you satisfied?", "Was it fast enough?"):
        choice = page.get_by_role("group", name=question).get_by_label("5")
        box = choice.locator("..").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        choice.check()

    page.get_by_role("button", name="Envoyer").tap()

    expect(page.locator("#state")).to_contain_text("votre réponse est bien reçue")
    page.reload()
    expect(page.locator("#state")).to_contain_text("votre réponse est bien reçue")
    expect(page.get_by_role("button", name="Envoyer")).to_have_count(0)
