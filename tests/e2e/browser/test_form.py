"""A user without an account reports by the form, on a phone, and gets a reference."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from shared.http.form_limits import REPORTS_MAX
from tests.support.desks.running import Desk
from tests.support.patience import BUSY, SECONDS, posted, until, until_too_many
from tests.support.servers.browser import patient_context, visited

PHONE = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "fr-FR",
}
WORDS = "Les totaux de mai sont faux de 312,40 €.\n<b>Depuis ce matin</b> 😡"
Look = Callable[..., Page]


@pytest.fixture
def look(browser: Browser, desk: Desk) -> Iterator[Look]:
    """Return what opens the form; the page must have no error at the end."""
    pages: list[Page] = []
    errors: list[str] = []

    def look(**how: object) -> Page:
        page = patient_context(browser, **{**PHONE, **how}).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text))
        pages.append(page)
        visited(page, f"{desk.api_url}/report")
        return page

    yield look
    for page in pages:
        page.context.close()
    assert [error for error in errors if "422" not in error] == []


def fill(page: Page, email: str = "Zoe@elsewhere.example", words: str = WORDS) -> None:
    page.get_by_label("Votre adresse").fill(email)
    page.get_by_label("Que se passe-t-il").fill(words)


def letters(desk: Desk) -> list[dict[str, object]]:
    answer = desk.get("/v1/letters")
    assert answer.is_success, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_a_report_on_a_phone_becomes_an_incident(look: Look, desk: Desk) -> None:
    page = look()
    assert not is_wider_than_the_screen(page)
    fill(page)
    page.get_by_label("De quoi").select_option(index=1)
    page.get_by_role("button", name="Envoyer").click()

    reference = page.locator("#reference")
    expect(reference).to_contain_text("INC-")
    ref = reference.text_content() or ""
    assert not is_wider_than_the_screen(page)
    expect(page.locator("main")).to_contain_text("Zoe@elsewhere.example")
    until(
        lambda: _words(desk, ref) == WORDS,
        "the words are on record as written",
    )


def _words(desk: Desk, ref: str) -> str:
    answer = desk.get(f"/v1/incidents/{ref}")
    contacts = answer.json().get("contacts", [])
    return contacts[0]["words"] if contacts else ""


def test_sent_twice_it_is_one(look: Look) -> None:
    page = look()
    fill(page, words="Une seule fois")
    page.get_by_role("button", name="Envoyer").click()
    first = page.locator("#reference").text_content()

    page.reload()

    expect(page.locator("#reference")).to_have_text(first or "none")


def test_what_is_wrong_is_said_and_what_was_written_stays(look: Look) -> None:
    page = look()
    fill(page, email="zoe@here")
    page.get_by_role("button", name="Envoyer").click()

    expect(page.get_by_role("alert")).to_contain_text("zoe@example.org")
    expect(page.get_by_label("Que se passe-t-il")).to_have_value(WORDS)


def test_a_robot_that_fills_all_is_stopped_and_a_person_can_mend_it(
    look: Look, desk: Desk
) -> None:
    page = look()
    before = len(letters(desk))
    fill(page)
    page.evaluate("document.getElementById('trap').value = 'https://spam.example'")
    page.get_by_role("button", name="Envoyer").click()

    expect(page.get_by_role("alert")).to_be_visible()
    trap = page.get_by_label("Laissez ce champ vide")
    expect(trap).to_be_visible()
    assert len(letters(desk)) == before
    trap.fill("")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator("#reference")).to_be_visible()


def test_it_is_in_english_and_dark_too(look: Look) -> None:
    page = look(locale="en-GB", color_scheme="dark")

    expect(page.get_by_role("heading")).to_have_text("Report a problem")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(18, 23, 24)"


def test_whether_an_address_is_known_is_not_told(desk: Desk) -> None:
    url = f"{desk.api_url}/v1/reports"
    told = [
        posted(
            url, json={"email": email, "words": "Slow", "key": "a-key-of-ones-own"}
        ).json()
        for email in ("zoe@elsewhere.example", "nobody@new.example")
    ]

    assert [sorted(one) for one in told] == [["incident", "left_out", "promises"]] * 2
    assert [p["seconds"] for p in told[0]["promises"]] == [
        p["seconds"] for p in told[1]["promises"]
    ]


def test_too_many_are_refused_and_told_when_to_come_again(desk: Desk) -> None:
    url = f"{desk.api_url}/v1/reports"
    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    given = {
        "email": "mallory@flood.example",
        "words": "!",
        "key": "always-the-same-key",
    }
    *taken, refused = until_too_many(
        lambda: httpx.post(url, json=given, headers=elsewhere, timeout=SECONDS),
        REPORTS_MAX,
    )

    assert len(taken) >= REPORTS_MAX
    decided = [each for each in taken if each.status_code not in BUSY]
    assert {each.status_code for each in decided} == {201}
    assert int(refused.headers["retry-after"]) > 0
    assert posted(url, json=given).status_code == 201
