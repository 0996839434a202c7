"""Who is on call by the policy and by what people changed: read from the log.

Everything that asks who is on call asks `roster_of`. The changes of a schedule are
events of one stream, and a person's absences those of another, so there is no table
that could differ from the log.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent, is_absence, is_schedule_change
from shared.domain.identifiers import absences_stream, on_call_stream
from shared.domain.on_call import Roster
from shared.domain.on_call.schedule_changes import (
    NO_ABSENCES,
    NO_CHANGES,
    Absences,
    RecordedAbsence,
    ScheduleChanges,
    replay,
    replay_absences,
    roster,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Schedule, group
from shared.eventlog.kept_states import KeptStates
from shared.eventlog.log import NEWEST


def _changes(events: Iterable[AnyEvent]) -> ScheduleChanges:
    return replay(event for event in events if is_schedule_change(event))


def _absences(events: Iterable[AnyEvent]) -> Absences:
    return replay_absences(event for event in events if is_absence(event))


_CHANGES = KeptStates(_changes)
_ABSENCES = KeptStates(_absences)


def changes_of(cursor: Cursors, schedule: str, upto: int = NEWEST) -> ScheduleChanges:
    """Return what people changed of a schedule, as of a position of the log."""
    stream = on_call_stream(schedule)
    return _CHANGES.of(cursor, [stream], upto).get(stream, NO_CHANGES)


def absences_of_person(cursor: Cursors, person: str, upto: int = NEWEST) -> Absences:
    """Return the absences of one person by id, as of a position of the log."""
    stream = absences_stream(person)
    return _ABSENCES.of(cursor, [stream], upto).get(stream, NO_ABSENCES)


def absences_of(
    cursor: Cursors, people: Iterable[str], upto: int = NEWEST
) -> Sequence[RecordedAbsence]:
    """Return the absences of people, as of a position of the log."""
    streams = [absences_stream(person) for person in sorted({*people})]
    found = _ABSENCES.of(cursor, streams, upto)
    return [each for absences in found.values() for each in absences.values()]


def roster_of(
    cursor: Cursors,
    schedule: str,
    policy: Policy,
    *,
    since: datetime | None = None,
    upto: int = NEWEST,
) -> Roster:
    """Return who is on call in a schedule of the policy, with what people changed.

    `since` is the beginning of the period that is asked about: changes that ended long
    before are left out. `upto` is the position up to which events count. KeyError if
    the policy has no such schedule.
    """
    return changed_roster(
        cursor,
        policy.schedules[schedule],
        changes_of(cursor, schedule, upto),
        since=since,
        upto=upto,
    )


def rosters_of(
    cursor: Cursors,
    policy: Policy,
    *,
    since: datetime | None = None,
    upto: int = NEWEST,
) -> Mapping[str, Roster]:
    """Return the rosters of all schedules of the policy, as `roster_of` returns one."""
    streams = {on_call_stream(name): name for name in policy.schedules}
    held = _CHANGES.of(cursor, list(streams), upto) if streams else {}
    changes = {name: held.get(stream, NO_CHANGES) for stream, name in streams.items()}
    people = {
        person
        for name, schedule in policy.schedules.items()
        for person in _with_turns(schedule, changes[name])
    }
    absences = absences_of(cursor, people, upto)
    return {
        name: roster(schedule, changes[name], absences, since)
        for name, schedule in policy.schedules.items()
    }


def changed_roster(
    cursor: Cursors,
    schedule: Schedule,
    changes: ScheduleChanges,
    *,
    since: datetime | None = None,
    upto: int = NEWEST,
) -> Roster:
    """Return the roster of a schedule with these changes, and with all absences."""
    people = _with_turns(schedule, changes)
    return roster(schedule, changes, absences_of(cursor, people, upto), since)


def _with_turns(schedule: Schedule, changes: ScheduleChanges) -> frozenset[str]:
    """Return everybody whose absence matters: an override counts all the same."""
    turns = (
        person
        for layer in schedule.all_layers()
        for participant in layer.rotation.participants
        for person in group(participant)
    )
    dated = (
        person
        for each in changes.temporary.values()
        for shift in each.shifts
        for person in shift.people
    )
    return frozenset((*turns, *dated))
