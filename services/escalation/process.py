"""Connects the rules of the service with the database queries they need.

Also names the streams that hold the decisions about an incident, and the streams that
these decisions depend on.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial

from pydantic import TypeAdapter

from services.escalation import recurrence_store, waiting_handovers
from services.escalation.budget_store import crossing_at, note
from services.escalation.linked_problems import concerned, open_problems, workaround
from services.escalation.month_report_mail import store as month_report_mail
from services.escalation.owner_mail import store as owner_mail
from services.escalation.owner_mail.rules import requests_of
from services.escalation.page_tests import store as page_tests
from services.escalation.round_robin import store as round_robin
from services.escalation.rules.case import Case
from services.escalation.rules.context import (
    EscalationContext,
    MethodsOf,
    PolicyOf,
    terms_by,
)
from services.escalation.rules.decider import decide, next_at, react
from services.escalation.rules.evolve import evolve
from services.escalation.rules.page_targets import RosterOf
from services.escalation.survey_mail import store as survey_mail
from services.escalation.unreachable_people import store as unreachable_people
from shared.contact_methods.history import contact_methods_of
from shared.database.cursors import Cursors
from shared.domain.contact_methods import ContactMethods
from shared.domain.events import AnyEvent, is_absence, is_schedule_change
from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    sla_stream,
)
from shared.domain.on_call import Roster
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import policy_now
from shared.eventlog.readers.position import Bookmark
from shared.on_call_changes import roster_of
from shared.process_manager import ProcessManager


def stream_of(incident: str, event: AnyEvent) -> str:
    """Return the stream in which a decision is recorded."""
    if event.type.startswith("handover."):
        return handover_stream(incident)
    return escalation_stream(incident)


def owns(incident: str) -> Sequence[str]:
    """Return the streams that hold our decisions about an incident."""
    return escalation_stream(incident), handover_stream(incident)


def follows(incident: str) -> Sequence[str]:
    """Return the streams to be read before anything is decided by the clock."""
    return incident_stream(incident), sla_stream(incident)


SCHEMA = "escalation"
BOOKMARK = Bookmark(SCHEMA, "escalation", beside=("incident", "sla"))

_REST = (
    SELECT_ROWS
    + "WHERE originator_id = %s AND originator_version > %s AND recorded_at = %s "
    + "ORDER BY originator_version"
)
_ZONE = "SELECT zone FROM directory.people WHERE id = %s"
# In the order in which cases are locked everywhere.
_WAKE = """
UPDATE escalation.cases SET next_at = %(at)s WHERE incident IN (
    SELECT incident FROM escalation.cases
    WHERE next_at > %(at)s AND state ->> 'stage' = 'at_work'
        AND state #>> '{post,level}' <> 'n1'
    ORDER BY incident FOR UPDATE)
"""


def casework(
    log: EventLog, policy_of: PolicyOf, *, webhook: bool
) -> ProcessManager[Case, EscalationContext]:
    """Return the rules; `webhook` tells whether there is a receiver of pages."""
    terms_of = terms_by(policy_of, log.continuity.drop_with)

    def known(cursor: Cursors, incidents: Sequence[str]) -> EscalationContext:
        return EscalationContext(
            policy_of,
            terms_of,
            partial(open_problems, log, cursor),
            lambda position: crossing_at(cursor, position),
            _rest_of_moment(log, cursor),
            rosters_of(cursor),
            partial(policy_now, log, cursor),
            lambda problem, position: workaround(cursor, problem, position),
            webhook,
            methods_of(cursor),
            partial(unreachable_people.is_alarmed, cursor),
            partial(_note, cursor),
            partial(round_robin.turn_before, cursor),
            partial(zone_of, cursor),
            recurrence_store.completed(cursor, incidents),
        )

    return ProcessManager(
        bookmark=BOOKMARK,
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=stream_of,
        follows=follows,
        owns=owns,
        known=known,
        adapter=TypeAdapter(Case),
        concerns=partial(_concerns, log, policy_of),
        note=lambda known, decision: known.note(decision),
    )


def _concerns(
    log: EventLog, policy_of: PolicyOf, cursor: Cursors, entry: Entry
) -> Sequence[str]:
    note(log, cursor, entry, policy_of)
    recurrence_store.note(cursor, entry, policy_of)
    unreachable_people.note(cursor, entry.event)
    _look_again(cursor, entry)
    survey_mail.note(cursor, entry)
    month_report_mail.note(cursor, entry)
    owner_mail.request(cursor, requests_of(entry.event))
    page_tests.note(cursor, entry)
    of_it = concerned(cursor, entry)
    waiting_handovers.note(cursor, entry.event)
    return [*of_it, *waiting_handovers.alike(log, cursor, entry.event)]


def _note(cursor: Cursors, event: AnyEvent) -> None:
    """Store what decisions about other incidents need from a decision."""
    unreachable_people.note(cursor, event)
    round_robin.note(cursor, event)


def _look_again(cursor: Cursors, entry: Entry) -> None:
    """Let the clock look again at what is above n1, if who is on call changes.

    A step that waits until somebody is on call has its instant from the schedule as it
    was when it was last looked at. An override may fill the gap earlier.
    """
    if is_schedule_change(entry.event) or is_absence(entry.event):
        cursor.execute(_WAKE, {"at": entry.recorded_at})


def rosters_of(cursor: Cursors) -> RosterOf:
    """Return the look-up of rosters, which reads each once in a transaction."""
    held: dict[tuple[int, str, date], tuple[Policy, Roster]] = {}

    def look_up(policy: Policy, schedule: str, at: datetime) -> Roster:
        key = id(policy), schedule, at.date()
        if key not in held:  # with the policy, so that its id is not used again
            held[key] = policy, roster_of(cursor, schedule, policy, since=at)
        return held[key][1]

    return look_up


def methods_of(cursor: Cursors) -> MethodsOf:
    """Return the look-up of contact methods, which reads each person's once."""
    held: dict[str, ContactMethods] = {}

    def look_up(people: Sequence[str]) -> Mapping[str, ContactMethods]:
        if missing := [person for person in people if person not in held]:
            held.update(contact_methods_of(cursor, missing))
        return {person: held[person] for person in people}

    return look_up


def zone_of(cursor: Cursors, person: str) -> str | None:
    """Return the time zone of a person in the directory, None without one."""
    row = cursor.execute(_ZONE, (person,)).fetchone()
    return None if row is None else row[0]


def _rest_of_moment(
    log: EventLog, cursor: Cursors
) -> Callable[[str, int, datetime], Sequence[AnyEvent]]:
    def rest(stream: str, version: int, moment: datetime) -> Sequence[AnyEvent]:
        rows = cursor.execute(_REST, (stream, version, moment), binary=True).fetchall()
        return [entry.event for entry in log.entries([Row(*row) for row in rows])]

    return rest
