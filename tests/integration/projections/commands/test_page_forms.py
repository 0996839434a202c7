"""Forms of a page: each acts once and by itself, and only for who was shown it."""

import pytest

from tests.support.desks.running import Desk

pytestmark = pytest.mark.servers

KEY = {"key": "one-page-with-many-forms"}


@pytest.fixture
def place(desk: Desk) -> str:
    """Open an incident; return the address of its forms."""
    body = {"title": "Slow", "service": "mail", "impact": "low"}
    opened = desk.post("/v1/incidents", body)
    assert opened.is_success, opened.text
    desk.until_applied()  # a form that is refused shows the page again
    return f"/incidents/{opened.json()['incident']}/actions"


def _told(desk: Desk, place: str) -> str:
    """Return the timeline of the incident as an auditor reads it."""
    ref = place.split("/")[2]
    return desk.get(f"/v1/incidents/{ref}/timeline", "auditor").text


def test_the_forms_of_a_page_share_a_key_and_each_acts_once(
    desk: Desk, place: str
) -> None:
    note = {**KEY, "note": "The disk is full"}

    done = [
        desk.send_form(f"{place}/{verb}", **form)
        for verb, form in (("restore", KEY), ("note", note), ("note", note))
    ]

    assert [each.status_code for each in done] == [200, 200, 200]
    told = _told(desk, place)
    assert told.count("incident.restored") == 1
    assert told.count("incident.noted") == 1


def test_a_form_of_another_site_does_nothing(desk: Desk, place: str) -> None:
    foreign = {"Origin": "https://elsewhere.example"}

    refused = desk.send_form(f"{place}/note", headers=foreign, note="Not mine")

    assert refused.status_code == 403
    assert "Not mine</textarea>" in refused.text  # it can be sent from here
    assert "incident.noted" not in _told(desk, place)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_text_that_is_too_long_is_refused_in_words(
    desk: Desk, place: str, language: str
) -> None:
    why = {"en": "This is too long", "fr": "Votre texte est trop long"}[language]
    speaks = {"Accept-Language": language}

    refused = desk.send_form(f"{place}/note", headers=speaks, note="é" * 200_000)

    assert refused.status_code == 413
    assert f'role="alert">{why}' in refused.text


def test_what_is_written_is_text_and_no_markup(desk: Desk, place: str) -> None:
    written = "<script>alert(1)</script>"

    shown = desk.send_form(f"{place}/note", note=written)

    assert shown.status_code == 200
    assert written not in shown.text
    assert "&lt;script&gt;alert(1)" in shown.text
