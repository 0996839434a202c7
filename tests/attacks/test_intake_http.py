"""At the doors of intake: whoever has no key takes nothing from those who have one."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import orjson
import pytest

from services.intake.gate.admission import ELEMENT_BYTES
from services.intake.signals.body import BODY_BYTES_MAX
from shared.domain.policy.sources import DEFAULT_RATE
from shared.http.bodies import BEGINNING_BYTES, POOL_BYTES_MAX
from tests.support.desks.intake_endpoints import (
    TRIGGER,
    Doors,
    Gatekept,
    gatekept,
    through,
)
from tests.support.faults.stalled_senders import stalling
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

ENQUEUE = "/v2/enqueue"
ALERTMANAGER = "/v1/integrations/alertmanager"
ROOM_FOR = 128
"""Of the largest bodies: what all admitted requests may have in hand."""
PAYLOAD = {"summary": "Gate 12 is stuck", "source": "gate-12", "severity": "error"}


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


def post(url: str, path: str, body: Any, key: str | None = None) -> httpx.Response:
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.post(f"{url}{path}", json=body, headers=shown, timeout=SECONDS)


def event(key: str, **said: object) -> dict[str, object]:
    return {"event_action": "trigger", "payload": PAYLOAD, **said, "routing_key": key}


def statuses(url: str, key: str) -> list[int]:
    """Return how each kind of sender is answered that has a good key."""
    answers = [
        post(url, "/v1/events", {"action": "trigger", "title": "disk full"}, key),
        post(url, ALERTMANAGER, {"alerts": []}, key),
        post(url, ENQUEUE, event(key)),
    ]
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        (ROOM_FOR + 2, b"{"),
        (POOL_BYTES_MAX // BEGINNING_BYTES + 2, b"[" + b" " * (BEGINNING_BYTES - 2)),
    ],
    ids=["of one byte", "of almost 64 kB"],
)
def test_bodies_that_do_not_end_and_show_no_key_hinder_no_good_key(
    desk: Gatekept, number: int, sent: bytes
) -> None:
    with (
        desk.on_a_port() as url,
        stalling(url, ENQUEUE, number, BODY_BYTES_MAX, sent),
    ):
        assert statuses(url, desk.keys["demo"]) == [202, 202, 202]


def test_one_source_cannot_take_all_the_room(desk: Gatekept) -> None:
    other = desk.key("source:other", "source")
    shown = {"Authorization": f"Bearer {other}"}
    with (
        desk.on_a_port() as url,
        stalling(url, "/v1/events", ROOM_FOR, BODY_BYTES_MAX, headers=shown),
    ):
        assert statuses(url, desk.keys["demo"]) == [202, 202, 202]


def test_a_body_without_a_key_has_little_time(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.bodies.KEYLESS_SECONDS_MAX", 0.05)
    with desk.on_a_port() as url, stalling(url, ENQUEUE, 1, 2_000) as (line,):
        assert b"503 Service Unavailable" in _answer(line)


@pytest.mark.parametrize("last", [True, False], ids=["last", "first"])
def test_the_key_of_a_large_event_is_found_wherever_it_stands(
    desk: Gatekept, *, last: bool
) -> None:
    large = {**PAYLOAD, "custom_details": {"log": "x" * 4 * BEGINNING_BYTES}}
    whole = event(desk.keys["demo"], payload=large)
    body = whole if last else dict(reversed(whole.items()))

    with desk.on_a_port() as url:
        assert post(url, ENQUEUE, body).status_code == 202


def test_a_second_key_behind_the_beginning_does_not_speak_for_the_first(
    desk: Gatekept,
) -> None:
    first, second = desk.keys["demo"], desk.key("source:other", "source")

    async def parts() -> AsyncIterator[bytes]:
        beginning = {"routing_key": first, "x": "x" * BEGINNING_BYTES}
        yield orjson.dumps(beginning)[:-1] + b","
        yield orjson.dumps(event(second))[1:]

    async def scenario(doors: Doors) -> None:
        answer = await doors.client.post(ENQUEUE, content=parts())

        assert answer.status_code == 400
        assert "more than one `routing_key`" in answer.text

    through(desk, scenario)


def test_a_source_without_a_rate_cannot_send_without_end(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        assert (await doors.post()).status_code == 202
        doors.parts.gate.gate.admission.charge("demo", DEFAULT_RATE.burst + 1)

        answer = await doors.post()

        assert (answer.status_code, answer.json()["code"]) == (429, "rate")
        assert int(answer.headers["retry-after"]) >= 1

    through(desk, scenario)


def test_a_large_body_uses_up_as_much_of_a_rate_as_many_small_ones(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(doors: Doors) -> None:
        admission = doors.parts.gate.gate.admission
        monkeypatch.setattr(admission, "_elapsed", lambda: 0.0)
        padded = orjson.dumps(TRIGGER).ljust(50 * ELEMENT_BYTES)

        assert (await doors.post(body=padded)).status_code == 202

        assert admission.limits("demo")[0].remaining == DEFAULT_RATE.burst - 50

    through(desk, scenario)


HEARTBEATS = """
heartbeats:
  backup: {every: 24h, service: mail}
  theirs: {every: 24h, service: mail, source: prometheus}
"""


def test_a_heartbeat_is_beaten_and_seen_by_its_source_only(desk: Gatekept) -> None:
    desk.rule("rate: {per_second: 100, burst: 100}", HEARTBEATS)
    desk.keys["thief"] = desk.key("source:thief", "source")
    path = "/v1/heartbeats"

    async def scenario(doors: Doors) -> None:
        first = await doors.post(f"{path}/backup", b"")
        beaten = [
            await doors.post(f"{path}/{name}", b"", "thief")
            for name in ("backup", "theirs")
        ]
        seen = [
            await doors.get(f"{path}/{name}", "thief") for name in ("backup", "theirs")
        ]
        listed = {
            who: [each["name"] for each in (await doors.get(path, who)).json()["items"]]
            for who in ("thief", "demo", "agent")
        }

        assert first.status_code == 202
        assert [a.status_code for a in (*beaten, *seen)] == [403] * 4
        assert "belongs to demo" in beaten[0].text
        assert listed == {
            "thief": [],
            "demo": ["backup"],
            "agent": ["backup", "theirs"],
        }

    through(desk, scenario)


def _answer(line: socket.socket) -> bytes:
    """Return all that comes until a JSON object has come whole."""
    came = b""
    while b"}" not in came and (part := line.recv(65_536)):
        came += part
    return came
