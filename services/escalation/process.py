"""Connects the rules of the service with the database queries they need.

Also names the streams that hold the decisions about an incident, and the streams that
these decisions depend on.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import Cursor
from pydantic import TypeAdapter

from services.escalation import recurrence_store
from services.escalation.linked_problems import concerned, open_problems, workaround
from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext, PolicyOf, terms_by
from services.escalation.rules.decider import decide, next_at, react
from services.escalation.rules.evolve import evolve
from services.escalation.service_breaches import crossing_at, note
from shared.domain.events import AnyEvent
from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    sla_stream,
)
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.readers.position import Bookmark
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
Cursors = Cursor[tuple[Any, ...]]


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
            lambda problem, position: workaround(cursor, problem, position),
            webhook,
            recurrence_store.completed(cursor, incidents),
        )

    def concerns(cursor: Cursors, entry: Entry) -> Sequence[str]:
        note(log, cursor, entry, policy_of)
        recurrence_store.note(cursor, entry, policy_of)
        return concerned(cursor, entry)

    return ProcessManager(
        schema=SCHEMA,
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=stream_of,
        follows=follows,
        owns=owns,
        known=known,
        adapter=TypeAdapter(Case),
        concerns=concerns,
    )


def _rest_of_moment(
    log: EventLog, cursor: Cursors
) -> Callable[[str, int, datetime], Sequence[AnyEvent]]:
    def rest(stream: str, version: int, moment: datetime) -> Sequence[AnyEvent]:
        rows = cursor.execute(_REST, (stream, version, moment), binary=True).fetchall()
        return [entry.event for entry in log.entries([Row(*row) for row in rows])]

    return rest
