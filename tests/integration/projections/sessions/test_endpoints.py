"""Signing in over HTTP, the lists of sessions, and their end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.http.form_limits import (
    MAILS_MAX,
    SIGN_INS_MAX,
    FormLimits,
    sign_in_limits,
)
from shared.http.problem_details import HttpError
from shared.security.access import REMEMBERED_SECONDS
from shared.security.break_glass import EVERY_RIGHT
from shared.security.sender import seal_keys_of
from shared.security.sessions import revoke_sessions
from shared.security.sign_in_links import NewLink, create_link
from tests.support.desks.api import Api, problem
from tests.support.desks.door import grant
from tests.support.patience import SECONDS, until_too_many

pytestmark = pytest.mark.servers


def _begin(api: Api, **body: object) -> httpx.Response:
    return api.call("POST", "/v1/sessions", who=None, json=body)


def _session(api: Api, **body: object) -> dict[str, Any]:
    answer = _begin(api, **body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _as(api: Api, session: dict[str, Any], method: str, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {session['session']}"}
    return api.call(method, path, who=None, headers=headers)


def _link(api: Api, person: str) -> str:
    with api.log.transaction() as cursor:
        link = NewLink(f"person:{person}", "link")
        return create_link(cursor, seal_keys_of(api.log), datetime.now(UTC), link)


def test_a_session_begun_with_a_token_reads_and_is_listed(shared_api: Api) -> None:
    session = _session(shared_api, token=shared_api.tokens["agent"], device="Firefox")

    assert _as(shared_api, session, "GET", "/v1/queues").status_code == 200
    me = _as(shared_api, session, "GET", "/v1/me").json()
    assert (me["actor"], me["scopes"]) == ("person:paul", ["agent"])
    listed = _as(shared_api, session, "GET", "/v1/me/sessions").json()["items"]
    (own,) = [each for each in listed if each["current"]]
    assert (own["id"], own["method"], own["device"]) == (
        session["session_id"],
        "token",
        "Firefox",
    )
    assert session["session"] not in str(listed)


def test_a_link_signs_its_person_in_once(shared_api: Api) -> None:
    with shared_api.log.transaction() as cursor:
        grant(cursor, "amina", "manager")
    link = _link(shared_api, "amina")

    session = _session(shared_api, link=link)

    me = _as(shared_api, session, "GET", "/v1/me").json()
    assert (me["actor"], me["scopes"]) == ("person:amina", ["manager"])
    assert problem(_begin(shared_api, link=link), 401)["code"] == "link"


def test_somebody_without_rights_is_told_so_and_keeps_the_link(shared_api: Api) -> None:
    link = _link(shared_api, "newcomer")

    assert problem(_begin(shared_api, link=link), 403)["code"] == "no_rights"
    with shared_api.log.transaction() as cursor:
        grant(cursor, "newcomer")

    assert _begin(shared_api, link=link).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": "pmn_000000000000_" + "x" * 43}, 401, "token"),
        ({"token": "x"}, 401, "token"),
        ({"link": "x"}, 401, "link"),
        ({"link": "pml_000000000000_" + "x" * 43}, 401, "link"),
        ({}, 422, "invalid"),
        ({"token": "x", "link": "x"}, 422, "invalid"),
        ({"token": ""}, 422, "invalid"),
        ({"token": "é"}, 422, "invalid"),
        ({"link": "x", "device": "y" * 61}, 422, "invalid"),
    ],
)
def test_what_signs_nobody_in_is_said_in_a_sentence(
    shared_api: Api, body: dict[str, str], status: int, code: str
) -> None:
    assert problem(_begin(shared_api, **body), status)["code"] == code


def test_a_key_of_a_source_signs_nobody_in(shared_api: Api) -> None:
    answer = _begin(shared_api, token=shared_api.tokens["source"])

    assert problem(answer, 403)["code"] == "scope"


def test_a_session_begins_no_other_session(shared_api: Api) -> None:
    session = _session(shared_api, token=shared_api.tokens["agent"])

    assert problem(_begin(shared_api, token=session["session"]), 401)


def test_who_ends_a_session_is_signed_out_at_once(shared_api: Api) -> None:
    session = _session(shared_api, token=shared_api.tokens["agent"])
    assert _as(shared_api, session, "GET", "/v1/queues").status_code == 200

    ended = _as(shared_api, session, "DELETE", "/v1/me/sessions/current")

    assert ended.json() == {"revoked": 1}
    problem(_as(shared_api, session, "GET", "/v1/queues"), 401)


def test_what_was_ended_elsewhere_changes_nothing_here_and_reads_for_seconds_only(
    shared_api: Api,
) -> None:
    session = _session(shared_api, token=shared_api.tokens["agent"])
    assert _as(shared_api, session, "GET", "/v1/me").status_code == 200

    with shared_api.log.transaction() as cursor:  # as another process does
        ended = session["session_id"]
        assert revoke_sessions(cursor, datetime.now(UTC), session_id=ended)

    assert _as(shared_api, session, "DELETE", "/v1/me/sessions").status_code == 401
    assert REMEMBERED_SECONDS <= 5


def test_a_person_ends_their_other_sessions_but_nobody_elses(shared_api: Api) -> None:
    token = shared_api.tokens["other_agent"]
    here, there = _session(shared_api, token=token), _session(shared_api, token=token)
    elsewhere = _session(shared_api, token=shared_api.tokens["manager"])
    path = f"/v1/me/sessions/{elsewhere['session_id']}"

    refused = problem(_as(shared_api, here, "DELETE", path), 404)
    ended = _as(shared_api, here, "DELETE", "/v1/me/sessions").json()

    assert refused["code"] == "unknown_session"
    assert ended == {"revoked": 1}
    listed = _as(shared_api, here, "GET", "/v1/me/sessions").json()["items"]
    assert [each["id"] for each in listed] == [here["session_id"]]
    assert there["session_id"] not in str(listed)


def test_an_admin_sees_and_ends_sessions_of_anybody(shared_api: Api) -> None:
    session = _session(shared_api, token=shared_api.tokens["auditor"])
    path = f"/v1/sessions/{session['session_id']}"

    listed = shared_api.get("/v1/sessions", who="admin", person="ida")["items"]
    assert [each["id"] for each in listed] == [session["session_id"]]
    for who in ("agent", "manager", "auditor"):
        problem(shared_api.call("GET", "/v1/sessions", who=who), 403)
        problem(shared_api.call("DELETE", path, who=who), 403)
    ended = shared_api.call("DELETE", path, who="admin")

    assert ended.json() == {"revoked": 1}
    assert shared_api.get("/v1/sessions", who="admin", person="ida")["items"] == []


@pytest.mark.parametrize("session", ["x", "0123456789ab", "current", "..%2Flog"])
def test_a_session_that_does_not_exist_is_said(shared_api: Api, session: str) -> None:
    answer = shared_api.call("DELETE", f"/v1/me/sessions/{session}")

    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_flood_of_attempts_from_one_address_is_slowed_down() -> None:
    limits: FormLimits = sign_in_limits()

    for _ in range(SIGN_INS_MAX):
        limits.admit("203.0.113.7")
    with pytest.raises(HttpError) as refused:
        limits.admit("203.0.113.7")
    limits.admit("203.0.113.8")

    assert refused.value.details.status == 429


def _requests(api: Api) -> list[tuple[Any, ...]]:
    query = "SELECT kind, address, label FROM access.sign_in_mail"
    with api.log.transaction() as cursor:
        return cursor.execute(query).fetchall()


def test_whether_an_address_is_known_is_not_told(shared_api: Api) -> None:
    answers = [
        shared_api.call("POST", "/v1/sign-in/mail", who=None, json={"email": address})
        for address in ("paul@desk.example", "stranger@x.example")
    ]

    assert {each.status_code for each in answers} == {202}
    assert len({each.text for each in answers}) == 1
    asked = {row[1] for row in _requests(shared_api)}
    assert {"paul@desk.example", "stranger@x.example"} <= asked


def test_an_address_that_is_asked_for_again_and_again_gets_the_same_answer(
    shared_api: Api,
) -> None:
    body = {"email": "zoe@x.example"}

    answers = [
        shared_api.call("POST", "/v1/sign-in/mail", who=None, json=body)
        for _ in range(MAILS_MAX + 3)
    ]

    assert {each.status_code for each in answers} == {202}
    asked = [row for row in _requests(shared_api) if row[1] == "zoe@x.example"]
    assert len(asked) == MAILS_MAX


def test_a_flood_of_requests_for_mail_is_slowed_down_and_tells_nothing(
    shared_api: Api,
) -> None:
    """From one network; and for one person, from as many networks as there are."""
    url = f"{shared_api.url}/v1/sign-in/mail"

    with httpx.Client(timeout=SECONDS) as client:

        def asks(network: str, email: str) -> httpx.Response:
            headers = {"X-Forwarded-For": network}
            return client.post(url, json={"email": email}, headers=headers)

        for_one = [
            [
                asks(f"198.51.{part}.{n}", email).status_code
                for n, email in enumerate(written)
            ]
            for part, written in enumerate(
                [["PAUL@flood.example", "Paul@Flood.Example"] * 4, ["nobody@flood"] * 8]
            )
        ]
        *from_one, _ = until_too_many(
            lambda: asks("203.0.113.9", "paul@flood"), SIGN_INS_MAX
        )

    assert for_one == [[202] * 8, [202] * 8]
    asked = [str(row[1]).lower() for row in _requests(shared_api)]
    for address in ("paul@flood.example", "nobody@flood", "paul@flood"):
        assert asked.count(address) == MAILS_MAX
    assert len(from_one) >= SIGN_INS_MAX
    assert {each.status_code for each in from_one} == {202}


@pytest.mark.parametrize("email", ["a\x00@x.example", "a\x1b@x.example", "x" * 999])
def test_what_is_no_address_is_refused(shared_api: Api, email: str) -> None:
    body = {"email": email}

    problem(shared_api.call("POST", "/v1/sign-in/mail", who=None, json=body), 422)


def test_the_name_of_a_device_is_one_line(shared_api: Api) -> None:
    body = {"token": shared_api.tokens["agent"], "device": "Fire\x00fox"}

    problem(_begin(shared_api, **body), 422)


def test_a_break_glass_code_has_every_right_for_hours_and_is_an_alarm(
    shared_api: Api,
) -> None:
    with shared_api.log.transaction() as cursor:
        link = NewLink(
            "person:break-glass", "break_glass", rights=EVERY_RIGHT, label="safe"
        )
        now = datetime.now(UTC)
        code = create_link(cursor, seal_keys_of(shared_api.log), now, link)

    session = _session(shared_api, link=code)

    me = _as(shared_api, session, "GET", "/v1/me").json()
    assert me["scopes"] == ["admin", "agent", "auditor", "manager"]
    ends = datetime.fromisoformat(session["expires_at"])
    assert timedelta(hours=3) < ends - now < timedelta(hours=5)
    assert ("break_glass", None, "safe") in _requests(shared_api)
    listed = shared_api.get("/v1/sessions", who="admin")["items"]
    assert "break_glass" in {each["method"] for each in listed}
