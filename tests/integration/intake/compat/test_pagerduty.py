"""Senders of PagerDuty find the door they know, and hear what they can read."""

from datetime import timedelta

import orjson
import pytest

from services.intake.signals.body import BODY_BYTES_MAX
from services.intake.signals.reception import Reception
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from tests.integration.intake.conftest import NOW
from tests.integration.intake.endpoints import NOBODY, Doors

pytestmark = pytest.mark.servers

PAYLOAD = {"summary": "Gate 12 is stuck", "source": "gate-12", "severity": "error"}


def event(doors: Doors, action: str = "trigger", **said: object) -> bytes:
    """Return a body as PagerDuty's clients send it."""
    return orjson.dumps({"routing_key": doors.key, "event_action": action, **said})


def test_a_trouble_goes_from_trigger_to_resolve(doors: Doors) -> None:
    bodies = (
        event(doors, dedup_key="gate/12", payload=PAYLOAD),
        event(doors, "acknowledge", dedup_key="gate/12"),
        event(doors, "resolve", dedup_key="gate/12"),
    )

    answers = [doors.knock("POST", "/v2/enqueue", body, NOBODY) for body in bodies]

    said = {"status": "success", "message": "Event processed", "dedup_key": "gate/12"}
    assert [(a.status_code, a.json()) for a in answers] == [(202, said)] * 3
    types = [entry.type for entry in doors.log.since(1, 100)]
    assert types[0] == "incident.opened"
    assert types[-1] == "incident.resolved"


def test_a_key_that_is_made_is_told_and_ends_the_trouble(doors: Doors) -> None:
    body = event(doors, payload=PAYLOAD)
    made = doors.knock("POST", "/v2/enqueue", body, NOBODY).json()["dedup_key"]
    again = doors.knock("POST", "/v2/enqueue", body, NOBODY).json()["dedup_key"]

    doors.knock("POST", "/v2/enqueue", event(doors, "resolve", dedup_key=made), NOBODY)

    assert made == again
    assert doors.opened() == 1
    assert [e.type for e in doors.log.since(1, 100)][-1] == "incident.resolved"


@pytest.mark.parametrize("header", ["X-Routing-Key", "Authorization"])
def test_the_key_may_stand_in_a_header(doors: Doors, header: str) -> None:
    body = orjson.dumps({"event_action": "trigger", "payload": PAYLOAD})
    value = doors.key if header == "X-Routing-Key" else f"Bearer {doors.key}"

    assert (
        doors.knock("POST", "/v2/enqueue", body, {**NOBODY, header: value}).status_code
        == 202
    )


@pytest.mark.parametrize("escaped", [False, True])
def test_the_key_of_a_source_is_not_kept_with_the_body(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, *, escaped: bool
) -> None:
    kept: list[bytes] = []
    receive = Reception.receive

    async def watched(self: Reception, *args: object, **more: object) -> object:
        kept.append(bytes(args[2]))  # type: ignore[call-overload] # the body
        return await receive(self, *args, **more)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(Reception, "receive", watched)
    body = event(doors, payload=PAYLOAD)
    if escaped:
        body = body.replace(b"pmn_", b"pm\\u006e_")

    assert doors.knock("POST", "/v2/enqueue", body, NOBODY).status_code == 202
    (stored,) = kept
    assert doors.key[4:] not in stored.decode()
    assert orjson.loads(stored)["payload"] == PAYLOAD


TO_BE_MENDED: list[tuple[dict[str, object], str]] = [
    ({"event_action": "explode"}, "event_action: must be one of"),
    ({"payload": {**PAYLOAD, "severity": "page"}}, "payload.severity: must be"),
    ({"payload": None}, "payload: a trigger needs"),
    ({"routing_key": None}, "`routing_key` is missing"),
    ({"routing_key": "0123456789abcdef0123456789abcdef"}, "unknown, expired"),
]


def test_what_must_be_mended_is_400_with_the_reason(doors: Doors) -> None:
    whole = {"routing_key": doors.key, "event_action": "trigger", "payload": PAYLOAD}
    for change, told in TO_BE_MENDED:
        body = orjson.dumps(whole | change)

        answer = doors.knock("POST", "/v2/enqueue", body, NOBODY)

        assert answer.status_code == 400, told
        assert answer.json()["status"] == "invalid event"
        assert told in answer.json()["errors"][0]
    assert doors.opened() == 0


def test_what_is_no_event_is_400(doors: Doors) -> None:
    for body in (b"", b"{", b"[]", b"7", b"null", b"\xff"):
        answer = doors.knock("POST", "/v2/enqueue", body)

        assert answer.status_code == 400, body
        assert set(answer.json()) == {"status", "message", "errors"}


def test_a_body_too_large_is_413(doors: Doors) -> None:
    answer = doors.knock("POST", "/v2/enqueue", b" " * (BODY_BYTES_MAX + 1))

    assert (answer.status_code, answer.json()["status"]) == (413, "content too large")


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [(Overloaded("full"), 429, "1"), (Unavailable("refused"), 503, "2")],
)
def test_who_must_come_again_hears_when(
    doors: Doors,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    after: str,
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Reception, "receive", full)

    answer = doors.knock("POST", "/v2/enqueue", event(doors, payload=PAYLOAD), NOBODY)

    assert (answer.status_code, answer.headers["Retry-After"]) == (status, after)
    assert set(answer.json()) == {"status", "message", "errors"}


def test_a_change_is_taken_kept_and_opens_nothing(doors: Doors) -> None:
    body = orjson.dumps(
        {"routing_key": doors.key, "payload": {"summary": "Deployed 7.2"}}
    )
    named = {**NOBODY, "Idempotency-Key": "deploy-7.2"}

    answer = doors.knock("POST", "/v2/change/enqueue", body, named)

    said = {"status": "success", "message": "Change event processed"}
    assert (answer.status_code, answer.json()) == (202, said)
    assert doors.opened() == 0
    assert doors.rows("SELECT adapter FROM intake.raw_bodies") == [
        ("pagerduty_changes",)
    ]
    asked = doors.knock("GET", "/v1/requests/deploy-7.2").json()
    assert (asked["status"], asked["reason"]) == (
        "ignored",
        "a change opens nothing; incidents of its service show it",
    )


def test_a_change_is_kept_once_with_its_service_and_sealed(doors: Doors) -> None:
    payload = {
        "summary": "Deployed 7.2",
        "timestamp": (NOW - timedelta(minutes=5)).isoformat(),
        "custom_details": {"service": "web"},
    }
    body = orjson.dumps({"routing_key": doors.key, "payload": payload})

    for _ in range(2):
        answer = doors.knock("POST", "/v2/change/enqueue", body, NOBODY)
        assert answer.status_code == 202

    ((source, service, happened_at, sealed),) = doors.rows(
        "SELECT source, service, happened_at, sealed FROM intake.observed_changes"
    )
    assert (source, service) == ("demo", "web")
    assert happened_at == NOW - timedelta(minutes=5)
    assert "Deployed" not in sealed
