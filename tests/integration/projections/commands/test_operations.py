"""The screens of those who run the desk, and what their forms do."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.projections.api.session_cookie import COOKIE
from tests.support.desks.running import Desk
from tests.support.patience import posted

pytestmark = pytest.mark.servers


def _look(desk: Desk, path: str, who: str = "agent") -> str:
    """Return the text of a page, which has to be shown."""
    answer = _answer(desk, path, who)
    assert answer.status_code == 200, answer.text
    return answer.text


def _answer(desk: Desk, path: str, who: str) -> httpx.Response:
    cookie = {"Cookie": f"{COOKIE}={desk.tokens[who]}"}
    return desk.get(path, None, headers=cookie)


def _quarantined(desk: Desk, words: str) -> str:
    """Return the number of an element that cannot be mapped."""
    body = {"alerts": [{"status": words, "labels": {"alertname": words}}]}
    sent = posted(
        f"{desk.intake_url}/v1/integrations/alertmanager",
        json=body,
        headers=desk.bearer("alertmanager"),
    )
    assert sent.json()["results"][0]["status"] == "quarantined", sent.text
    listed: Mapping[str, Any] = desk.get("/v1/quarantine", "admin").json()
    return str(listed["items"][-1]["id"])


def test_what_cannot_be_mapped_is_listed_with_its_reason_and_discarded(
    desk: Desk,
) -> None:
    number = _quarantined(desk, "unwanted")
    place = f"/quarantine/{number}"

    assert f'href="{place}"' in _look(desk, "/quarantine?source=prometheus")
    assert f'href="{place}"' not in _look(desk, "/quarantine?source=nowhere")
    assert "unwanted" in _look(desk, place, "admin")
    again = desk.send_form(f"{place}/actions/retry")
    assert "It still cannot be mapped" in again.text
    assert desk.send_form(f"{place}/actions/discard").status_code == 422
    done = desk.send_form(f"{place}/actions/discard", reason="A trial")
    assert "The element was discarded." in done.text
    assert "A trial" in _look(desk, place)
    assert f'href="{place}"' in _look(desk, "/quarantine?state=discarded")


def test_all_that_match_are_retried_and_the_others_left(desk: Desk) -> None:
    number = _quarantined(desk, "matching")

    none = desk.send_form("/quarantine/actions/retry", source="nowhere")
    some = desk.send_form("/quarantine/actions/retry", source="prometheus")

    assert "0 still cannot be mapped." in none.text
    assert re.search(r"[1-9]\d* still cannot be mapped", some.text)
    assert "Retries" in _look(desk, f"/quarantine/{number}")


def test_only_an_administrator_sees_a_body_and_an_auditor_changes_nothing(
    desk: Desk,
) -> None:
    place = f"/quarantine/{_quarantined(desk, 'seen')}"

    assert "alertname" not in _look(desk, place)
    seen = _look(desk, place, "auditor")
    assert "alertname" not in seen
    assert "/actions/" not in seen
    refused = desk.send_form(f"{place}/actions/discard", "auditor", reason="Mine")
    assert refused.status_code == 403


def test_maintenance_is_announced_by_a_form_and_called_off(desk: Desk) -> None:
    words = {"service": "mail", "start:zone": "UTC", "end:zone": "UTC"}
    place = "/maintenance/actions/announce"

    wrong = desk.send_form(place, **words, end="2020-01-01T00:00", reason="A disk")
    assert wrong.status_code == 422
    assert 'value="A disk"' in wrong.text
    end = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    done = desk.send_form(place, **words, end=end, reason="A new disk")
    assert "The maintenance is announced." in done.text
    (window,) = re.findall(r"/maintenance/(MNT-\d+)/cancel", done.text)
    seen = _look(desk, "/maintenance?service=mail", "auditor")
    assert "A new disk" in seen
    assert "/cancel" not in seen
    assert window not in _look(desk, "/maintenance?service=web")
    refused = desk.send_form(f"/maintenance/{window}/cancel", "auditor")
    assert refused.status_code == 403
    ended = desk.send_form(f"/maintenance/{window}/cancel", reason="Not today")
    assert "The maintenance is called off." in ended.text
    assert "/cancel" not in ended.text
    assert window in ended.text


def test_a_source_has_a_page_of_its_figures(desk: Desk) -> None:
    assert 'href="/sources/demo"' in _look(desk, "/sources")
    page = _look(desk, "/sources/demo")
    assert "Per minute, in the last hour" in page
    assert _answer(desk, "/sources/nowhere", "agent").status_code == 404


def test_a_desk_without_heartbeats_says_how_to_have_one(desk: Desk) -> None:
    assert "The policy has no heartbeats." in _look(desk, "/heartbeats")


def test_a_version_of_the_policy_is_shown_and_compared(desk: Desk) -> None:
    assert 'href="/policy/1"' in _look(desk, "/policy")
    shown = _look(desk, "/policy/1", "auditor")
    assert "It is the first version" in shown
    assert "a desk for a test" in shown
    assert "Nothing: both say the same." in _look(desk, "/policy/1?against=1")
    for path in ("/policy/9", "/policy/1?against=9"):
        assert _answer(desk, path, "agent").status_code == 404
    for path in ("/policy/x", "/policy/1?against=0"):
        assert _answer(desk, path, "agent").status_code == 422


def test_a_hand_over_that_nobody_made_cannot_be_answered(desk: Desk) -> None:
    assert "Nothing waits for an answer" in _look(desk, "/handovers?kind=service")
    place = "/handovers/INC-999999/actions"

    refused = desk.send_form(f"{place}/accept", kind="incident", title="A cause")

    assert refused.status_code == 404
    assert 'role="alert"' in refused.text
    assert desk.send_form(f"{place}/accept", "auditor").status_code == 403
    assert desk.send_form(f"{place}/merge").status_code == 404
