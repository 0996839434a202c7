"""Silence opens an incident by itself and a beat ends it: on a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from services.intake.heartbeats.rules import HeartbeatTerms, known
from services.intake.heartbeats.store import begin
from services.intake.heartbeats.worker import HeartbeatWatch
from shared.domain.events.incident import IncidentOpened
from shared.eventlog.log import EventLog
from tests.support.desks.intake_endpoints import NOW, Doors, Gatekept, gatekept
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HEARTBEATS = """
heartbeats:
  backup: {every: 24h, grace: 30m, service: mail, severity: critical}
  cron: {every: 5m, grace: 1m, service: mail, armed: at_once}
  theirs: {every: 5m, service: mail, source: prometheus}
"""
BEAT = "/v1/heartbeats/backup"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        made.rule("rate: {per_second: 100, burst: 100}", HEARTBEATS)
        yield made


@asynccontextmanager
async def opened(desk: Gatekept) -> AsyncIterator[Doors]:
    """Open the doors of one process, which knows the policy."""
    with desk.log() as log:
        async with desk.open(log) as doors:
            await doors.parts.in_force.known()
            yield doors


def incidents(log: EventLog) -> list[IncidentOpened]:
    return [e.event for e in log.since(0, 1_000) if isinstance(e.event, IncidentOpened)]


def types(log: EventLog) -> list[str]:
    return [e.type for e in log.since(0, 1_000) if e.type.startswith("incident.")]


def deaf(desk: Gatekept, seconds: int) -> None:
    """Let it be so long ago that anybody listened."""
    with psycopg.connect(desk.database.owner_dsn) as connection:
        connection.execute(
            "UPDATE intake.heartbeat_watch SET "
            "written_at = written_at - make_interval(secs => %s)",
            (seconds,),
        )


def test_a_beat_hears_when_the_next_one_is_expected(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            answer = await doors.post(BEAT, b"anything at all")

            assert answer.status_code == 202
            assert answer.json() == {
                "name": "backup",
                "heard_at": "2025-06-30T08:00:00Z",
                "expected_by": "2025-07-01T08:30:00Z",
                "recovered": False,
            }
            desk.times.now = NOW + 2 * MINUTE
            await doors.parts.heartbeats.round()
            assert types(doors.parts.log) == []
            listed = (await doors.get("/v1/heartbeats")).json()["items"]
            assert [(i["name"], i["state"]) for i in listed] == [
                ("backup", "beating"), ("cron", "beating"), ("theirs", "waiting"),
            ]  # fmt: skip

    asyncio.run(scenario())


def test_silence_opens_an_incident_at_its_true_instant_and_a_beat_restores_it(
    desk: Gatekept,
) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            watch, log = doors.parts.heartbeats, doors.parts.log
            await doors.post(BEAT, b"")
            desk.times.now = NOW + DAY + 32 * MINUTE
            await doors.post("/v1/heartbeats/cron", b"")
            await watch.round()
            await watch.round()
            (event,) = incidents(log)
            assert event.occurred_at == NOW + DAY + 30 * MINUTE
            assert (event.service, event.severity) == ("mail", "critical")
            assert event.source == "heartbeat"
            assert (await doors.get(BEAT)).json()["state"] == "silent"

            again = await doors.post(BEAT, b"")
            assert again.json()["recovered"]
            await watch.round()
            assert types(log)[1:] == [
                "incident.recovered", "incident.restored", "incident.resolved",
            ]  # fmt: skip
            one = (await doors.get(BEAT)).json()
            assert (one["state"], one["beats"]) == ("beating", 2)
            assert one["silent_since"] is None

    asyncio.run(scenario())


def test_what_is_armed_at_once_is_expected_without_ever_having_beaten(
    desk: Gatekept,
) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            await doors.parts.heartbeats.round()
            desk.times.now = NOW + 7 * MINUTE
            await doors.parts.heartbeats.round()

            (event,) = incidents(doors.parts.log)
            assert event.occurred_at == NOW + 6 * MINUTE

    asyncio.run(scenario())


def test_any_number_of_processes_tell_of_a_silence_once(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as one, opened(desk) as two:
            await one.post(BEAT, b"")
            desk.times.now = NOW + 2 * DAY
            await one.post("/v1/heartbeats/cron", b"")
            await asyncio.gather(*(d.parts.heartbeats.round() for d in (one, two) * 3))

            assert len(incidents(one.parts.log)) == 1
            await two.post(BEAT, b"")
            await asyncio.gather(*(d.parts.heartbeats.round() for d in (one, two) * 3))
            assert types(one.parts.log).count("incident.restored") == 1

    asyncio.run(scenario())


def test_a_process_that_died_between_telling_and_noting_it_doubles_nothing(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            watch, log = doors.parts.heartbeats, doors.parts.log
            await doors.post(BEAT, b"")
            desk.times.now = NOW + 2 * DAY
            await doors.post("/v1/heartbeats/cron", b"")
            with monkeypatch.context() as dying:
                dying.setattr(HeartbeatWatch, "_settle", lambda _watch, _held: None)
                await watch.round()
            assert len(incidents(log)) == 1
            await watch.round()
            assert types(log) == ["incident.opened"]
            assert not any(held.owes for held in watch.listed())

    asyncio.run(scenario())


def test_a_desk_that_did_not_listen_accuses_nobody_of_silence(desk: Gatekept) -> None:
    async def before() -> None:
        async with opened(desk) as doors:
            await doors.post("/v1/heartbeats/cron", b"")
            await doors.parts.heartbeats.round()

    async def after() -> None:
        async with opened(desk) as doors:
            await doors.parts.heartbeats.round()
            assert incidents(doors.parts.log) == []
            shown = (await doors.get("/v1/heartbeats/cron")).json()
            assert shown["expected_by"] == "2025-06-30T09:06:00Z"

            desk.times.now += 7 * MINUTE
            await doors.parts.heartbeats.round()
            (event,) = incidents(doors.parts.log)
            assert event.occurred_at == NOW + 66 * MINUTE
            assert "did not listen from 2025-06-30T08:00:00Z" in str(event.details)

    asyncio.run(before())
    desk.times.now += 60 * MINUTE
    deaf(desk, 3_600)
    asyncio.run(after())


def test_a_process_behind_the_policy_judges_nothing_and_forgets_no_deafness(
    desk: Gatekept,
) -> None:
    async def scenario() -> None:
        async with opened(desk) as behind, opened(desk) as ahead:
            await asyncio.to_thread(desk.rule, "urgency: {info: high}", HEARTBEATS)
            await asyncio.to_thread(ahead.parts.in_force.look)
            await ahead.post("/v1/heartbeats/cron", b"")
            await ahead.parts.heartbeats.round()
            desk.times.now += 60 * MINUTE
            await asyncio.to_thread(deaf, desk, 3_600)
            await behind.parts.heartbeats.round()
            await ahead.parts.heartbeats.round()

            assert incidents(ahead.parts.log) == []

    asyncio.run(scenario())


def test_a_beat_between_a_look_and_its_end_is_not_undone(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            newest = doors.parts.in_force.newest()
            assert newest
            await doors.post("/v1/heartbeats/cron", b"")
            with doors.parts.log.transaction() as cursor:
                begin(cursor, [known("cron", HeartbeatTerms(*newest), NOW - DAY)])

            (held,) = doors.parts.heartbeats.listed()
            assert (held.beats, held.last_beat_at) == (1, NOW)

    asyncio.run(scenario())


def test_a_clock_that_jumps_makes_nobody_deaf(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            await doors.post("/v1/heartbeats/cron", b"")
            await doors.parts.heartbeats.round()
            desk.times.now += 60 * MINUTE
            await doors.parts.heartbeats.round()

            assert len(incidents(doors.parts.log)) == 1

    asyncio.run(scenario())


def test_a_heartbeat_the_policy_gives_up_is_forgotten(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            await doors.post(BEAT, b"")
            await doors.parts.heartbeats.round()
            await asyncio.to_thread(desk.rule, "rate: {per_second: 9, burst: 9}")
            await asyncio.to_thread(doors.parts.in_force.look)
            desk.times.now = NOW + 9 * DAY
            await doors.parts.heartbeats.round()

            assert doors.parts.heartbeats.listed() == []
            assert incidents(doors.parts.log) == []
            assert (await doors.post(BEAT, b"")).status_code == 404

    asyncio.run(scenario())


def test_who_may_beat_and_what_beats_not(desk: Gatekept) -> None:
    async def scenario() -> None:
        async with opened(desk) as doors:
            key = doors.keys["demo"]
            answers = {
                "unknown": await doors.post("/v1/heartbeats/nobody", b""),
                "not theirs": await doors.post("/v1/heartbeats/theirs", b""),
                "no key": await doors.post(BEAT, b"", who="nobody"),
                "a person": await doors.post(BEAT, b"", who="agent"),
                "a look": await doors.get(BEAT),
                "in the path": await doors.client.post(f"{BEAT}/{key}"),
            }
            assert {what: a.status_code for what, a in answers.items()} == {
                "unknown": 404, "not theirs": 403, "no key": 401, "a person": 403,
                "a look": 200, "in the path": 202,
            }  # fmt: skip
            assert answers["a look"].json()["beats"] == 0

    asyncio.run(scenario())
