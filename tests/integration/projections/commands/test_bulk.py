"""One command for many incidents: previewed, then executed once for each of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, get_args

import httpx
import pytest

from services.projections.api.commands.bulk import Change, Verb, digest_of, key_of
from services.projections.api.limits import BULK_MAX
from shared.domain.commands.incident import BODIES
from tests.support.desks.api import problem
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered

pytestmark = pytest.mark.servers

_numbers = count(1)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, start=("intake", "projections")) as running,
    ):
        yield running


def _post(
    desk: Desk, body: object, who: str = "agent", key: str | None = None
) -> httpx.Response:
    headers = desk.bearer(who) | ({"Idempotency-Key": key} if key else {})
    url = f"{desk.api_url}/v1/bulk"
    return answered(
        lambda: httpx.post(url, json=body, headers=headers, timeout=SECONDS)
    )


def _done(desk: Desk, body: object, key: str | None = None) -> dict[str, Any]:
    answer = _post(desk, body, key=key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _opened(desk: Desk, number: int, service: str = "mail") -> list[str]:
    """Open incidents that nobody has taken on; return their references."""
    keys = [f"bulk-{next(_numbers)}" for _ in range(number)]
    events = [
        {
            "action": "trigger",
            "title": key,
            "severity": "error",
            "dedup_key": key,
            "service": service,
        }
        for key in keys
    ]
    headers, url = desk.bearer("source"), f"{desk.intake_url}/v1/events"
    answer = answered(
        lambda: httpx.post(url, json=events, headers=headers, timeout=SECONDS)
    )
    results = answer.json()["results"]
    refs = [str(result["incident"]) for result in results]
    desk.until_applied()
    return refs


def _act(desk: Desk, ref: str, verb: str, **body: object) -> None:
    answer = desk.post(f"/v1/incidents/{ref}/{verb}", body)
    assert answer.is_success, answer.text


def _events(desk: Desk, ref: str, kind: str) -> int:
    answer = desk.get(f"/v1/incidents/{ref}/events", "auditor")
    return sum(each["type"] == kind for each in answer.json()["items"])


def _outcomes(answer: dict[str, Any]) -> list[str]:
    return [item["outcome"] for item in answer["items"]]


def _run(previewed: dict[str, Any], body: object) -> dict[str, Any]:
    """Return the request that executes what was previewed."""
    verb, changes, digest = (previewed[k] for k in ("verb", "changes", "digest"))
    return {"verb": verb, "body": body, "changes": changes, "digest": digest}


def test_a_preview_tells_who_would_change_and_who_not_and_changes_nobody(
    desk: Desk,
) -> None:
    first, second, third = _opened(desk, 3)
    _act(desk, second, "acknowledge")
    _act(desk, third, "cancel", reason="test")

    wish = {"verb": "acknowledge", "preview": True}
    told = _done(desk, {**wish, "refs": [first, second, third, first, "INC-009999"]})

    assert _outcomes(told) == ["would_record", "already", "refused", "refused"]
    assert told["counts"] == {"already": 1, "refused": 2, "would_record": 1}
    assert [change["ref"] for change in told["changes"]] == [first]
    assert "cancelled" in told["items"][2]["detail"]
    assert told["items"][3]["status"] == 404
    assert told["items"][0]["title"].startswith("bulk-")
    assert _events(desk, first, "incident.acknowledged") == 0


def test_what_was_previewed_is_executed_once_however_often_it_is_sent(
    desk: Desk,
) -> None:
    refs = _opened(desk, 5)
    body = {"message": "Mail is slow; we are on it."}
    told = _done(desk, {"verb": "inform", "body": body, "refs": refs, "preview": True})

    first = _done(desk, _run(told, body), key="once")
    again = _done(desk, _run(told, body), key="once")

    assert _outcomes(first) == ["recorded"] * 5
    assert _outcomes(again) == ["repeated"] * 5
    assert first["complete"]
    assert first["position"] == again["position"]
    assert [_events(desk, ref, "incident.informed") for ref in refs] == [1] * 5


def test_an_incident_that_changed_since_the_preview_is_left_alone(desk: Desk) -> None:
    first, second = _opened(desk, 2)
    told = _done(
        desk, {"verb": "acknowledge", "refs": [first, second], "preview": True}
    )
    _act(desk, first, "snooze", reason="known", **{"for": "1h"})

    done = _done(desk, _run(told, {}), key="changed")

    assert _outcomes(done) == ["refused", "recorded"]
    assert done["items"][0]["status"] == 412
    assert _events(desk, first, "incident.acknowledged") == 0


def test_a_filter_selects_what_is_previewed(desk: Desk) -> None:
    refs = _opened(desk, 3, service="web")
    _opened(desk, 1, service="mail")
    wish = {"verb": "acknowledge", "preview": True, "filter": "service:web"}

    assert sorted(item["ref"] for item in _done(desk, wish)["items"]) == refs
    assert _done(desk, {**wish, "queue": "mine"})["items"] == []


def test_one_that_ended_in_the_middle_is_finished_exactly_once(desk: Desk) -> None:
    refs = _opened(desk, 12)
    body = {"message": "Restarting."}
    told = _done(desk, {"verb": "inform", "body": body, "refs": refs, "preview": True})
    run = _run(told, body)

    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(_post, desk, run, key="killed")
        desk.services["projections"].kill()
        sent.exception()
    desk.services["projections"].start()
    desk.until_commands_are_taken()
    done = _done(desk, run, key="killed")

    assert set(_outcomes(done)) <= {"recorded", "repeated"}
    assert [_events(desk, ref, "incident.informed") for ref in refs] == [1] * 12


def test_without_an_owner_it_says_that_it_is_not_complete(desk: Desk) -> None:
    refs = _opened(desk, 20)
    told = _done(desk, {"verb": "acknowledge", "refs": refs, "preview": True})
    desk.services["intake"].stop()
    partly = _done(desk, _run(told, {}), key="away")
    desk.services["intake"].start()
    desk.until_commands_are_taken()
    done = _done(desk, _run(told, {}), key="away")

    assert set(_outcomes(partly)) == {"unanswered"}
    assert not partly["complete"]
    assert _outcomes(done) == ["recorded"] * 20
    assert done["complete"]


_CHANGE = {"ref": "INC-000001", "version": 1}


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"verb": "open"}, 422, "verb"),
        ({"verb": "acknowledge", "preview": True}, 422, "select incidents by `refs`"),
        (
            {"verb": "wake", "preview": True, "refs": ["INC-000001"], "queue": "all"},
            422,
            "select incidents by `refs`, or",
        ),
        (
            {"verb": "wake", "preview": True, "filter": "prio:p1"},
            422,
            "no field",
        ),
        (
            {"verb": "wake", "preview": True, "filter": "status:closed OR printer"},
            422,
            "different orders",
        ),
        ({"verb": "inform", "preview": True, "refs": ["INC-000001"]}, 422, "message"),
        (
            {"verb": "wake", "preview": True, "changes": [_CHANGE]},
            422,
            "leave them",
        ),
        ({"verb": "wake", "refs": ["INC-000001"]}, 422, "preview it"),
        ({"verb": "wake", "changes": [_CHANGE]}, 409, "not what you previewed"),
        ({"verb": "wake", "changes": [_CHANGE], "digest": "f" * 64}, 409, "preview it"),
        (
            {"verb": "wake", "preview": True, "refs": ["INC-000001"] * (BULK_MAX + 1)},
            422,
            "refs",
        ),
        ([], 422, "object"),
    ],
)
def test_what_cannot_be_done_is_refused_as_a_whole(
    desk: Desk, body: object, status: int, sentence: str
) -> None:
    no = problem(_post(desk, body, key="refused"), status)

    assert sentence in str(no["detail"])


def test_nobody_executes_what_somebody_else_previewed(desk: Desk) -> None:
    (ref,) = _opened(desk, 1)
    told = _done(desk, {"verb": "acknowledge", "refs": [ref], "preview": True})

    problem(_post(desk, _run(told, {}), "manager", key="stolen"), 409)
    problem(_post(desk, _run(told, {})), 422)  # without a key
    problem(_post(desk, _run(told, {}), "auditor", key="stolen"), 403)
    problem(_post(desk, {**_run(told, {}), "verb": "wake"}, key="other"), 409)
    assert _events(desk, ref, "incident.acknowledged") == 0


def test_verbs_are_commands_and_keys_fit_in_a_header() -> None:
    assert set(get_args(Verb)) <= {*BODIES, "accept", "escalate"}
    change = Change(ref="INC-000001", version=1)
    assert key_of("k", "INC-000001") != key_of("k", "INC-000002")
    assert digest_of("a", "wake", {}, [change]) != digest_of("b", "wake", {}, [change])
