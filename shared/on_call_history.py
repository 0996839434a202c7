"""Reads from the log who was on call, and what each person did while they were.

Read straight from the streams, so there is no table that could differ from the log.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.database.cursors import Cursors
from shared.domain.events.on_call_history import (
    OnCallHandedOver,
    OnCallInterventionDeclared,
    OnCallInterventionWithdrawn,
)
from shared.domain.identifiers import interventions_stream, on_call_history_stream
from shared.domain.on_call import first_instant
from shared.domain.on_call.statement import (
    REST,
    Intervention,
    Standby,
    Statement,
    statement,
)
from shared.domain.policy.document import people_named
from shared.domain.policy.schedules import Role
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policies_since

STATED_MAX = 5_000
"""Hand-overs of a schedule in a month: more than one every ten minutes."""
_AT = "log.said_at(state, 'at_instant')"
_BEFORE = f"""
SELECT DISTINCT ON (log.said(state, 'role')) log.document(state), recorded_at
FROM log.events
WHERE originator_id = %s AND topic = 'on_call.handed_over' AND {_AT} <= %s
ORDER BY log.said(state, 'role'), originator_version DESC
"""  # noqa: S608 # our own names
_WITHIN = f"""
SELECT log.document(state), recorded_at FROM log.events
WHERE originator_id = %s AND topic = 'on_call.handed_over' AND {_AT} > %s AND {_AT} < %s
ORDER BY originator_version LIMIT %s
"""  # noqa: S608 # our own names
_INTERVENTIONS = """
SELECT event FROM log.readable
WHERE stream = ANY(%s) AND event IS NOT NULL ORDER BY stream, version
"""


@dataclass(frozen=True, slots=True)
class Period:
    """People on call in [begins, ends), as it was recorded."""

    role: Role
    people: tuple[str, ...]
    """Nobody in a gap."""
    begins: datetime
    ends: datetime | None
    """None if nobody has taken over."""
    recorded_at: datetime
    policy: int


class TooMany(Exception):
    """There were more hand-overs than may be read: ask for a shorter period."""


def people_at(cursor: Cursors, schedule: str, at: datetime) -> Mapping[Role, Period]:
    """Return who was on call at an instant, by role; empty before the history."""
    rows = cursor.execute(_BEFORE, (on_call_history_stream(schedule), at)).fetchall()
    found = (_period(*row) for row in rows)
    return {period.role: period for period in found}


def periods(
    cursor: Cursors, schedule: str, start: datetime, end: datetime, most: int
) -> Sequence[Period]:
    """Return who was on call in [start, end), from the beginning of each period on.

    Raises `TooMany` if there were more than `most` hand-overs.
    """
    given = (on_call_history_stream(schedule), start, end, most + 1)
    rows = cursor.execute(_WITHIN, given).fetchall()
    if len(rows) > most:
        raise TooMany(f"more than {most} hand-overs")
    held = dict(people_at(cursor, schedule, start))
    found: list[Period] = []
    for row in rows:
        period = _period(*row)
        if period.role in held:
            found.append(replace(held[period.role], ends=period.begins))
        held[period.role] = period
    return sorted([*found, *held.values()], key=lambda each: (each.begins, each.role))


def interventions_of(
    cursor: Cursors, people: Iterable[str]
) -> Mapping[str, Sequence[Intervention]]:
    """Return what people declared and did not withdraw, by person."""
    streams = [interventions_stream(person) for person in sorted({*people})]
    found: dict[str, dict[str, Intervention]] = defaultdict(dict)
    for (event,) in cursor.execute(_INTERVENTIONS, (streams,)).fetchall():
        match event["type"]:
            case "on_call.intervention_declared":
                declared = OnCallInterventionDeclared.model_validate(event)
                found[declared.person][declared.intervention] = Intervention(
                    declared.intervention,
                    declared.start,
                    declared.end,
                    declared.incident,
                )
            case "on_call.intervention_withdrawn":
                gone = OnCallInterventionWithdrawn.model_validate(event)
                found[gone.person].pop(gone.intervention, None)
            case _:  # of a later version
                pass
    return {person: list(each.values()) for person, each in found.items()}


def month_of(first: date, zone: str) -> tuple[datetime, datetime]:
    """Return the beginning of a month and of the next one, in a zone."""
    following = (first + timedelta(days=31)).replace(day=1)
    begins, ends = (
        first_instant(datetime.combine(day, time()), ZoneInfo(zone))
        for day in (first, following)
    )
    return begins, ends


def statements(
    log: EventLog,
    cursor: Cursors,
    month: tuple[datetime, datetime],
    now: datetime,
    only: Collection[str] | None = None,
) -> Sequence[Statement]:
    """Return the statement of everybody who was on standby or intervened in a month.

    `only` names the people of interest; None: everybody. What is still to come does not
    count. Raises `TooMany` if a schedule has more than `STATED_MAX` hand-overs.
    """
    start, end = month
    policies = policies_since(log, cursor, start)
    names = sorted({name for each in policies for name in each.policy.schedules})
    standby = _standby(cursor, names, month, now)
    named = {person for each in policies for person in people_named(each.policy)}
    people = {*named, *standby} if only is None else {*only}
    declared = interventions_of(cursor, people)
    found = (
        statement(
            person,
            month,
            standby.get(person, ()),
            [
                each
                for each in declared.get(person, ())
                if each.end > start - REST and each.start < end + REST
            ],
        )
        for person in sorted(people)
    )
    return [each for each in found if only is not None or not each.is_empty]


def _standby(
    cursor: Cursors,
    schedules: Iterable[str],
    month: tuple[datetime, datetime],
    now: datetime,
) -> Mapping[str, Sequence[Standby]]:
    """Return what people were on standby for, until now. Raises `TooMany`."""
    found: dict[str, list[Standby]] = defaultdict(list)
    for schedule in schedules:
        for period in periods(cursor, schedule, *month, STATED_MAX):
            until = min(period.ends or now, now)
            for person in period.people:
                found[person].append(
                    Standby(schedule, period.role, period.begins, until)
                )
    return found


def _period(event: Any, recorded_at: datetime) -> Period:  # noqa: ANN401 # a JSON object
    handover = OnCallHandedOver.model_validate(event)
    return Period(
        handover.role,
        handover.incoming,
        handover.at_instant,
        None,
        recorded_at,
        handover.policy,
    )
