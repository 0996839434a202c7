"""Histories in the log, for the incidents that a measurement opens, and rows beside.

An incident's page replays its events, and a search shows texts of its hits, so these
have real events, sealed and read by the readers of the desk. Their promises are broken
for long, so they are the first of every queue that has them. All other incidents have a
copied row each, for the size of the log; nobody reads those.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psycopg
from rich.progress import track

from bench.full_queue import CLIENTS, PEOPLE, SERVICES, START, TEAMS, said
from services.projections.read_models import MODELS
from services.projections.rebuild.rebuild import ensure
from shared.clock import real_clock
from shared.domain.events import EVENT_TYPES, AnyEvent
from shared.domain.identifiers import escalation_stream, incident_stream, sla_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from tests.support.desks.running import MASTER, Desk

REPORTED = START - timedelta(days=1)
"""Before everything else was."""
RARE = "martagon"
"""A word that is in the histories alone."""
FIRST = 9_999_990_000
"""Sorted as texts, these references come after all others: they are the newest."""
ALWAYS_WRITTEN = 100
ONE_IN = 1_000
"""So many histories in addition: one for each thousand incidents."""
AT_ONCE = 25
CONTACTS, MESSAGES, NOTES, PAGES = 3, 4, 4, 3


def written(number: int) -> list[str]:
    """Return the incidents that have a history if there are so many incidents."""
    return [f"INC-{FIRST + n}" for n in range(ALWAYS_WRITTEN + number // ONE_IN)]


def make_read_models(desk: Desk) -> None:
    """Create an empty generation of each read model."""
    for model in MODELS.values():
        ensure(desk.database.dsn("desk_projections"), MASTER, model, real_clock)


def write(desk: Desk, there: int, number: int) -> None:
    """Write what a log of `number` incidents has, where it has one of `there`.

    The readers begin after the copied rows, and read the histories as always.
    """
    log = desk.log()
    with psycopg.connect(desk.database.owner_dsn, autocommit=True) as connection:
        _copy_rows(connection, log, there, number)
    fresh = written(number)[len(written(there)) if there else 0 :]
    random, now = Random(number), real_clock()
    for first in track(range(0, len(fresh), AT_ONCE), "their histories"):
        part = fresh[first : first + AT_ONCE]
        _append(log, {ref: _history(ref, random, now) for ref in part})
    log.close()


_COPY = """
INSERT INTO log.events
SELECT head.position + n - %(first)s + 1,
       'incident-INC-' || lpad(n::text, greatest(6, length(n::text)), '0'), 1,
       'incident.acknowledged', %(state)s, head.at, NULL, sha256(n::text::bytea)
FROM generate_series(%(first)s::bigint, %(last)s) AS n,
     (SELECT max(notification_id) AS position, max(recorded_at) AS at
      FROM log.events) AS head
"""
_TRACK = """
UPDATE {schema}.tracking SET (position, chain, recorded_at) = (
    SELECT notification_id, chain, recorded_at FROM log.events
    ORDER BY notification_id DESC LIMIT 1)
"""


def _copy_rows(
    connection: psycopg.Connection[Any], log: EventLog, there: int, number: int
) -> None:
    """Insert a row for each incident; their chain is not computed."""
    (_, taken, *_), *_ = _history("INC-000001", Random(1), real_clock())
    state = log.stored(incident_stream("INC-000001"), 1, taken).state
    connection.execute("ALTER TABLE log.events DISABLE TRIGGER follows")
    given = {"first": there + 1, "last": number, "state": state}
    connection.execute(_COPY, given)
    connection.execute("ALTER TABLE log.events ENABLE TRIGGER follows")
    connection.execute("VACUUM ANALYZE log.events")
    for name in MODELS:
        connection.execute(_TRACK.format(schema=f"rm_{name}_v1"))


_History = tuple[Sequence[AnyEvent], Sequence[AnyEvent], Sequence[AnyEvent]]
"""The events of the streams of an incident: its own, its promises, its escalation."""


def _append(log: EventLog, histories: Mapping[str, _History]) -> None:
    names = (incident_stream, sla_stream, escalation_stream)
    units = []
    for ref, history in histories.items():
        for stream_of, events in zip(names, history, strict=True):
            stream = stream_of(ref)
            units.append(
                AppendUnit(
                    tuple(log.stored(stream, v, e) for v, e in enumerate(events, 1))
                )
            )
    with log.transaction() as cursor:
        log.append(cursor, units)


def _history(ref: str, random: Random, now: datetime) -> _History:
    """Return what happened to an incident on its first day; it is still at work."""
    steps = (now - timedelta(hours=9) + timedelta(minutes=20 * n) for n in range(99))
    user = f"user-{random.randrange(PEOPLE)}"
    head = {"incident": ref, "policy": 1}

    def event(type_: str, by: str, /, **given: object) -> AnyEvent:
        whole = {"at": next(steps), "by": by, "whose": f"person:{user}"}
        return EVENT_TYPES[type_].model_validate({**head, **whole, **given})  # type: ignore[return-value] # by type

    own = list(_own(event, random, user))
    return own, list(_promises(event)), list(_escalation(event))


def _own(event: Any, random: Random, user: str) -> Iterator[AnyEvent]:  # noqa: ANN401
    desk = "person:nadia"
    yield event(
        "incident.opened",
        desk,
        origin="agent",
        channel="phone",
        title=f"payroll slow on {RARE} {random.randrange(1_000)}",
        description=said(random),
        service=f"service-{random.randrange(SERVICES)}",
        client=f"client-{random.randrange(CLIENTS)}",
        team=f"team-{random.randrange(TEAMS)}",
        impact="high",
        urgency="medium",
        priority="p2",
        reporter=user,
        reported_at=REPORTED,
    )
    yield event("incident.acknowledged", desk)
    yield event("incident.assigned", desk, team="team-1", assignee="nadia")
    for number in range(CONTACTS):
        yield event(
            "incident.contacted",
            desk,
            person=user,
            direction="inbound",
            channel="phone",
            contacted_at=REPORTED,
            words=f"{RARE} {number}: {said(random)}",
        )
    for _ in range(MESSAGES):
        yield event("incident.informed", desk, message=said(random))
    for _ in range(NOTES):
        yield event("incident.noted", desk, note=said(random))


def _promises(event: Any) -> Iterator[AnyEvent]:  # noqa: ANN401
    watcher = "system:sla_watcher"
    for target, hours in (("tto", 10), ("ttr", 20)):
        seconds, due_at = hours * 3_600, REPORTED + timedelta(hours=hours)
        of = {"target": target, "cycle": 1, "contract": "standard", "seconds": seconds}
        yield event(
            "sla.armed",
            watcher,
            **of,
            candidates=["standard"],
            calendar="always",
            started_at=REPORTED,
            due_at=due_at,
        )
        yield event("sla.breached", watcher, **of, due_at=due_at, breached_at=due_at)


def _escalation(event: Any) -> Iterator[AnyEvent]:  # noqa: ANN401
    escalation = "system:escalation"
    for number in range(PAGES):
        key = f"page|{number}"
        given = {"kind": "page", "audience": "staff", "channel": "webhook"}
        cause = {"cause_stream": "incident-INC-000001", "cause_version": 1}
        yield event("notification.requested", escalation, key=key, **given, **cause)
        yield event("notification.sent", escalation, key=key)
        done = {"key": key, "attempts": 1, "receipt": "200"}
        yield event("notification.confirmed", escalation, **done)
