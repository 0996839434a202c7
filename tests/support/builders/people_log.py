"""A log with people and their rights, and the tables that follow from it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from shared.domain.events.event import Event
from shared.domain.events.person import (
    PersonEvent,
    PersonRemoved,
    PersonRoleGranted,
    PersonRoleWithdrawn,
    Role,
)
from shared.domain.identifiers import person_stream
from shared.domain.limits import EVERYTHING, Limits, names_of
from shared.domain.person import evolve
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.security.grants.store import rights_of, write

MORNING = datetime(2026, 3, 2, 7, tzinfo=UTC)
GIVER = "person:root"
_minutes = count()


def given(
    person: str,
    number: int,
    role: Role,
    limits: Limits = EVERYTHING,
    until: datetime | None = None,
) -> PersonRoleGranted:
    """Return a role that root gives as the event with this number of the stream."""
    return PersonRoleGranted.model_validate(
        {
            **_common(),
            **names_of(limits)._asdict(),
            "person": person,
            "grant": f"{person}.{number}",
            "role": role,
            "until": until,
        }
    )


def withdrawn(person: str, number: int) -> PersonRoleWithdrawn:
    """Return the end of the role that the event with this number gave."""
    grant = f"{person}.{number}"
    return PersonRoleWithdrawn.model_validate(
        {**_common(), "person": person, "grant": grant}
    )


def removed(person: str) -> PersonRemoved:
    """Return the removal of a person."""
    return PersonRemoved.model_validate({**_common(), "person": person})


def record(log: EventLog, person: str, *happened: PersonEvent) -> None:
    """Append events of a person and write the tables, as intake does."""
    with log.transaction() as cursor:
        before = rights_of(log, cursor, [person])[person]
        after = before
        for event in happened:
            after = evolve(after, event)
        write(cursor, person, before, after)
        unit = _unit(log, person_stream(person), before.version, happened)
        log.append(cursor, [unit])


def _unit(
    log: EventLog, stream: str, version: int, happened: Sequence[Event]
) -> AppendUnit:
    stored = (
        log.stored(stream, number, event)
        for number, event in enumerate(happened, version + 1)
    )
    return AppendUnit(tuple(stored))


def _common() -> Mapping[str, object]:
    return {"at": MORNING + timedelta(minutes=next(_minutes)), "by": GIVER}
