"""The log as it grows, over server-sent events: whole, resumable, and bounded."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from services.projections.api.session_cookie import COOKIE
from shared.domain.events.incident import IncidentAcknowledged, IncidentClosed
from shared.domain.events.sla import SlaCancelled
from shared.domain.identifiers import incident_ref, sla_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.recorder import PendingEvent
from shared.security.access import revoke
from standalone.nats import Bus
from tests.support.desks.api import Api, in_bytes, problem, serving
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database
from tests.support.servers.sse import Said, events, listening
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_STREAM = "/v1/stream"
HANG_UPS = 10
"""Not each of them comes while something is on its way."""


def _bearer(api: Api, who: str = "agent") -> dict[str, str]:
    return {"Authorization": f"Bearer {api.tokens[who]}"}


def _positions(said: list[Said]) -> list[int]:
    return [one.data["position"] for one in said if one.data]


def _fill(api: Api, first: int, count: int) -> int:
    numbers = range(first, first + count)
    return api.happened(*(opened(incident_ref(number)) for number in numbers))


def _taken(ref: str) -> IncidentAcknowledged:
    return IncidentAcknowledged(
        at=START, by="person:paul", incident=ref, policy=1, cycle=1
    )


def test_what_happens_is_told_with_its_position_and_without_its_words(
    api: Api,
) -> None:
    before = _fill(api, 1, 3)
    with listening(f"{api.url}{_STREAM}", _bearer(api)) as said:
        hello = next(said)
        position = api.happened(opened("INC-000009", title="Paul cannot print"))
        (told,) = events(said, 1)

    assert (hello.id, hello.retry) == (str(before), 5_000)
    assert (told.id, told.event) == (str(position), "incident.opened")
    assert told.data
    assert (
        told.data.items()
        >= {
            "position": position,
            "stream": "incident-INC-000009",
            "version": 1,
            "type": "incident.opened",
            "incident": "INC-000009",
            "actor": "person:paul",
            "at": "2026-03-02T08:00:00Z",
        }.items()
    )
    assert told.data["what"]["service"] == "portal"
    assert "print" not in str(told.data)


@pytest.mark.parametrize("many", [30, 2_300])
def test_who_comes_back_has_missed_nothing_and_hears_nothing_twice(
    api: Api, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.log.tail.STREAM_PAGE", 7)
    _fill(api, 1, 10)
    with listening(f"{api.url}{_STREAM}", _bearer(api), after=0) as said:
        heard = events(said, 10)
    last = heard[-1].id
    assert last

    _fill(api, 11, many // 10)
    again = _bearer(api) | {"Last-Event-ID": last}
    with listening(f"{api.url}{_STREAM}", again, after=0) as said:
        rest = events(said, many // 10)
        _fill(api, 1_000, 3)
        rest += events(said, 3)

    assert _positions(heard + rest) == list(range(1, 14 + many // 10))


def test_only_what_is_asked_for_is_told_and_the_place_all_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.log.stream.STREAM_PING_SECONDS", 0.5)
    _fill(api, 1, 2)
    api.happened(_taken("INC-000002"), _taken("INC-000001"))
    asked = {"types": "incident.acknowledged,incident.closed", "incident": "INC-000001"}
    with listening(f"{api.url}{_STREAM}", _bearer(api), after=0, **asked) as said:
        first = events(said, 1)
        closed = IncidentClosed(
            at=START, by="person:paul", incident="INC-000001", policy=1
        )
        api.happened(closed)
        other = _fill(api, 20, 2)
        rest = events(said, 1)
        place = next(block for block in said if block.id == str(other))

    assert _positions(first + rest) == [4, 5]
    assert (place.id, place.data) == (str(other), None)


def test_of_an_incident_every_service_tells(api: Api) -> None:
    _fill(api, 1, 2)
    event = SlaCancelled(
        at=START,
        by="system:sla_watcher",
        incident="INC-000002",
        policy=1,
        target="tto",
        cycle=1,
        cancelled_at=START,
        reason="recovered",
    )
    api.log.record(sla_stream("INC-000002"), 0, [event])

    asked = {"after": 0, "incident": "INC-000002"}
    with listening(f"{api.url}{_STREAM}", _bearer(api), **asked) as said:
        assert _positions(events(said, 2)) == [2, 3]


def test_an_event_of_a_newer_service_is_told_by_its_place(api: Api) -> None:
    newer = PendingEvent("incident-INC-000001", 1, "incident.newer", b'{"v":9}', None)
    with listening(f"{api.url}{_STREAM}", _bearer(api)) as said:
        next(said)
        with api.log.transaction() as cursor:
            api.log.append(cursor, [AppendUnit((newer,), None, b"")])
        (told,) = events(said, 1)

    assert told.data
    assert (told.event, told.data["incident"]) == ("incident.newer", "INC-000001")
    assert told.data["what"] is told.data["actor"] is told.data["at"] is None


def test_a_revoked_token_hears_no_more(api: Api) -> None:
    token_id = api.tokens["agent"].split("_")[1]
    with listening(f"{api.url}{_STREAM}", _bearer(api)) as said:
        next(said)
        with api.log.transaction() as cursor:
            assert revoke(cursor, token_id, datetime.now(UTC))

        assert list(said) == []


def test_a_stream_ends_when_the_service_stops(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    """One that is cut off when its time to end has passed ends with an error."""
    with httpx.Client(timeout=SECONDS) as client:
        with serving(database, bus, tmp_path) as api:
            url, bearer = f"{api.url}{_STREAM}", _bearer(api)
            asked = client.build_request("GET", url, headers=bearer)
            lines = client.send(asked, stream=True).iter_lines()
            assert next(lines) == "id: 0"

        assert list(lines)[-1] == ""


def test_streams_are_counted_and_places_given_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.log.tail.STREAMS_MAX", 1)

    def asked_again() -> httpx.Response:
        with httpx.stream(
            "GET", f"{api.url}{_STREAM}", headers=_bearer(api), timeout=SECONDS
        ) as answer:
            if answer.status_code != 200:
                answer.read()
            return answer

    with listening(f"{api.url}{_STREAM}", _bearer(api)) as said:
        next(said)
        refused = asked_again()

    assert problem(refused, 429)["code"] == "overloaded"
    assert refused.headers["Retry-After"] == "5"
    until(lambda: asked_again().status_code == 200, "the place is given back")


def test_who_hangs_up_in_the_middle_makes_no_error_of_ours(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.log.tail.STREAMS_MAX", 1)
    _fill(api, 1, 300)
    url = f"{api.url}{_STREAM}?after=0"
    with capture_logs() as logs:
        for _ in range(HANG_UPS):
            with httpx.stream(
                "GET", url, headers=_bearer(api), timeout=SECONDS
            ) as answer:
                assert answer.status_code == 200
            until(lambda: _is_free(api), "the place is given back")

    assert [line for line in logs if line["log_level"] == "error"] == []


def _is_free(api: Api) -> bool:
    with httpx.stream(
        "GET", f"{api.url}{_STREAM}", headers=_bearer(api), timeout=SECONDS
    ) as answer:
        return answer.status_code == 200


def test_a_browser_listens_by_its_cookie_and_does_nothing_else_by_it(
    api: Api,
) -> None:
    cookie = {"Cookie": f"{COOKIE}={api.tokens['agent']}"}
    with listening(f"{api.url}{_STREAM}", cookie) as said:
        assert next(said).id == "0"

    for method, path in [
        ("POST", "/v1/incidents"),
        ("POST", "/v1/incidents/INC-000001/close"),
        ("GET", "/v1/queues"),
        ("GET", "/v1/incidents/INC-000001"),
    ]:
        assert api.call(method, path, who=None, headers=cookie).status_code == 401


@pytest.mark.parametrize(
    ("asked", "headers", "status", "sentence"),
    [
        ("?types=incident.exploded", {}, 422, "no such type of event"),
        ("?after=-1", {}, 422, "greater than or equal to 0"),
        ("?after=9", {}, 422, "the log ends at position 0"),
        ("?incident=42", {}, 422, "incident"),
        ("?queue=desk", {}, 422, "queue"),
        ("", {"Last-Event-ID": "yesterday"}, 422, "id of the last event"),
        ("", {"Last-Event-ID": "\xb2"}, 422, "id of the last event"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(
    shared_api: Api, asked: str, headers: dict[str, str], status: int, sentence: str
) -> None:
    answer = shared_api.call("GET", f"{_STREAM}{asked}", headers=in_bytes(headers))

    assert sentence.lower() in str(problem(answer, status)["detail"]).lower()


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("source", 403)])
def test_a_stream_is_for_those_who_read(
    shared_api: Api, who: str | None, status: int
) -> None:
    problem(shared_api.call("GET", _STREAM, who=who), status)
