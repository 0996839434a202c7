"""Who comes in, from where, how much, and signed how: on a real database."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Iterator

import pytest

from services.intake.app import rooms
from services.intake.assembly import WorkerConfig
from shared.http.networks import networks
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

RATE = "rate: {per_second: 1, burst: 2}"
REFUSED = "permanence_refused_total"
BODY = b'{"action": "trigger", "title": "disk full"}'


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


def events(desk: Gatekept) -> int:
    with desk.log() as log:
        return sum(e.type.startswith("incident.") for e in log.since(0, 1_000))


def test_who_is_above_its_rate_is_told_when_to_come_again(desk: Gatekept) -> None:
    desk.rule(RATE)

    async def scenario(doors: Doors) -> None:
        first, second, third = [await doors.post() for _ in range(3)]

        assert first.status_code == second.status_code == 202
        assert first.headers["x-ratelimit-remaining"] == "1"
        assert third.status_code == 429
        assert third.json()["code"] == "rate"
        assert third.headers["retry-after"] == "1"
        assert third.headers["x-ratelimit-limit"] == "2"
        assert third.headers["x-ratelimit-remaining"] == "0"
        assert third.headers["x-ratelimit-reset"] == "2"
        assert doors.counted(REFUSED, source="demo", why="rate") == 1

    through(desk, scenario)


def test_alertmanager_is_told_so_by_a_503(desk: Gatekept) -> None:
    desk.rule(RATE)

    async def scenario(doors: Doors) -> None:
        path = "/v1/integrations/alertmanager"
        answers = [await doors.post(path, {"alerts": []}) for _ in range(3)]

        assert answers[-1].status_code == 503
        assert answers[-1].headers["retry-after"] == "1"

    through(desk, scenario)


def test_nothing_of_a_refused_request_is_read(desk: Gatekept) -> None:
    desk.rule(RATE)

    async def scenario(doors: Doors) -> None:
        for _ in range(2):
            await doors.post()
        asked = []

        async def body() -> AsyncIterator[bytes]:
            asked.append(True)
            yield BODY

        refused = await doors.client.post(
            "/v1/events", content=body(), headers=doors.bearer("demo")
        )

        assert refused.status_code == 429
        assert asked == []
        assert doors.parts.gate.gate.in_hand.bytes == 0

    through(desk, scenario)


def test_the_elements_of_an_array_are_charged(desk: Gatekept) -> None:
    desk.rule("rate: {per_second: 1, burst: 2}, quota: {per_day: 100}")

    async def scenario(doors: Doors) -> None:
        many = [{"action": "trigger", "title": f"disk {n}"} for n in range(10)]

        assert (await doors.post(body=many)).status_code == 202
        refused = await doors.post()

        assert refused.headers["retry-after"] == "9"
        limits = doors.parts.gate.gate.admission.limits("demo")
        assert [limit.remaining for limit in limits] == [0, 90]

    through(desk, scenario)


def test_a_quota_is_remembered_by_a_process_that_starts_again(desk: Gatekept) -> None:
    desk.rule("quota: {per_day: 3}")

    async def first(doors: Doors) -> None:
        for _ in range(2):
            assert (await doors.post()).status_code == 202
        await asyncio.to_thread(doors.parts.gate.activity.keep)

    async def second(doors: Doors) -> None:
        await doors.parts.in_force.known()
        await asyncio.to_thread(doors.parts.gate.activity.keep)
        assert (await doors.post()).status_code == 202
        refused = await doors.post()
        assert refused.status_code == 429
        assert refused.json()["code"] == "quota"
        assert int(refused.headers["retry-after"]) == 16 * 3_600

    through(desk, first)
    through(desk, second)


def test_a_source_may_send_from_its_networks_alone(desk: Gatekept) -> None:
    desk.rule("allow_from: [192.0.2.0/24]")

    async def inside(doors: Doors) -> None:
        assert (await doors.post()).status_code == 202

    async def outside(doors: Doors) -> None:
        forged = {"X-Forwarded-For": "192.0.2.9"}
        for headers in ({}, forged):
            refused = await doors.post(headers=headers)
            assert refused.status_code == 403
            assert refused.json()["code"] == "address"
        assert doors.counted(REFUSED, source="demo", why="address") == 2

    async def behind(doors: Doors) -> None:
        said = {"X-Forwarded-For": "203.0.113.7, 192.0.2.9"}
        assert (await doors.post(headers=said)).status_code == 202
        assert (await doors.post()).status_code == 403

    through(desk, inside)
    through(desk, outside, peer="203.0.113.7")
    trusting = WorkerConfig(trusted=networks(("10.0.0.5/32",)))
    through(desk, behind, peer="10.0.0.5", config=trusting)


def test_what_is_not_signed_is_not_recorded_and_counted(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_HMAC", "hush hush")
    desk.rule('signature: {scheme: github, secret: "env:DEMO_HMAC"}')
    mac = hmac.digest(b"hush hush", BODY, "sha256").hex()

    async def scenario(doors: Doors) -> None:
        header = "X-Hub-Signature-256"
        for headers in ({}, {header: f"sha256={mac[::-1]}"}):
            refused = await doors.post(body=BODY, headers=headers)
            assert refused.status_code == 401
            assert refused.json()["code"] == "signature"
        assert await asyncio.to_thread(events, desk) == 0
        taken = await doors.post(body=BODY, headers={header: f"sha256={mac}"})
        assert taken.json()["results"][0]["status"] == "opened"
        assert doors.counted(REFUSED, source="demo", why="signature") == 2
        shown = (await doors.get("/v1/sources/demo")).json()
        assert shown["signed"]

    through(desk, scenario)


def test_where_the_desk_cannot_read_its_secret_nothing_comes_in(
    desk: Gatekept,
) -> None:
    desk.rule('signature: {scheme: github, secret: "file:/nowhere/at/all"}')

    async def scenario(doors: Doors) -> None:
        answer = await doors.post(headers={"X-Hub-Signature-256": "sha256=00"})

        assert answer.status_code == 503
        assert answer.json()["code"] == "secret_missing"

    through(desk, scenario)


def test_a_key_that_the_policy_names_is_the_key_of_its_source(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "a key that somebody wrote down"
    monkeypatch.setenv("DEMO_KEY", key)
    desk.rule('key: "env:DEMO_KEY"')

    async def scenario(doors: Doors) -> None:
        event = {"action": "trigger", "title": "x", "event_id": "e-1"}
        assert (await doors.post(body=event, who=key)).status_code == 202
        found = await doors.get("/v1/requests/e-1", who="demo")
        assert found.json()["status"] == "opened"
        assert (await doors.post(who=key + "x")).status_code == 401
        assert doors.counted(REFUSED, source="others", why="key") == 1

    through(desk, scenario)


FOR_ANYBODY = {
    "/report",
    "/v1/reports",
    "/v1/callbacks/twilio/{token}",
    "/v1/callbacks/twilio/{token}/key",
}
"""The form, which has limits of its own, and callbacks, which are signed."""


_FOR_PEOPLE = tuple(
    f"/v1/{each}"
    for each in (
        "incidents",
        "letters",
        "maintenance",
        "quarantine",
        "sources",
    )
)


def test_every_door_that_takes_something_is_behind_the_gate(desk: Gatekept) -> None:
    desk.rule("allow_from: [198.51.100.0/24]")

    async def scenario(doors: Doors) -> None:
        given = {
            "type": "alertmanager",
            "name": "any",
            "key": doors.keys["demo"],
            "identifier": "any",
            "action": "close",
            "rest": "any/tags",
            "id": "1",
            "window": "any",
            "letter": "any",
            "alert": "any",
            "ref": "INC-000001",
        }
        taking = [
            (method, re.sub(r"{(\w+)(:\w+)?}", lambda m: given[m[1]], route.path))
            for route in rooms(doors.parts).routes
            for method in sorted(
                {"POST", "PUT", "PATCH", "DELETE"} & (route.methods or set())
            )
            if route.path not in FOR_ANYBODY
        ]
        assert taking
        for method, path in taking:
            answer = await doors.client.request(
                method, path, content=BODY, headers=doors.bearer("demo")
            )
            assert answer.status_code == 403, path
            for_people = path == "/v1/contacts" or path.startswith(_FOR_PEOPLE)
            said = "this token may not do this" if for_people else "demo may not send"
            assert said in answer.text, path

    through(desk, scenario)
