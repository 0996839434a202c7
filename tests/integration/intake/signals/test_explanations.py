"""Why there is an incident, and why there is none: asked at the doors."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import current_thread, main_thread
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.app import rooms
from services.intake.assembly import assemble
from services.intake.maintenance import endpoints
from services.intake.telemetry import CommitObserver
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.integration.intake.signals.test_groups import apply
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

LATER = "{type: native, service: mail, open_after: 2m}"
NO_HEADERS: Mapping[str, str] = {}
DOWN = {"action": "trigger", "title": "M. Dupont's mail is down", "dedup_key": "k1"}


@dataclass(frozen=True)
class Desk:
    """Intake's routes on a real log, and who may knock."""

    log: EventLog
    executor: ThreadPoolExecutor
    keys: dict[str, str]
    now: datetime = NOW

    def asks(self, who: str, path: str, status: int = 200) -> Any:
        answer = asyncio.run(self._knock(who, "GET", path, None))
        assert answer.status_code == status, answer.text
        return answer.json()

    def posts(
        self,
        who: str,
        path: str,
        status: int,
        headers: Mapping[str, str] = NO_HEADERS,
        **body: object,
    ) -> Any:
        answer = asyncio.run(self._knock(who, "POST", path, body, headers))
        assert answer.status_code == status, answer.text
        return answer.json()

    def sends(self, who: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
        answer = asyncio.run(self._knock(who, "POST", "/v1/events", list(events)))
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    async def _knock(
        self,
        who: str,
        method: str,
        path: str,
        body: object,
        more: Mapping[str, str] = NO_HEADERS,
    ) -> httpx.Response:
        noting = CommitObserver(CollectorRegistry(), lambda: None)
        parts = assemble(self.log, lambda: self.now, self.executor, noting)
        doors = rooms(parts).routes
        batching = asyncio.create_task(parts.signals.run())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(Router(routes=complete(doors))),
            base_url="http://intake",
        ) as client:
            headers = {"Authorization": f"Bearer {self.keys[who]}", **more}
            answer = await client.request(method, path, json=body, headers=headers)
        batching.cancel()
        return answer


@pytest.fixture
def desk(ruled: Database) -> Iterator[Desk]:
    apply(ruled, LATER)
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        keys = {
            "demo": create(cursor, NOW, "source:demo", ["source"]).token,
            "other": create(cursor, NOW, "source:other", ["source"]).token,
            "nadia": create(cursor, NOW, "person:nadia", ["agent"]).token,
        }
    owner.close()
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        yield Desk(log, executor, keys)
    log.close()


def test_why_there_is_no_incident_yet(desk: Desk) -> None:
    (held,) = desk.sends("demo", {**DOWN, "event_id": "e-1"})
    assert (held["status"], held["rule"], held["rule_of"]) == (
        "held",
        "open_after",
        "2m",
    )

    (found,) = desk.asks("nadia", "/v1/decisions?dedup_key=k1")["items"]
    assert found["sentence"] == (
        "It fires, and no incident is at work for it: it must fire for 2m before it "
        "opens, until 2025-06-30T08:02:00Z."
    )
    assert found["held"]["until"] == found["due_at"] == "2025-06-30T08:02:00Z"
    assert "Dupont" not in str(found)
    became = desk.asks("nadia", "/v1/requests/e-1?source=demo")
    assert (became["status"], became["rule"]) == ("held", "open_after")


def test_every_suppressed_signal_is_listed_page_by_page(desk: Desk) -> None:
    desk.sends("demo", DOWN, {**DOWN, "action": "resolve", "event_id": "e-2"})
    desk.sends("other", {**DOWN, "action": "resolve"})

    everything = desk.asks("nadia", "/v1/suppressed")["items"]
    assert [(i["source"], i["action"], i["code"]) for i in everything] == [
        ("other", "resolve", "nothing_open"),
        ("demo", "resolve", "transient"),
        ("demo", "trigger", "transient"),
    ]
    assert everything[1]["event_id"] == "e-2"
    assert everything[1]["policy"] == 2
    assert "Dupont" not in str(everything)
    first = desk.asks("nadia", "/v1/suppressed?code=transient&service=mail&limit=1")
    rest = desk.asks(
        "nadia", f"/v1/suppressed?code=transient&cursor={first['next_cursor']}"
    )
    assert [i["action"] for i in first["items"] + rest["items"]] == [
        "resolve",
        "trigger",
    ]
    assert rest["next_cursor"] is None
    since = desk.asks("nadia", "/v1/suppressed?since=2025-06-30T10:00:01%2B02:00")
    assert since["items"] == []


def test_a_source_hears_of_itself_only(desk: Desk) -> None:
    desk.sends("demo", {**DOWN, "action": "resolve"})

    assert desk.asks("other", "/v1/suppressed")["items"] == []
    assert desk.asks("other", "/v1/decisions?dedup_key=k1")["items"] == []
    desk.asks("other", "/v1/suppressed?source=demo", status=403)
    assert len(desk.asks("demo", "/v1/decisions?dedup_key=k1")["items"]) == 1


WORK: dict[str, Any] = {
    "service": "mail",
    "duration": "1h",
    "reason": "M. Dupont's disk",
}


def test_announced_work_suppresses_until_it_is_cancelled(desk: Desk) -> None:
    made = desk.posts("nadia", "/v1/maintenance", 201, **WORK)
    assert (made["window"], made["until"]) == ("MNT-000001", "2025-06-30T09:00:00Z")

    (inside,) = desk.sends("demo", DOWN)
    assert (inside["status"], inside["rule"], inside["rule_of"]) == (
        "suppressed",
        "maintenance",
        "MNT-000001",
    )
    path = "/v1/maintenance/MNT-000001/cancel"
    done = desk.posts("nadia", path, 200, reason="not today")
    assert done["cancelled_at"] == "2025-06-30T08:00:00Z"
    assert desk.posts("nadia", path, 200)["outcome"] == "already"
    (after,) = desk.sends("demo", {**DOWN, "dedup_key": "k2"})
    assert after["status"] == "held"
    (listed,) = desk.asks("nadia", "/v1/maintenance?service=mail")["items"]
    assert listed["by"] == "person:nadia"
    with desk.log.transaction() as cursor:
        rows = cursor.execute("SELECT convert_from(state, 'UTF8') FROM log.events")
        assert "Dupont" not in str(rows.fetchall())


def test_a_rule_that_takes_long_does_not_stop_the_doors(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def upcoming(*_: object) -> list[object]:
        threads.append(current_thread())
        return []

    monkeypatch.setattr(endpoints, "upcoming", upcoming)

    assert desk.asks("nadia", "/v1/maintenance")["recurring"] == []
    assert main_thread() not in threads
    assert len(threads) == 1


ONCE = {"Idempotency-Key": "ours-1"}


def test_an_announcement_is_repeated_as_it_was_recorded_also_once_it_is_over(
    desk: Desk,
) -> None:
    ends = {**WORK, "end": "2025-06-30T09:00:00Z"}
    del ends["duration"]
    first = desk.posts("nadia", "/v1/maintenance", 201, ONCE, **ends)
    later = replace(desk, now=NOW + timedelta(hours=2))

    assert later.posts("nadia", "/v1/maintenance", 201, ONCE, **ends) == first
    assert len(later.asks("nadia", "/v1/maintenance")["items"]) == 1


def test_a_key_is_good_for_one_command_about_maintenance(desk: Desk) -> None:
    desk.posts("nadia", "/v1/maintenance", 201, ONCE, **WORK)
    path = "/v1/maintenance/MNT-000001/cancel"

    assert desk.posts("nadia", path, 422, ONCE)["code"] == "idempotency_key"
    assert desk.posts("nadia", path, 422, {"Idempotency-Key": "a key"})["errors"]
    (listed,) = desk.asks("nadia", "/v1/maintenance")["items"]
    assert listed["cancelled_at"] is None


def test_a_refusal_about_maintenance_is_kept_for_the_audit(desk: Desk) -> None:
    desk.posts("nadia", "/v1/maintenance", 422, **{**WORK, "service": "fax"})
    desk.posts("nadia", "/v1/maintenance/MNT-000009/cancel", 404)

    with desk.log.transaction() as cursor:
        rows = cursor.execute("SELECT verb, incident, code FROM intake.refusals")
        assert rows.fetchall() == [
            ("maintenance.announce", "fax", "invalid"),
            ("maintenance.cancel", "MNT-000009", "unknown_incident"),
        ]


def test_announcing_is_for_people_and_says_what_is_wrong(desk: Desk) -> None:
    desk.posts("demo", "/v1/maintenance", 403, **WORK)
    desk.posts("nadia", "/v1/maintenance", 422, **{**WORK, "service": "fax"})
    desk.posts("nadia", "/v1/maintenance", 422, **{**WORK, "duration": "1 hour"})
    desk.posts("nadia", "/v1/maintenance", 422, colour="red")
    desk.posts("nadia", "/v1/maintenance/MNT-000009/cancel", 404)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/suppressed?limit=0",
        "/v1/suppressed?cursor=x",
        "/v1/suppressed?since=yesterday",
        "/v1/suppressed?code=mood",
        "/v1/suppressed?colour=red",
        "/v1/suppressed?source=%00",
        "/v1/decisions",
        "/v1/decisions?dedup_key=a%00b",
        "/v1/requests/e-1",
    ],
)
def test_a_question_that_is_none_is_told_so(desk: Desk, path: str) -> None:
    assert desk.asks("nadia", path, status=422)["detail"]


def test_who_asks_for_what_was_held_hears_what_became_of_it(desk: Desk) -> None:
    (held,) = desk.sends("demo", {**DOWN, "event_id": "e-1"})
    assert held["status"] == "held"
    assert desk.asks("demo", "/v1/requests/e-1")["status"] == "held"

    desk.sends("demo", {**DOWN, "event_id": "e-2", "action": "resolve"})

    found = desk.asks("demo", "/v1/requests/e-1")
    assert (found["status"], found["rule"]) == ("suppressed", "transient")
    assert found["reason"] == "it fired for less than 2m"
    assert found["incident"] is None


def test_what_was_held_and_opens_is_found_with_incident_and_position(
    desk: Desk, ruled: Database
) -> None:
    desk.sends("demo", {**DOWN, "event_id": "e-1"})
    apply(ruled, "{type: native, service: mail}")  # nothing is held any more

    (opened,) = desk.sends("demo", {**DOWN, "event_id": "e-2"})

    found = desk.asks("demo", "/v1/requests/e-1")
    assert (found["status"], found["incident"]) == ("opened", opened["incident"])
    assert found["position"] == desk.log.head().position
