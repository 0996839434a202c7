"""Commands through the API to their owner, and signals to intake: the real services."""

from itertools import count
from typing import Any

import httpx
import pytest

from shared.domain.commands.incident import BODIES
from tests.support.desks.running import Desk
from tests.support.patience import SECONDS, answered, posted

pytestmark = pytest.mark.servers

_FORCED = {"force": True, "reason": "the probe is unplugged"}
_OPEN = {"title": "No mail", "service": "mail", "impact": "low", "urgency": "low"}


def _post(
    desk: Desk,
    path: str,
    body: object = None,
    who: str = "agent",
    **headers: str,
) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return desk.post(path, body, who, given)


def _asked_once(desk: Desk, ref: str, key: str) -> httpx.Response:
    """Acknowledge an incident, and take whatever answer there is."""
    url, sent = f"{desk.api_url}/v1/incidents/{ref}/acknowledge", desk.bearer("agent")
    named = {"Idempotency-Key": key}
    return httpx.post(url, json={}, headers=sent | named, timeout=SECONDS)


def _get(desk: Desk, path: str, who: str = "agent", **params: Any) -> dict[str, Any]:
    answer = desk.get(path, who, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


_numbers = count(1)


def _opened(desk: Desk) -> str:
    """Return a new incident that nobody has taken on: an agent's own would be."""
    key = f"trouble-{next(_numbers)}"
    event = {"action": "trigger", "title": key, "severity": "error", "dedup_key": key}
    answer = _post(desk, "/v1/events", event, who="source")
    (result,) = answer.json()["results"]
    assert result["status"] == "opened", answer.text
    return str(result["incident"])


def test_an_incident_is_opened_and_its_place_is_told(desk: Desk) -> None:
    answer = _post(desk, "/v1/incidents", _OPEN)

    done = answer.json()
    assert answer.status_code == 201
    assert done["outcome"] == "recorded"
    assert answer.headers["Location"] == f"/v1/incidents/{done['incident']}"
    shown = _get(desk, answer.headers["Location"])
    assert shown["title"] == "No mail"
    assert shown["version"] == done["version"]
    assert answer.headers["ETag"] == f'"{done["version"]}"'


def test_ones_own_write_is_read_at_its_position(desk: Desk) -> None:
    ref = _opened(desk)
    done = _post(desk, f"/v1/incidents/{ref}/acknowledge").json()

    page = _get(
        desk, "/v1/queues/all/incidents", min_position=done["positions"][-1], q=ref
    )
    timeline = _get(
        desk, f"/v1/incidents/{ref}/timeline", min_position=done["positions"][-1]
    )

    assert page["items"][0]["status"] == "acknowledged"
    assert "nadia took it on." in [line["sentence"] for line in timeline["items"]]


def test_who_acts_is_who_the_token_says_and_not_who_the_body_says(desk: Desk) -> None:
    ref = _opened(desk)

    answer = _post(desk, f"/v1/incidents/{ref}/acknowledge", {"by": "person:root"})

    assert answer.status_code == 422
    assert "by" in str(answer.json()["errors"])
    _post(desk, f"/v1/incidents/{ref}/acknowledge", who="admin")
    assert _get(desk, f"/v1/incidents/{ref}")["acknowledged_by"] == "person:root"


def test_the_same_key_again_is_the_same_answer_and_happens_once(desk: Desk) -> None:
    ref = _opened(desk)
    path = f"/v1/incidents/{ref}/acknowledge"

    first = _post(desk, path, Idempotency_Key="k-1")
    again = _post(desk, path, Idempotency_Key="k-1")

    assert first.json()["outcome"] == "recorded"
    assert again.json()["outcome"] == "repeated"
    assert again.json()["positions"] == first.json()["positions"]


def test_opening_with_the_same_key_opens_one(desk: Desk) -> None:
    first = _post(desk, "/v1/incidents", _OPEN, Idempotency_Key="open-1")
    again = _post(desk, "/v1/incidents", _OPEN, Idempotency_Key="open-1")

    assert again.json()["incident"] == first.json()["incident"]


def test_the_same_key_for_another_body_is_misuse(desk: Desk) -> None:
    _post(desk, "/v1/incidents", _OPEN, Idempotency_Key="open-2")

    other = {**_OPEN, "title": "No network"}
    answer = _post(desk, "/v1/incidents", other, Idempotency_Key="open-2")

    assert answer.status_code == 422


def test_another_caller_may_use_the_same_key(desk: Desk) -> None:
    first = _post(desk, "/v1/incidents", _OPEN, Idempotency_Key="open-3")
    other = _post(desk, "/v1/incidents", _OPEN, who="manager", Idempotency_Key="open-3")

    assert other.json()["incident"] != first.json()["incident"]


def test_a_version_that_is_past_is_refused_with_412(desk: Desk) -> None:
    ref = _opened(desk)
    _post(desk, f"/v1/incidents/{ref}/acknowledge")

    answer = _post(desk, f"/v1/incidents/{ref}/resolve", If_Match='"1"')

    assert answer.status_code == 412
    version = _get(desk, f"/v1/incidents/{ref}")["version"]
    good = _post(desk, f"/v1/incidents/{ref}/resolve", _FORCED, If_Match=f'"{version}"')
    assert good.status_code == 200


def test_what_is_against_the_rules_is_409_and_of_nothing_404(desk: Desk) -> None:
    ref = _opened(desk)

    _post(desk, f"/v1/incidents/{ref}/cancel", {"reason": "test"})

    assert _post(desk, f"/v1/incidents/{ref}/resolve").status_code == 409
    assert _post(desk, "/v1/incidents/INC-999999/close").status_code == 404


def test_an_unknown_field_is_named(desk: Desk) -> None:
    answer = _post(desk, "/v1/incidents", {**_OPEN, "colour": "red"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "colour" in str(answer.json()["errors"])


def test_only_a_manager_sets_a_priority_by_hand(desk: Desk) -> None:
    body = {**_OPEN, "priority": "p1", "reason": "The mayor is calling"}

    refused = _post(desk, "/v1/incidents", body)
    done = _post(desk, "/v1/incidents", body, who="manager")

    assert refused.status_code == 403
    assert done.status_code == 201, done.text


@pytest.mark.parametrize("verb", [verb for verb in BODIES if verb != "open"])
def test_every_verb_has_its_owner(desk: Desk, verb: str) -> None:
    answer = _post(desk, f"/v1/incidents/INC-999999/{verb}")

    assert answer.status_code in {404, 422}, answer.text


def test_an_unknown_verb_is_not_found(desk: Desk) -> None:
    assert _post(desk, "/v1/incidents/INC-000001/explode").status_code == 404


def test_signals_may_be_sent_here_and_are_asked_after_here(desk: Desk) -> None:
    event = {
        "event_id": "from-the-api/1",
        "action": "trigger",
        "title": "disk",
        "severity": "error",
    }

    sent = _post(desk, "/v1/events", event, who="source")
    result = sent.json()["results"][0]
    path = "/v1/requests/from-the-api%2F1"
    asked = _get(desk, path, who="source")

    assert sent.status_code == 202
    assert result["status"] == "opened"
    assert asked["incident"] == result["incident"]


def test_sources_and_heartbeats_are_shown_here_too(desk: Desk) -> None:
    sources = _get(desk, "/v1/sources")["items"]

    assert {source["name"] for source in sources} >= {"demo", "prometheus"}
    assert _get(desk, "/v1/sources/demo")["type"] == "native"
    assert _get(desk, "/v1/heartbeats") == {"items": []}
    nobody = _post(desk, "/v1/heartbeats/nobody", who="source")
    assert nobody.status_code == 404
    assert "heartbeats" in nobody.json()["detail"]


def test_the_doors_of_other_systems_are_here_too(desk: Desk) -> None:
    payload = {"summary": "Gate 12 is stuck", "source": "gate-12", "severity": "error"}
    event = {"event_action": "trigger", "dedup_key": "gate/12", "payload": payload}
    key = desk.bearer("source")["Authorization"].removeprefix("Bearer ")
    genie = {"Authorization": f"GenieKey {key}"}
    close = f"{desk.api_url}/v2/alerts/gate%2F12/close?identifierType=alias"
    origin = {"WebHook-Request-Origin": "events.example.com"}

    routing = {"X-Routing-Key": key}
    opened = posted(f"{desk.api_url}/v2/enqueue", json=event, headers=routing)
    closed = posted(close, headers=genie)
    snoozed = posted(close.replace("close", "snooze"), headers=genie)
    url = f"{desk.api_url}/v1/cloudevents"
    asked = answered(lambda: httpx.options(url, headers=origin, timeout=SECONDS))

    assert opened.json()["dedup_key"] == "gate/12"
    assert closed.json()["result"] == "Request will be processed"
    assert "pause" in snoozed.json()["message"]
    assert asked.headers["WebHook-Allowed-Origin"] == "events.example.com"


def test_intake_says_no_in_its_own_words(desk: Desk) -> None:
    answer = _post(desk, "/v1/events", {"title": "x"}, who="agent")

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_an_answer_it_is_said_that_it_may_have_been_done(desk: Desk) -> None:
    ref = _opened(desk)
    desk.services["intake"].freeze()
    try:
        answer = _asked_once(desk, ref, "frozen")
    finally:
        desk.services["intake"].thaw()

    assert answer.status_code == 503
    assert "may have been done" in answer.json()["detail"]
    assert answer.headers["Retry-After"] == "1"
    desk.until_commands_are_taken()
    again = _post(desk, f"/v1/incidents/{ref}/acknowledge", Idempotency_Key="frozen")
    assert again.json()["outcome"] in {"recorded", "repeated"}


def test_while_nats_is_away_a_command_is_not_done_and_later_it_is(desk: Desk) -> None:
    ref = _opened(desk)
    desk.nats.kill()
    answer = _asked_once(desk, ref, "away")
    desk.nats.start().wait()

    assert answer.status_code == 503
    assert _get(desk, f"/v1/incidents/{ref}")["status"] == "new"
    desk.until_commands_are_taken()
    assert _get(desk, f"/v1/incidents/{ref}")["status"] == "new"
