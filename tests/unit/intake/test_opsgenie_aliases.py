"""The names our Opsgenie Alert API gives hold what they are the names of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.compat.opsgenie import (
    OpsgenieRequest,
    alert_id,
    alias_of,
    asked_in,
    instead_of,
    request_id,
)


@given(st.text(max_size=512))
def test_the_id_of_an_alert_gives_its_alias_back(alias: str) -> None:
    assert alias_of(alert_id(alias)) == alias


@given(st.text(), st.text(), st.text())
def test_the_id_of_a_request_gives_back_what_was_asked(
    action: str, event_id: str, alias: str
) -> None:
    asked = OpsgenieRequest(action, event_id, alias)

    assert asked_in(request_id(asked)) == asked


@given(st.text() | st.from_regex(r"alert-[A-Za-z0-9_-]*", fullmatch=True))
def test_any_other_text_is_a_name_of_nothing(text: str) -> None:
    asked_in(text)
    alias = alias_of(text)

    assert alias is None or text.startswith("alert-")


@pytest.mark.parametrize("text", ["", "é", "alert-", "W10", "WzFd", "eyJhIjoxfQ", "W"])
def test_what_was_never_given_asked_nothing(text: str) -> None:
    assert asked_in(text) is None


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("POST", "/v2/alerts/a/snooze", 422, "pause"),
        ("POST", "/v2/alerts/a/tags", 422, "create the alert again"),
        ("POST", "/v2/alerts/a/actions/restart", 422, "custom actions"),
        ("PUT", "/v2/alerts/a/priority", 422, "create the alert again"),
        ("DELETE", "/v2/alerts/a", 422, "close the alert"),
        ("DELETE", "/v2/alerts/a/attachments/7", 422, "link"),
        ("POST", "/v2/alerts/a/what", 422, "not known here"),
        ("GET", "/v2/alerts", 404, "queues/all/incidents"),
        ("GET", "/v2/alerts/a", 404, "queues/all/incidents"),
    ],
)
def test_what_a_source_cannot_do_hears_what_to_do_instead(
    method: str, path: str, status: int, word: str
) -> None:
    no = instead_of(method, path).details

    assert no.status == status
    assert word in no.detail
